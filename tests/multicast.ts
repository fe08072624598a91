/**
 * Multicast groups for tests.
 *
 * @module
 */

/** A multicast group that no other test uses, as `GROUP:PORT`. */
export function freshGroup(): string {
  const [a = 0, b = 0, c = 0, d = 0] = crypto.getRandomValues(new Uint16Array(4));
  return `239.${a % 256}.${b % 256}.${c % 256}:${20_000 + d % 12_000}`;
}
