/**
 * Where a text stops being JSON, and what was wanted there. `JSON.parse` says it in some cases only,
 * so this looks again at what that has refused.
 *
 * @module
 */

// deno-lint-ignore no-control-regex -- these are what JSON forbids in strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
// deno-lint-ignore no-control-regex -- the same, up to where it goes wrong
const STRING_START = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true\b|false\b|null\b/y;
const SPACE = /[ \t\r\n]*/y;

/** A place in a text and what is wrong with it. */
class Mistake extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/**
 * What is wrong with a text that should be one JSON value, as `line 2, column 3: want …`; undefined
 * if nothing is.
 */
export function jsonProblem(text: string): string | undefined {
  try {
    const end = space(text, value(text, space(text, 0)));
    if (end < text.length) throw new Mistake(end, "want nothing after the end of the JSON");
    return undefined;
  } catch (error) {
    // Deep nesting overflows the stack of this as it does that of `JSON.parse`.
    if (!(error instanceof Mistake)) return "it is nested too deeply";
    const before = text.slice(0, error.at).split("\n");
    const column = [...before.at(-1) ?? ""].length + 1;
    return `line ${before.length}, column ${column}: ${error.message}, not ${
      found(text, error.at)
    }`;
  }
}

/** Each of these takes the position of what it reads and returns the position after it. */
function value(text: string, at: number): number {
  if (text[at] === "{") return items(text, at, "}", member);
  if (text[at] === "[") return items(text, at, "]", value);
  if (text[at] === '"') return string(text, at);
  const end = match(SCALAR, text, at);
  if (end === undefined) throw new Mistake(at, "want a value");
  return end;
}

function items(
  text: string,
  start: number,
  close: "}" | "]",
  item: (text: string, at: number) => number,
): number {
  let at = space(text, start + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    at = space(text, item(text, at));
    if (text[at] === close) return at + 1;
    if (text[at] !== ",") throw new Mistake(at, `want a comma or ${close}`);
    const comma = at;
    at = space(text, at + 1);
    if (text[at] === close) throw new Mistake(comma, `want no comma before ${close}`);
  }
}

function member(text: string, at: number): number {
  if (text[at] !== '"') throw new Mistake(at, "want a key in double quotes");
  const colon = space(text, string(text, at));
  if (text[colon] !== ":") throw new Mistake(colon, "want a colon");
  return value(text, space(text, colon + 1));
}

function string(text: string, at: number): number {
  const end = match(STRING, text, at);
  if (end !== undefined) return end;
  const bad = match(STRING_START, text, at) ?? at;
  throw new Mistake(bad, text[bad] === "\\" ? "want an escape of JSON" : 'want a closing "');
}

function space(text: string, at: number): number {
  return match(SPACE, text, at) ?? at;
}

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** What stands there, for the message. */
function found(text: string, at: number): string {
  if (at >= text.length) return "the end of the text";
  const word = /[\w.+-]{1,20}|[^]/uy;
  word.lastIndex = at;
  return JSON.stringify(word.exec(text)?.[0] ?? text[at]);
}
