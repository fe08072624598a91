/**
 * The file of a server's log.
 *
 * @module
 */

import type { Outlet } from "./line_queue.ts";
import { checkOwnFile } from "./own_dir.ts";

/** Bytes at which the file is moved to `….1` and a new one begun: 16 MiB. */
export const MAX_LOG_BYTES = 16 * 1024 * 1024;

/** Milliseconds between two looks whether the file is still the one at its path. */
const LOOK_MS = 1_000;

const END_OF_LINE = 0x0a;

/**
 * Appends to the file at a path. When it would grow beyond {@linkcode MAX_LOG_BYTES}, it takes the
 * place of `PATH.1` and a new one begins, between two lines. One that was deleted or moved is begun
 * anew within a second, and after {@linkcode reopen} at once; so is one that could not be written.
 */
export class LogFile implements Outlet {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: Deno.FsFile | undefined;
  /** Its numbers of device and inode. */
  #identity = "";
  #size = 0;
  #lookedAt = 0;
  #betweenLines = true;

  /** @param maxBytes Default {@linkcode MAX_LOG_BYTES}. */
  constructor(path: string, maxBytes: number = MAX_LOG_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  async write(bytes: Uint8Array): Promise<number> {
    try {
      const file = await this.#ready(bytes.length);
      const written = await file.write(bytes);
      this.#size += written;
      this.#betweenLines = bytes[written - 1] === END_OF_LINE;
      return written;
    } catch (error) {
      this.reopen();
      throw error;
    }
  }

  /** Lets go of the file: the next write opens what is at the path then. */
  reopen(): void {
    try {
      this.#file?.close();
    } catch {
      // Deno has closed it.
    }
    this.#file = undefined;
  }

  /** The file, open and with room for so many bytes. */
  async #ready(bytes: number): Promise<Deno.FsFile> {
    if (await this.#isElsewhere()) this.reopen();
    this.#file ??= await this.#open();
    if (this.#size === 0 || this.#size + bytes <= this.#maxBytes || !this.#betweenLines) {
      return this.#file;
    }
    this.reopen();
    await Deno.rename(this.#path, `${this.#path}.1`);
    return this.#file = await this.#open();
  }

  async #isElsewhere(): Promise<boolean> {
    const now = performance.now();
    if (!this.#file || now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    const found = await Deno.lstat(this.#path).catch(() => undefined);
    return !found || identityOf(found) !== this.#identity;
  }

  async #open(): Promise<Deno.FsFile> {
    await checkOwnFile(this.#path);
    const file = await Deno.open(this.#path, { append: true, create: true, mode: 0o600 });
    try {
      const found = await file.stat();
      this.#size = found.size;
      this.#identity = identityOf(found);
      this.#lookedAt = performance.now();
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }
}

function identityOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev} ${ino}`;
}
