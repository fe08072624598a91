/** The JSON of commands, as users type it, and what the server makes of the result. */

import { parseCmdJson } from "../../client/commands/cmd_json.ts";
import { parseCmd } from "../../elements/proc/description.ts";
import { messagePack } from "../../overlay/transport/codec.ts";
import { fuzz } from "./harness.ts";
import { mutateText, pick } from "./mutate.ts";

const COMMANDS = [
  '{"Path":"/bin/ls","Args":["-l","/"]}',
  '{\n\t"path": "echo",\n\t"ARGS": ["\\u00e9", "\\"", "😀"],\n\t"Env": null,\n\t"dir": ""\n}\n',
  '{"Path":"sh","Env":["A=1","B"],"Dir":"/tmp","Scrub":true,"Keep":65536}',
  "[]",
  '"x"',
];

const PIECES = [
  '"Path"',
  '"Args"',
  '"Keep":',
  '"__proto__":',
  '"constructor":',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\\u0000",
  "null",
  "true",
  "-1",
  "1e400",
  "0.5",
  "9".repeat(30),
  "[".repeat(5_000),
  '{"a":'.repeat(2_000),
  "\n",
  "//",
];

fuzz("command JSON", () => (random) => {
  const cmd = parseCmdJson(mutateText(pick(COMMANDS, random), PIECES, random));
  // What the tool takes, the server takes.
  parseCmd(messagePack.decode(messagePack.encode(cmd)));
});
