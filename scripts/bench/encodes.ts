/**
 * How often a call makes MessagePack: the transport is given a codec that counts.
 *
 * @module
 */

import { AnchorHandle } from "../../client/anchor.ts";
import { Router } from "../../client/router.ts";
import type { Element } from "../../elements/mod.ts";
import { Launcher } from "../../elements/launch/mod.ts";
import type { Anchor } from "../../mod.ts";
import { newServerId } from "../../overlay/address.ts";
import { Budget } from "../../overlay/budget.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { type Codec, messagePack } from "../../overlay/transport/codec.ts";
import { answerSession } from "../../overlay/transport/connect.ts";
import { tcp } from "../../overlay/transport/tcp.ts";
import { AnchorTree } from "../../server/anchors.ts";
import { Dispatcher } from "../../server/dispatch.ts";
import { anchorHandlers, rootHandlers } from "../../server/handlers.ts";
import { type Bench, SMALL } from "./section.ts";

/** Bytes of a message that takes many frames. */
const LARGE = new Uint8Array(4 * 1024 * 1024);

/** How many encodes some work has taken, on either side. */
export interface Encodes {
  readonly client: number;
  readonly server: number;
}

/** A client and a server that share this process and speak TCP. */
export interface CountedPair extends AsyncDisposable {
  /** The server's anchor. */
  readonly root: Anchor;
  /** Counts the encodes of some work. */
  encodesOf(work: () => Promise<unknown>): Promise<Encodes>;
}

/** Makes a client and a server whose encodes are counted. */
export async function countedPair(): Promise<CountedPair> {
  const id = newServerId();
  const tree = new AnchorTree(id, () => {});
  const circuit = { servers: () => [`/${id}`], watch: () => () => {} };
  const host = {
    tree,
    circuit,
    log: () => {},
    ending: () => {},
    budget: new Budget(),
    docker: false,
    launcher: new Launcher(),
    making: new Set<Promise<Element>>(),
  };
  const listener = tcp.listen("127.0.0.1", 0);
  const address = `circuit://127.0.0.1:${listener.port}/1/Q${id.slice(1)}`;
  const dispatcher = new Dispatcher({
    serverId: id,
    tree,
    anchor: (names, path) => anchorHandlers(host, names, path),
    root: rootHandlers(() => [{ id, address }]),
    session: () => Promise.reject(new CircuitError("SERVER_GONE", "there is no other server")),
    log: host.log,
  });
  const ofServer = new CountingCodec();
  const ofClient = new CountingCodec();
  const answering = listener.accept().then((conn) => {
    if (!conn) throw new Error("nobody came");
    return answerSession({
      network: tcp,
      self: { id, address },
      onRequest: (incoming) => dispatcher.request(incoming),
      codec: ofServer,
    }, conn);
  });
  const endpoint = { network: tcp, codec: ofClient };
  const router = await Router.connect(
    { endpoint, seeds: () => [address], redial: false },
    undefined,
  );
  await answering;
  return {
    root: new AnchorHandle(router, [id]),
    async encodesOf(work) {
      const before = { client: ofClient.encodes, server: ofServer.encodes };
      await work();
      return {
        client: ofClient.encodes - before.client,
        server: ofServer.encodes - before.server,
      };
    },
    async [Symbol.asyncDispose]() {
      await router.close(new CircuitError("ABORTED", "done"));
      listener.close();
      await (await answering).closed;
      for (const element of tree.elements()) await element.dispose();
    },
  };
}

/** What a call is, and how often it may encode in all. */
export interface CountedWork {
  readonly work: string;
  readonly most: number;
  readonly run: () => Promise<unknown>;
}

/** Small calls, which may take one encode each way, and moves of bytes, which may take none. */
export async function countedWork(root: Anchor): Promise<CountedWork[]> {
  const chan = await root.walk("chan").makeChan(1);
  const direct = await root.walk("direct").makeChan();
  const cat = await root.walk("cat").makeProc({ path: "cat" });
  return [
    { work: "stat", most: 2, run: () => chan.stat() },
    { work: "walk and get", most: 2, run: () => root.walk("chan").get() },
    {
      work: "send and recv of 100 B",
      most: 0,
      async run() {
        await chan.sendBytes(SMALL);
        await chan.recvBytes();
      },
    },
    {
      work: "send and recv of 4 MiB",
      most: 0,
      run: () => Promise.all([direct.sendBytes(LARGE), direct.recvBytes()]),
    },
    {
      work: "stdin and stdout, 4 MiB each",
      most: 0,
      run: () =>
        Promise.all([
          new Blob([LARGE]).stream().pipeTo(cat.stdin()),
          cat.stdout().pipeTo(new WritableStream()),
        ]),
    },
  ];
}

/** How many encodes calls take. */
export async function encodes(bench: Bench): Promise<void> {
  await using pair = await countedPair();
  for (const { work, most, run } of await countedWork(pair.root)) {
    const { client, server } = await pair.encodesOf(run);
    bench.add({
      work: `MessagePack encodes: ${work}`,
      unit: "",
      value: client + server,
      target: { of: "value", atMost: most },
    });
  }
}

/** Counts what a codec is asked for. */
class CountingCodec implements Codec {
  encodes = 0;

  encode(value: unknown): Uint8Array {
    // No value is no bytes, without MessagePack.
    if (value !== undefined) this.encodes++;
    return messagePack.encode(value);
  }

  decode(bytes: Uint8Array): unknown {
    return messagePack.decode(bytes);
  }
}
