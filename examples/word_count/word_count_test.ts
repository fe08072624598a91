/**
 * The word count on real servers, some of which are killed half-way.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Chan, Client } from "../../mod.ts";
import { cluster, dialTo, RunningServer } from "../../tests/launcher.ts";
import { circuitTest } from "../../tests/logs.ts";
import { run, RunningTool } from "../../tests/tool.ts";
import { until } from "../../tests/until.ts";
import { WordCounter } from "./worker.ts";

/** Runs the program as its page says. */
function wordCount(
  server: RunningServer,
  files: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningTool {
  const script = import.meta.resolve("./word_count.ts");
  const program = { command: Deno.execPath(), args: ["run", "-A", script] };
  return new RunningTool(["-d", server.address, ...files], { program, env });
}

/** Writes files of many lengths, one of them empty, into a folder. */
async function writeFiles(folder: string, count: number, bytes: number): Promise<string[]> {
  const licence = await Deno.readTextFile(new URL("../../LICENSE", import.meta.url));
  const text = `Ünïcode words: größer, ДОМ дом.\n${licence}`.repeat(
    Math.ceil(bytes / licence.length),
  );
  const files = Array.from({ length: count }, (_, i) => `${folder}/${i}.txt`);
  for (const [i, file] of files.entries()) {
    await Deno.writeTextFile(file, text.slice(i, i + Math.floor(bytes * i / count)));
  }
  return files;
}

/** What the program must print, from all files at once and without the circuit. */
async function expected(files: readonly string[]): Promise<string> {
  const counts: Record<string, number> = Object.create(null);
  for (const file of files) {
    for (const word of (await Deno.readTextFile(file)).match(/\p{L}+/gu) ?? []) {
      counts[word.toLowerCase()] = (counts[word.toLowerCase()] ?? 0) + 1;
    }
  }
  return Object.entries(counts)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([word, count]) => `${count}\t${word}\n`).join("");
}

/** Waits until so many results were received. */
async function untilCounted(client: Client, server: RunningServer, count: number): Promise<Chan> {
  const results = await until("the channel of results", async () => {
    const [run] = (await client.anchor(server.path).walk("word-count").view()).values();
    const element = await run?.walk("results").get();
    return element?.kind === "chan" ? element : undefined;
  });
  assert(results);
  const enough = (seen: number) => seen >= count;
  await until(`${count} results`, async () => (await results.stat()).numRecv, enough);
  return results;
}

Deno.test("WordCounter counts a text that comes in pieces of any length", () => {
  const text = new TextEncoder().encode("Größe, größe; ДОМ дом a-b\na");
  for (const length of [1, 2, 3, 7, text.length]) {
    const counter = new WordCounter();
    for (let at = 0; at < text.length; at += length) counter.add(text.subarray(at, at + length));
    assertEquals([...counter.end()], [["größe", 2], ["дом", 2], ["a", 2], ["b", 1]]);
  }
});

circuitTest("word_count loses no file when servers are killed half-way", async (logs) => {
  const folder = await Deno.makeTempDir({ prefix: "circuit_test_" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const circuit = stack.use(await cluster(3, { logs }));
  const files = await writeFiles(folder, 120, 400_000);
  await using counting = wordCount(circuit.near, files);
  await using client = await dialTo(circuit.near);
  await untilCounted(client, circuit.near, 10);
  await circuit.far.crash();
  // One that comes meanwhile works too.
  const late = stack.use(await RunningServer.start({ logs, args: ["-j", circuit.near.address] }));
  const results = await untilCounted(client, circuit.near, 30);
  await circuit.server(2).crash();
  assert((await results.stat()).numRecv < files.length, "all was done before the kill");
  const { code, stdout, stderr } = await counting.result();
  assertEquals(code, 0, stderr);
  assertEquals(stdout, await expected(files));
  for (const server of [circuit.near, late]) {
    assertEquals((await client.anchor(server.path).view()).size, 0);
  }
});

circuitTest("word_count fails when the server with its channels is killed", async (logs) => {
  const folder = await Deno.makeTempDir({ prefix: "circuit_test_" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const circuit = stack.use(await cluster(2, { logs }));
  const files = await writeFiles(folder, 120, 400_000);
  await using counting = wordCount(circuit.near, files);
  await using client = await dialTo(circuit.far);
  await untilCounted(client, circuit.near, 10);
  await circuit.near.crash();
  const { code, stdout, stderr } = await counting.result();
  // Nothing rather than something wrong.
  assertEquals([code, stdout], [1, ""], stderr);
  assert(stderr.includes(circuit.near.hostPort), stderr);
  // No worker is left behind.
  const gone = (size: number) => size === 0;
  await until(
    "the end of the workers",
    async () => (await client.anchor(circuit.far.path).view()).size,
    gone,
  );
});

circuitTest("word_count counts in a circuit that has a key", async (logs) => {
  const folder = await Deno.makeTempDir({ prefix: "circuit_test_" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const env = { CIRCUIT_HMAC: `${folder}/key` };
  await Deno.writeTextFile(env.CIRCUIT_HMAC, await run(["keygen"]), { mode: 0o600 });
  const first = stack.use(await RunningServer.start({ logs, env }));
  stack.use(await RunningServer.start({ logs, env, args: ["-j", first.address] }));
  const files = await writeFiles(folder, 10, 10_000);
  await using counting = wordCount(first, files, env);
  const { code, stdout, stderr } = await counting.result();
  assertEquals(code, 0, stderr);
  assertEquals(stdout, await expected(files));
  await using without = wordCount(first, files);
  const refused = await without.result();
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(refused.stderr, /^word_count: .*key/);
});

circuitTest("word_count says which file it cannot read", async (logs) => {
  await using circuit = await cluster(1, { logs });
  await using counting = wordCount(circuit.near, ["/no/such/file"]);
  const { code, stdout, stderr } = await counting.result();
  assertEquals([code, stdout], [1, ""]);
  assert(stderr.includes("/no/such/file"), stderr);
});
