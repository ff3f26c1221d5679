/** A piece of a line of notes. `href` is there only for links that lead somewhere harmless. */
export interface Inline {
  readonly kind: 'text' | 'strong' | 'emphasis' | 'code' | 'link';
  readonly text: string;
  readonly href?: string;
}

/** A block of notes. */
export type Block =
  | { readonly kind: 'heading'; readonly content: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly content: readonly Inline[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'code'; readonly text: string };

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^()\s]+)\)/g;

/**
 * The part of Markdown that notes need: headings, paragraphs, lists with - or *, code, emphasis and links. Everything else, HTML too, is text. A link
 * leads to http, https or an address of this server, else it is text as well.
 */
export function parseMarkdown(text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split(/\r?\n/);
  for (let k = 0; k < lines.length;) {
    const takeWhile = (isPart: (line: string) => boolean): readonly string[] => {
      const start = k;
      while (k < lines.length && isPart(lines[k] ?? '')) k++;
      return lines.slice(start, k);
    };
    const line = lines[k] ?? '';
    if (line.trim() === '') k++;
    else if (line.startsWith('```')) {
      k++;
      blocks.push({ kind: 'code', text: takeWhile((one) => !one.startsWith('```')).join('\n') });
      k++;
    } else if (/^#{1,6} /.test(line)) {
      k++;
      blocks.push({ kind: 'heading', content: parseInline(line.replace(/^#+ /, '')) });
    } else if (isItem(line)) {
      blocks.push({ kind: 'list', items: takeWhile(isItem).map((item) => parseInline(item.trim().slice(2))) });
    } else {
      const part = takeWhile(
        (one) => one.trim() !== '' && !one.startsWith('```') && !/^#{1,6} /.test(one) && !isItem(one),
      );
      blocks.push({ kind: 'paragraph', content: parseInline(part.join(' ')) });
    }
  }
  return blocks;
}

const isItem = (line: string): boolean => /^\s*[-*] /.test(line);

function parseInline(text: string): readonly Inline[] {
  const pieces: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const [all, code, strong, emphasis, label, href] = match;
    if (match.index > end) pieces.push({ kind: 'text', text: text.slice(end, match.index) });
    end = match.index + all.length;
    if (code !== undefined) pieces.push({ kind: 'code', text: code });
    else if (strong !== undefined) pieces.push({ kind: 'strong', text: strong });
    else if (emphasis !== undefined) pieces.push({ kind: 'emphasis', text: emphasis });
    else if (label !== undefined && href !== undefined && isHarmless(href))
      pieces.push({ kind: 'link', text: label, href });
    else pieces.push({ kind: 'text', text: all });
  }
  if (end < text.length) pieces.push({ kind: 'text', text: text.slice(end) });
  return pieces;
}

/** By allowed beginnings, because a browser knows many schemes and forgives many spellings of them. */
const isHarmless = (href: string): boolean => /^(https?:\/\/|\/(?![/\\])|#)/i.test(href);
