import { describe, expect, it } from 'vitest';
import { parseMarkdown } from './markdown.js';

describe('parseMarkdown', () => {
  it('knows headings, lists, code, emphasis and links', () => {
    expect(
      parseMarkdown('# Why\nA **bold** `x*y` *claim*\nof [two](/runs/2)\n\n- one\n- two\n```\n**raw**\n```'),
    ).toEqual([
      { kind: 'heading', content: [{ kind: 'text', text: 'Why' }] },
      {
        kind: 'paragraph',
        content: [
          { kind: 'text', text: 'A ' },
          { kind: 'strong', text: 'bold' },
          { kind: 'text', text: ' ' },
          { kind: 'code', text: 'x*y' },
          { kind: 'text', text: ' ' },
          { kind: 'emphasis', text: 'claim' },
          { kind: 'text', text: ' of ' },
          { kind: 'link', text: 'two', href: '/runs/2' },
        ],
      },
      { kind: 'list', items: [[{ kind: 'text', text: 'one' }], [{ kind: 'text', text: 'two' }]] },
      { kind: 'code', text: '**raw**' },
    ]);
  });

  it('takes HTML and links that lead to no page for text', () => {
    for (const text of [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '[x](javascript:alert`1`)',
      '[x](JaVaScRiPt:1)',
      '[x](data:text/html,1)',
      '[x](//evil.example)',
      '[x](/\\evil.example)',
      '[x](\u0001javascript:1)',
    ]) {
      const [block] = parseMarkdown(text);
      expect(JSON.stringify(block), text).not.toContain('"link"');
    }
  });
});
