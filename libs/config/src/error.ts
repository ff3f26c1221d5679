import type { ConfigIssue } from './contract.js';

/** Wrong input by the user: every issue at once. The command line answers it with exit code 2. */
export class ConfigError extends Error {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(formatIssues(issues));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

/** The issues as text: what was wrong, then where, what is allowed, and what to do. */
export function formatIssues(issues: readonly ConfigIssue[]): string {
  return issues
    .map((issue) => {
      const lines = [issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`];
      if (issue.at) lines.push(`  at       ${issue.at.file}:${issue.at.line}:${issue.at.column}`);
      if (issue.source !== undefined) lines.push(`  at       ${issue.source}`);
      if (issue.allowed !== undefined) lines.push(`  allowed  ${issue.allowed}`);
      if (issue.hint !== undefined) lines.push(`  hint     ${issue.hint}`);
      return lines.join('\n');
    })
    .join('\n\n');
}
