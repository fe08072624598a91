import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { ownEnv, parseEnv } from "./environment.ts";

Deno.test("parseEnv() splits at the first equals sign, and the last of a name holds", () => {
  assertEquals(parseEnv(["A=1", "B=", "C=x=y", "A=2", "__proto__=p"]), {
    A: "2",
    B: "",
    C: "x=y",
    ["__proto__"]: "p",
  });
});

Deno.test("parseEnv() refuses entries without a name or an equals sign", () => {
  for (const entry of ["", "A", "=x", "="]) {
    const error = assertThrows(() => parseEnv(["OK=1", entry]), CircuitError);
    assertEquals(error.code, "BAD_REQUEST");
    assertStringIncludes(error.message, JSON.stringify(entry));
  }
});

Deno.test("ownEnv() lists this process's variables", () => {
  assert(ownEnv().includes(`PATH=${Deno.env.get("PATH")}`));
});
