import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { parseCmdJson, readCmd } from "./cmd_json.ts";
import { encode } from "./fake_world_test.ts";

function refuse(text: string, message: string): void {
  const error = assertThrows(() => parseCmdJson(text), CircuitError);
  assertEquals([error.code, error.message], ["BAD_REQUEST", `the command: ${message}`]);
}

Deno.test("parseCmdJson() takes keys in any letter case", () => {
  assertEquals(parseCmdJson('\n{\n\t"Path": "/bin/ls", \n\t"Args":["/"]\n}\n'), {
    path: "/bin/ls",
    args: ["/"],
  });
  assertEquals(
    parseCmdJson(
      '{"path":"a","ARGS":["b"],"eNV":["C=d"],"Dir":"/","scrub":true,"KEEP":1024}',
    ),
    { path: "a", args: ["b"], env: ["C=d"], dir: "/", scrub: true, keep: 1024 },
  );
});

Deno.test("parseCmdJson() takes what peek prints", () => {
  const printed = '{"Path":"ls","Args":[],"Env":null,"Dir":"","Scrub":false}';
  assertEquals(parseCmdJson(printed), { path: "ls", args: [], scrub: false });
});

Deno.test("parseCmdJson() names the key that is wrong", () => {
  refuse("{}", '"Path" is missing');
  refuse('{"Path":null}', '"Path" is missing');
  refuse('{"Path":""}', '"Path" is empty; want the program to run');
  refuse('{"Path":"ls","path":"cat"}', '"Path" is given twice');
  refuse('{"Path":"ls","Agrs":[]}', 'unknown key "Agrs": did you mean "Args"?');
  refuse(
    '{"Path":"ls","__proto__":1}',
    'unknown key "__proto__": the keys are Path, Args, Env, Dir, Scrub, Keep',
  );
  refuse('{"Path":3}', "Path: want a string without NUL, not 3");
  refuse('{"Path":"ls","Args":"/"}', 'Args: want a list, not "/"');
  refuse('{"Path":"ls","Args":["/",3]}', "Args: [1]: want a string without NUL, not 3");
  refuse('{"Path":"a\\u0000b"}', 'Path: want a string without NUL, not "a\\u0000b"');
  refuse('{"Path":"ls","Scrub":"yes"}', 'Scrub: want true or false, not "yes"');
  refuse(
    '{"Path":"ls","Keep":-1}',
    "Keep: want a whole number from 0 to 67108864, not -1",
  );
});

Deno.test("parseCmdJson() wants one object", () => {
  for (const text of ["[]", "3", '"ls"', "null"]) {
    refuse(text, 'want an object such as {"Path": …}');
  }
  refuse("", "standard input is empty; want JSON");
  refuse(" \n", "standard input is empty; want JSON");
});

Deno.test("parseCmdJson() says where JSON is malformed", () => {
  refuse(
    '{"Path": "ls"} x',
    'bad JSON, line 1, column 16: want nothing after the end of the JSON, not "x"',
  );
  refuse(
    '{\n\t"Path": "ls",\n\t"Args": ["/"],\n}\n',
    'bad JSON, line 3, column 15: want no comma before }, not ","',
  );
});

Deno.test("readCmd() reads all pieces, and refuses what is no text or too much", async () => {
  const { signal } = new AbortController();
  const pieces = [...encode('{"Path":"/bin/é"}')].map((byte) => new Uint8Array([byte]));
  assertEquals(await readCmd(ReadableStream.from(pieces), signal), { path: "/bin/é" });
  const binary = ReadableStream.from([new Uint8Array([0xff])]);
  await assertRejects(() => readCmd(binary, signal), CircuitError, "not UTF-8 text");
  const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) });
  await assertRejects(() => readCmd(endless, signal), CircuitError, "more than 1048576 bytes");
});

Deno.test("readCmd() takes 1 MiB of JSON, and not a byte more", async () => {
  const { signal } = new AbortController();
  const json = (bytes: number) => ReadableStream.from([encode('{"Path":"x"}'.padEnd(bytes))]);
  assertEquals(await readCmd(json(1024 * 1024), signal), { path: "x" });
  await assertRejects(() => readCmd(json(1024 * 1024 + 1), signal), CircuitError, "more than");
});
