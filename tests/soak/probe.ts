/**
 * Whether all is well again: calls from each server on each other one, and what servers write down.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { dial } from "../../mod.ts";
import { textOf } from "../bytes.ts";
import { until } from "../until.ts";
import { type Circuit, type Member, PATIENCE_MS, type Slot } from "./circuit.ts";
import { Reach } from "./reach.ts";

/** Waits until a channel and a process work by way of each server on each server. */
export async function untilCallsWork(circuit: Circuit): Promise<void> {
  for (const slot of circuit.slots) {
    await using reach = new Reach(circuit, slot);
    for (const member of circuit.members) {
      await untilWell(`calls by server ${slot.index} on ${member.server.id}`, async () => {
        const client = await reach.client(AbortSignal.timeout(PATIENCE_MS));
        const anchor = client.anchor(`${member.server.path}/soak/probe${slot.index}`);
        await anchor.scrub();
        const chan = await anchor.makeChan(1);
        await chan.sendBytes(new Uint8Array([slot.index]));
        assertEquals(await chan.recvBytes(), new Uint8Array([slot.index]));
        await chan.scrub();
        const proc = await anchor.makeProc({ path: "true" });
        assertEquals((await proc.wait()).exitCode, 0);
        await proc.scrub();
      });
    }
  }
}

/** Waits until a server whose disk was full writes down what it does: its children, and its log. */
export async function untilWrites(circuit: Circuit, slot: Slot, { server }: Member): Promise<void> {
  await using reach = new Reach(circuit, slot);
  await untilWell(`server ${slot.index} to write down a process`, async () => {
    const client = await reach.client(AbortSignal.timeout(PATIENCE_MS));
    // A path that was not there before.
    const anchor = client.anchor(`${server.path}/soak/${crypto.randomUUID()}`);
    await anchor.makeProc({ path: "sleep", args: ["1000"] }, { tied: true });
    for (const file of ["children.json", "circuit.log"]) {
      const read = () => Deno.readTextFile(`${slot.varDir}/${file}`);
      await until(file, read, (text) => text.includes(anchor.path));
    }
    await anchor.scrub();
  });
}

/** Removes all that the workload may have left: a request can arrive when nobody waits for it. */
export async function sweep(circuit: Circuit): Promise<void> {
  for (const slot of circuit.slots) {
    await using reach = new Reach(circuit, slot);
    const path = `${slot.member?.server.path}/soak`;
    await untilWell(`server ${slot.index} to be empty`, async () => {
      const client = await reach.client(AbortSignal.timeout(PATIENCE_MS));
      for await (const each of client.anchor(path).list({ recursive: true, depthFirst: true })) {
        await client.anchor(each.path).scrub();
      }
      assertEquals([...(await client.anchor(path).view()).keys()], []);
    });
  }
}

async function untilWell(what: string, work: () => Promise<void>): Promise<void> {
  const look = () => work().then(() => "well", String);
  await until(what, look, (seen) => seen === "well", { within: PATIENCE_MS });
}

/** What each server says that it is doing now, for a person. */
export async function reports(circuit: Circuit): Promise<string> {
  const each = circuit.members.map(async ({ server }) => {
    try {
      const signal = AbortSignal.timeout(5_000);
      await using client = await dial(server.address, { key: circuit.key, signal });
      const element = await client.anchor(server.path).get({ signal });
      return element?.kind === "server" ? await textOf(element.profile("tasks", { signal })) : "";
    } catch (error) {
      return `${server.id}: ${error}\n`;
    }
  });
  return (await Promise.all(each)).join("");
}
