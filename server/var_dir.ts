/**
 * A server's own directory: a lock, so that two servers never share it; its log; and the list of its
 * children, so that those that survive a crash are noticed.
 *
 * @module
 */

import { type Child, formatChildren, parseChildren, survivors } from "../elements/proc/mod.ts";
import { CircuitError } from "../overlay/errors.ts";
import { checkOwnFile, takeOwnDir } from "./own_dir.ts";

/** The directory of a running server. */
export class VarDir implements AsyncDisposable {
  readonly #path: string;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, lock: Deno.FsFile) {
    this.#path = path;
    this.#lock = lock;
  }

  /**
   * Takes the directory, which is made if need be.
   *
   * @throws {CircuitError} `BUSY` if another server has it; `DENIED` if other users of the machine
   * can exchange it or what is in it, see {@linkcode takeOwnDir}; `DENIED` or `BAD_REQUEST` if it
   * cannot be used.
   */
  static async take(path: string): Promise<VarDir> {
    try {
      const found = await takeOwnDir(path);
      const dir = new VarDir(found, await takeLock(found, path));
      try {
        await checkOwnFile(dir.logFile);
        await checkOwnFile(dir.#childrenFile);
        // A server that was killed while it wrote has left it.
        await Deno.remove(dir.#unfinishedFile).catch(ifMissing);
      } catch (error) {
        dir.#lock.close();
        throw error;
      }
      return dir;
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
      // No list, or none that a server has written.
      return [];
    }
  }

  /**
   * Writes down which children there are: at any time the list on the disk is the one before or this
   * one. Not to be called again before it is done.
   *
   * @param records What `formatChild` makes of each.
   * @throws {Error} why it cannot be written; the list before is still there.
   */
  async recordChildren(records: Iterable<string>): Promise<void> {
    const unfinished = this.#unfinishedFile;
    await Deno.remove(unfinished).catch(ifMissing);
    try {
      // Made anew, so that no link is followed.
      using file = await Deno.open(unfinished, { createNew: true, write: true, mode: 0o600 });
      let bytes = new TextEncoder().encode(formatChildren(records));
      while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
      await file.syncData();
      await Deno.rename(unfinished, this.#childrenFile);
    } catch (error) {
      // What there is of it may take the room that others need.
      await Deno.remove(unfinished).catch(() => {});
      throw error;
    }
  }

  /** Gives the directory back. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#lock.close();
    return Promise.resolve();
  }

  get #childrenFile(): string {
    return `${this.#path}/children.json`;
  }

  get #unfinishedFile(): string {
    return `${this.#childrenFile}.new`;
  }
}

/**
 * Locks a directory. The system gives the lock back when this process ends, however it ends.
 *
 * @param path Its path as the user knows it.
 */
async function takeLock(directory: string, path: string): Promise<Deno.FsFile> {
  const name = `${directory}/lock`;
  await checkOwnFile(name);
  const lock = await Deno.open(name, { create: true, read: true, write: true, mode: 0o600 });
  try {
    if (!await lock.tryLock(true)) {
      const holder = (await Deno.readTextFile(name)).trim();
      throw new CircuitError(
        "BUSY",
        `cannot use directory ${path}: another server${holder && ` (process ${holder})`} has it`,
      );
    }
  } catch (error) {
    lock.close();
    throw error;
  }
  try {
    await lock.truncate();
    await lock.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch {
    // The disk is full. The number is for people only.
  }
  return lock;
}

function ifMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
