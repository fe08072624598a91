/**
 * What every start of a program on this host needs to know, and what goes before a program: small
 * tools that set up the new process and then become it, one after the other.
 *
 * @module
 */

import { Patience } from "./patience.ts";
import { findProgram, Formats } from "./program.ts";
import { saidBytes, SYSTEM_PATH } from "./said.ts";
import { ControlGroups } from "./cgroup.ts";

/** The open files that programs may have. */
export interface FilesLimit {
  /** Their limit, where it is not this process's own. */
  readonly limit: number | undefined;
  /** This process opens some more files. Cheap enough for each connection. */
  note(): void;
}

/** How a {@linkcode Launcher} is to be. */
export interface LauncherOptions {
  /** Directories to look for programs in, as in PATH. Default: this process's PATH. */
  readonly search?: string;
  /** How long file systems may take. Default: one of its own. */
  readonly patience?: Patience;
  /** The open files that programs may have. Default: as many as this process. */
  readonly files?: FilesLimit | undefined;
}

/** Starts programs for one server. */
export class Launcher {
  /** How long the file systems of programs and directories may take. */
  readonly patience: Patience;
  /** What files are, before they are started. */
  readonly formats: Formats;
  /** Control groups for programs that end with all that they have started. */
  readonly controlGroups: ControlGroups = new ControlGroups(`circuit-${crypto.randomUUID()}`);
  readonly #files: FilesLimit | undefined;
  readonly #home: string | undefined;
  #search: Promise<string> | undefined;
  readonly #tools = new Map<string, Promise<string | undefined>>();

  /** @param options `search`: where to look for programs instead of this process's PATH. */
  constructor({ search, files, patience = new Patience() }: LauncherOptions = {}) {
    this.patience = patience;
    this.formats = new Formats(patience);
    this.#files = files;
    this.#home = workingDirectory();
    if (search !== undefined) this.#search = Promise.resolve(search);
  }

  /**
   * The working directory of programs that are given none: the one that the server was started in.
   * Undefined if it was gone then.
   */
  get home(): string | undefined {
    return this.#home;
  }

  /**
   * The directory for programs of the server's own. Deno starts nothing from a directory that is
   * gone, whatever directory the new process is to have, so this process goes to the root then.
   */
  stand(): string {
    try {
      return Deno.cwd();
    } catch {
      Deno.chdir("/");
      return "/";
    }
  }

  /** The server's PATH, without entries that are not UTF-8: Deno cannot name such files. */
  search(): Promise<string> {
    return this.#search ??= searchPath();
  }

  /**
   * The words that go before a program and its arguments; none if it can be started as it is. Each
   * tool executes the next one in its own place, so the process's number stays the same.
   *
   * @param ownGroup The program is to lead a process group and a session of its own.
   */
  async before(ownGroup: boolean): Promise<string[]> {
    const words: string[] = [];
    const setsid = ownGroup && Deno.build.os === "linux" && await this.#tool("setsid");
    if (setsid) words.push(setsid, "--");
    this.#files?.note();
    const limit = this.#files?.limit;
    const prlimit = limit !== undefined && await this.#tool("prlimit");
    if (prlimit) words.push(prlimit, `--nofile=${limit}:`);
    return words;
  }

  #tool(name: string): Promise<string | undefined> {
    let file = this.#tools.get(name);
    if (!file) this.#tools.set(name, file = this.#find(name));
    return file;
  }

  async #find(name: string): Promise<string | undefined> {
    const found = await findProgram(name, "/", SYSTEM_PATH, this.patience);
    return "file" in found ? found.file : undefined;
  }
}

/** This process's working directory; undefined if it is gone. */
function workingDirectory(): string | undefined {
  try {
    return Deno.cwd();
  } catch {
    return undefined;
  }
}

async function searchPath(): Promise<string> {
  try {
    return Deno.env.get("PATH") ?? "/usr/bin:/bin";
  } catch {
    // Deno cannot read what is not UTF-8.
    const bytes = await saidBytes('printf %s "$PATH"', [], {}) ?? new Uint8Array();
    const utf8 = new TextDecoder("utf-8", { fatal: true });
    const entries: string[] = [];
    for (let from = 0; from <= bytes.length;) {
      const colon = bytes.indexOf(0x3a, from);
      const to = colon < 0 ? bytes.length : colon;
      try {
        entries.push(utf8.decode(bytes.subarray(from, to)));
      } catch {
        // Nothing in that directory can be started by its name.
      }
      from = to + 1;
    }
    return entries.join(":");
  }
}
