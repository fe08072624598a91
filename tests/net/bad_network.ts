/**
 * Making a laboratory's network a bad one: by the kernel's netem where there is one, else by a
 * switch in software.
 *
 * @module
 */

import { LineReader } from "../line_reader.ts";
import { ip, output, tc } from "./ip.ts";
import { type Host, Lab } from "./lab.ts";

/** What befalls what a host sends. */
export interface Impairment {
  /** Share of the packets that are lost, in percent. */
  readonly lossPercent: number;
  /** Milliseconds that the others take longer. */
  readonly delayMs: number;
}

/** How networks are made bad here; undefined if they cannot be. */
export const means: "netem" | "macvtap" | undefined = await findMeans();

/** From here on, all that these hosts send to each other suffers, until it is disposed of. */
export async function impair(
  hosts: readonly Host[],
  { lossPercent, delayMs }: Impairment,
): Promise<AsyncDisposable> {
  if (means === "macvtap") return await SoftwareSwitch.start(hosts, lossPercent, delayMs);
  const netem = ["netem", "limit", "10000", "delay", `${delayMs}ms`, "loss", `${lossPercent}%`];
  for (const { namespace } of hosts) {
    await tc("-n", namespace, "qdisc", "replace", "dev", "eth0", "root", ...netem);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const { namespace } of hosts) {
        await tc("-n", namespace, "qdisc", "del", "dev", "eth0", "root");
      }
    },
  };
}

/** The program `bad_switch.ts`, to which all cables are moved. */
class SoftwareSwitch implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: LineReader;
  readonly #hosts: readonly Host[];

  private constructor(hosts: readonly Host[], args: readonly string[]) {
    this.#hosts = hosts;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", import.meta.resolve("./bad_switch.ts"), ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#stdout = new LineReader(this.#child.stdout);
  }

  static async start(hosts: readonly Host[], loss: number, delayMs: number) {
    const devices: string[] = [];
    for (const { port } of hosts) devices.push(await tap(port));
    const running = new SoftwareSwitch(hosts, [String(loss), String(delayMs), ...devices]);
    if (await running.#stdout.line() === "ready") return running;
    await running[Symbol.asyncDispose]();
    throw new Error("bad_switch.ts has not started");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await Promise.all([this.#child.status, this.#stdout.cancel()]);
    for (const { port } of this.#hosts) {
      await ip("-n", port.network, "link", "del", `t${port.name}`);
      await port.set("master", "br0");
    }
  }
}

/** Moves a cable from its bridge to a device; returns the device's name. */
async function tap(port: Host["port"]): Promise<string> {
  // Devices of all namespaces are in one folder and have the interface's number in their name.
  const index = String(1_000_000 + Math.floor(Math.random() * 1e9));
  await port.set("nomaster");
  await ip(
    ...["-n", port.network, "link", "add", "link", port.name, "name", `t${port.name}`],
    ...["index", index, "type", "macvtap", "mode", "passthru"],
  );
  await ip("-n", port.network, "link", "set", `t${port.name}`, "up");
  return `/dev/tap${index}`;
}

async function findMeans(): Promise<"netem" | "macvtap" | undefined> {
  try {
    await using lab = await Lab.create(1);
    const [host] = lab.hosts;
    if (!host) return undefined;
    try {
      await tc("-n", host.namespace, "qdisc", "add", "dev", "eth0", "root", "netem");
      return "netem";
    } catch {
      await output("test", ["-c", await tap(host.port)]);
      return "macvtap";
    }
  } catch {
    return undefined;
  }
}
