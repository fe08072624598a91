/**
 * How a command is described: once, and for everybody. Parsing, usage errors, help and shell
 * completion all come from the same description.
 *
 * @module
 */

import type { Client } from "../types.ts";
import type { Output } from "./output.ts";

/** The headings of `circuit help`, in its order. */
export const GROUPS = ["Servers", "Anchors", "Processes", "Channels", "This tool"] as const;

/** Under which heading a command is listed. */
export type Group = typeof GROUPS[number];

/** A flag without a value. */
export interface BooleanFlag {
  /** Tells it from the other kinds of flag. */
  readonly type: "boolean";
  /** The short form, without its dash. */
  readonly alias?: string;
  /** What it does, in a few words. */
  readonly help: string;
}

/** A flag whose value is text. */
export interface StringFlag {
  /** Tells it from the other kinds of flag. */
  readonly type: "string";
  /** The short form, without its dash. */
  readonly alias?: string;
  /** What stands for its value in the help. */
  readonly value: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** Its value when it is not given; default undefined. */
  readonly default?: string;
  /** True: it may be given many times, and its value is a list. */
  readonly repeatable?: boolean;
}

/** A flag whose value is a number. */
export interface NumberFlag {
  /** Tells it from the other kinds of flag. */
  readonly type: "number";
  /** The short form, without its dash. */
  readonly alias?: string;
  /** What stands for its value in the help, its unit by preference. */
  readonly value: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** Its value when it is not given; default undefined. */
  readonly default?: number;
  /** The least value; default 0. */
  readonly least?: number;
}

/** Any flag. */
export type Flag = BooleanFlag | StringFlag | NumberFlag;

/** Flags by their long names, in the order of the help. */
export type Flags = Readonly<Record<string, Flag>>;

/** An argument. Its name is what stands for it in the usage line. */
export interface Argument {
  /** True: it may be left out, and so may all that follow it. */
  readonly optional?: boolean;
  /** True: it takes all that is left, one at least unless it is optional. The last one only. */
  readonly rest?: boolean;
  /** What it may be, where that is one of a few: for completion. */
  readonly words?: readonly string[];
  /** True: usage lines put `--` before it, for it and what follows may look like flags. */
  readonly afterFlags?: boolean;
}

/** Arguments by name, in their order. */
export type Arguments = Readonly<Record<string, Argument>>;

/** The value of one flag. */
type FlagValue<F> = F extends { type: "boolean" } ? boolean
  : F extends { repeatable: true } ? readonly string[]
  : F extends { type: "string"; default: string } ? string
  : F extends { type: "string" } ? string | undefined
  : F extends { default: number } ? number
  : number | undefined;

/** The value of one argument. */
type ArgumentValue<A> = A extends { rest: true } ? readonly string[]
  : A extends { optional: true } ? string | undefined
  : string;

/** Flags' values by their long names. */
export type FlagValues<F extends Flags> = { readonly [K in keyof F]: FlagValue<F[K]> };

/** Arguments' values by name. */
export type ArgumentValues<A extends Arguments> = { readonly [K in keyof A]: ArgumentValue<A[K]> };

/** How to find a server, as the flags say. */
export interface Where {
  /** Address of a server. */
  readonly dial: string | undefined;
  /** Multicast group to ask. */
  readonly discover: string | undefined;
  /** File with the circuit's key. */
  readonly hmac: string | undefined;
  /** Milliseconds after which a search by multicast ends, and says what may be wrong. */
  readonly timeoutMs: number;
  /** As in the options of the library's `dial`. */
  readonly redial?: boolean | undefined;
}

/** The world around a command. */
export interface Context {
  /** Aborted when the user interrupts the tool. A command that takes long gives up then. */
  readonly signal: AbortSignal;
  /** Standard input. Not opened before it is asked for. */
  readonly stdin: ReadableStream<Uint8Array>;
  /** Whether somebody is typing what comes from standard input. */
  readonly typed: boolean;
  /** Standard output: for data and nothing else. */
  readonly stdout: Output;
  /** Standard error, for a command that copies bytes to it. */
  readonly stderr: Output;
  /** Whether somebody is looking at standard error. */
  readonly watched: boolean;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Finds a server and connects to it; where the flags do not say, the environment does. */
  connect(where: Where, signal: AbortSignal): Promise<Client>;
  /** All commands, in the order of the table. */
  readonly commands: readonly Command[];
}

/** One use of a command: what the user gave, and the world around. */
export interface Invocation<F extends Flags = Flags, A extends Arguments = Arguments>
  extends Context {
  /** Flags' values. */
  readonly flags: FlagValues<F>;
  /** Arguments' values. */
  readonly args: ArgumentValues<A>;
}

/** What there is to say of a command. */
export interface Description<F extends Flags, A extends Arguments> {
  /** What the user types after `circuit`. */
  readonly name: string;
  /** Its heading in the help. */
  readonly group: Group;
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  /** Its arguments. */
  readonly args: A;
  /** Its flags, those for finding a server included. */
  readonly flags: F;
  /** More than the summary: paragraphs, parted by empty lines; long lines are broken by the help. */
  readonly help?: string;
  /** A line or more to type, that works where there are the elements that it names. */
  readonly example: string;
  /** True: it looks after SIGINT and SIGTERM itself, and `signal` is never aborted. */
  readonly ownSignals?: boolean;
  /**
   * Does it. Loads what it needs with `import()` of a literal name, so that other commands start
   * without it and a compiled tool has it.
   *
   * @returns the exit status; nothing for 0.
   */
  run(invocation: Invocation<F, A>): Promise<number | void>;
}

/** A command of any flags and arguments. */
export type Command = Description<Flags, Arguments>;

/** A command, with its flags' and arguments' types found out from its description. */
export function command<const F extends Flags, const A extends Arguments>(
  description: Description<F, A>,
): Command {
  // Sound because parsing gives `run` exactly what this description's flags and arguments ask for.
  return description as unknown as Command;
}

/** The user's mistake in typing the command: answered with the usage line and status 2. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}
