/**
 * Domain names: read from zone files, written, compared and taken apart.
 *
 * Inside, a name is the text that `dns-packet` takes: labels with dots between them and none at the
 * end, no escapes, and `.` for the root.
 *
 * @module
 */

/** Most bytes of a label (RFC 1035, section 2.3.4). */
export const MAX_LABEL_BYTES = 63;

/** Most bytes of a name in a message, with the length of each label and the root's. */
export const MAX_NAME_BYTES = 255;

/** The root, of which all names are below. */
export const ROOT = ".";

/** What stands for itself with a backslash before it (RFC 1035, section 5.1). */
const SPECIAL = new Set('.\\"();@$');

const encoder = new TextEncoder();

/**
 * Replaces the escapes of zone files, `\DDD` for a byte and `\X` for a character.
 *
 * @returns bytes.
 * @throws {Error} if an escape is wrong.
 */
export function unescape(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const escapes = /\\(\d{3}|[^]|$)|[^\\]+/gu;
  for (const [part, escape] of text.matchAll(escapes)) {
    if (escape === undefined) bytes.push(...encoder.encode(part));
    else if (escape === "") throw new Error("a backslash at the end escapes nothing");
    else if (/^\d{3}$/.test(escape)) {
      if (Number(escape) > 255) throw new Error(`\\${escape} is no byte, which go to \\255`);
      bytes.push(Number(escape));
    } else if (/^\d/.test(escape)) {
      throw new Error("a backslash before a digit wants three digits, as in \\032");
    } else bytes.push(...encoder.encode(escape));
  }
  return new Uint8Array(bytes);
}

/**
 * Reads a name in zone-file form. Without a dot at its end it counts from the root all the same.
 *
 * @param text With escapes; may end in a dot.
 * @param kind `mailbox`: dots in the first label, escaped, are kept as `\.`.
 * @throws {Error} if it is no name.
 */
export function parseName(text: string, kind: "host" | "mailbox" = "host"): string {
  if (text === ".") return ROOT;
  if (text === "@") throw new Error("@ stands for a zone's origin, and there are no zones here");
  const labels = splitLabels(text).map((label, index) => {
    const name = parseLabel(label, text);
    if (!/[.\\]/.test(name) || (kind === "host" && !name.includes("."))) return name;
    if (kind === "mailbox" && index === 0 && !name.includes("\\")) {
      return name.replaceAll(".", "\\.");
    }
    throw new Error(`${show(text)} has a dot or backslash inside a label, which is not supported`);
  });
  const name = labels.join(".");
  const bytes = labels.reduce((sum, label) => sum + 1 + encodedLength(label), 1);
  if (bytes <= MAX_NAME_BYTES) return name;
  throw new Error(`${show(text)} takes ${bytes} bytes, at most ${MAX_NAME_BYTES} are allowed`);
}

/** The name as zone files and `peek` write it: escaped, with a dot at its end. */
export function formatName(name: string): string {
  if (name === ROOT) return ROOT;
  // A mailbox has its dots escaped already.
  return name.split(/(?<!\\)\./).map((label) => formatLabel(label.replaceAll("\\.", "."))).join(
    ".",
  ) +
    ".";
}

/** The name in lower case, of A to Z alone (RFC 4343). */
export function fold(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The name without its first label; undefined for the root. */
export function parent(name: string): string | undefined {
  if (name === ROOT) return undefined;
  const dot = name.indexOf(".");
  return dot < 0 ? ROOT : name.slice(dot + 1);
}

/** The name and all that it is below, up to the root. */
export function* upwards(name: string): Generator<string> {
  for (let at: string | undefined = name; at !== undefined; at = parent(at)) yield at;
}

/** This label, or these labels, below that name. */
export function below(labels: string, name: string): string {
  return name === ROOT ? labels : `${labels}.${name}`;
}

/** Whether the name fits in a message. */
export function isShort(name: string): boolean {
  return encoder.encode(name).length + 2 <= MAX_NAME_BYTES;
}

function splitLabels(text: string): string[] {
  const labels = [""];
  for (const [part] of text.matchAll(/\\\d{3}|\\[^]|[^]/gu)) {
    if (part === ".") labels.push("");
    else labels.push(labels.pop() + part);
  }
  if (labels.at(-1) === "") labels.pop();
  if (labels.length > 0 && !labels.includes("")) return labels;
  throw new Error(`${show(text)} is no name: a label is empty`);
}

function parseLabel(label: string, name: string): string {
  const bytes = unescape(label);
  if (bytes.length > MAX_LABEL_BYTES) {
    throw new Error(
      `${show(name)} has a label of ${bytes.length} bytes, at most ${MAX_LABEL_BYTES} are allowed`,
    );
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!/\p{Cc}/u.test(text)) return text;
  } catch {
    // Told below.
  }
  throw new Error(`${show(name)} has control characters or bytes that are not UTF-8`);
}

function formatLabel(label: string): string {
  let text = "";
  for (const character of label) {
    if (SPECIAL.has(character)) text += `\\${character}`;
    else if (character > " " && character <= "~") text += character;
    else {
      for (const byte of encoder.encode(character)) text += `\\${byte.toString().padStart(3, "0")}`;
    }
  }
  return text;
}

function encodedLength(label: string): number {
  return encoder.encode(label.replaceAll("\\.", ".")).length;
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? text.slice(0, 77) + "…" : text);
}
