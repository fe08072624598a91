/** Key files, as somebody has edited them. */

import { assert } from "@std/assert";
import { formatKey, KEY_BYTES, MAX_KEYS, parseKeys } from "../../overlay/transport/key.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { fuzz } from "./harness.ts";
import { mutateText, pick } from "./mutate.ts";

const PIECES = ["\n", "\r\n", "#", " ", "=", "==", "-", "_", "\0", "\ufeff", "A", "é", "\t"];

fuzz("key files", (random) => {
  const keys = Array.from({ length: 3 }, () => formatKey(random.bytes(KEY_BYTES)));
  const files = [
    `${keys[0]}\n`,
    `# in use since May\n${keys[0]}\n\n# the one before\n${keys[1]}\n`,
    `${keys[2]}\n`.repeat(MAX_KEYS),
    "",
  ];
  return (random) => {
    const text = mutateText(pick(files, random), PIECES, random);
    let found: Uint8Array[];
    try {
      found = parseKeys(text, "file");
    } catch (error) {
      if (error instanceof CircuitError) {
        // No message gives a key away, or breaks the line that it is printed on.
        assert(!keys.some((key) => error.message.includes(key.slice(4, 20))));
        // deno-lint-ignore no-control-regex -- what must not be in it
        assert(!/[\0-\x1f]/.test(error.message));
      }
      throw error;
    }
    assert(found.length >= 1 && found.length <= MAX_KEYS);
    assert(found.every(({ length }) => length === KEY_BYTES));
  };
});
