/**
 * Reads a command's flags and arguments.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { type Arguments, type Command, type Flag, type Flags, UsageError } from "./command.ts";
import { didYouMean } from "./suggest.ts";

/** What was typed after a command's name. */
export interface Parsed {
  /** Flags' values by long name, of the types that the command's flags have. */
  readonly flags: Record<string, unknown>;
  /** Arguments' values by name. */
  readonly args: Record<string, unknown>;
  /** True if help was asked for; nothing else has been checked then. */
  readonly help: boolean;
}

/**
 * Reads `-flag value`, `--flag value`, `-flag=value` and `--flag=value`, before, between and after
 * the arguments; all that follows `--` is arguments. A flag that is given again replaces its former
 * value, unless it is repeatable.
 *
 * @throws {UsageError} for an unknown flag, a missing or wrong value, too few or many arguments.
 */
export function parse(command: Command, argv: readonly string[]): Parsed {
  const { tokens, operands, help } = normalise(command.flags, argv);
  if (help) return { flags: {}, args: {}, help };
  const names = Object.keys(command.flags);
  const flagOf = (name: string): Flag | undefined => command.flags[name];
  const parsed: Record<string, unknown> = parseArgs(tokens, {
    boolean: names.filter((name) => flagOf(name)?.type === "boolean"),
    string: names.filter((name) => flagOf(name)?.type !== "boolean"),
    collect: names.filter((name) => isRepeatable(flagOf(name))),
  });
  const flags: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(command.flags)) {
    flags[name] = valueOf(name, flag, parsed[name]);
  }
  return { flags, args: assign(command.args, operands), help };
}

interface Normalised {
  /** `--NAME` and `--NAME=VALUE` of known flags, by their long names. */
  readonly tokens: readonly string[];
  readonly operands: readonly string[];
  readonly help: boolean;
}

/**
 * Brings all ways of writing a flag to one. The parser of the standard library takes `-dial` for
 * five one-letter flags, and a flag without its value for one with an empty value.
 */
function normalise(flags: Flags, argv: readonly string[]): Normalised {
  const long = longNames(flags);
  const tokens = new Map<string, string[]>();
  const operands: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i] ?? "";
    if (token === "--") {
      operands.push(...argv.slice(i + 1));
      break;
    }
    const typed = splitFlag(token);
    if (!typed) {
      operands.push(token);
      continue;
    }
    const name = long.get(typed.name);
    const flag = name === undefined ? undefined : flags[name];
    if (name === undefined || flag === undefined) {
      if (isHelp(typed.name)) return { tokens: [], operands: [], help: true };
      throw new UsageError(
        `unknown flag ${JSON.stringify(token)}${
          didYouMean(typed.name, [...long.keys()].filter((each) => each.length > 1), "-")
        }`,
      );
    }
    let value = typed.value;
    if (value === undefined && flag.type !== "boolean") {
      value = argv[++i];
      if (value === undefined || value === "--" || long.has(splitFlag(value)?.name ?? "")) {
        throw new UsageError(`-${typed.name} needs a value: -${typed.name} ${flag.value}`);
      }
    }
    const canonical = value === undefined ? `--${name}` : `--${name}=${mark(flag)}${value}`;
    if (isRepeatable(flag)) tokens.set(name, [...tokens.get(name) ?? [], canonical]);
    else tokens.set(name, [checkBoolean(flag, typed.name, value) ?? canonical]);
  }
  return { tokens: [...tokens.values()].flat(), operands, help: false };
}

/** The parts of `-name`, `--name`, `-name=value`; undefined for what is no flag. */
function splitFlag(token: string): { name: string; value: string | undefined } | undefined {
  // A dash alone and a negative number are arguments.
  const match = /^--?([^-=\d][^=]*)(?:=(.*))?$/s.exec(token);
  return match ? { name: match[1] ?? "", value: match[2] } : undefined;
}

function isHelp(name: string): boolean {
  return name === "h" || name === "help";
}

function longNames(flags: Flags): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, flag] of Object.entries(flags)) {
    names.set(name, name);
    if (flag.alias !== undefined) names.set(flag.alias, name);
  }
  return names;
}

function isRepeatable(flag: Flag | undefined): boolean {
  return flag?.type === "string" && flag.repeatable === true;
}

/**
 * What a value begins with between {@linkcode normalise} and {@linkcode valueOf}. The parser of the
 * standard library cannot tell `--name=` from `--name`, and so it never sees an empty value.
 */
const MARK = "=";

function mark(flag: Flag): string {
  return flag.type === "boolean" ? "" : MARK;
}

function unmarked(value: unknown): string {
  return String(value).slice(MARK.length);
}

function checkBoolean(flag: Flag, typed: string, value: string | undefined): string | undefined {
  if (flag.type !== "boolean" || value === undefined) return undefined;
  if (value === "true" || value === "false") return undefined;
  throw new UsageError(`-${typed} takes no value, or true or false, not ${JSON.stringify(value)}`);
}

function valueOf(name: string, flag: Flag, parsed: unknown): unknown {
  if (flag.type === "boolean") return parsed === true;
  if (isRepeatable(flag)) return Array.isArray(parsed) ? parsed.map(unmarked) : [];
  if (parsed === undefined) return flag.default;
  const text = unmarked(parsed);
  return flag.type === "number" ? numberOf(`-${name}`, text, flag.least ?? 0) : text;
}

function numberOf(name: string, text: string, least: number): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value) && value >= least) return value;
  throw new UsageError(`${name} needs a number, ${least} at least, not ${JSON.stringify(text)}`);
}

/** A whole number that was given as an argument. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(
    `${name} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`,
  );
}

function assign(wanted: Arguments, operands: readonly string[]): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  let next = 0;
  for (const [name, { optional = false, rest = false }] of Object.entries(wanted)) {
    if (!optional && next >= operands.length) throw new UsageError(`${name} is missing`);
    if (rest) {
      args[name] = operands.slice(next);
      next = operands.length;
    } else {
      args[name] = operands[next++];
    }
  }
  if (next < operands.length) {
    const many = Object.keys(wanted).length === 0 ? "takes no arguments" : "too many arguments";
    throw new UsageError(`${many}: ${JSON.stringify(operands[next])}`);
  }
  return args;
}
