/**
 * Cuts a record in zone-file form into its parts (RFC 1035, section 5.1).
 *
 * @module
 */

/** A part of a record. */
export interface Token {
  /** With its escapes, without its quotes. */
  readonly text: string;
  /** Whether it was in quotes. */
  readonly quoted: boolean;
}

/** One thing at a time: white space, comment, quoted text, plain text, or what is wrong. */
const PART = /(\s+)|(;[^\n]*)|"((?:[^"\\]|\\[^])*)"|((?:[^\s;"()\\]|\\[^])+)|([^])/gu;

/**
 * The parts of one record. Comments are left out; parentheses let it go on over several lines.
 *
 * @throws {Error} if quotes or parentheses do not match, or there is more than one line.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  let ended = false;
  for (const [, space, comment, quoted, plain, other] of text.matchAll(PART)) {
    if (space !== undefined) {
      ended ||= depth === 0 && tokens.length > 0 && space.includes("\n");
    } else if (quoted !== undefined || plain !== undefined) {
      if (ended) throw new Error("there is more than one line; want one record");
      tokens.push({ text: quoted ?? plain ?? "", quoted: quoted !== undefined });
    } else if (other === "(") {
      depth++;
    } else if (other === ")" && depth > 0) {
      depth--;
    } else if (comment === undefined) {
      throw new Error(
        other === '"'
          ? "a quotation mark is not closed"
          : other === ")"
          ? "a parenthesis is closed that was not opened"
          : "a backslash at the end escapes nothing",
      );
    }
  }
  if (depth > 0) throw new Error("a parenthesis is not closed");
  return tokens;
}
