import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigError } from './error.js';
import { loadExperiment } from './experiment.js';
import { sound, writeFiles } from './stand-in/files.js';
import { standIn } from './stand-in/vocabulary.js';

const whole = `${sound}seeds: [1, 2, 3]
variants:
  base: {}
  wide: { model: { embedding_dim: 64 } }
stall_minutes: 5
`;

/** Nine levels of lists of nine aliases: 9⁹ values when they are copied. */
const aliasBomb = Array.from({ length: 9 }, (_, level) =>
  `l${level}: &l${level} [${Array.from({ length: 9 }, () => (level === 0 ? 'x' : `*l${level - 1}`)).join(', ')}]`,
).join('\n'); // prettier-ignore

type Mutation = (text: string) => string;
const line = fc.nat(15);
const lines = (text: string, change: (all: string[]) => void): string => {
  const all = text.split('\n');
  change(all);
  return all.join('\n');
};
const value = (text: string): fc.Arbitrary<Mutation> =>
  fc.nat(8).map((k) => (file: string) => {
    let seen = 0;
    return file.replaceAll(/: [^\s{][^\n,}]*/g, (old) => (seen++ === k ? `: ${text}` : old));
  });

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })).map(
    ([at, byte]): Mutation =>
      (text) => text.slice(0, at % text.length) + String.fromCharCode(byte) + text.slice((at % text.length) + 1),
  ),
  fc.tuple(line, line).map(([a, b]): Mutation => (text) =>
    lines(text, (all) => {
      [all[a % all.length], all[b % all.length]] = [all[b % all.length] ?? '', all[a % all.length] ?? ''];
    }),
  ),
  line.map((k): Mutation => (text) => lines(text, (all) => all.splice(k % all.length, 0, all[k % all.length] ?? ''))),
  fc.tuple(line, fc.constantFrom('__proto__', 'constructor', 'toString', '<<', '?', '', '~', '1', 'naem', '*a', '&a', '!!js/function')).map(
    ([k, key]): Mutation => (text) =>
      lines(text, (all) => all.splice(k % all.length, 1, (all[k % all.length] ?? '').replace(/\w+(?=:)/, key))),
  ),
  fc.constantFrom('&a *a', '*unknown', '1e400', '9'.repeat(400), '-.inf', '.nan', '0x7fffffffffffffff', '!!binary x', '"\\u0000"', '{ __proto__: { x: 1 } }', '[', '}', '| ', "'", '!!set {a}', '2026-01-01').chain(value), // prettier-ignore
  fc.integer({ min: 1, max: 3000 }).chain((depth) => value('['.repeat(depth) + ']'.repeat(depth))),
  fc.constantFrom<Mutation>(
    (text) => `${text}${aliasBomb}\n`,
    (text) => text.replace('base: {}', `base: &b { model: *b }`),
    (text) => `${text}__proto__: { isAdmin: true }\n`,
    (text) => `\ufeff${text}`,
    (text) => text.replaceAll('\n', '\r\n'),
    (text) => text.replaceAll('  ', '\t'),
    (text) => `${text}---\n${text}`,
    (text) => `%YAML 9.9\n---\n${text}`,
    (text) => `${text}...\n`,
    (text) => `${text}# \xff\xfe`,
    () => '',
  ),
); // prettier-ignore

it('the file before it is mutated is sound', () => {
  expect(
    loadExperiment({ file: join(writeFiles({ 'a.yaml': whole }), 'a.yaml'), overrides: [], vocabulary: standIn }).name,
  ).toBe('sound');
});

it('1,000 mutated files either load or are refused with a place, each within a second', { timeout: 120_000 }, () => {
  const folder = writeFiles({});
  const path = join(folder, 'a.yaml');
  let [refused, slowest] = [0, 0];
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), fc.boolean(), (mutations, isUtf8) => {
      const text = mutations.reduce((file, mutate) => mutate(file), whole);
      writeFileSync(path, Buffer.from(text, isUtf8 ? 'utf8' : 'latin1'));
      const before = process.cpuUsage();
      try {
        loadExperiment({ file: path, overrides: [], vocabulary: standIn });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        refused++;
        expect(error.issues.length).toBeGreaterThan(0);
        // What is no text, or no YAML at all, has no line; then the message names the file.
        for (const issue of error.issues) expect(issue.at?.file ?? issue.message).toContain('a.yaml');
      }
      // The processor's time, because other tests take theirs on the same clock.
      const { user, system } = process.cpuUsage(before);
      slowest = Math.max(slowest, (user + system) / 1e6);
      expect(slowest, 'seconds').toBeLessThan(1);
    }),
    { numRuns: 1000, seed: 6 },
  );
  expect(refused, 'most are refused').toBeGreaterThan(300);
  expect(refused, 'some are still sound').toBeLessThan(1000);
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});
