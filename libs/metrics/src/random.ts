/**
 * Whole numbers below 2³², each as likely; the same for the same seed.
 *
 * @source Blackman and Vigna 2021, "Scrambled Linear Pseudorandom Number Generators", doi:10.1145/3460772; the state is filled by
 *   SplitMix with Murmur3's finalizer
 */
export function xoshiro128(seed: number): () => number {
  let filler = seed >>> 0;
  const state = new Uint32Array(4).map(() => {
    filler = (filler + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(filler ^ (filler >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  });
  const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  // in an array: variables of a closure would be allocated anew at every draw
  return () => {
    const [first, second] = [state[0] as number, state[1] as number];
    const third = (state[2] as number) ^ first;
    const fourth = (state[3] as number) ^ second;
    state[0] = first ^ fourth;
    state[1] = second ^ third;
    state[2] = third ^ (second << 9);
    state[3] = rotated(fourth, 11);
    return Math.imul(rotated(Math.imul(second, 5), 7), 9) >>> 0;
  };
}
