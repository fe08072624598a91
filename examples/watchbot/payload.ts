/**
 * The program that the bot keeps alive, which never outlives the bot.
 *
 * @module
 */

/** Milliseconds between the payload's end and its next start. */
const RESTART_MS = 1_000;

/**
 * A shell that starts the payload and reads its own standard input, which the bot holds open. When
 * that ends, because the bot closed it or because the bot is dead, it kills the payload, whatever
 * that has started, and itself: they are one process group.
 */
const GUARD = `exec 3<&0
"$@" < /dev/null 3<&- &
payload=$!
{ cat <&3 > /dev/null; kill -KILL 0; } &
wait "$payload"`;

/** A command that runs while it may. */
export class Payload {
  readonly #command: readonly string[];
  #guard: Deno.ChildProcess | undefined;
  #restart: ReturnType<typeof setTimeout> | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  /** @param command The program and its arguments. */
  constructor(command: readonly string[]) {
    this.#command = command;
  }

  /** Whether it is meant to run. It may be about to be started again. */
  get running(): boolean {
    return this.#guard !== undefined || this.#restart !== undefined;
  }

  /**
   * Runs it until {@linkcode stop}, again and again if it ends by itself.
   *
   * @param env Variables to add to its environment.
   */
  start(env: Record<string, string>): void {
    if (this.running) return;
    const guard = new Deno.Command("/bin/sh", {
      args: ["-c", GUARD, "watchbot", ...this.#command],
      env,
      stdin: "piped",
      detached: true,
    }).spawn();
    this.#guard = guard;
    this.#ended = guard.status.then(async () => {
      // What the payload has left behind goes with it.
      await guard.stdin.close().catch(() => {});
      if (this.#guard !== guard) return;
      this.#guard = undefined;
      this.#restart = setTimeout(() => {
        this.#restart = undefined;
        this.start(env);
      }, RESTART_MS);
    });
  }

  /** Kills it; it is dead when this resolves. */
  async stop(): Promise<void> {
    clearTimeout(this.#restart);
    this.#restart = undefined;
    const guard = this.#guard;
    this.#guard = undefined;
    if (guard) {
      try {
        Deno.kill(-guard.pid, "SIGKILL");
      } catch {
        // The group has ended by itself.
      }
    }
    await this.#ended;
  }
}
