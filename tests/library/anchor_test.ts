/**
 * Clients and anchors of the library, over two servers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Anchor, CircuitError, dial } from "../../mod.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo, RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { denoDir, environment, root } from "../program.ts";
import { onBothRoutes } from "../routes.ts";
import { within } from "../until.ts";

onBothRoutes("Client.servers() and Client.anchor() show the circuit", async ({ near, far }) => {
  await using client = await dialTo(near);
  assertEquals([client.address, client.serverId], [near.address, near.id]);
  const servers = await client.servers();
  assertEquals(servers.map(({ path }) => path), [near.path, far.path].sort());
  assertEquals(servers.map(({ serverId }) => serverId), [near.id, far.id].sort());

  const root = client.anchor("/");
  assertEquals([root.path, root.name, root.serverId], ["/", "", undefined]);
  assertEquals([...(await root.view()).keys()], [near.id, far.id].sort());
  assertEquals(await root.get(), undefined);
  const deep = client.anchor(`/${far.id}//a/b/`);
  assertEquals([deep.path, deep.name, deep.serverId], [`/${far.id}/a/b`, "b", far.id]);
  assertEquals(client.anchor(far.path).walk("a", "b").path, deep.path);
  for (const path of ["a", "/a", "/X123", `/${far.id}/..`, `/${far.id}/a\0b`]) {
    assertThrows(() => client.anchor(path), CircuitError, "bad path");
  }
  assertThrows(() => root.walk("a/b"), CircuitError, "bad path component");
});

onBothRoutes("Anchor.view() and list() show what is below", async ({ near, far }) => {
  await using client = await dialTo(near);
  const top = client.anchor(far.path).walk("top");
  await top.walk("b", "x").makeChan();
  await top.walk("a").makeChan();
  await top.walk("b", "ü \n").makeChan();
  assertEquals([...(await top.view()).keys()], ["a", "b"]);
  assertEquals((await top.view()).get("b")?.path, `${top.path}/b`);
  assertEquals(await listed(top, {}), ["chan a", "· b"]);
  const below = ["chan b/x", "chan b/ü \n"];
  assertEquals(await listed(top, { recursive: true }), ["chan a", "· b", ...below]);
  const leavesFirst = { recursive: true, depthFirst: true };
  assertEquals(await listed(top, leavesFirst), ["chan a", ...below, "· b"]);
  assertEquals((await top.walk("b").get())?.kind, undefined);

  // Anchors go when neither they nor anything below them holds an element.
  await top.walk("b", "x").scrub();
  await top.walk("b", "ü \n").scrub();
  assertEquals(await listed(top, { recursive: true }), ["chan a"]);
  await top.walk("a").scrub();
  assertEquals(await listed(client.anchor(far.path), { recursive: true }), []);
  // Where there is nothing, nothing happens.
  await top.walk("a").scrub();
});

onBothRoutes("Anchor.make…() fails with EXISTS and changes nothing", async ({ near, far }) => {
  await using client = await dialTo(near);
  const anchor = client.anchor(far.path).walk("taken");
  const chan = await anchor.makeChan(2);
  await chan.sendBytes(new Uint8Array([1]));
  const before = await chan.stat();
  await assertFails("EXISTS", anchor.makeChan(7));
  await assertFails("EXISTS", anchor.makeProc({ path: "/bin/true" }));
  assertEquals(await chan.stat(), before);
  assertEquals((await anchor.get())?.kind, "chan");
  assertEquals(await chan.recvBytes(), new Uint8Array([1]));
  // Of many at once exactly one makes it.
  const race = client.anchor(far.path).walk("race");
  const made = await Promise.allSettled(Array.from({ length: 20 }, () => race.makeChan()));
  assertEquals(made.filter(({ status }) => status === "fulfilled").length, 1);
});

onBothRoutes("an anchor says what it cannot do", async ({ near, far }) => {
  await using client = await dialTo(near);
  const server = client.anchor(far.path);
  await assertFails("EXISTS", server.makeChan());
  await assertFails("DENIED", server.scrub());
  assertEquals((await server.get())?.kind, "server");
  await assertFails("BAD_REQUEST", client.anchor("/").makeChan());
  await assertFails("BAD_REQUEST", client.anchor("/").scrub());
  await assertFails("BAD_REQUEST", server.walk("c").makeChan(-1));
  await assertFails("BAD_REQUEST", server.walk("c").makeChan(1.5));
  assertEquals((await server.view()).size, 0);

  const nowhere = client.anchor("/X0123456789abcdef/a");
  await assertFails("NOT_FOUND", nowhere.makeChan());
  await assertFails("NOT_FOUND", nowhere.get());
  await assertFails("NOT_FOUND", nowhere.view());
  await assertFails("NOT_FOUND", nowhere.scrub());

  const chan = await server.walk("gone").makeChan();
  await chan.scrub();
  await assertFails("NOT_FOUND", chan.stat());
});

onBothRoutes("Anchor.list() gives a long listing bit by bit", async ({ near, far }) => {
  const count = 3_000;
  await using client = await dialTo(near);
  const many = client.anchor(far.path).walk("many");
  await Promise.all(Array.from({ length: count }, (_, i) => many.walk(`channel-${i}`).makeChan()));
  const names = await listed(many, {});
  assertEquals(names.length, count);
  assertEquals(names, [...names].sort());
  // Ending the loop early ends the call, and nothing else.
  for await (const { path } of many.list()) {
    assert(path.startsWith(many.path));
    break;
  }
  assertEquals((await many.view()).size, count);
});

circuitTest(
  "Client.close() fails calls under way with ABORTED and later ones with CLOSED",
  async (logs) => {
    await using circuit = await cluster(2, { logs });
    const client = await dialTo(circuit.near);
    const chan = await client.anchor(circuit.far.path).walk("c").makeChan();
    const waiting = assertFails("ABORTED", chan.recvBytes());
    await client.close();
    await within(5_000, "Client.closed", client.closed);
    await waiting;
    await assertFails("CLOSED", chan.stat());
    await assertFails("CLOSED", client.servers());
    await client.close();
    // The element stays.
    await using another = await dialTo(circuit.near);
    assertEquals((await another.anchor(circuit.far.path).walk("c").get())?.kind, "chan");
  },
);

circuitTest("dial() checks who answers", async (logs) => {
  await using server = await RunningServer.start({ logs });
  const wrong = server.address.replace(/Q.*/, "Q0123456789abcdef");
  const error = await assertFails("UNREACHABLE", dial(wrong));
  assert(error.message.includes(server.id), error.message);
  await assertFails("BAD_REQUEST", dial("nonsense"));
  await assertFails("BAD_REQUEST", dial("circuit://127.0.0.1:1/x"));
  await using client = await dial(server.hostPort);
  assertEquals(client.address, server.address);
});

