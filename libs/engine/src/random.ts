/**
 * Seeded random numbers: sfc32 (Doty-Humphrey's small fast counting generator, 128 bits of state), forked by name.
 *
 * A fork's stream depends on the parent's seed path and the name alone, never on how many numbers were drawn before,
 * so adding a layer or a sampler does not move the numbers of another.
 */
export interface Rng {
  /** The seed and every fork name on the way here, e.g. `7/model/hidden0`. */
  readonly path: string;
  fork(name: string): Rng;
  /** Uniform on [0, 1), 32 bits. */
  uniform(): number;
  /** A whole number in [0, bound), without modulo bias; `bound` is 1 to 2^32. */
  int(bound: number): number;
  /** Standard normal (Box–Muller, both values used). */
  normal(): number;
  /** Fisher–Yates, in place. */
  shuffle<T extends { length: number; [index: number]: number }>(values: T): T;
  /** State to put into a checkpoint; `restore` continues the stream bit for bit. */
  state(): RngState;
  restore(state: RngState): void;
}

export interface RngState {
  readonly words: readonly [number, number, number, number];
  readonly spareNormal: number | null;
}

/** A generator for `seed`, a whole number or any text. */
export function createRng(seed: number | string): Rng {
  return make(String(seed));
}

function make(path: string): Rng {
  const words = Int32Array.from(hash128(path)); // an array: numbers of 32 bits that a closure holds are boxed
  let spareNormal: number | null = null;

  const next = (): number => {
    const [b, c, d] = [words[1] as number, words[2] as number, words[3] as number];
    const t = (((words[0] as number) + b) | 0) + d;
    words[3] = d + 1;
    words[0] = b ^ (b >>> 9);
    words[1] = c + (c << 3);
    words[2] = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();

  const rng: Rng = {
    path,
    fork: (name) => make(`${path}/${name}`),
    uniform: () => next() / 4294967296,
    int(bound) {
      if (!(bound >= 1 && bound <= 4294967296)) throw new RangeError(`int: bound is ${bound}; it must be 1 to 2^32`);
      let draw = next();
      // Below 2^32 − bound nothing is to be drawn again; a remainder of doubles costs several times a draw.
      while (draw >= 4294967296 - bound && draw >= 4294967296 - (4294967296 % bound)) draw = next();
      return draw - Math.floor(draw / bound) * bound; // exact: a quotient below 2^32 is never rounded up to a whole number
    },
    normal() {
      if (spareNormal !== null) {
        const value = spareNormal;
        spareNormal = null;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - next() / 4294967296));
      const angle = 2 * Math.PI * (next() / 4294967296);
      spareNormal = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffle(values) {
      for (let i = values.length - 1; i > 0; i--) {
        const j = rng.int(i + 1);
        const held = values[i] as number;
        values[i] = values[j] as number;
        values[j] = held;
      }
      return values;
    },
    state: () => ({ words: [...words] as unknown as RngState['words'], spareNormal }),
    restore(state) {
      words.set(state.words);
      spareNormal = state.spareNormal;
    },
  };
  return rng;
}

/** 128 bits from a text: four multiplicative hashes with different constants, each finished by murmur3's mixer. */
function hash128(text: string): [number, number, number, number] {
  const multipliers = [597399067, 2869860233, 951274213, 2716044179];
  return multipliers.map((multiplier, lane) => {
    let h = (1779033703 ^ Math.imul(lane + 1, 0x9e3779b9)) | 0;
    for (let i = 0; i < text.length; i++) {
      h = Math.imul(h ^ text.charCodeAt(i), multiplier);
      h = (h << 13) | (h >>> 19);
    }
    h ^= text.length;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) | 0;
  }) as [number, number, number, number];
}
