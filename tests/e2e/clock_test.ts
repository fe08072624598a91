/**
 * A server on a machine whose clock is set while it runs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../mod.ts";
import { dialTo, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { freshGroup } from "../multicast.ts";
import { until } from "../until.ts";

/** Makes the system's clock another for a program; `apt-get install faketime` on Debian. */
const LIBRARY = findLibrary([
  `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketimeMT.so.1`,
  "/usr/lib/faketime/libfaketimeMT.so.1",
  "/usr/lib64/faketime/libfaketimeMT.so.1",
]);

/** Seconds in which a server that fell silent would be suspected and given up. */
const VERDICT_S = 4;

function findLibrary(files: readonly string[]): string | undefined {
  return files.find((file) => {
    try {
      return Deno.statSync(file).isFile;
    } catch {
      return false;
    }
  });
}

/** A clock that a test sets. */
class Clock implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(offset: string): Promise<Clock> {
    const clock = new Clock(await Deno.makeTempDir());
    await clock.set(offset);
    return clock;
  }

  /** What makes a program go by it. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY ?? "",
      FAKETIME_TIMESTAMP_FILE: `${this.#folder}/offset`,
      FAKETIME_NO_CACHE: "1",
      // Nobody can set the other one.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Sets it ahead of the right time, as `+3h`, or behind it. */
  async set(offset: string): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/next`, `${offset}\n`);
    await Deno.rename(`${this.#folder}/next`, `${this.#folder}/offset`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function uptime(client: Client, server: RunningServer): Promise<number> {
  const element = await client.anchor(server.path).get();
  assert(element?.kind === "server");
  return (await element.peek()).uptime;
}

circuitTest(
  "setting a clock buries nobody, and keyed discovery says why it waits for it (needs libfaketime)",
  async (logs) => {
    const key = crypto.getRandomValues(new Uint8Array(64));
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(file, key.toBase64(), { mode: 0o600 });
      await using clock = await Clock.create("+3h");
      const args = ["-discover", freshGroup(), "-hmac", file];
      await using right = await RunningServer.start({ logs, args });
      await using wrong = await RunningServer.start({ logs, args, env: clock.env });
      const all = [right, wrong];
      const reason = "from 127.0.0.1 that is more than 60 s old or ahead: the clocks of the hosts";
      for (const server of all) {
        await until("the reason", () => String(server.log), (log) => log.includes(reason));
      }
      await using client = await dialTo(right, { key });
      assertEquals((await client.servers()).map(({ serverId }) => serverId), [right.id]);

      // They find each other once it is right.
      await clock.set("+0");
      for (const server of all) await untilSeen(server, all, { key });
      for (const offset of ["+5h", "-400d"]) {
        await clock.set(offset);
        const before = await uptime(client, wrong);
        const wanted = before + VERDICT_S / 2;
        await until("time to pass", () => uptime(client, wrong), (now) => now >= wanted);
        assert(await uptime(client, wrong) < before + 3_600);
      }
      assert(!/ left\b/.test(`${right.log}${wrong.log}`));
    } finally {
      await Deno.remove(file);
    }
  },
  { ignore: LIBRARY === undefined },
);
