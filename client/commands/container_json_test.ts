import { assertEquals, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { parseContainerJson } from "./container_json.ts";

Deno.test("parseContainerJson() takes all keys in any letter case", () => {
  const text = `{"iMage":"a","MEMORY":1,"cpushares":2,"Volume":["/b:/c"],"dir":"/d","Entry":"e",
    "env":["F=f"],"PATH":"g","Args":["h"],"scrub":true}`;
  assertEquals(parseContainerJson(text), {
    image: "a",
    memory: 1,
    cpuShares: 2,
    volume: ["/b:/c"],
    dir: "/d",
    entry: "e",
    env: ["F=f"],
    path: "g",
    args: ["h"],
    scrub: true,
  });
  assertEquals(parseContainerJson('{"Image":"a","Env":null}'), { image: "a" });
});

Deno.test("parseContainerJson() names the key that is wrong", () => {
  const wrong: [string, string][] = [
    ["{}", 'the container: "Image" is missing'],
    ['{"Image":"a","Memory":"64m"}', "the container: Memory: want a whole number from 0 to"],
    ['{"Image":"a","Memory":1.5}', "the container: Memory: want a whole number from 0 to"],
    ['{"Image":"a","CpuShares":262145}', "CpuShares: want a whole number from 0 to 262144"],
    ['{"Image":"a","Volume":"/a"}', "the container: Volume: want a list"],
    ['{"Image":"a","image":"b"}', 'the container: "Image" is given twice'],
    ['{"Image":"a","Keep":1}', 'the container: unknown key "Keep"'],
  ];
  for (const [text, message] of wrong) {
    const error = assertThrows(() => parseContainerJson(text), CircuitError);
    assertEquals(
      [error.code, error.message.includes(message)],
      ["BAD_REQUEST", true],
      error.message,
    );
  }
});
