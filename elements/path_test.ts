import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../overlay/errors.ts";
import { MAX_PATH_BYTES } from "../overlay/transport/limits.ts";
import {
  checkComponent,
  formatPath,
  MAX_COMPONENT_BYTES,
  MAX_COMPONENTS,
  parsePath,
} from "./path.ts";

const SERVER = "/X0123456789abcdef";

function refused(path: string, message: string): void {
  const error = assertThrows(() => parsePath(path), CircuitError);
  assertEquals(error.code, "BAD_REQUEST");
  assertStringIncludes(error.message, message);
}

Deno.test("parsePath() takes components of 255 bytes, and none of 256", () => {
  assertEquals(MAX_COMPONENT_BYTES, 255);
  for (const [character, size] of [["a", 1], ["é", 2], ["€", 3], ["😀", 4]] as const) {
    const longest = character.repeat(Math.floor(255 / size)) + "x".repeat(255 % size);
    assertEquals(parsePath(`${SERVER}/${longest}`)[1], longest);
    refused(`${SERVER}/${longest}x`, "a component is longer than 255 bytes");
  }
});

Deno.test("parsePath() takes 64 components, and no 65", () => {
  assertEquals(MAX_COMPONENTS, 64);
  const path = SERVER + "/a".repeat(63);
  assertEquals(parsePath(path).length, 64);
  refused(`${path}/a`, "65 components, at most 64 are allowed");
});

Deno.test("parsePath() takes the longest path that travels", () => {
  const path = SERVER + `/${"a".repeat(255)}`.repeat(63);
  assertEquals(formatPath(parsePath(path)), path);
  assertEquals(path.length <= MAX_PATH_BYTES, true);
});

Deno.test("parsePath() refuses what is no name", () => {
  for (const name of [".", "..", "..."]) refused(`${SERVER}/${name}`, `may not be "${name}"`);
  refused(`${SERVER}/a\0b`, "holds a slash or a NUL");
  refused(`${SERVER}/\ud800`, "is not valid Unicode");
  refused("/a", "it must begin with a server");
  assertThrows(() => checkComponent("a/b"), CircuitError, "holds a slash");
  assertThrows(() => checkComponent(""), CircuitError, "is empty");
});