circuitTest("dial() gives up when nobody answers, or nobody who speaks its language", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${listener.addr.port}`;
  await assertFails("ABORTED", dial(address, { signal: AbortSignal.abort() }));
  const silent = dial(address, { signal: AbortSignal.timeout(300) });
  using _conn = await listener.accept();
  const { code } = await silent.then(() => ({ code: "none" }), (error: CircuitError) => error);
  assert(code === "ABORTED" || code === "TIMEOUT", code);

  const garbled = assertFails("PROTOCOL", dial(address));
  using other = await listener.accept();
  await other.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n".repeat(10)));
  await garbled;
});

circuitTest("connect() looks where the tool looks", async (logs) => {
  await using server = await RunningServer.start({ logs });
  const refusal = await connectWith({});
  for (const way of ["BAD_REQUEST", "-d", "-discover", "CIRCUIT", "CIRCUIT_DISCOVER"]) {
    assert(refusal.includes(way), refusal);
  }
  const home = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${home}/server`, `\n  ${server.address} \n`);
    assertEquals(await connectWith({ CIRCUIT: `${home}/server` }), `${server.address}\n`);
    // Deno's own cache must stay where it is while the home directory is another.
    const env = { HOME: home, DENO_DIR: await denoDir(), CIRCUIT: "~/server" };
    assertEquals(await connectWith(env), `${server.address}\n`);
    assertMatch(await connectWith({ CIRCUIT: `${home}/none` }), /^NOT_FOUND .*none/);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

/** Kinds, and paths from the anchor. */
async function listed(
  anchor: Anchor,
  options: { recursive?: boolean; depthFirst?: boolean },
): Promise<string[]> {
  const entries = [];
  for await (const { path, kind } of anchor.list(options)) {
    entries.push(`${kind ?? "·"} ${path.slice(anchor.path.length + 1)}`);
  }
  return entries;
}

/** Calls `connect()` in a process with these variables and no others of the circuit. */
async function connectWith(env: Record<string, string>): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", `--config=${root}deno.json`, CONNECT],
    clearEnv: true,
    env: environment(env),
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const CONNECT = `
  import { connect } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
  try {
    await using client = await connect();
    console.log(client.address);
  } catch (error) {
    console.log(error.code, error.message);
  }
`;
