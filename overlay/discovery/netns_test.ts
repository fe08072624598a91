import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** Milliseconds after which a test that waits in vain fails; nothing waits that long otherwise. */
const PATIENCE_MS = 60_000;

const GROUP = "239.66.7.8:7711";
const IP_NETNS = "needs root and ip netns";
const PEER = import.meta.resolve("./_netns_peer.ts");

type Event = Record<string, string>;

function ip(...args: string[]): void {
  const { success, stderr } = new Deno.Command("ip", { args, stdin: "null" }).outputSync();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function newPrefix(): string {
  return `cd${crypto.randomUUID().slice(0, 6)}`;
}

/** True if this program may make network namespaces with a bridge and a cable. */
function canIsolate(): boolean {
  const prefix = newPrefix();
  try {
    ip("netns", "add", prefix);
  } catch {
    return false;
  }
  try {
    ip("-n", prefix, "link", "add", "br0", "type", "bridge");
    ip("-n", prefix, "link", "add", "end0", "type", "veth", "peer", "name", "end1");
    return true;
  } catch {
    return false;
  } finally {
    ip("netns", "del", prefix);
  }
}

/** Hosts, each a network namespace, on switches, each a bridge in a namespace of its own. */
class Lab implements Disposable {
  readonly #prefix = newPrefix();
  readonly #names: string[] = [];
  readonly #switches = new Set<string>();

  /** Adds a host with one interface (`eth0`, `eth1`, …) an address; `2/10.77.2.1` is on switch 2. */
  host(name: string, ...addresses: string[]): string {
    const host = this.#namespace(name);
    addresses.forEach((text, i) => {
      const [network = "", address = ""] = text.split("/");
      const bridge = this.#switch(network);
      const cable = ["link", "add", `eth${i}`, "netns", host, "type", "veth"];
      ip(...cable, "peer", "name", `${name}${i}`, "netns", bridge);
      ip("-n", bridge, "link", "set", `${name}${i}`, "master", "br0", "up");
      ip("-n", host, "addr", "add", `${address}/24`, "dev", `eth${i}`);
      ip("-n", host, "link", "set", `eth${i}`, "up");
    });
    return host;
  }

  #switch(network: string): string {
    const name = `${this.#prefix}s${network}`;
    if (this.#switches.has(name)) return name;
    this.#switches.add(this.#namespace(`s${network}`));
    ip("-n", name, "link", "add", "br0", "type", "bridge");
    ip("-n", name, "link", "set", "br0", "up");
    return name;
  }

  #namespace(name: string): string {
    const full = this.#prefix + name;
    ip("netns", "add", full);
    this.#names.push(full);
    ip("-n", full, "link", "set", "lo", "up");
    return full;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) ip("netns", "del", name);
  }
}

