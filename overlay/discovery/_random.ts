/**
 * Chance that a seed reproduces.
 *
 * @module
 */

/** A generator of numbers in [0, 1), known as mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A new seed, printed so that a run can be had again. */
export function newSeed(): number {
  const [seed = 1] = crypto.getRandomValues(new Uint32Array(1));
  console.log(`seed ${seed}`);
  return seed;
}

/** A copy with one to four random changes: bytes set, cut out, put in, or cut off at the end. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const integer = (below: number) => Math.floor(random() * below);
  const list = [...bytes];
  for (let changes = 1 + integer(4); changes > 0; changes--) {
    const at = integer(list.length);
    const change = random();
    if (change < 0.7) list[at] = integer(256);
    else if (change < 0.8) list.splice(at, 1 + integer(8));
    else if (change < 0.9) list.splice(at, 0, ...Array.from({ length: 1 + integer(8) }, () => 0));
    else list.length = at;
  }
  return Uint8Array.from(list);
}
