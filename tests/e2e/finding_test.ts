/**
 * How a command finds a server: `-d`, the file that CIRCUIT names, or an error that says how.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { freshGroup } from "../multicast.ts";
import { denoDir } from "../program.ts";
import { assertRefused } from "../refused.ts";
import { run, tool } from "../tool.ts";

circuitTest("CIRCUIT names a file that holds an address", async (logs) => {
  await using server = await RunningServer.start({ logs });
  const home = await Deno.makeTempDir();
  try {
    const expected = `${server.path}\n`;
    await Deno.writeTextFile(`${home}/plain`, server.address);
    await Deno.writeTextFile(`${home}/spaced`, `\n\t ${server.address}  \r\n\n`);
    await Deno.writeTextFile(`${home}/bare`, `${server.hostPort}\n`);
    for (const name of ["plain", "spaced", "bare"]) {
      assertEquals(await run(["ls", "/"], { env: { CIRCUIT: `${home}/${name}` } }), expected);
    }
    // Deno's own cache must stay where it is while the home directory is another.
    const env = { HOME: home, DENO_DIR: await denoDir() };
    assertEquals(await run(["ls", "/"], { env: { ...env, CIRCUIT: "~/plain" } }), expected);
    assertEquals(await run(["ls", "/"], { env: { CIRCUIT: "plain" }, cwd: home }), expected);

    // A flag goes before the file.
    const wrong = { env: { CIRCUIT: `${home}/none` } };
    assertEquals(await run(["ls", "-d", server.address, "/"], wrong), expected);
    await assertRefused(["ls", "/"], /cannot read .*\/none.*there is no such file/, wrong);
    await Deno.writeTextFile(`${home}/empty`, " \n");
    await assertRefused(["ls", "/"], /empty, which CIRCUIT names, is empty/, {
      env: { CIRCUIT: `${home}/empty` },
    });
    await Deno.writeTextFile(`${home}/nonsense`, "nonsense\n");
    await assertRefused(["ls", "/"], /bad circuit address "nonsense"/, {
      env: { CIRCUIT: `${home}/nonsense` },
    });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

circuitTest("with nothing to go by, the error names all four ways", async () => {
  for (const env of [{}, { CIRCUIT: "" }]) {
    const { code, stdout, stderr } = await tool(["ls", "/"], { env });
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^circuit: [^\n]+\n$/);
    for (const way of ["-d ADDRESS", "-discover GROUP:PORT", "CIRCUIT ", "CIRCUIT_DISCOVER"]) {
      assert(stderr.includes(way), `${way} is not in ${stderr}`);
    }
  }
});

circuitTest("an address that leads nowhere, or to another server, is refused", async (logs) => {
  await using server = await RunningServer.start({ logs });
  await assertRefused(["ls", "-d", "nonsense", "/"], /bad circuit address "nonsense"/);
  await assertRefused(["ls", "-d", "127.0.0.1:1", "/"], /127\.0\.0\.1:1: connection refused/);
  const other = server.address.replace(/Q.*/, "Q0123456789abcdef");
  await assertRefused(
    ["ls", "-d", other, "/"],
    new RegExp(
      `${server.id}.*X0123456789abcdef|` +
        `X0123456789abcdef.*${server.id}`,
    ),
  );
});

circuitTest("-timeout says how long to wait for an answer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${listener.addr.port}`;
  await assertRefused(
    ["ls", "-d", address, "-timeout", "0.3", "/"],
    new RegExp(`cannot reach ${address}: no answer within 0\\.3 s`),
  );
});

circuitTest(
  "-timeout says how long to search by multicast, and what to check is told",
  async () => {
    const group = freshGroup();
    const reason = new RegExp(
      `no server answered on multicast group ${group} within 0\\.3 s: check that `,
    );
    await assertRefused(["ls", "-discover", group, "-timeout", "0.3", "/"], reason);
    await assertRefused(["ls", "-timeout", "0.3", "/"], reason, {
      env: { CIRCUIT_DISCOVER: group },
    });
  },
);

circuitTest("what speaks another language is told from a server", async () => {
  await using http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("hello"),
  );
  const address = `127.0.0.1:${http.addr.port}`;
  await assertRefused(["ls", "-d", address, "/"], new RegExp(address.replaceAll(".", "\\.")));
});

circuitTest("no stack trace is shown unless CIRCUIT_LOG is debug", async () => {
  const args = ["ls", "-d", "127.0.0.1:1", "/"];
  assert(!(await tool(args)).stderr.includes("    at "));
  const { code, stderr } = await tool(args, { env: { CIRCUIT_LOG: "debug" } });
  assertEquals(code, 1);
  assert(stderr.includes("    at "), stderr);
});
