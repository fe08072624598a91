/**
 * A tied process and what it has started: all that ends with it.
 *
 * @module
 */

import type { ControlGroup } from "../launch/cgroup.ts";
import { ProcessGroup } from "./group.ts";
import type { Launcher } from "../launch/launcher.ts";

/** Milliseconds between two looks whether all of it has ended: at first, and at most, doubling. */
const LOOK_MS = 10;
const MAX_LOOK_MS = 160;

/** Milliseconds that what got SIGKILL may take to end: 1 s. What a dead disk holds up may take longer. */
const KILLED_MS = 1_000;

/** The processes that end together. */
export class Family {
  readonly #control: ControlGroup | undefined;
  #group: ProcessGroup | undefined;
  #taken: Promise<boolean> = Promise.resolve(false);

  private constructor(control: ControlGroup | undefined) {
    this.#control = control;
  }

  /** Prepares for a process that is about to be started. */
  static async prepare(launcher: Launcher): Promise<Family> {
    return new Family(await launcher.controlGroups.make());
  }

  /** Takes in its first process, which was just started and leads a process group, or is about to. */
  begin(pid: number): void {
    this.#group = new ProcessGroup(pid);
    if (this.#control) this.#taken = this.#control.take(pid);
  }

  /** Resolves when nothing of {@linkcode begin} is left to do. */
  async begun(): Promise<void> {
    await this.#taken;
  }

  /** Its first process has ended, and was waited for. To be called at once. */
  leaderEnded(): void {
    this.#group?.leaderEnded();
  }

  /**
   * Sends a signal to all of it; false if none is left, or none that is surely of it.
   *
   * @throws what the system refuses it with.
   */
  async signal(signal: Deno.Signal): Promise<boolean> {
    // First, since what loses its parent can no longer be found.
    const taken = await this.#taken;
    const sent = await this.#group?.signal(signal) ?? false;
    if (signal !== "SIGKILL" || !taken) return sent;
    this.#control?.kill();
    return true;
  }

  /** Resolves when nothing is left of it; at most {@linkcode KILLED_MS} after `killed` does. */
  async gone(killed: Promise<void>): Promise<void> {
    const taken = await this.#taken;
    let until = Infinity;
    const dying = killed.then(() => {
      until = performance.now() + KILLED_MS;
    });
    for (let ms = LOOK_MS; await this.#isAlive(taken) && performance.now() < until;) {
      let timer;
      const pause = new Promise((resolve) => timer = setTimeout(resolve, ms));
      ms = Math.min(2 * ms, MAX_LOOK_MS);
      await (until === Infinity ? Promise.race([dying, pause]) : pause);
      clearTimeout(timer);
    }
  }

  /** Gives up what was prepared for it. */
  release(): void {
    void this.#taken.then(() => this.#control?.release());
  }

  async #isAlive(taken: boolean): Promise<boolean> {
    return (taken && this.#control?.populated) || (await this.#group?.isAlive() ?? false);
  }
}
