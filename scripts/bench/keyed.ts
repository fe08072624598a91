/**
 * The same with a key and without one.
 *
 * @module
 */

import { type Anchor, dial } from "../../mod.ts";
import { formatKey, newKey } from "../../overlay/transport/key.ts";
import { startServerProcess } from "../server_process.ts";
import { message, stdout } from "./bulk.ts";
import { pass } from "./calls.ts";
import { compare, latency } from "./measure.ts";
import { type Bench, compared, MIB } from "./section.ts";

/** Bytes of a large message. */
const LARGE = 128 * MIB;

/** Encrypted, beside plain. */
export async function keyed(bench: Bench): Promise<void> {
  const key = newKey();
  const file = await Deno.makeTempFile();
  try {
    await Deno.chmod(file, 0o600);
    await Deno.writeTextFile(file, formatKey(key));
    await using secure = await startServerProcess(["-hmac", file]);
    await using plain = await startServerProcess();
    await using secureClient = await dial(secure.address, { key });
    await using plainClient = await dial(plain.address);
    const roots = [
      secureClient.anchor(`/${secure.serverId}`),
      plainClient.anchor(`/${plain.serverId}`),
    ] as const;
    const add = async (
      work: string,
      unit: "µs" | "MB/s",
      prepare: (root: Anchor) => Promise<() => Promise<number>>,
    ) => {
      const result = await compare(
        bench.rounds,
        await prepare(roots[0]),
        await prepare(roots[1]),
      );
      const target = unit === "µs"
        ? { of: "ratio", atMost: 1.35 } as const
        : { of: "ratio", atLeast: 0.35 } as const;
      bench.add(compared(`with a key: ${work}`, unit, "without", result, target));
    };
    await add("small call (stat), p50", "µs", async (root) => {
      const chan = await root.walk("stat").makeChan();
      return () => latency(() => chan.stat());
    });
    await add("send and recv of 100 B, p50", "µs", async (root) => {
      const chan = await root.walk("pass").makeChan(1);
      return () => latency(() => pass(chan));
    });
    await add("one message of 128 MiB", "MB/s", async (root) => {
      const chan = await root.walk("message").makeChan();
      return () => message(chan, LARGE);
    });
    await add("stdout of 128 MiB", "MB/s", (root) => Promise.resolve(() => stdout(root, LARGE)));
  } finally {
    await Deno.remove(file);
  }
}
