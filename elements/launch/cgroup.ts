/**
 * A control group of its own for a process and all that it starts, where this host lets the server
 * make one: nothing leaves it, whatever session or process group it makes.
 *
 * @module
 */

import { mountOfType } from "./mounts.ts";
import { said } from "./said.ts";

/** Makes control groups below the server's own. */
export class ControlGroups {
  readonly #name: string;
  #base: Promise<string | undefined> | undefined;
  #made = 0;
  /** Those that were still in use when they were given up. */
  readonly #left = new Set<string>();

  /** @param name The beginning of their names, this server's alone. */
  constructor(name: string) {
    this.#name = name;
  }

  /** A new one; undefined where there cannot be one. Never fails. */
  async make(): Promise<ControlGroup | undefined> {
    const base = await (this.#base ??= ownGroup());
    if (base === undefined) return undefined;
    for (const each of this.#left) this.#remove(each);
    const folder = `${base}/${this.#name}-${++this.#made}`;
    try {
      Deno.mkdirSync(folder);
      // Linux before 5.14 cannot end all of one at once.
      Deno.statSync(`${folder}/cgroup.kill`);
      return new ControlGroup(folder, () => this.#remove(folder));
    } catch {
      this.#remove(folder);
      this.#base = Promise.resolve(undefined);
      return undefined;
    }
  }

  #remove(folder: string): void {
    try {
      Deno.removeSync(folder);
      this.#left.delete(folder);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) this.#left.delete(folder);
      else this.#left.add(folder);
    }
  }
}

/** One control group. Its files are in memory, so no look at them waits. */
export class ControlGroup {
  readonly #folder: string;
  readonly #remove: () => void;

  constructor(folder: string, remove: () => void) {
    this.#folder = folder;
    this.#remove = remove;
  }

  /**
   * Takes in a process and what it has started by now: the first one of a while takes the system some
   * 15 ms, in which a program can start others. What they start from then on is in it by itself.
   *
   * @returns false if the system refuses the first one. Never fails.
   */
  async take(pid: number): Promise<boolean> {
    try {
      await Deno.writeTextFile(`${this.#folder}/cgroup.procs`, `${pid}`);
      for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
        const children = await Deno.readTextFile(`/proc/${pid}/task/${name}/children`);
        for (const child of children.split(" ")) if (child.trim()) await this.take(Number(child));
      }
      return true;
    } catch (error) {
      // It has ended since.
      return error instanceof Deno.errors.NotFound;
    }
  }

  /** Whether anything runs in it. */
  get populated(): boolean {
    try {
      return Deno.readTextFileSync(`${this.#folder}/cgroup.events`).includes("populated 1");
    } catch {
      return false;
    }
  }

  /** Ends all of it with SIGKILL. */
  kill(): void {
    try {
      Deno.writeTextFileSync(`${this.#folder}/cgroup.kill`, "1");
    } catch {
      // It is gone.
    }
  }

  /** Gives it up: it is removed now, or once nothing runs in it. */
  release(): void {
    this.#remove();
  }
}

/** The folder of the server's own control group, of the second version; undefined without one. */
async function ownGroup(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const path = /^0::(\/.*)$/m.exec(await said("cat /proc/self/cgroup"))?.[1];
  const mount = mountOfType("cgroup2", await said("cat /proc/self/mountinfo"));
  // A path out of this process's view of the tree begins with `/..`.
  if (path === undefined || mount === undefined || path.startsWith("/..")) return undefined;
  return path === "/" ? mount : mount + path;
}
