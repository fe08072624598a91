/**
 * The circuit of a soak: three places, in each of which one server runs at a time.
 *
 * @module
 */

import { CircuitError, dial } from "../../mod.ts";
import { FakeClock, hasFakeClock } from "../fake_clock.ts";
import { RunningServer } from "../launcher.ts";
import { Logs } from "../logs.ts";
import { type Host, Lab } from "../net/lab.ts";
import { output } from "../net/ip.ts";
import { until } from "../until.ts";
import { type Journal, Violation } from "./journal.ts";

/** Servers of the circuit. */
const SERVERS = 3;

/** Milliseconds in which all must be well again after a fault, on a machine that is busy: 2 min. */
export const PATIENCE_MS = 120_000;

/** Size of a disk: 16 MiB. */
const DISK = "16m";

/** What a call may fail with while servers, or the networks between them, are in trouble. */
const TROUBLE: readonly string[] = [
  ...["SERVER_GONE", "UNREACHABLE", "TIMEOUT", "ABORTED", "CLOSED", "NOT_FOUND", "BUSY"],
];

/** A server, from its start to its end. */
export interface Member {
  readonly server: RunningServer;
  readonly logs: Logs;
  /** Aborted when its end begins, with the signal that ends it. */
  readonly ending: AbortController;
  /** How many faults have befallen it that can make it seem lost. */
  disturbed: number;
}

/** A place for a server. */
export interface Slot {
  /** From 0. */
  readonly index: number;
  /** The value of `-var`. */
  readonly varDir: string;
  /** Where it runs; undefined: on this host. */
  readonly host: Host | undefined;
  /** Its clock, if that can be set. */
  readonly clock: FakeClock | undefined;
  /** The server that runs there, if one does. */
  member: Member | undefined;
}

/** Three servers, and what they run on. */
export class Circuit implements AsyncDisposable {
  readonly journal: Journal;
  readonly key: Uint8Array | undefined;
  /** The network that connects them; undefined: loopback. */
  readonly lab: Lab | undefined;
  /** The host of this process in that network. */
  readonly own: Host | undefined;
  readonly slots: readonly Slot[];
  /** Grows with each fault that begins or ends; even while there is none. */
  trouble = 0;
  readonly #args: readonly string[];
  readonly #stack: AsyncDisposableStack;
  readonly #starting: Promise<void>[] = [];

  private constructor(
    journal: Journal,
    made: Pick<Circuit, "key" | "lab" | "own" | "slots">,
    args: readonly string[],
    stack: AsyncDisposableStack,
  ) {
    this.journal = journal;
    this.key = made.key;
    this.lab = made.lab;
    this.own = made.own;
    this.slots = made.slots;
    this.#args = args;
    this.#stack = stack;
  }

