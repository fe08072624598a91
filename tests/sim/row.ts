/**
 * A row of the table: what must hold, what was measured.
 *
 * @module
 */

/** One property of the overlay at one size. */
export interface Row {
  /** What is looked at. */
  readonly property: string;
  /** Servers. */
  readonly n: number;
  /** What must hold, in words. */
  readonly target: string;
  /** What was measured, in words. */
  readonly measured: string;
  /** Whether the target is met. */
  readonly pass: boolean;
}

/** Milliseconds in words. */
export function seconds(ms: number): string {
  return ms === Infinity ? "never" : `${(ms / 1000).toFixed(ms < 1000 ? 3 : 2)} s`;
}

/** The rows as a Markdown table. */
export function markdown(rows: readonly Row[]): string {
  const lines = ["| N | property | must hold | measured | |", "| ---: | --- | --- | --- | --- |"];
  for (const row of rows) {
    const mark = row.pass ? "pass" : "**fail**";
    lines.push(`| ${row.n} | ${row.property} | ${row.target} | ${row.measured} | ${mark} |`);
  }
  return lines.join("\n");
}