/** A program in a namespace, and the events that it writes. */
class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #events: Event[] = [];
  readonly #reading: Promise<void>;
  #ended = false;
  #news = Promise.withResolvers<void>();

  constructor(host: string, ...args: string[]) {
    const flags = ["run", "--quiet", "--no-lock", "--unstable-net", "--allow-net", "--allow-sys"];
    this.#child = new Deno.Command("ip", {
      args: ["netns", "exec", host, Deno.execPath(), ...flags, PEER, ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.#events.push(...lines.map((line): Event => JSON.parse(line)));
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** The first event that is wanted, among those that were written and those to come. */
  async first(wanted: (event: Event) => boolean): Promise<Event> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, PATIENCE_MS);
    try {
      for (;;) {
        const found = this.#events.find(wanted);
        if (found) return found;
        if (late || this.#ended) {
          throw new Error(`waited in vain; so far: ${JSON.stringify(this.#events, null, 1)}`);
        }
        await this.#news.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  hears(number: number): Promise<Event> {
    return this.first(({ event, id }) => event === "heard" && id === idOf(number));
  }

  onTheAir(): Promise<Event> {
    return this.first(({ event, message = "" }) => event === "info" && message.includes("air"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#reading;
    await this.#child.status;
  }
}

function idOf(number: number): string {
  return `X${String(number).padStart(16, "0")}`;
}

function announce(host: string, number: number, address: string, wanted?: string): Peer {
  const more = wanted === undefined ? [] : [wanted];
  return new Peer(host, "announce", GROUP, String(number), address, ...more);
}

async function discover(host: string, timeoutMs: number, ...wanted: string[]): Promise<Event> {
  await using client = new Peer(host, "discover", GROUP, String(timeoutMs), ...wanted);
  return await client.first(() => true);
}

const ignore = !canIsolate();

Deno.test({
  name: `servers and clients on two hosts find each other on a bridge (${IP_NETNS})`,
  ignore,
  async fn() {
    using lab = new Lab();
    const [one, two] = [lab.host("a", "1/10.77.1.1"), lab.host("b", "1/10.77.1.2")];
    // The client is first: it asks until somebody is there.
    const early = discover(two, PATIENCE_MS);
    await using first = announce(one, 1, "10.77.1.1");
    assertEquals(await early, { event: "found", id: idOf(1), address: "10.77.1.1:7000" });
    await using second = announce(two, 2, "10.77.1.2");
    await Promise.all([first.hears(2), second.hears(1)]);
    // Another server on the same host has the port, too.
    await using third = announce(two, 3, "10.77.1.2");
    await Promise.all([first.hears(3), second.hears(3), third.hears(1), third.hears(2)]);
  },
});

Deno.test({
  name: `-if picks the interface for joining and for sending (${IP_NETNS})`,
  ignore,
  async fn() {
    using lab = new Lab();
    const both = lab.host("a", "1/10.77.1.1", "2/10.77.2.1");
    const left = lab.host("b", "1/10.77.1.2");
    const right = lab.host("c", "2/10.77.2.3");
    await using second = announce(left, 2, "10.77.1.2");
    await using third = announce(right, 3, "10.77.2.3");
    await Promise.all([second.onTheAir(), third.onTheAir()]);
    await using first = announce(both, 1, "10.77.2.1", "eth1");
    await Promise.all([first.hears(3), third.hears(1)]);
    // On the other side there is nobody for the clients of that side but the second server.
    const { id } = await discover(left, PATIENCE_MS);
    assertEquals(id, idOf(2));
    assertEquals((await discover(both, PATIENCE_MS, "eth0"))["id"], idOf(2));
    const { id: other } = await discover(both, PATIENCE_MS, "10.77.2.1");
    assert(other === idOf(1) || other === idOf(3), other);
    // Without a choice, both sides hear of a server.
    await using fourth = announce(both, 4, "10.77.1.1");
    await Promise.all([second.hears(4), third.hears(4), fourth.hears(2), fourth.hears(3)]);
  },
});

Deno.test({
  name: `an interface that loses its address is warned of, and used when it is back (${IP_NETNS})`,
  ignore,
  async fn() {
    using lab = new Lab();
    const [one, two] = [lab.host("a", "1/10.77.1.1"), lab.host("b", "1/10.77.1.2")];
    await using first = announce(one, 1, "10.77.1.1", "eth0");
    await first.onTheAir();
    ip("-n", one, "addr", "del", "10.77.1.1/24", "dev", "eth0");
    const warning = await first.first(({ event }) => event === "warn");
    assertStringIncludes(warning["message"] ?? "", GROUP);
    assertStringIncludes(warning["message"] ?? "", "eth0");
    await using second = announce(two, 2, "10.77.1.2");
    await second.onTheAir();
    ip("-n", one, "addr", "add", "10.77.1.1/24", "dev", "eth0");
    await Promise.all([first.hears(2), second.hears(1)]);
  },
});

Deno.test({
  name: `servers find each other when a link that was down at the start comes up (${IP_NETNS})`,
  ignore,
  async fn() {
    using lab = new Lab();
    const [one, two] = [lab.host("a", "1/10.77.1.1"), lab.host("b", "1/10.77.1.2")];
    ip("-n", one, "link", "set", "eth0", "down");
    await using first = announce(one, 1, "10.77.1.1");
    await using second = announce(two, 2, "10.77.1.2");
    await Promise.all([first.onTheAir(), second.onTheAir()]);
    assertEquals((await discover(one, 300, "eth0"))["event"], "failed");
    ip("-n", one, "link", "set", "eth0", "up");
    await Promise.all([first.hears(2), second.hears(1)]);
  },
});

Deno.test({
  name: `a host with nothing but loopback finds its own servers (${IP_NETNS})`,
  ignore,
  async fn() {
    using lab = new Lab();
    const alone = lab.host("a");
    await using first = announce(alone, 1, "127.0.0.1");
    await using second = announce(alone, 2, "127.0.0.1");
    await Promise.all([first.hears(2), second.hears(1)]);
    assertEquals((await discover(alone, PATIENCE_MS))["event"], "found");
  },
});
