/**
 * Runs the tests. With arguments as `deno test` does; without any, all of them, in groups of which
 * several run at a time: most tests wait for processes more than they compute. Types are checked
 * once beside them, not by each group. With `--dealt`, the files of one folder under `tests/`, not
 * of its subfolders, run in such groups, and types are not checked. What a group prints is shown when
 * it has ended. Ends with status 1 if a test or a type is wrong.
 *
 *     deno task test [FILE or flag of deno test]…
 *     deno task test --dealt FOLDER
 *
 * @module
 */

/**
 * What `deno test` always gets: what the tool gets, since tests do what it does. Those that judge
 * memory collect garbage first.
 */
const FLAGS = ["--v8-flags=--expose-gc", "--allow-all"];

/** Folders whose tests take long, in processes that they start. */
const IN_PROCESSES = ["tests/e2e", "tests/library"];

/** Files of a group. */
const HAND_FILES = 4;

/** Measures time and load, so it comes last, when least is going on besides. */
const MEASURING = "tests/net";

/** Of these, what takes long and waits for most of its time. */
const WAITING = ["forty", "loss"].map((name) => `${MEASURING}/${name}_test.ts`);

/** Commands that check all types and run all tests between them. */
async function all(): Promise<string[][]> {
  const measuring = await testsIn(MEASURING);
  return [
    testing([`--ignore=${[MEASURING, ...IN_PROCESSES].join(",")}`]),
    ["check", "--quiet"],
    ...await dealt(IN_PROCESSES),
    ...WAITING.map((file) => testing([file])),
    testing(measuring.filter((file) => !WAITING.includes(file))),
  ];
}

/**
 * Commands that run the tests in folders, dealt between them so that all take about as long: the
 * largest files first, there and back again, for what is long to read mostly takes long to run.
 */
async function dealt(folders: readonly string[]): Promise<string[][]> {
  const files = (await Promise.all(folders.map(testsIn))).flat();
  const sized = files.map((file) => ({ file, size: Deno.statSync(file).size }));
  sized.sort((a, b) => b.size - a.size);
  const hands = Math.ceil(files.length / HAND_FILES);
  const groups = Array.from({ length: hands }, (): string[] => []);
  sized.forEach(({ file }, i) => {
    const at = i % (2 * hands);
    groups[at < hands ? at : 2 * hands - 1 - at]?.push(file);
  });
  return groups.map(testing);
}

/** The files in a folder that hold tests. */
async function testsIn(folder: string): Promise<string[]> {
  const files = (await Array.fromAsync(Deno.readDir(folder)))
    .map(({ name }) => name).filter((name) => name.endsWith("_test.ts")).sort();
  if (files.length === 0) throw new Error(`there are no tests in ${folder}`);
  return files.map((name) => `${folder}/${name}`);
}

/** The command that runs these tests. */
function testing(args: readonly string[]): string[] {
  return ["test", "--no-check", ...FLAGS, ...args];
}

/** Starts `deno` with these arguments. */
function deno(args: readonly string[], stdout: "inherit" | "piped"): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), { args: [...args], stdout, stderr: stdout }).spawn();
}

/** Runs a group's command, then shows what it printed. */
async function runGroup(args: readonly string[]): Promise<boolean> {
  const name = `deno ${args.filter((arg) => !FLAGS.includes(arg)).join(" ")}`;
  console.log(`begins: ${name}`);
  const child = deno(args, "piped");
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

/** Runs the commands of groups, several at a time. */
async function runGroups(groups: readonly string[][]): Promise<boolean> {
  const left = [...groups];
  const passed: boolean[] = [];
  const atOnce = Math.min(navigator.hardwareConcurrency + 1, left.length);
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let group = left.shift(); group; group = left.shift()) passed.push(await runGroup(group));
  }));
  return passed.every((each) => each);
}

/** Does what a command line says. */
async function main(args: readonly string[]): Promise<boolean> {
  const [first, folder, ...rest] = args;
  if (first === undefined) return await runGroups(await all());
  if (first !== "--dealt") {
    return (await deno(["test", ...FLAGS, ...args], "inherit").status).success;
  }
  if (folder === undefined || rest.length > 0) throw new Error("--dealt takes one folder");
  return await runGroups(await dealt([folder]));
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
