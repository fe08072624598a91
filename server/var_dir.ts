/**
 * A server's own directory: a lock, so that two servers never share it; its log; and the list of its
 * children, so that those that survive a crash are noticed.
 *
 * @module
 */

import { type Child, formatChildren, parseChildren, survivors } from "../elements/proc/mod.ts";
import { CircuitError } from "../overlay/errors.ts";

/** The directory of a running server. */
export class VarDir implements AsyncDisposable {
  readonly #path: string;
  readonly #lock: Deno.FsFile;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, lock: Deno.FsFile) {
    this.#path = path;
    this.#lock = lock;
  }

  /**
   * Takes the directory, which is made if need be.
   *
   * @throws {CircuitError} `BUSY` if another server has it; `DENIED` if other users of the machine
   * can write there; `DENIED` or `BAD_REQUEST` if it cannot be used.
   */
  static async take(path: string): Promise<VarDir> {
    try {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
      await checkOwn(path);
      const lock = await Deno.open(`${path}/lock`, {
        create: true,
        read: true,
        write: true,
        mode: 0o600,
      });
      // The system gives the lock back when this process ends, however it ends.
      if (!await lock.tryLock(true)) {
        const holder = (await Deno.readTextFile(`${path}/lock`)).trim();
        lock.close();
        throw new CircuitError(
          "BUSY",
          `cannot use directory ${path}: another server${holder && ` (process ${holder})`} has it`,
        );
      }
      await lock.truncate();
      await lock.write(new TextEncoder().encode(`${Deno.pid}\n`));
      return new VarDir(path, lock);
    } catch (cause) {
      if (cause instanceof CircuitError) throw cause;
      const denied = cause instanceof Deno.errors.PermissionDenied;
      throw new CircuitError(
        denied ? "DENIED" : "BAD_REQUEST",
        `cannot use directory ${path}: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      );
    }
  }

  /** Where the log goes. */
  get logFile(): string {
    return `${this.#path}/circuit.log`;
  }

  /** Children of the server that had this directory before, which are running still. */
  async survivors(): Promise<Child[]> {
    try {
      return await survivors(parseChildren(await Deno.readTextFile(this.#childrenFile)));
    } catch {
      // No list, or one that was being written when the machine stopped.
      return [];
    }
  }

  /** Writes down which children there are. Writes never overtake each other. */
  recordChildren(children: readonly Child[]): Promise<void> {
    const text = formatChildren(children);
    this.#writing = this.#writing.then(async () => {
      const temporary = `${this.#childrenFile}.new`;
      await Deno.writeTextFile(temporary, text);
      await Deno.rename(temporary, this.#childrenFile);
    });
    return this.#writing;
  }

  /** Gives the directory back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => {});
    this.#lock.close();
  }

  get #childrenFile(): string {
    return `${this.#path}/children.json`;
  }
}

/** Bit of a mode: all users may write. */
const OTHERS_WRITE = 0o002;

/**
 * Who can write in the directory can lay a link there, and have the server write where it leads.
 *
 * @throws {CircuitError} `DENIED` if that is anybody but this user, his groups and root.
 */
async function checkOwn(path: string): Promise<void> {
  const { mode, uid } = await Deno.stat(path);
  const mine = uid === null || uid === 0 || uid === Deno.uid();
  if (mine && ((mode ?? 0) & OTHERS_WRITE) === 0) return;
  throw new CircuitError(
    "DENIED",
    `cannot use directory ${path}: ${
      mine ? "all users of this machine can write there" : `it belongs to user ${uid}`
    }, want one that only this server's user can write in`,
  );
}
