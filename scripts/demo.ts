/**
 * `deno task demo [FILE]`: a narrated tour of a circuit of three servers on this machine, on real
 * input. It counts the words of FILE (default: the licence) on three servers at once, checks the
 * count against one that is made without the circuit, kills a server and shows that it is gone.
 *
 * @module
 */

import { type Anchor, type Client, dial } from "../mod.ts";
import { startServerProcess } from "./server_process.ts";

/** Words a line each, counted: any Unix has these programs, and in this locale they see bytes. */
const COUNT_WORDS = `export LC_ALL=C; tr -cs "A-Za-z" "\\n" | tr "A-Z" "a-z" | sort | uniq -c`;

/** Milliseconds in which the others must have seen that a server was killed. */
const GONE_WITHIN_MS = 5_000;

const root = `${import.meta.dirname}/..`;

if (import.meta.main) {
  const started = performance.now();
  await demo(Deno.args[0] ?? `${root}/LICENSE`);
  say(
    `That was the tour, in ${
      ((performance.now() - started) / 1000).toFixed(1)
    } s. All is cleaned up.`,
  );
}

async function demo(file: string): Promise<void> {
  const text = await Deno.readTextFile(file).catch((error) => {
    console.error(`demo: cannot read ${file}: ${error.message}`);
    Deno.exit(1);
  });

  say("Three servers start on this machine; the second and the third join the first.");
  await using first = await startServerProcess();
  await using second = await startServerProcess(["-j", first.address]);
  await using third = await startServerProcess(["-j", first.address]);
  for (const { address } of [first, second, third]) show(`circuit start → ${address}`);

  say("A client dials into the first one and sees all three, for they know of each other.");
  await using client = await dial(first.address);
  const servers = await client.servers();
  for (const server of servers) show(`circuit ls / → ${server.path}`);

  say("A channel on one server will collect the results; it is a name that everyone can use.");
  const results = client.anchor(`/${first.serverId}`).walk("demo", "results");
  const channel = await results.makeChan(servers.length);
  show(`circuit mkchan ${results.path} ${servers.length}`);

  say(`${file} is split in ${servers.length}; each part streams through a process on each server.`);
  const parts = split(text, servers.length);
  const working = servers.map((server, i) => countOn(client, server, parts[i] ?? "", results.path));

  say("The counts come out of the channel as they are ready, and are added up.");
  const total = new Map<string, number>();
  for (let i = 0; i < servers.length; i++) {
    const counted = new TextDecoder().decode(await channel.recvBytes());
    show(`circuit recv ${results.path} → ${counted.split("\n").length - 1} different words`);
    addCounts(total, counted);
  }
  await Promise.all(working);

  say("The ten most frequent words:");
  const top = topTen(total);
  for (const [word, count] of top) show(`${String(count).padStart(6)} ${word}`);
  const expected = topTen(countWithout(text));
  if (JSON.stringify(top) !== JSON.stringify(expected)) {
    throw new Error(`the circuit counted ${top}, without it the count is ${expected}`);
  }
  say("A count that was made without the circuit says the same.");

  say("All that is in the circuit now:");
  for await (const { path, kind } of client.anchor("/").list({ recursive: true })) {
    show(`${(kind ?? "·").padEnd(15)} ${path}`);
  }

  say(`Now the third server is killed, without a word to the others (kill -9 ${third.pid}).`);
  const killed = performance.now();
  third.kill("SIGKILL");
  while ((await client.servers()).some(({ serverId }) => serverId === third.serverId)) {
    if (performance.now() - killed > GONE_WITHIN_MS) throw new Error("it is still listed");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  show(`gone from the list after ${Math.round(performance.now() - killed)} ms; left are`);
  for (const server of await client.servers()) show(`circuit ls / → ${server.path}`);
}

/** Counts the words of `part` on `server` and sends the result through the channel at `results`. */
async function countOn(client: Client, server: Anchor, part: string, results: string) {
  const anchor = server.walk("demo", "count");
  const proc = await anchor.makeProc({ path: "/bin/sh", args: ["-c", COUNT_WORDS] });
  show(`circuit mkproc ${anchor.path}; circuit stdin … < ${part.length} bytes`);
  const feeding = new Blob([part]).stream().pipeTo(proc.stdin());
  const channel = await client.anchor(results).get();
  if (channel?.kind !== "chan") throw new Error(`${results} holds no channel`);
  // A message is a byte stream: what the process prints goes into the channel as it comes.
  await proc.stdout().pipeTo(await channel.send());
  await feeding;
  const { exit } = await proc.wait();
  if (exit !== null) throw new Error(`${anchor.path} failed: ${exit}`);
}

/** Cuts at line ends, so that no word is cut in two. */
function split(text: string, count: number): string[] {
  const lines = text.split(/(?<=\n)/);
  const each = Math.ceil(lines.length / count);
  return Array.from({ length: count }, (_, i) => lines.slice(i * each, (i + 1) * each).join(""));
}

/** Adds what `uniq -c` printed. */
function addCounts(total: Map<string, number>, counted: string): void {
  for (const line of counted.split("\n")) {
    const [, count, word] = /^\s*(\d+) (\S+)$/.exec(line) ?? [];
    if (word) total.set(word, (total.get(word) ?? 0) + Number(count));
  }
}

function countWithout(text: string): Map<string, number> {
  const total = new Map<string, number>();
  for (const word of text.match(/[A-Za-z]+/g) ?? []) {
    const lower = word.toLowerCase();
    total.set(lower, (total.get(lower) ?? 0) + 1);
  }
  return total;
}

function topTen(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 10);
}

function say(line: string): void {
  console.log(`\n${line}`);
}

function show(line: string): void {
  console.log(`    ${line}`);
}
