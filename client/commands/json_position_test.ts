import { assertEquals } from "@std/assert";
import { jsonProblem } from "./json_position.ts";

Deno.test("jsonProblem() says where and what", () => {
  const problems = {
    "": "line 1, column 1: want a value, not the end of the text",
    "{": "line 1, column 2: want a key in double quotes, not the end of the text",
    "{'Path'": 'line 1, column 2: want a key in double quotes, not "\'"',
    "{Path: 1}": 'line 1, column 2: want a key in double quotes, not "Path"',
    '{"a" 1}': 'line 1, column 6: want a colon, not "1"',
    '{"a": x}': 'line 1, column 7: want a value, not "x"',
    '{"a": 1\n "b": 2}': 'line 2, column 2: want a comma or }, not "\\""',
    "[1 2]": 'line 1, column 4: want a comma or ], not "2"',
    "[1,]": 'line 1, column 3: want no comma before ], not ","',
    "[01]": 'line 1, column 3: want a comma or ], not "1"',
    "[nul]": 'line 1, column 2: want a value, not "nul"',
    '"abc': 'line 1, column 5: want a closing ", not the end of the text',
    '"a\nb"': 'line 1, column 3: want a closing ", not "\\n"',
    '"é\\x"': 'line 1, column 3: want an escape of JSON, not "\\\\"',
    "[1]]": 'line 1, column 4: want nothing after the end of the JSON, not "]"',
    "😀": 'line 1, column 1: want a value, not "😀"',
  };
  for (const [text, problem] of Object.entries(problems)) assertEquals(jsonProblem(text), problem);
});

Deno.test("jsonProblem() finds a problem exactly where JSON.parse does", () => {
  const seed = '{"a":[1,-2.5e+3,true,null,{}],"b\\n\\u00e9":"x",\t"":[[]]}';
  const alphabet = '{}[]",:\\0-1.eE+tn \n\t\x01';
  assertEquals(jsonProblem(seed), undefined);
  for (let at = 0; at < seed.length; at++) {
    for (const letter of ["", ...alphabet]) {
      for (const drop of [0, 1]) {
        const text = seed.slice(0, at) + letter + seed.slice(at + drop);
        assertEquals(jsonProblem(text) === undefined, parses(text), text);
      }
    }
  }
});

Deno.test("jsonProblem() survives deep nesting", () => {
  assertEquals(jsonProblem("[".repeat(1_000_000)), "it is nested too deeply");
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
