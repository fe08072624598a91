/**
 * A tied process and what it has started: all that ends with it.
 *
 * @module
 */

import type { ControlGroup } from "../launch/cgroup.ts";
import { ProcessGroup } from "./group.ts";
import type { Launcher } from "../launch/launcher.ts";

/** Milliseconds between two looks whether all of it has ended. */
const LOOK_MS = 50;

/** The processes that end together. */
export class Family {
  readonly #control: ControlGroup | undefined;
  #group: ProcessGroup | undefined;
  #taken = false;

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
    this.#taken = this.#control?.take(pid) ?? false;
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
    const sent = await this.#group?.signal(signal) ?? false;
    if (signal !== "SIGKILL" || !this.#taken) return sent;
    this.#control?.kill();
    return true;
  }

  /** Resolves when nothing is left of it, or `late` does. */
  async gone(late: Promise<void>): Promise<void> {
    let over = false;
    const ended = late.then(() => {
      over = true;
    });
    while (!over && this.#isAlive()) {
      let timer;
      const pause = new Promise((resolve) => timer = setTimeout(resolve, LOOK_MS));
      await Promise.race([ended, pause]);
      clearTimeout(timer);
    }
  }

  /** Gives up what was prepared for it. */
  release(): void {
    this.#control?.release();
  }

  #isAlive(): boolean {
    return (this.#taken && this.#control?.populated) || (this.#group?.exists() ?? false);
  }
}
