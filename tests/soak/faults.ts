/**
 * What befalls servers, each with what undoes it.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { Circuit, Slot } from "./circuit.ts";
import { Violation } from "./journal.ts";

/** What can befall a server. */
export const FAULTS = ["kill", "stop", "pause", "cut", "disk", "clock"] as const;

/** One of {@linkcode FAULTS}. */
export type Fault = typeof FAULTS[number];

/** Clock settings, beside the right one. */
const OFFSETS = ["+5h", "-400d", "+30d", "-90m"];

/** Ends a fault. */
export type Undo = () => Promise<void>;

/** Those that can be made here, and what the others lack. */
export function possible(circuit: Circuit): { faults: Fault[]; lacking: string[] } {
  const lacking = [
    ...(circuit.lab ? [] : ["cuts and full disks need root, unshare and ip netns"]),
    ...(circuit.slots[0]?.clock ? [] : ["clock jumps need libfaketime"]),
  ];
  const faults = FAULTS.filter((fault) => {
    if (fault === "cut" || fault === "disk") return circuit.lab !== undefined;
    return fault !== "clock" || circuit.slots[0]?.clock !== undefined;
  });
  return { faults, lacking };
}

/** Whether it may befall the server in this place: the one in the first lives as long as the soak. */
export function befalls(fault: Fault, { index }: Slot): boolean {
  return index > 0 || fault !== "kill" && fault !== "stop";
}

/** Has a fault befall the server in a place. */
export async function inflict(
  fault: Fault,
  slot: Slot,
  circuit: Circuit,
  random: Random,
): Promise<Undo> {
  const { member, host, clock } = slot;
  if (!member) throw new Error(`there is no server ${slot.index}`);
  if (fault !== "disk" && fault !== "clock") member.disturbed++;
  switch (fault) {
    case "kill":
      await circuit.end(slot, "SIGKILL");
      return () => circuit.start(slot);
    case "stop": {
      const status = await circuit.end(slot, "SIGTERM");
      if (!status?.success) {
        throw new Violation(`server ${slot.index} was stopped and ended with ${status?.code}`);
      }
      return () => circuit.start(slot);
    }
    case "pause":
      member.server.kill("SIGSTOP");
      return () => Promise.resolve(member.server.kill("SIGCONT"));
    case "cut": {
      const { lab, own } = circuit;
      if (!lab || !host || !own) throw new Error("there is no network");
      const way = random.below(3);
      if (way === 0) {
        await host.unplug();
        return () => host.plug();
      }
      // In two of the three cases this process is on the server's side.
      await lab.cut(way === 1 ? [host] : [host, own]);
      return () => lab.mend();
    }
    case "disk": {
      const ballast = `${slot.varDir}/ballast`;
      await fill(ballast);
      return () => Deno.remove(ballast).catch(unlessNotFound);
    }
    case "clock":
      await clock?.set(random.pick(OFFSETS) ?? "+0");
      // It stays as it is in half of the cases.
      return async () => random.chance(0.5) ? await clock?.set("+0") : undefined;
  }
}

/** Bytes that are written at a time, and at least left at the end: a page. */
const PAGE_BYTES = 4096;

/** Writes a file until there is no more room; none where there is not even room for its name. */
async function fill(path: string): Promise<void> {
  try {
    using file = await Deno.open(path, { create: true, write: true });
    for (;;) await file.write(new Uint8Array(PAGE_BYTES));
  } catch (error) {
    if (!String(error).includes("No space left on device")) throw error;
  }
}

function unlessNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
