import { assertEquals } from "@std/assert";
import { capitalised, json, outcome, printable, procJson } from "./print.ts";

Deno.test("json() prints a channel as the README shows it", () => {
  const stat = { cap: 3, closed: false, aborted: false, numSend: 0, numRecv: 0 };
  assertEquals(
    json(capitalised(stat)),
    `{
\t"Cap": 3,
\t"Closed": false,
\t"Aborted": false,
\t"NumSend": 0,
\t"NumRecv": 0
}`,
  );
  assertEquals(json(null), "null");
});

Deno.test("capitalised() leaves what is inside alone", () => {
  assertEquals(capitalised({ address: "a", records: { "miek.nl.": ["x"] } }), {
    Address: "a",
    Records: { "miek.nl.": ["x"] },
  });
});

Deno.test("procJson() fills in the command's defaults", () => {
  const rest = { exit: null, exitCode: null, signal: null, pid: 7 } as const;
  assertEquals(
    JSON.stringify(procJson({ cmd: { path: "ls" }, phase: "running", ...rest })),
    '{"Cmd":{"Path":"ls","Args":[],"Env":null,"Dir":"","Scrub":false},"Phase":"running",' +
      '"Exit":null,"ExitCode":null,"Signal":null,"Pid":7}',
  );
  const cmd = { path: "ls", args: ["/"], env: [], dir: "/tmp", scrub: true, keep: 9 };
  assertEquals(procJson({ cmd, phase: "running", ...rest })["Cmd"], {
    Path: "ls",
    Args: ["/"],
    Env: [],
    Dir: "/tmp",
    Scrub: true,
    Keep: 9,
  });
});

Deno.test("outcome() reads processes and containers", () => {
  const cmd = { path: "ls" };
  const killed = { exit: "signal: killed", exitCode: null, signal: "SIGKILL" };
  assertEquals(outcome({ cmd, phase: "signaled", pid: 1, ...killed }), killed);
  const state = (code: number) => outcome({ Id: "abc", State: { ExitCode: code } });
  assertEquals(state(0), { exit: null, exitCode: 0, signal: null });
  assertEquals(state(3), { exit: "exit status 3", exitCode: 3, signal: null });
});

Deno.test("printable() escapes paths that hold control characters, and no others", () => {
  for (const path of ["/", "/a b", "/a\\nb", "/ü·日本", "/'\"$`"]) {
    assertEquals(printable(path), path);
  }
  assertEquals(printable("/a\nb\\\t\x1b[31m\x7f\0"), "/a\\nb\\\\\\t\\033[31m\\177\\000");
  assertEquals(printable("/\x85\u2028"), "/\\302\\205\\342\\200\\250");
});
