/**
 * A laboratory: hosts on an Ethernet of their own, made of Linux network namespaces, whose cables
 * can be pulled and whose network can be cut in two.
 *
 * Each host is a namespace, and each network a bridge in a further namespace, so that nothing is
 * added to the machine's own network and nothing in it can be reached from there.
 *
 * @module
 */

import type { Program } from "../program.ts";
import { program } from "../program.ts";
import { circuitTest, type Logs } from "../logs.ts";
import { inNamespace, ip } from "./ip.ts";

/** A machine of the laboratory. */
export class Host {
  /** The name of its network namespace. */
  readonly namespace: string;
  /** Its address on each of its networks; the interfaces are `eth0`, `eth1`, … in this order. */
  readonly addresses: readonly string[];
  readonly #ports: readonly Port[];

  /** Made by {@linkcode Lab.host}. */
  constructor(namespace: string, ports: readonly Port[]) {
    this.namespace = namespace;
    this.addresses = ports.map(({ address }) => address);
    this.#ports = ports;
  }

  /** Its address on its first network. */
  get address(): string {
    return this.addresses[0] ?? "127.0.0.1";
  }

  /** The socket that its first cable is in. */
  get port(): Port {
    const [port] = this.#ports;
    if (!port) throw new Error(`host ${this.namespace} has no cable`);
    return port;
  }

  /** A program that runs on this host; default: the tool under test. */
  program({ command, args }: Program = program()): Program {
    return inNamespace(this.namespace, command, args);
  }

  /** Pulls its cable: the host itself sees that, the others see that it is silent. */
  async unplug(): Promise<void> {
    await this.port.set("down");
  }

  /** Plugs the cable in again. */
  async plug(): Promise<void> {
    await this.port.set("up");
  }

  /** Makes all that this host sends to an address get lost. */
  async lose(address: string): Promise<void> {
    await ip("-n", this.namespace, "route", "add", "blackhole", address);
  }

  /** Sends all that is for other networks to this address. */
  async gateway(address: string): Promise<void> {
    await ip("-n", this.namespace, "route", "add", "default", "via", address);
  }
}

/** A socket of a switch. */
class Port {
  /** The address at the other end of the cable. */
  readonly address: string;
  /** The namespace that the switch is in. */
  readonly network: string;
  /** The name of the interface there. */
  readonly name: string;

  constructor(address: string, network: string, name: string) {
    this.address = address;
    this.network = network;
    this.name = name;
  }

  /** Sets some of its attributes, as `ip link set` takes them. */
  async set(...attributes: readonly string[]): Promise<void> {
    await ip("-n", this.network, "link", "set", this.name, ...attributes);
  }
}

/** A number of hosts, and the networks between them. All is gone when it is disposed of. */
export class Lab implements AsyncDisposable {
  readonly #prefix = `ct${crypto.randomUUID().slice(0, 6)}`;
  readonly #namespaces: string[] = [];
  readonly #networks = new Map<number, string>();
  readonly #hosts: Host[] = [];

  private constructor() {}

  /** One with so many hosts, all on network 1, with the addresses 10.77.1.1, 10.77.1.2, … */
  static async create(hosts: number): Promise<Lab> {
    const lab = new Lab();
    try {
      for (let i = 0; i < hosts; i++) await lab.host(1);
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The hosts in the order in which they were made. */
  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** Adds a host with a cable to each of these networks; network 2 is 10.77.2.0/24. */
  async host(...networks: readonly number[]): Promise<Host> {
    const namespace = await this.#namespace(`h${this.#hosts.length + 1}`);
    return await this.#connect(namespace, networks);
  }

  /**
   * Adds the host that this process is on, with a cable to network 1. For a process that has a
   * namespace of its own: the cable is plugged into whatever namespace it is in.
   */
  async own(): Promise<Host> {
    const namespace = `${this.#prefix}own`;
    await ip("netns", "attach", namespace, String(Deno.pid));
    this.#namespaces.push(namespace);
    await ip("link", "set", "lo", "up");
    return await this.#connect(namespace, [1]);
  }

  async #connect(namespace: string, networks: readonly number[]): Promise<Host> {
    const number = this.#hosts.length + 1;
    const ports: Port[] = [];
    for (const [i, each] of networks.entries()) {
      const network = await this.#network(each);
      const [name, address] = [`p${number}`, `10.77.${each}.${number}`];
      await ip(
        ...["link", "add", `eth${i}`, "netns", namespace, "type", "veth"],
        ...["peer", "name", name, "netns", network],
      );
      await ip("-n", network, "link", "set", name, "master", "br0", "up");
      await ip("-n", namespace, "addr", "add", `${address}/24`, "dev", `eth${i}`);
      await ip("-n", namespace, "link", "set", `eth${i}`, "up");
      ports.push(new Port(address, network, name));
    }
    const host = new Host(namespace, ports);
    this.#hosts.push(host);
    return host;
  }

  /** Cuts these hosts off from the others. They reach each other, and nobody's cable is down. */
  async cut(apart: readonly Host[]): Promise<void> {
    for (const { port } of apart) await port.set("master", "br1");
  }

  /** Mends the cut. */
  async mend(): Promise<void> {
    for (const { port } of this.#hosts) await port.set("master", "br0");
  }

  /** Bytes that have gone through a host's interface so far, with all headers. */
  async traffic(host: Host, name: string): Promise<{ received: number; sent: number }> {
    const [stats] = JSON.parse(
      await ip("-n", host.namespace, "-j", "-s", "link", "show", "dev", name),
    );
    const { rx, tx } = stats.stats64 ?? stats.stats;
    return { received: rx.bytes, sent: tx.bytes };
  }

  /** Removes all namespaces, and with them all that is in them. Programs must have ended before. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    // Whatever happens to one, the others have to go, too.
    for (const name of this.#namespaces.splice(0)) {
      await ip("netns", "del", name).catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, "cannot remove the laboratory");
  }

  async #network(number: number): Promise<string> {
    const known = this.#networks.get(number);
    if (known !== undefined) return known;
    const name = await this.#namespace(`n${number}`);
    this.#networks.set(number, name);
    for (const bridge of ["br0", "br1"]) {
      await ip("-n", name, "link", "add", bridge, "type", "bridge");
      await ip("-n", name, "link", "set", bridge, "up");
    }
    return name;
  }

  async #namespace(name: string): Promise<string> {
    const full = this.#prefix + name;
    await ip("netns", "add", full);
    this.#namespaces.push(full);
    await ip("-n", full, "link", "set", "lo", "up");
    return full;
  }
}

/** True if this program may make network namespaces with bridges and cables. */
async function canIsolate(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  try {
    await using lab = await Lab.create(1);
    return lab.hosts.length === 1;
  } catch {
    return false;
  }
}

/** Whether there can be laboratories. */
export const hasLab: boolean = await canIsolate();

/**
 * A test in a laboratory: where namespaces cannot be made it is skipped, and its name says what it
 * needs.
 */
export function labTest(name: string, run: (logs: Logs) => Promise<void>): void {
  circuitTest(`${name} (needs root and ip netns)`, run, { ignore: !hasLab });
}
