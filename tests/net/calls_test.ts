/**
 * Calls under way to a server that falls silent.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { LineReader } from "../line_reader.ts";
import type { Logs } from "../logs.ts";
import { environment, root } from "../program.ts";
import { run } from "../tool.ts";
import { within } from "../until.ts";
import { type Host, Lab, labTest } from "./lab.ts";
import { assertAtMost } from "./report.ts";
import { Servers } from "./servers.ts";
import type { Outcome } from "./waiting_client.ts";

/** Milliseconds in which a silent server is gone. */
const GONE_MS = 4_500;

/** Milliseconds after the dial-in server knows in which a call has failed. */
const FAILED_MS = 500;

/** Milliseconds in which a message must be there, on a machine that is busy. */
const SOON_MS = 10_000;

/** A client on a host of its own, which waits on channels. */
class WaitingClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: LineReader;
  readonly #log: Promise<void>;

  constructor(host: Host, logs: Logs, address: string, paths: readonly string[]) {
    const flags = ["--quiet", `--config=${root}deno.json`, "--allow-net"];
    const { command, args } = host.program({
      command: Deno.execPath(),
      args: ["run", ...flags, `${root}tests/net/waiting_client.ts`, address, ...paths],
    });
    this.#child = new Deno.Command(command, {
      args: [...args],
      clearEnv: true,
      env: environment(),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new LineReader(this.#child.stdout);
    this.#log = logs.add(`client, process ${this.#child.pid}`, this.#child.stderr).ended;
  }

  /** What it says next. */
  async next(): Promise<Partial<Outcome>> {
    return JSON.parse(await this.#stdout.line());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await Promise.all([this.#child.status, this.#stdout.cancel(), this.#log]);
  }
}

for (const way of ["straight there", "through the dial-in server"]) {
  labTest(`calls that went ${way} fail when their server is declared dead`, async (logs) => {
    await using lab = await Lab.create(4);
    await using servers = new Servers(logs);
    const hosts = lab.hosts.slice(0, 3);
    const all = await servers.circuit(hosts);
    const [near, other, lost] = all;
    const place = lab.hosts[3];
    if (!near || !other || !lost || !place) throw new Error("no servers");
    if (way !== "straight there") {
      for (const { host } of [other, lost]) await place.lose(host.address);
    }
    const paths = all.map(({ path }) => `${path}/c`);
    await using client = new WaitingClient(place, logs, near.address, paths);
    assertEquals(await client.next(), {});

    const pulled = Date.now();
    await lost.host.unplug();
    const { last } = await servers.gone([near, other], lost, pulled, GONE_MS);
    assertAtMost("declared dead after", last, GONE_MS, "ms");
    const known = near.watcher.first("left", lost.id, pulled) ?? NaN;
    const { path, end, at = NaN } = await client.next();
    assertEquals([path, end], [`${lost.path}/c`, "SERVER_GONE"]);
    assertAtMost("the call fails when that is known for", at - known, FAILED_MS, "ms");

    // The others have not noticed.
    const program = place.program();
    for (const server of [near, other]) {
      const args = ["send", "-d", near.hostPort, `${server.path}/c`];
      const [received] = await Promise.all([
        within(SOON_MS, "the message", client.next()),
        run(args, { program, stdin: server.id }),
      ]);
      assertEquals([received.path, received.end], [`${server.path}/c`, server.id]);
    }
  });
}
