/**
 * A container engine for tests: podman with a store of its own in a temporary directory, and in it an
 * image of nothing but busybox. The machine's own settings and containers are not touched.
 *
 * @module
 */

import { until } from "./until.ts";

/** The image in every {@linkcode ContainerLab}. */
export const IMAGE = "localhost/circuit-test:1";

const APPLETS = ["sh", "cat", "echo", "env", "ls", "pwd", "seq", "sleep", "tee", "true", "yes"];

/** Milliseconds that podman may take to tidy up on a busy machine. */
const TIDY_MS = 60_000;

/** A store of containers. They are all removed when it is disposed of. */
export class ContainerLab implements AsyncDisposable {
  /** Variables for servers whose containers are to be in this store. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.env = {
      CONTAINERS_CONF: `${folder}/containers.conf`,
      CONTAINERS_STORAGE_CONF: `${folder}/storage.conf`,
      // Docker's client, if there is one, finds no engine here.
      DOCKER_HOST: `unix://${folder}/none`,
    };
  }

  /** Makes a store with the image. */
  static async make(): Promise<ContainerLab> {
    const folder = await Deno.makeTempDir({ prefix: "circuit-containers-" });
    const lab = new ContainerLab(folder);
    try {
      await lab.#fill();
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /**
   * Runs podman on this store.
   *
   * @returns what it printed.
   * @throws {Error} with what it said, if it failed.
   */
  podman(...args: string[]): Promise<string> {
    return output("podman", args, this.env);
  }

  /** The names of all containers in the store. */
  async names(): Promise<string[]> {
    const text = await this.podman("container", "ls", "--all", "--format={{.Names}}");
    return text.split("\n").filter((name) => name !== "");
  }

  /** Ends and removes all containers, and the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.podman("rm", "--all", "--force", "--time=0").catch(() => {});
    // What watches a container writes down its end here, also after podman has forgotten it, and
    // would make anew what was removed.
    await until("podman to be done", () => this.#processes(), (text) => text === "", {
      within: TIDY_MS,
    });
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Processes that know of the store, by their command line or their environment. */
  async #processes(): Promise<string> {
    const found = [];
    // One after the other, for both have it on their own command line.
    for (const command of [["pgrep", "-f"], ["/bin/sh", "-c", IN_ENVIRONMENT, "sh"]]) {
      const [program = "", ...args] = command;
      const { stdout } = await new Deno.Command(program, { args: [...args, this.#folder] })
        .output();
      found.push(new TextDecoder().decode(stdout));
    }
    return found.join("");
  }

  async #fill(): Promise<void> {
    const folder = this.#folder;
    await Deno.writeTextFile(
      `${folder}/containers.conf`,
      '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\nnetns="none"\n' +
        '[engine]\nruntime="runc"\n',
    );
    await Deno.writeTextFile(
      `${folder}/storage.conf`,
      `[storage]\ndriver="vfs"\ngraphroot="${folder}/graph"\nrunroot="${folder}/run"\n`,
    );
    await Deno.mkdir(`${folder}/root/bin`, { recursive: true });
    await Deno.copyFile(BUSYBOX, `${folder}/root/bin/busybox`);
    for (const name of APPLETS) await Deno.symlink("busybox", `${folder}/root/bin/${name}`);
    await output("tar", ["-C", `${folder}/root`, "-cf", `${folder}/image.tar`, "."]);
    await this.podman("import", "--quiet", "--change=ENV PATH=/bin", `${folder}/image.tar`, IMAGE);
  }
}

/** A shell's line that finds the processes which have its first argument in their environment. */
const IN_ENVIRONMENT = 'grep -ls "$1" /proc/[0-9]*/environ';

const BUSYBOX = "/bin/busybox";

/**
 * Why containers cannot be tested here; undefined if they can. Runs one, for nothing else tells for
 * certain.
 */
export async function whyNoContainers(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "containers are tested on Linux";
  if (Deno.uid() !== 0) return "podman is tested as root";
  try {
    await Deno.stat(BUSYBOX);
    await using lab = await ContainerLab.make();
    await lab.podman("run", "--rm", "--log-driver=none", IMAGE, "/bin/true");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function output(
  program: string,
  args: string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" })
    .output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
