/**
 * Process groups: ending all of one, and nothing else.
 *
 * @module
 */

import process from "node:process";
import { type Listed, listProcesses } from "./process_list.ts";

/** Seconds to which the system tells times: 0.01, and as much for the time of a list. */
const TICK_S = 0.02;

/** A process group that a process of ours leads, in a session of its own. */
export class ProcessGroup {
  readonly #leader: number;
  /** When its leader was seen to have ended, on the monotonic clock in milliseconds. */
  #leaderless: number | undefined;

  /** @param leader The leader's number, which is the group's and the session's too. */
  constructor(leader: number) {
    this.#leader = leader;
  }

  /** Its leader has ended, and was waited for. To be called at once. */
  leaderEnded(): void {
    this.#leaderless = performance.now();
  }

  /** Whether anything runs in a group of its number, which may be a stranger's by now. */
  async isAlive(): Promise<boolean> {
    // One that has ended and that nobody has waited for is still there, perhaps for good.
    if (!this.exists()) return false;
    return (await listProcesses()).processes.some((each) => !each.ended && this.#wasIn(each));
  }

  /** Whether there is a group of its number, ended processes included. */
  exists(): boolean {
    try {
      return process.kill(-this.#leader, 0);
    } catch (error) {
      return (error as { code?: unknown }).code === "EPERM";
    }
  }

  /**
   * Sends a signal to all of it; false if there is none, or it may be a stranger's by now.
   *
   * The system gives its number away when its last process has ended, and not before. So it is ours
   * until its leader was waited for; and after that, as long as one of those is in it that were there
   * when the leader ended.
   *
   * @throws what the system refuses it with.
   */
  async signal(signal: Deno.Signal): Promise<boolean> {
    if (!this.exists() || !await this.#isOurs()) return false;
    try {
      Deno.kill(-this.#leader, signal);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  async #isOurs(): Promise<boolean> {
    if (this.#leaderless === undefined) return true;
    const ago = (performance.now() - this.#leaderless) / 1000;
    const { processes, now } = await listProcesses();
    // The list is a little younger than `ago`, so this is a little late, never too early.
    const ended = now - ago + TICK_S;
    // A process of that number is not the leader, which was waited for.
    if (processes.some(({ pid }) => pid === this.#leader)) return false;
    return processes.some((each) => this.#wasIn(each) && each.started <= ended);
  }

  #wasIn({ group, session }: Listed): boolean {
    return group === this.#leader && (session === undefined || session === this.#leader);
  }
}
