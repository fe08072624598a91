/**
 * Calls and bytes that another server passes on, beside the same without it.
 *
 * @module
 */

import { AnchorHandle } from "../../client/anchor.ts";
import { Router } from "../../client/router.ts";
import { type Anchor, dial } from "../../mod.ts";
import { parseAddress } from "../../overlay/address.ts";
import { CircuitError } from "../../overlay/errors.ts";
import type { Network } from "../../overlay/transport/network.ts";
import { tcp } from "../../overlay/transport/tcp.ts";
import { startServerProcess } from "../server_process.ts";
import { message, stdout } from "./bulk.ts";
import { pass } from "./calls.ts";
import { compare, latency } from "./measure.ts";
import { type Bench, compared, MIB } from "./section.ts";

/** Bytes of a large message. */
const LARGE = 128 * MIB;

/** Where no server can be dialled but the one on this port. */
function deadEnd(port: number): Network {
  return {
    dial: (host, wanted, signal) =>
      wanted === port
        ? tcp.dial(host, wanted, signal)
        : Promise.reject(new CircuitError("UNREACHABLE", "no way from here")),
    listen: tcp.listen,
  };
}

/** Through a relaying server, and straight. */
export async function relayed(bench: Bench): Promise<void> {
  await using relay = await startServerProcess();
  await using server = await startServerProcess(["-j", relay.address]);
  await using client = await dial(server.address);
  const network = deadEnd(parseAddress(relay.address).port);
  const router = await Router.connect(
    { endpoint: { network }, seeds: () => [relay.address], redial: false },
    undefined,
  );
  const straight = client.anchor(`/${server.serverId}`);
  const through = new AnchorHandle(router, [server.serverId]);
  await straight.walk("chan").makeChan(1_000);
  await straight.walk("direct").makeChan();
  const chanAt = async (root: Anchor, name: string) => {
    const element = await root.walk(name).get();
    if (element?.kind !== "chan") throw new Error(`${root.path} has no channel ${name}`);
    return element;
  };
  const chans = [await chanAt(through, "chan"), await chanAt(straight, "chan")] as const;
  const direct = [await chanAt(through, "direct"), await chanAt(straight, "direct")] as const;

  const add = async (work: string, unit: string, ours: Round, below: Round) => {
    const result = await compare(bench.rounds, ours, below);
    const target = unit === "µs"
      ? { of: "ratio", atMost: 2.2 } as const
      : { of: "ratio", atLeast: 0.45 } as const;
    bench.add(compared(`relayed: ${work}`, unit, "direct", result, target));
  };
  type Round = () => Promise<number>;
  await add(
    "small call (stat), p50",
    "µs",
    () => latency(() => chans[0].stat()),
    () => latency(() => chans[1].stat()),
  );
  await add(
    "send and recv of 100 B, p50",
    "µs",
    () => latency(() => pass(chans[0])),
    () => latency(() => pass(chans[1])),
  );
  await add(
    "one message of 128 MiB",
    "MB/s",
    () => message(direct[0], LARGE),
    () => message(direct[1], LARGE),
  );
  await add(
    "stdout of 128 MiB",
    "MB/s",
    () => stdout(through, LARGE),
    () => stdout(straight, LARGE),
  );
  await router.close(new CircuitError("ABORTED", "done"));
}
