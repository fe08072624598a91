/**
 * The name that somebody meant who mistyped it.
 *
 * @module
 */

/**
 * The nearest of these names, or undefined if none is near: at most a third of the letters, rounded up, are
 * wrong, missing, too many, or swapped with their neighbour; or it begins with what was typed and is
 * the only one that does.
 */
export function suggest(typed: string, names: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.ceil(wanted.length / 3)) + 1;
  const beginning: string[] = [];
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
    if (wanted.length > 1 && name.startsWith(wanted)) beginning.push(name);
  }
  return best ?? (beginning.length === 1 ? beginning[0] : undefined);
}

/** `: did you mean "ls"?`, or nothing where no name is near. */
export function didYouMean(typed: string, names: Iterable<string>, prefix = ""): string {
  const name = suggest(typed, names);
  return name === undefined ? "" : `: did you mean ${JSON.stringify(prefix + name)}?`;
}

/**
 * Letters to change, insert, remove or swap with their neighbour to get from `a` to `b`, where no
 * letter takes part twice.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(
        at(row, j) + 1,
        at(next, j - 1) + 1,
        at(row, j - 1) + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(before, j - 2) + 1);
      }
      next.push(cost);
    }
    [before, row] = [row, next];
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
