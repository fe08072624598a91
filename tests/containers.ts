/**
 * A container engine for tests: podman, or where CIRCUIT_TEST_ENGINE is "docker" a Docker daemon, with
 * a store of its own in a temporary directory, and in it an image of nothing but busybox. The
 * machine's own settings and containers are not touched.
 *
 * @module
 */

import { until, within } from "./until.ts";

/** The image in every {@linkcode ContainerLab}. */
export const IMAGE = "localhost/circuit-test:1";

const APPLETS = ["sh", "cat", "echo", "env", "ls", "pwd", "seq", "sleep", "tee", "true", "yes"];

/** Milliseconds for what an engine does on a busy machine. */
export const ENGINE_MS = 60_000;

const ENGINE = Deno.env.get("CIRCUIT_TEST_ENGINE") === "docker" ? "docker" : "podman";

/** A store of containers. They are all removed when it is disposed of. */
export abstract class ContainerLab implements AsyncDisposable {
  /** Variables for servers whose containers are to be in this store. */
  readonly env: Readonly<Record<string, string>>;
  protected readonly folder: string;

  protected constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.env = env;
  }

  /** Makes a store with the image. */
  static async make(): Promise<ContainerLab> {
    const folder = await Deno.makeTempDir({ prefix: "circuit-containers-" });
    const lab = ENGINE === "docker" ? new Docker(folder) : new Podman(folder);
    try {
      await lab.start();
      await lab.#import();
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The name of the engine. */
  abstract readonly engine: "podman" | "docker";

  /** Gets the engine ready. */
  abstract start(): Promise<void>;

  /** Removes all containers, and ends what belongs to the engine. */
  protected abstract stop(): Promise<void>;

  /**
   * Runs the engine's program on this store.
   *
   * @returns what it printed.
   * @throws {Error} with what it said, if it failed.
   */
  run(...args: string[]): Promise<string> {
    return output(this.engine, args, this.env);
  }

  /** Runs a command in a new container of the image, and removes that. */
  async try(...command: string[]): Promise<void> {
    await this.run("run", "--rm", "--log-driver=none", IMAGE, ...command);
  }

  /** The names of all containers in the store. */
  async names(): Promise<string[]> {
    const text = await this.run("container", "ls", "--all", "--format={{.Names}}");
    return text.split("\n").filter((name) => name !== "");
  }

  /** Ends and removes all containers, and the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #import(): Promise<void> {
    const root = `${this.folder}/root`;
    await Deno.mkdir(`${root}/bin`, { recursive: true });
    await Deno.copyFile(BUSYBOX, `${root}/bin/busybox`);
    for (const name of APPLETS) await Deno.symlink("busybox", `${root}/bin/${name}`);
    const file = `${this.folder}/image.tar`;
    await output("tar", ["-C", root, "-cf", file, "."]);
    await this.run("import", "--change=ENV PATH=/bin", file, IMAGE);
  }
}

class Podman extends ContainerLab {
  readonly engine = "podman";

  constructor(folder: string) {
    super(folder, {
      CONTAINERS_CONF: `${folder}/containers.conf`,
      CONTAINERS_STORAGE_CONF: `${folder}/storage.conf`,
      // Docker's client, if there is one, finds no engine here.
      DOCKER_HOST: `unix://${folder}/none`,
    });
  }

  async start(): Promise<void> {
    const { folder } = this;
    await Deno.writeTextFile(
      `${folder}/containers.conf`,
      '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\nnetns="none"\n' +
        '[engine]\nruntime="runc"\n',
    );
    await Deno.writeTextFile(
      `${folder}/storage.conf`,
      `[storage]\ndriver="vfs"\ngraphroot="${folder}/graph"\nrunroot="${folder}/run"\n`,
    );
  }

  protected async stop(): Promise<void> {
    await this.run("rm", "--all", "--force", "--time=0").catch(() => {});
    // What watches a container writes down its end here, also after podman has forgotten it, and
    // would make anew what was removed.
    await until("podman to be done", () => this.#processes(), (text) => text === "", {
      within: ENGINE_MS,
    });
  }

  /** Processes that know of the store, by their command line or their environment. */
  async #processes(): Promise<string> {
    const found = [];
    // One after the other, for both have it on their own command line.
    for (const command of [["pgrep", "-f"], ["/bin/sh", "-c", IN_ENVIRONMENT, "sh"]]) {
      const [program = "", ...args] = command;
      const { stdout } = await new Deno.Command(program, { args: [...args, this.folder] })
        .output();
      found.push(new TextDecoder().decode(stdout));
    }
    return found.join("");
  }
}

/** A daemon of its own, which has no network to give to containers. */
class Docker extends ContainerLab {
  readonly engine = "docker";
  #daemon: Deno.ChildProcess | undefined;

  constructor(folder: string) {
    super(folder, { DOCKER_HOST: `unix://${folder}/docker.sock` });
  }

  async start(): Promise<void> {
    const { folder } = this;
    const daemon = new Deno.Command("dockerd", {
      args: [
        ...["--storage-driver=vfs", "--bridge=none", "--iptables=false", "--ip6tables=false"],
        ...["--ip-forward=false", "--ip-masq=false", `--host=unix://${folder}/docker.sock`],
        ...[`--data-root=${folder}/data`, `--exec-root=${folder}/exec`, `--pidfile=${folder}/pid`],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#daemon = daemon;
    const ready = () => this.run("version").then(() => true, () => false);
    await until("the Docker daemon to be ready", ready, undefined, { within: ENGINE_MS });
  }

  protected async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon) return;
    for (const name of await this.names().catch(() => [])) {
      await this.run("rm", "--force", name).catch(() => {});
    }
    daemon.kill("SIGTERM");
    await within(ENGINE_MS, "the Docker daemon's end", daemon.status);
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
  if (Deno.uid() !== 0) return "container engines are tested as root";
  try {
    await Deno.stat(BUSYBOX);
    await using lab = await ContainerLab.make();
    await lab.try("/bin/true");
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
