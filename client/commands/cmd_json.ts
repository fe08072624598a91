/**
 * The JSON that describes what to run.
 *
 * @module
 */

import type { Parser } from "../../elements/describe.ts";
import { MAX_KEEP_BYTES } from "../../elements/proc/description.ts";
import { boolean, integer, list, optional, osString, record } from "../../elements/parse.ts";
import { CircuitError } from "../../overlay/errors.ts";
import type { Cmd } from "../types.ts";
import { jsonProblem } from "./json_position.ts";
import { didYouMean } from "./suggest.ts";

/** Most bytes of JSON that are read: 1 MiB. */
const MAX_JSON_BYTES = 1024 * 1024;

const CMD_FIELDS = {
  Path: osString,
  Args: optional(list(osString)),
  Env: optional(list(osString)),
  Dir: optional(osString),
  Scrub: optional(boolean),
  Keep: optional(integer(0, MAX_KEEP_BYTES)),
};

/** Reads a command from standard input. */
export async function readCmd(
  stdin: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<Cmd> {
  return parseCmdJson(await readJsonText(stdin, signal));
}

/**
 * Reads a command. Null and an empty `Dir` count as absent, so that what `peek` prints can be read.
 *
 * @throws {CircuitError} `BAD_REQUEST`, naming the line and column, or the key.
 */
export function parseCmdJson(text: string): Cmd {
  const { Path, Args, Env, Dir, Scrub, Keep } = parseJsonRecord(text, "the command", CMD_FIELDS);
  if (Path === "") throw bad("the command", '"Path" is empty; want the program to run');
  return {
    path: Path,
    ...(Args === undefined ? {} : { args: Args }),
    ...(Env === undefined ? {} : { env: Env }),
    ...(Dir === undefined || Dir === "" ? {} : { dir: Dir }),
    ...(Scrub === undefined ? {} : { scrub: Scrub }),
    ...(Keep === undefined ? {} : { keep: Keep }),
  };
}

/**
 * Reads an object with these fields, its keys in any letter case.
 *
 * @param what What the object describes, for messages.
 * @throws {CircuitError} `BAD_REQUEST` for a text that is not JSON, with the position; for a key that
 * is missing, unknown, or given twice, and for a value of the wrong type, with the key.
 */
export function parseJsonRecord<F extends Record<string, Parser<unknown>>>(
  text: string,
  what: string,
  fields: F,
): ReturnType<ReturnType<typeof record<F>>> {
  const given = parseJson(text, what);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw bad(what, `want an object such as {"${Object.keys(fields)[0]}": …}`);
  }
  const known = Object.keys(fields);
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(given)) {
    const name = known.find((each) => each.toLowerCase() === key.toLowerCase());
    if (name === undefined) {
      const hint = didYouMean(key, known) || `: the keys are ${known.join(", ")}`;
      throw bad(what, `unknown key ${JSON.stringify(key)}${hint}`);
    }
    if (values.has(name)) throw bad(what, `"${name}" is given twice`);
    values.set(name, value);
  }
  for (const [name, parser] of Object.entries(fields)) {
    if (values.has(name) && values.get(name) !== null || isOptional(parser)) continue;
    throw bad(what, `"${name}" is missing`);
  }
  try {
    return record(fields)(Object.fromEntries(values)) as ReturnType<ReturnType<typeof record<F>>>;
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
    throw bad(what, error.message);
  }
}

function parseJson(text: string, what: string): unknown {
  if (text.trim() === "") throw bad(what, "standard input is empty; want JSON");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw bad(what, `bad JSON, ${jsonProblem(text) ?? String(error)}`);
  }
}

function isOptional(parser: Parser<unknown>): boolean {
  try {
    return parser(undefined) === undefined;
  } catch {
    return false;
  }
}

/**
 * All of standard input, at most 1 MiB.
 *
 * @throws {CircuitError} `BAD_REQUEST` if there is more, or it is not UTF-8.
 */
export async function readJsonText(
  stdin: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  await stdin.pipeTo(
    new WritableStream({
      write(chunk) {
        size += chunk.length;
        if (size > MAX_JSON_BYTES) {
          throw bad("standard input", `more than ${MAX_JSON_BYTES} bytes of JSON`);
        }
        chunks.push(new Uint8Array(chunk));
      },
    }),
    { signal },
  );
  const bytes = await new Blob(chunks).arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw bad("standard input", "not UTF-8 text");
  }
}

function bad(what: string, problem: string): CircuitError {
  return new CircuitError("BAD_REQUEST", `${what}: ${problem}`);
}
