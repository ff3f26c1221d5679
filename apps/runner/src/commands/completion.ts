import { join } from 'node:path';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/**
 * `towerbench completion`: what makes a shell ask `towerbench complete` what may come next, after `towerbench` and after `npx towerbench`. It
 * also makes `towerbench` a command where it is none, because the workspace is not on the path.
 */
export function completion(root: string, shell: Shell): void {
  const program = `node '${join(root, 'apps/runner/bin/towerbench.mjs').replaceAll("'", String.raw`'\''`)}'`;
  process.stdout.write(SCRIPTS[shell](program));
}

const SCRIPTS: Readonly<Record<Shell, (program: string) => string>> = {
  bash: (program) => `# Completion of towerbench in bash. In ~/.bashrc:  source FILE-WITH-THIS
_towerbench() {
  local first=1 offer quoted
  COMPREPLY=()
  if [[ \${COMP_WORDS[0]##*/} == npx ]]; then
    [[ \${COMP_WORDS[1]} == towerbench && $COMP_CWORD -gt 1 ]] || return
    first=2
  fi
  while IFS=$'\\t' read -r offer _; do
    printf -v quoted %q "$offer"
    COMPREPLY+=("$quoted")
  done < <(${program} complete -- "\${COMP_WORDS[@]:first:COMP_CWORD-first+1}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _towerbench towerbench
complete -p npx >/dev/null 2>&1 || complete -o bashdefault -o default -F _towerbench npx
command -v towerbench >/dev/null || towerbench() { ${program} "$@"; }
`,
  zsh: (program) => `# Completion of towerbench in zsh. In ~/.zshrc, after compinit:  source FILE-WITH-THIS
_towerbench() {
  local first=2 offer about
  local -a offers folders
  if [[ \${words[1]:t} == npx ]]; then
    if [[ \${words[2]} != towerbench ]] || (( CURRENT < 3 )); then _default; return; fi
    first=3
  fi
  while IFS=$'\\t' read -r offer about; do
    if [[ $offer == */ ]]; then folders+=("$offer"); else offers+=("\${offer//:/\\\\:}\${about:+:$about}"); fi
  done < <(${program} complete -- "\${(@)words[first,CURRENT]}" 2>/dev/null)
  (( \${#folders} )) && compadd -S '' -a folders
  (( \${#offers} )) && _describe -V towerbench offers
}
compdef _towerbench towerbench
(( \${+_comps[npx]} )) || compdef _towerbench npx
(( \${+commands[towerbench]} )) || towerbench() { ${program} "$@" }
`,
  fish: (program) => `# Completion of towerbench in fish. In ~/.config/fish/config.fish:  source FILE-WITH-THIS
function __towerbench_offers
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    if test "$typed[1]" = npx
        set -e typed[1]
    end
    set -e typed[1]
    ${program} complete -- $typed "$current" 2>/dev/null
end
complete -c towerbench -f -a '(__towerbench_offers)'
complete -c npx -n '__fish_seen_subcommand_from towerbench' -f -a '(__towerbench_offers)'
type -q towerbench; or function towerbench
    ${program} $argv
end
`,
};
