/**
 * What the benchmark finds out: figures, each with what it is compared with and what is wanted.
 *
 * @module
 */

/** What is wanted of a figure: of its value, or of its ratio to the raw limit. */
export interface Target {
  readonly of: "value" | "ratio";
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One figure. */
export interface Figure {
  readonly work: string;
  readonly unit: string;
  /** The median of the rounds. */
  readonly value: number;
  /** The raw limit, measured in turns with the value; in the same unit. */
  readonly raw?: { readonly work: string; readonly value: number };
  /** The median of the rounds' ratios of value to raw limit. */
  readonly ratio?: number;
  readonly target?: Target;
}

/** Whether a figure is what is wanted; undefined if nothing is. */
export function isMet({ value, ratio, target }: Figure): boolean | undefined {
  if (!target) return undefined;
  const { of, atMost = Infinity, atLeast = -Infinity } = target;
  const found = of === "value" ? value : ratio ?? NaN;
  return found >= atLeast && found <= atMost;
}

/** A figure as a line of text. */
export function line(figure: Figure): string {
  const { work, unit, value, raw, ratio, target } = figure;
  const columns = [
    work.padEnd(50),
    number(value).padStart(9),
    unit.padEnd(6),
    (raw ? `${raw.work} ${number(raw.value)}` : "").padEnd(40),
    (ratio === undefined ? "" : `× ${ratio.toFixed(2)}`).padEnd(8),
  ];
  if (target) {
    const { of, atMost, atLeast } = target;
    const wanted = atMost === undefined ? `≥ ${show(of, atLeast)}` : `≤ ${show(of, atMost)}`;
    columns.push(wanted.padEnd(11), isMet(figure) ? "met" : "MISSED");
  }
  return columns.join(" ").trimEnd();
}

function show(of: Target["of"], bound = NaN): string {
  return of === "ratio" ? `× ${bound}` : number(bound);
}

function number(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
