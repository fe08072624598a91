/**
 * Where the first server that is known cannot be dialled, the next one is: for the tool and for
 * programs.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { discover } from "../../mod.ts";
import { Announcer } from "../../overlay/discovery/mod.ts";
import { RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { freshGroup } from "../multicast.ts";
import { assertRefused } from "../refused.ts";
import { run, RunningTool } from "../tool.ts";
import { within } from "../until.ts";

/** Milliseconds in which a server must be found that announces itself every second. */
const FOUND_MS = 60_000;

/** A program that takes connections and ends each at once; counts them. */
class Rude implements AsyncDisposable {
  readonly hostPort: string;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #first = Promise.withResolvers<void>();
  readonly #loop: Promise<void>;

  constructor() {
    this.hostPort = `127.0.0.1:${this.#listener.addr.port}`;
    this.#loop = this.#run();
  }

  /** Resolves when somebody has dialled it. */
  get dialled(): Promise<void> {
    return this.#first.promise;
  }

  async #run(): Promise<void> {
    for await (const conn of this.#listener) {
      conn.close();
      this.#first.resolve();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#loop;
  }
}

circuitTest("connect() takes the first server in the file that can be dialled", async (logs) => {
  await using server = await RunningServer.start({ logs });
  await using rude = new Rude();
  await using http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("hello"),
  );
  const file = await Deno.makeTempFile();
  try {
    const known = [
      // Nobody, somebody who hangs up, another program, and a server that was there before.
      "127.0.0.1:1",
      rude.hostPort,
      `127.0.0.1:${http.addr.port}`,
      server.address.replace(/Q.*/, "Q0123456789abcdef"),
    ];
    await Deno.writeTextFile(file, [...known, server.address].join("\n"));
    const env = { CIRCUIT: file };
    assertEquals(await run(["ls", "/"], { env }), `${server.path}\n`);
    // Where none can be dialled, the last reason is told.
    await Deno.writeTextFile(file, [rude.hostPort, "127.0.0.1:1"].join("\n"));
    await assertRefused(["ls", "/"], /127\.0\.0\.1:1: connection refused/, { env });
  } finally {
    await Deno.remove(file);
  }
});

circuitTest("discover() goes on to the next server that answers", async (logs) => {
  const group = freshGroup();
  await using rude = new Rude();
  const dead = new Announcer({
    group,
    self: { id: "X00000000000000dd", address: rude.hostPort },
    log: () => {},
  });
  dead.start();
  try {
    await using tool = new RunningTool(["ls", "-timeout", "60", "-discover", group, "/"]);
    await within(FOUND_MS, "the dead server to be dialled", rude.dialled);
    await using server = await RunningServer.start({ logs, args: ["-discover", group] });
    const { code, stdout } = await within(FOUND_MS, "the tool's end", tool.result());
    assertEquals([code, stdout], [0, `${server.path}\n`]);
    await using client = await discover(group, { timeoutMs: FOUND_MS });
    assertEquals(client.serverId, server.id);
  } finally {
    await dead.stop();
  }
});