  /**
   * Makes the places and starts a server in each.
   *
   * @param sealed Whether there can be networks and disks: this process has namespaces of its own.
   * @param keyed Whether the circuit has a key.
   */
  static async create(
    journal: Journal,
    { sealed, keyed }: { sealed: boolean; keyed: boolean },
  ): Promise<Circuit> {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "circuit_soak_" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const lab = sealed ? stack.use(await Lab.create(SERVERS)) : undefined;
    const own = await lab?.own();
    const slots: Slot[] = [];
    for (let index = 0; index < SERVERS; index++) {
      const varDir = `${folder}/${index}`;
      await Deno.mkdir(varDir, { mode: 0o700 });
      if (sealed) {
        const options = ["-t", "tmpfs", "-o", `size=${DISK},mode=700`];
        await output("mount", [...options, "tmpfs", varDir]);
        stack.defer(() => output("umount", ["-l", varDir]).then(() => {}));
      }
      const clock = hasFakeClock ? stack.use(await FakeClock.create("+0")) : undefined;
      slots.push({ index, varDir, host: lab?.hosts[index], clock, member: undefined });
    }
    const key = keyed ? crypto.getRandomValues(new Uint8Array(64)) : undefined;
    if (key) await Deno.writeTextFile(`${folder}/key`, key.toBase64(), { mode: 0o600 });
    const args = key ? ["-hmac", `${folder}/key`] : ["-insecure"];
    const circuit = new Circuit(journal, { key, lab, own, slots }, args, stack.move());
    try {
      for (const slot of slots) await circuit.start(slot);
      await circuit.settled();
      return circuit;
    } catch (error) {
      await circuit[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The servers that run. */
  get members(): Member[] {
    return this.slots.flatMap(({ member }) => member ?? []);
  }

  /** Starts a server in an empty place; tries again while it cannot join the others. */
  async start(slot: Slot): Promise<void> {
    const starting = this.#start(slot);
    this.#starting.push(starting);
    await starting;
    this.#starting.splice(this.#starting.indexOf(starting), 1);
  }

  /** Ends a server by a signal, and waits for its end. */
  async end(slot: Slot, signal: "SIGKILL" | "SIGTERM"): Promise<Deno.CommandStatus | undefined> {
    const { member } = slot;
    slot.member = undefined;
    member?.ending.abort(signal);
    member?.server.kill(signal);
    const status = await member?.server.status;
    // Lets go of its pipes.
    await member?.server[Symbol.asyncDispose]();
    return status;
  }

  /** Waits until each server lists just those that run. */
  async settled(): Promise<void> {
    const wanted = this.members.map(({ server }) => server.id).sort().join();
    for (const { server } of this.members) {
      await until(
        `${server.id} to list ${wanted}`,
        async () => {
          try {
            const signal = AbortSignal.timeout(5_000);
            await using client = await dial(server.address, { key: this.key, signal });
            return (await client.servers({ signal })).map(({ serverId }) => serverId).join();
          } catch (error) {
            return String(error);
          }
        },
        (seen) => seen === wanted,
        { within: PATIENCE_MS },
      );
    }
  }

  /**
   * The code of an error that a fault explains; any other is thrown on. Before the first fault, only
   * the end of a channel is none.
   */
  excuse(error: unknown): string {
    const known = error instanceof CircuitError && TROUBLE.includes(error.code);
    if (!known || this.trouble === 0 && error.code !== "CLOSED") throw error;
    return error.code;
  }

  /** Stops the servers and removes what they ran on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#starting);
    const members = this.members;
    for (const slot of this.slots) slot.member = undefined;
    for (const { ending } of members) ending.abort("SIGTERM");
    await Promise.all(members.map(({ server }) => server[Symbol.asyncDispose]()));
    await this.#stack[Symbol.asyncDispose]();
  }

  async #start(slot: Slot): Promise<void> {
    await until(
      `server ${slot.index} to start`,
      async () => {
        const logs = new Logs();
        try {
          const server = await RunningServer.start({
            logs,
            listen: `${slot.host?.address ?? "127.0.0.1"}:0`,
            args: [...this.#args, ...this.#joins(), "-var", slot.varDir],
            env: { CIRCUIT_LOG: "info", ...slot.clock?.env },
            ...(slot.host && { program: slot.host.program() }),
          });
          this.#enter(slot, { server, logs, ending: new AbortController(), disturbed: 0 });
          return "started";
        } catch (error) {
          return String(error);
        }
      },
      (seen) => seen === "started",
      { within: PATIENCE_MS },
    );
  }

  #enter(slot: Slot, member: Member): void {
    const { server, ending } = member;
    slot.member = member;
    this.journal.note(`server ${slot.index} is ${server.id}, process ${server.pid}`);
    server.status.then(({ code, signal }) => {
      if (ending.signal.aborted) return;
      const how = signal ?? `status ${code}`;
      this.journal.fail(
        new Violation(`server ${slot.index}, ${server.id}, ended by itself: ${how}`),
      );
    });
  }

  #joins(): string[] {
    return this.members.flatMap(({ server }) => ["-j", server.hostPort]);
  }
}
