/**
 * The walk-through of the manual, typed into a shell line by line, with all that it prints.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Cluster } from "../launcher.ts";
import { onBothRoutes, type Route } from "../routes.ts";
import { shell } from "../shell.ts";

/** Runs lines in which `$CIRCUIT` names the near server and `$X` is the far one's path. */
async function type(circuit: Cluster, route: Route, script: string): Promise<string> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, `${circuit.near.address}\n`);
    const env = { CIRCUIT: file, X: circuit.far.path };
    const options = route.program ? { program: route.program } : {};
    const { code, stdout, stderr } = await shell(`set -e\n${script}`, { env, ...options });
    assertEquals({ code, stderr }, { code: 0, stderr: "" }, stdout);
    return stdout;
  } finally {
    await Deno.remove(file);
  }
}

onBothRoutes("the walk-through works as printed: servers and a process", async (circuit, route) => {
  const { near, far } = circuit;
  const servers = [near.path, far.path].sort();
  assertEquals(await type(circuit, route, "circuit ls /"), servers.join("\n") + "\n");
  assertEquals(await type(circuit, route, "circuit ls -l /"), long("server", servers));
  assertEquals(await type(circuit, route, "circuit ls $X"), "");

  const made = await type(
    circuit,
    route,
    'circuit mkproc $X/pippi << EOF\n{"Path": "/bin/ls", "Args":["/"]}\nEOF',
  );
  assertEquals(made, "");
  assertEquals(await type(circuit, route, "circuit ls $X"), `${far.path}/pippi\n`);
  const everything = [...servers, `${far.path}/pippi`].sort();
  assertEquals(await type(circuit, route, "circuit ls /..."), everything.join("\n") + "\n");
  assertEquals(
    await type(circuit, route, "circuit ls -l $X/..."),
    long("proc", [`${far.path}/pippi`]),
  );

  assertEquals(await type(circuit, route, "cat /dev/null | circuit stdin $X/pippi"), "");
  const root = await new Deno.Command("/bin/ls", { args: ["/"] }).output();
  assertEquals(
    await type(circuit, route, "circuit stdout $X/pippi"),
    new TextDecoder().decode(root.stdout),
  );
  assertEquals(await type(circuit, route, "circuit stderr $X/pippi"), "");
  const waited = JSON.parse(await type(circuit, route, "circuit wait $X/pippi"));
  const peeked = JSON.parse(await type(circuit, route, "circuit peek $X/pippi"));
  assertEquals(waited, peeked);
  assertEquals(peeked.Cmd, {
    Path: "/bin/ls",
    Args: ["/"],
    Env: null,
    Dir: "",
    Scrub: false,
  });
  assertEquals([peeked.Phase, peeked.Exit, peeked.ExitCode], ["exited", null, 0]);

  assertEquals(await type(circuit, route, "circuit scrub $X/pippi"), "");
  assertEquals(await type(circuit, route, "circuit ls $X/..."), "");
  assertEquals(await type(circuit, route, "circuit peek $X/pippi"), "null\n");
});

onBothRoutes("the walk-through works as printed: a channel", async (circuit, route) => {
  const { path } = circuit.far;
  const charlie = `${path}/this/is/charlie`;
  assertEquals(await type(circuit, route, "circuit mkchan $X/this/is/charlie 3"), "");
  assertEquals(
    await type(circuit, route, "circuit peek $X/this/is/charlie"),
    '{\n\t"Cap": 3,\n\t"Closed": false,\n\t"Aborted": false,\n\t"NumSend": 0,\n\t"NumRecv": 0\n}\n',
  );
  assertEquals(
    await type(circuit, route, "circuit ls -l $X/..."),
    long("·", [`${path}/this`, `${path}/this/is`]) + long("chan", [charlie]),
  );
  assertEquals(
    await type(circuit, route, "circuit ls -depth $X/..."),
    [charlie, `${path}/this/is`, `${path}/this`].join("\n") + "\n",
  );
  const received = await type(
    circuit,
    route,
    "seq 1 5000 > some_file\n" +
      "circuit send $X/this/is/charlie < some_file\n" +
      "circuit recv $X/this/is/charlie > other_file\n" +
      "cmp some_file other_file && echo same",
  );
  assertEquals(received, "same\n");
  const { NumSend, NumRecv } = JSON.parse(
    await type(circuit, route, "circuit peek $X/this/is/charlie"),
  );
  assertEquals([NumSend, NumRecv], [1, 1]);
  assertEquals(await type(circuit, route, "circuit close $X/this/is/charlie"), "");
  const { Closed } = JSON.parse(await type(circuit, route, "circuit peek $X/this/is/charlie"));
  assert(Closed);
  // With the channel go the anchors that were there for its sake.
  assertEquals(await type(circuit, route, "circuit scrub $X/this/is/charlie; circuit ls $X"), "");
});

onBothRoutes("the walk-through works as printed: a server", async (circuit, route) => {
  const state = JSON.parse(await type(circuit, route, "circuit peek $X"));
  assertEquals(state.Addr, circuit.far.address);
  assertMatch(state.Joined, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  for (const key of ["Version", "Hostname", "Os", "Cpus", "Elements", "Rss", "Uptime"]) {
    assert(key in state, `${key} is not in ${JSON.stringify(state)}`);
  }
});

/** Lines of `ls -l`. */
function long(kind: string, paths: readonly string[]): string {
  return paths.map((path) => `${kind.padEnd(15)} ${path}\n`).join("");
}
