/**
 * The circuit's secret key: 64 random bytes, and the file that holds it. A key file has a key a line,
 * in base64; a server dials with the first and accepts all, so that a key can be changed while the
 * circuit runs. Blank lines and lines that begin with `#` do not count.
 *
 * The key itself is never used to encrypt: each use has a subkey of its own. And it is never shown:
 * messages name a key by its {@linkcode fingerprint}.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";

/** Bytes of a key. */
export const KEY_BYTES = 64;

/** Most keys in a file: one in use and one to come are enough for a change. */
export const MAX_KEYS = 16;

/** Most bytes of a key file: 64 KiB. */
export const MAX_KEY_FILE_BYTES = 64 * 1024;

/** What a key file holds. */
export interface KeyFile {
  /** The keys in their order, at least one. */
  readonly keys: readonly Uint8Array[];
  /** What the user should know; undefined if all is well. */
  readonly warning?: string;
}

/** A new key. */
export function newKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(KEY_BYTES));
}

/** A key as a key file has it, without the end of the line. */
export function formatKey(key: Uint8Array): string {
  return key.toBase64();
}

/**
 * Names a key without giving it away: the first 4 bytes of its SHA-256, in hex.
 *
 * @example
 * ```ts
 * import { fingerprint } from "./key.ts";
 *
 * console.assert(await fingerprint(new Uint8Array(64)) === "f5a5fd42");
 * ```
 */
export async function fingerprint(key: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", key.slice());
  return new Uint8Array(digest, 0, 4).toHex();
}

/** @throws {CircuitError} `BAD_REQUEST` if this is not {@linkcode KEY_BYTES} bytes. */
export function checkKey(key: Uint8Array): void {
  if (key.length === KEY_BYTES) return;
  throw new CircuitError(
    "BAD_REQUEST",
    `cannot use a key of ${key.length} bytes: a circuit's key has ${KEY_BYTES}`,
  );
}

/**
 * The key file to use: the one that is given, else the one that the environment variable CIRCUIT_HMAC
 * names, in which `~` stands for the home directory.
 *
 * @returns undefined if there is neither, which means no key.
 */
export function findKeyFile(given?: string): string | undefined {
  const named = Deno.env.get("CIRCUIT_HMAC");
  if (given !== undefined || !named) return given;
  const home = Deno.env.get("HOME");
  return home !== undefined && /^~(\/|$)/.test(named) ? home + named.slice(1) : named;
}

/**
 * Reads a key file.
 *
 * @returns its keys, and a warning if others on the machine can read or change it.
 * @throws {CircuitError} `NOT_FOUND` or `DENIED` if it cannot be read; `BAD_REQUEST` as
 * {@linkcode parseKeys}, or if it is a directory or too large.
 */
export async function readKeyFile(path: string): Promise<KeyFile> {
  try {
    using file = await Deno.open(path);
    const { isFile, mode } = await file.stat();
    const keys = parseKeys(await readText(file, path), path);
    // What a shell passes as a file, in <(…), has no permissions that mean anything.
    const open = isFile && mode !== null && (mode & 0o066) !== 0;
    return open ? { keys, warning: exposed(path, mode) } : { keys };
  } catch (cause) {
    if (cause instanceof CircuitError) throw cause;
    const [code, why] = cause instanceof Deno.errors.NotFound
      ? ["NOT_FOUND", "there is no such file (circuit keygen makes a key)"] as const
      : cause instanceof Deno.errors.PermissionDenied
      ? ["DENIED", "permission denied"] as const
      : cause instanceof Deno.errors.IsADirectory
      ? ["BAD_REQUEST", "it is a directory"] as const
      : ["BAD_REQUEST", cause instanceof Error ? cause.message : String(cause)] as const;
    throw new CircuitError(code, `cannot read key file ${path}: ${why}`, { cause });
  }
}

/**
 * The keys in the text of a key file.
 *
 * @param path Names the file in errors.
 * @throws {CircuitError} `BAD_REQUEST`, with the line, if one is not a key; if there is none, or more
 * than {@linkcode MAX_KEYS}.
 */
export function parseKeys(text: string, path: string): Uint8Array[] {
  const keys: Uint8Array[] = [];
  text.split("\n").forEach((line, i) => {
    const key = line.trim();
    if (key === "" || key.startsWith("#")) return;
    if (keys.length === MAX_KEYS) throw bad(path, `it holds more than ${MAX_KEYS} keys`);
    keys.push(parseKey(key, path, i + 1));
  });
  if (keys.length > 0) return keys;
  const found = text.trim() === "" ? "it is empty" : "it holds comments only";
  throw bad(path, `${found}, want ${WANTED} (circuit keygen makes one)`);
}

const WANTED = `${KEY_BYTES} random bytes in base64 on a line`;

function parseKey(key: string, path: string, line: number): Uint8Array {
  const where = `line ${line}`;
  const digits = key.replace(/={1,2}$/, "");
  const odd = /[^A-Za-z0-9+/]/u.exec(digits);
  if (odd) {
    const what = JSON.stringify(odd[0]);
    throw bad(path, `${where} has ${what} in column ${odd.index + 1}, want ${WANTED}`);
  }
  const length = Math.floor(digits.length * 6 / 8);
  if (length !== KEY_BYTES) throw bad(path, `${where} holds ${length} bytes, want ${WANTED}`);
  try {
    return Uint8Array.fromBase64(key, { lastChunkHandling: "strict" });
  } catch {
    throw bad(path, `${where} is not all of a key: its last characters are wrong, want ${WANTED}`);
  }
}

/** Reads no more than a key file can have, whatever the file is. */
async function readText(file: Deno.FsFile, path: string): Promise<string> {
  const bytes = new Uint8Array(MAX_KEY_FILE_BYTES + 1);
  let length = 0;
  for (;;) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
    if (length > MAX_KEY_FILE_BYTES) {
      throw bad(path, `it is longer than ${MAX_KEY_FILE_BYTES} bytes, want ${WANTED}`);
    }
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function bad(path: string, what: string): CircuitError {
  return new CircuitError("BAD_REQUEST", `cannot use key file ${path}: ${what}`);
}

function exposed(path: string, mode: number): string {
  const octal = (mode & 0o777).toString(8).padStart(3, "0");
  const what = (mode & 0o044) === 0 ? "changed" : "read";
  return `key file ${path} can be ${what} by other users of this machine (its mode is ${octal}); ` +
    `who has the key controls the circuit: chmod 600 it`;
}
