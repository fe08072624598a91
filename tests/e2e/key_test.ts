/**
 * Circuits with a key: who is let in, who is not and what both are told; key files; and a new key
 * while the servers run.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotEquals, assertNotMatch } from "@std/assert";
import { type Client, dial, type DialOptions, discover } from "../../mod.ts";
import { assertFails } from "../fails.ts";
import { RunningServer } from "../launcher.ts";
import { circuitTest, type Logs } from "../logs.ts";
import { denoDir, environment, root } from "../program.ts";
import { assertRefused } from "../refused.ts";
import { run, tool } from "../tool.ts";
import { FairClock, until } from "../until.ts";

/** Milliseconds in which a refusal has to be known on both sides. */
const REFUSED_MS = 1_000;

/** A folder with key files. */
class Keys implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Keys> {
    return new Keys(await Deno.makeTempDir());
  }

  /** Writes a file that only its owner can read; returns its path. */
  async file(name: string, ...lines: string[]): Promise<string> {
    const path = `${this.folder}/${name}`;
    await Deno.writeTextFile(path, lines.join("\n") + "\n", { mode: 0o600 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function newKey(): Promise<string> {
  return (await run(["keygen"])).trim();
}

function bytesOf(key: string): Uint8Array {
  return Uint8Array.fromBase64(key);
}

function start(logs: Logs, ...args: string[]): Promise<RunningServer> {
  return RunningServer.start({ logs, args });
}

/** A client that must not come to be: what is said instead, and how soon. */
async function refusal(address: string, options?: DialOptions): Promise<[string, number]> {
  using clock = new FairClock();
  let client: Client;
  try {
    client = await dial(address, options);
  } catch (error) {
    return [`${error}`, clock.ms];
  }
  await client.close();
  throw new Error(`${address} has let in whom it should not`);
}

circuitTest("keygen prints a new key of 64 bytes, in base64, each time", async () => {
  const [one, other] = [await run(["keygen"]), await run(["keygen"])];
  assertMatch(one, /^[A-Za-z0-9+/]{86}==\n$/);
  assertEquals(bytesOf(one.trim()).length, 64);
  assertNotEquals(one, other);
});

circuitTest("a circuit with a key does what one without does, for key holders", async (logs) => {
  await using keys = await Keys.make();
  const file = await keys.file("key", await newKey());
  await using near = await start(logs, "-hmac", file);
  await using far = await RunningServer.start({
    logs,
    args: ["-j", near.address],
    env: { CIRCUIT_HMAC: file },
  });
  const flags = ["-d", near.address, "-hmac", file];
  const listed = await until(
    "both servers to be listed",
    () => run(["ls", ...flags, "/"]),
    (text) => text === [near.path, far.path].sort().join("\n") + "\n",
  );
  assert(listed);
  const env = { CIRCUIT_HMAC: file };
  const chan = `${far.path}/chan`;
  await run(["mkchan", ...flags, chan, "1"]);
  const message = "x".repeat(300_000);
  const [, received] = await Promise.all([
    run(["send", "-d", near.address, chan], { stdin: message, env }),
    run(["recv", ...flags, chan]),
  ]);
  assertEquals(received, message);
  await run(["mkproc", ...flags, `${far.path}/echo`], {
    stdin: JSON.stringify({ Path: "/bin/echo", Args: ["hello"] }),
  });
  assertEquals(await run(["stdout", ...flags, `${far.path}/echo`]), "hello\n");
});

circuitTest("dial() uses the first key in the file that it is given", async (logs) => {
  await using keys = await Keys.make();
  const [key, other] = [await newKey(), await newKey()];
  const keyFile = await keys.file("keys", "# ours", key, other);
  await using server = await start(logs, "-hmac", await keys.file("key", key));
  await using client = await dial(server.address, { keyFile });
  assertEquals(client.serverId, server.id);
  await assertFails("NOT_FOUND", dial(server.address, { keyFile: `${keys.folder}/none` }));
  await assertFails("BAD_REQUEST", dial(server.address, { keyFile: keys.folder }));
  await assertFails("BAD_REQUEST", dial(server.address, { keyFile, key: bytesOf(key) }));
  await assertFails("BAD_REQUEST", discover("228.8.8.8:7711", { keyFile, key: bytesOf(key) }));
});

circuitTest("connect() uses the key in the file that CIRCUIT_HMAC names", async (logs) => {
  await using keys = await Keys.make();
  const file = await keys.file("key", await newKey());
  await using server = await start(logs, "-hmac", file);
  const script = `import { connect } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
    await using client = await connect();
    console.log(client.serverId);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `--config=${root}deno.json`, "-"],
    env: environment({
      CIRCUIT: await keys.file("address", server.address),
      CIRCUIT_HMAC: "~/key",
      HOME: keys.folder,
      DENO_DIR: await denoDir(),
    }),
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(script));
  await stdin.close();
  const { stdout } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), `${server.id}\n`);
});

circuitTest(
  "a key on one side only is refused on both, at once, and both say whose",
  async (logs) => {
    await using keys = await Keys.make();
    const key = await newKey();
    const file = await keys.file("key", key);
    await using keyed = await start(logs, "-hmac", file);
    await using plain = await start(logs);
    const serverHas = /the server has a key and the dialler, [^ ]+, has none: both need the same/;
    const diallerHas = /the dialler, [^ ]+, has a key and the server has none: both need the same/;
    await assertRefused(["ls", "-d", keyed.address, "/"], serverHas);
    await assertRefused(["ls", "-d", plain.address, "-hmac", file, "/"], diallerHas);
    for (
      const [server, options, message] of [
        [keyed, {}, serverHas],
        [plain, { key: bytesOf(key) }, diallerHas],
      ] as const
    ) {
      const [words, elapsed] = await refusal(server.address, options);
      assertMatch(words, message);
      assert(elapsed < REFUSED_MS, `${elapsed} ms`);
      await until("the server to log it", () => `${server.log}`, (log) => message.test(log));
    }
    // Servers are no better off than clients.
    await assertRefused(["start", "-a", "127.0.0.1:0", "-j", keyed.address], serverHas, {
      env: { CIRCUIT_LOG: "error" },
    });
    await assertRefused(
      ["start", "-a", "127.0.0.1:0", "-j", plain.address, "-hmac", file],
      diallerHas,
      { env: { CIRCUIT_LOG: "error" } },
    );
    // Those that belong are let in as before.
    assertEquals(await run(["ls", "-d", keyed.address, "-hmac", file, "/"]), `${keyed.path}\n`);
    assertEquals(await run(["ls", "-d", plain.address, "/"]), `${plain.path}\n`);
  },
);

circuitTest("different keys are refused on both sides, at once, and both say so", async (logs) => {
  await using keys = await Keys.make();
  const [right, wrong] = [await newKey(), await newKey()];
  await using server = await start(logs, "-hmac", await keys.file("right", right));
  const file = await keys.file("wrong", wrong);
  const message = /refused the key [0-9a-f]{8}, which is used here: the keys are different/;
  await assertRefused(["ls", "-d", server.address, "-hmac", file, "/"], message);
  const [words, elapsed] = await refusal(server.address, { key: bytesOf(wrong) });
  assertMatch(words, message);
  assert(elapsed < REFUSED_MS, `${elapsed} ms`);
  const logged = await until(
    "the server to log it",
    () => `${server.log}`,
    (log) => /turned away a connection: the keys are different/.test(log),
  );
  for (const text of [words, logged]) {
    assert(!text.includes(right.slice(0, 10)) && !text.includes(wrong.slice(0, 10)));
  }
  const [short] = await refusal(server.address, { key: new Uint8Array(32) });
  assertMatch(short, /cannot use a key of 32 bytes: a circuit's key has 64/);
});

circuitTest(
  "a key file that is of no use is refused, and one that others can read named",
  async (logs) => {
    await using keys = await Keys.make();
    const key = await newKey();
    for (
      const [file, message] of [
        [`${keys.folder}/none`, /cannot read key file .*\/none: there is no such file/],
        [keys.folder, /cannot read key file .*: it is a directory/],
        [
          await keys.file("empty"),
          /cannot use key file .*\/empty: it is empty, want 64 random bytes/,
        ],
        [await keys.file("short", "# old", key.slice(8)), /line 2 holds 58 bytes, want 64/],
        [await keys.file("odd", key.replace(/.$/, "?")), /line 1 has "=" in column 87/],
      ] as const
    ) {
      await assertRefused(["ls", "-d", "127.0.0.1:1", "-hmac", file, "/"], message);
      await assertRefused(["start", "-a", "127.0.0.1:0", "-hmac", file], message);
      await assertRefused(["ls", "-d", "127.0.0.1:1", "/"], message, {
        env: { CIRCUIT_HMAC: file },
      });
    }
    const open = await keys.file("open", key);
    await Deno.chmod(open, 0o644);
    const warning =
      /key file .*\/open can be read by other users of this machine \(its mode is 644\)/;
    await using server = await start(logs, "-hmac", open);
    await until("the warning", () => `${server.log}`, (log) => warning.test(log));
    const { code, stdout, stderr } = await tool(["ls", "-d", server.address, "-hmac", open, "/"]);
    assertEquals([code, stdout], [0, `${server.path}\n`]);
    assertMatch(stderr, /^circuit: warning: [^\n]+\n$/);
    assertMatch(stderr, warning);
  },
);

circuitTest(
  "a server without a key warns unless it is on loopback, or is told not to",
  async (logs) => {
    await using keys = await Keys.make();
    const file = await keys.file("key", await newKey());
    const warning = /WARN .*this server has no key: anyone who can reach it .* can run any program/;
    const logOf = async (listen: string, ...args: string[]) => {
      await using server = await RunningServer.start({ logs, listen, args });
      await until("it to listen", () => `${server.log}`, (log) => log.includes("listening on"));
      return `${server.log}`;
    };
    assertMatch(await logOf("0.0.0.0:0"), warning);
    assertNotMatch(await logOf("0.0.0.0:0", "-insecure"), /WARN/);
    assertNotMatch(await logOf("0.0.0.0:0", "-hmac", file), /WARN/);
    assertNotMatch(await logOf("127.0.0.1:0"), /WARN/);
  },
);

circuitTest("a new key takes the place of the old one while the servers run", async (logs) => {
  await using keys = await Keys.make();
  const [before, after] = [await newKey(), await newKey()];
  const path = await keys.file("key", before);
  await using near = await start(logs, "-hmac", path);
  await using far = await start(logs, "-hmac", path, "-j", near.address);
  const fingerprints = (server: RunningServer) => `${server.log}`.match(/INFO +key .*/g) ?? [];
  let times = 1;
  const rekey = async (...lines: string[]) => {
    await keys.file("key", ...lines);
    for (const server of [near, far]) server.kill("SIGHUP");
    times++;
    for (const server of [near, far]) {
      await until("the file to be read", () => fingerprints(server).length, (n) => n === times);
    }
  };
  const accepts = async (key: string) => {
    await using client = await dial(near.address, { key: bytesOf(key) });
    await until("both to be listed", () => client.servers(), (seen) => seen.length === 2);
    // From the one straight to the other.
    assertEquals(await client.anchor(`${far.path}/nothing`).get(), undefined);
  };
  await using held = await dial(near.address, { key: bytesOf(before) });
  await accepts(before);
  await refusal(near.address, { key: bytesOf(after) });

  await rekey(before, after);
  await accepts(before);
  await accepts(after);

  await rekey(after, before);
  await accepts(before);
  await accepts(after);

  // What cannot be read changes nothing.
  await keys.file("key", "nonsense");
  near.kill("SIGHUP");
  await until("the error", () => `${near.log}`, (log) => /the keys stay as they were/.test(log));
  await accepts(after);

  await rekey(after);
  await accepts(after);
  await refusal(near.address, { key: bytesOf(before) });
  // A server that comes now finds the others; who was there stays.
  await using third = await start(logs, "-hmac", path, "-j", near.address);
  assertEquals((await held.servers()).length >= 2, true);
  await until(
    "all to be listed",
    async () => {
      await using client = await dial(third.address, { key: bytesOf(after) });
      return (await client.servers()).length;
    },
    (count) => count === 3,
  );
});
