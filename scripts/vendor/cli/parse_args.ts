// A stand-in for `@std/cli/parse-args`: the options and the spellings that this project uses, which
// are `--NAME` and `--NAME=VALUE` of declared flags. Another option fails type checking. By hand: a
// form over `node:util` is longer, and loading that takes 10 to 20 ms of CPU at every start.

/** What to make of the flags. */
export interface ParseOptions {
  /** Flags without a value: false unless they are given. */
  boolean?: readonly string[];
  /** Flags whose value is text. */
  string?: readonly string[];
  /** Flags that may be given many times: their values as a list, empty for none. */
  collect?: readonly string[];
}

/** Values of flags by name, and what is left in `_`. */
export interface Args {
  /** What is neither a flag nor its value. */
  _: (string | number)[];
  [name: string]: unknown;
}

/** Reads `--NAME` and `--NAME=VALUE`. The last value of a flag counts, unless it collects. */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  const { boolean = [], string = [], collect = [] } = options;
  const result: Args = { _: [] };
  for (const name of boolean) result[name] = false;
  for (const name of collect) result[name] = [];
  for (const arg of args) {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) result._.push(arg);
    else if (collect.includes(name)) (result[name] as unknown[]).push(value ?? "");
    else result[name] = string.includes(name) ? value ?? "" : value !== "false";
  }
  return result;
}
