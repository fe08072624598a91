/**
 * Runs the tests. With arguments as `deno test` does; without any, all of them, in groups of which
 * several run at a time: most tests wait for processes more than they compute. What a group prints
 * is shown when it has ended. Ends with status 1 if a test failed.
 *
 *     deno task test [FILE or flag of deno test]…
 *
 * @module
 */

const PERMISSIONS = ["net", "read", "write", "env", "run", "sys"].map((name) => `--allow-${name}`);

/** Takes long, in processes that it starts. */
const END_TO_END = "tests/e2e";

/** Groups that the files there are dealt to. */
const HANDS = 3;

/** Measures time and load, so it comes last, when least is going on besides. */
const MEASURING = "tests/net";

/** Arguments of `deno test` that take all tests between them. */
async function groups(): Promise<string[][]> {
  const files = (await Array.fromAsync(Deno.readDir(END_TO_END)))
    .map(({ name }) => name).filter((name) => name.endsWith("_test.ts")).sort();
  const dealt = Array.from(
    { length: HANDS },
    (_, hand) => files.filter((_, i) => i % HANDS === hand).map((name) => `${END_TO_END}/${name}`),
  );
  return [[`--ignore=${MEASURING},${END_TO_END}`], ...dealt, [MEASURING]];
}

/** `deno test` with these arguments. */
function denoTest(args: readonly string[], stdout: "inherit" | "piped"): Deno.ChildProcess {
  const command = ["test", ...PERMISSIONS, ...args];
  return new Deno.Command(Deno.execPath(), { args: command, stdout, stderr: stdout }).spawn();
}

/** Runs a group, then shows what it printed. */
async function runGroup(args: readonly string[]): Promise<boolean> {
  const name = `deno test ${args.join(" ")}`;
  console.log(`begins: ${name}`);
  const child = denoTest(args, "piped");
  const [shown] = await Promise.all([text(child.stdout, child.stderr), child.status]);
  console.log(`\n${name}\n${shown}`);
  return (await child.status).success;
}

/** What comes on both, in the order in which it comes. */
async function text(...outputs: ReadableStream<Uint8Array>[]): Promise<string> {
  const chunks: string[] = [];
  await Promise.all(outputs.map(async (output) => {
    for await (const chunk of output.pipeThrough(new TextDecoderStream())) chunks.push(chunk);
  }));
  return chunks.join("");
}

/** Runs all groups. */
async function runAll(): Promise<boolean> {
  const left = await groups();
  const passed: boolean[] = [];
  const atOnce = Math.min(navigator.hardwareConcurrency + 1, left.length);
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let group = left.shift(); group; group = left.shift()) passed.push(await runGroup(group));
  }));
  return passed.every((each) => each);
}

if (import.meta.main) {
  const passed = Deno.args.length === 0
    ? await runAll()
    : (await denoTest(Deno.args, "inherit").status).success;
  Deno.exit(passed ? 0 : 1);
}
