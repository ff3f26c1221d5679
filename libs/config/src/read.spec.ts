import { describe, expect, it } from 'vitest';
import { issuesOf, load, sound, textOf } from './stand-in/files.js';

const codes = (text: string | Uint8Array) =>
  issuesOf({ 'a.yaml': text }).map(({ code, at }) => [code, at?.line, at?.column]);

describe('YAML', () => {
  it('is read with anchors, block and flow style, Windows line ends, a byte order mark and a final comment', () => {
    const text = `\uFEFF${sound.replace('{ type: dssm', '&tower { type: dssm')}variants:\r\n  base:\r\n  copy:\r\n    model: *tower\r\n# end`;
    const { trials } = load(text);
    expect(trials[1]?.config).toEqual(trials[0]?.config);
  });

  it.each([
    ['an open bracket', 'name: [a\nseeds: [1]\n', [['yaml-syntax', 2, 1]]],
    ['an open quote', 'name: "a\n', [['yaml-syntax', 2, 1]]],
    ['two documents', 'name: a\n---\nname: b\n', [['yaml-syntax', 2, 1]]],
    ['a tab', 'training:\n\tepochs: 1\n', [['yaml-tab', 2, 1]]],
    ['a key twice', 'name: a\nname: b\n', 'duplicate-key'],
    ['an unknown tag', 'name: !!js/function a\n', [['yaml-syntax', 1, 7]]],
    ['an alias without anchor', 'name: *a\n', [['yaml-alias', 1, 7]]],
    ['an anchor within itself', 'name: &a [*a]\n', [['yaml-alias', 1, 11]]],
    ['an empty file', '', [['not-a-map', 1, 1]]],
    ['a list', '- a\n', [['not-a-map', 1, 1]]],
    ['text', 'hello\n', [['not-a-map', 1, 1]]],
    ['nothing but a comment', '# a\n', [['not-a-map', 1, 1]]],
    ['depth', `name: ${'['.repeat(60)}${']'.repeat(60)}\n`, 'yaml-depth'],
    ['depth beyond the stack', `name: ${'['.repeat(100_000)}`, 'yaml-depth'],
    ['bytes that are no UTF-8', new Uint8Array([0x61, 0xff, 0xfe]), 'file-encoding'],
    ['a huge file', `# ${'x'.repeat(1_000_001)}`, 'file-size'],
    ['a number without end', 'name: .inf\n', 'wrong-value'],
    ['a key that is a list', '? [a, b]\n: c\n', 'wrong-key'],
    ['a key that is null', '? \n: c\n', 'wrong-key'],
  ])('refuses %s', (_, text, expected) => {
    const found = codes(text);
    if (typeof expected === 'string') expect(found.map(([code]) => code)).toContain(expected);
    else expect(found).toEqual(expected);
  });

  it('says where the first of two equal keys stands', () => {
    expect(textOf(`${sound}training:\n  epochs: 1\n  epochs: 2\n`)).toBe(
      `training.epochs: the key "epochs" stands twice in one map
  at       a.yaml:8:3
  hint     the first is in line 7; keep one of them`,
    );
  });

  it('stops an alias bomb before it goes off: 2 · 9^11 values from twelve lines', () => {
    const names = 'bcdefghijkl'.split('');
    const lines = names.map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghijk'[i]}`).join(', ')}]`);
    expect(codes(`a: &a [x, x]\n${lines.join('\n')}\n`).map(([code]) => code)).toEqual(['yaml-aliases']);
  });

  it('shows at most ten mistakes of grammar', () => {
    expect(codes('a: "\\q"\n'.repeat(30)).length).toBeLessThanOrEqual(10);
  });

  it('takes 1e-3, 0.001 and 1.0E-3 for one number, and yes, 012 and 0o17 for what YAML 1.2 says', () => {
    const rate = (text: string) =>
      load(`${sound}optimizer: { learning_rate: ${text} }\n`).trials[0]?.config.optimizer['learningRate'];
    expect([rate('1e-3'), rate('0.001'), rate('1.0E-3')]).toEqual([0.001, 0.001, 0.001]);
    const epochs = (text: string) =>
      load(`${sound}training: { epochs: ${text} }\n`).trials[0]?.config.training['epochs'];
    expect([epochs('012'), epochs('0o17'), epochs('1.0')]).toEqual([12, 15, 1]);
    expect(issuesOf(`${sound}training: { epochs: yes }\n`)).toHaveLength(1);
  });

  it('has no merge keys: << is a key like any other', () => {
    expect(issuesOf(`${sound}training: { <<: { epochs: 1 } }\n`)).toMatchObject([
      { code: 'unknown-key', path: 'training.<<' },
    ]);
  });

  it('says that there is no such file', () => {
    expect(() => load({ 'a.yaml': 'extends: c.yaml\n' })).toThrow('there is no such file');
  });
});
