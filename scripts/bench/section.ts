/**
 * What a section of the benchmark is given, and what all of them need.
 *
 * @module
 */

import type { Figure, Target } from "./figure.ts";
import type { Comparison } from "./measure.ts";

/** Bytes of a small message. */
export const SMALL = new Uint8Array(100);

/** 1 MiB, in bytes. */
export const MIB = 1024 * 1024;

/** A run of the benchmark. */
export interface Bench {
  /** Rounds of each measurement. */
  readonly rounds: number;
  /** True to be done soon, with less to move, to make, and to wait for. */
  readonly quick: boolean;
  /** Takes a figure. */
  add(figure: Figure): void;
  /** Says why a figure cannot be had on this machine. */
  skip(work: string, why: string): void;
}

/** Measures what belongs together. */
export type Section = (bench: Bench) => Promise<void>;

/** A comparison as a figure. */
export function compared(
  work: string,
  unit: string,
  against: string,
  { value, raw, ratio }: Comparison,
  target?: Target,
): Figure {
  return {
    work,
    unit,
    value,
    raw: { work: against, value: raw },
    ratio,
    ...(target && { target }),
  };
}

/** A number of bytes, as `64 KiB`. */
export function size(bytes: number): string {
  if (bytes >= 1024 * MIB) return `${bytes / 1024 / MIB} GiB`;
  if (bytes >= MIB) return `${bytes / MIB} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}
