import { assert, assertEquals } from "@std/assert";
import { eventually, Hosted } from "./_testing/hosted.ts";
import { needsFiles } from "../../tests/limits.ts";

/** Processes started one after the other. */
const IN_A_ROW = 1000;

/** Processes that run at once. */
const AT_ONCE = 200;

/** Prints a line for each process that begins with its state and its parent. */
const STATES = Deno.build.os === "linux"
  ? "sed 's/^.*) //' /proc/[0-9]*/stat 2> /dev/null"
  : "ps -A -o state= -o ppid=";

async function linesOf(script: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

/** This process's open files and its children that nobody has waited for. */
async function leftovers(): Promise<{ files: number; zombies: number }> {
  const files = await linesOf(`ls /proc/${Deno.pid}/fd 2>/dev/null || lsof -p ${Deno.pid}`);
  const states = await linesOf(STATES);
  assert(states.length > 1, `${STATES} tells of no processes`);
  const zombie = new RegExp(`^\\s*Z\\S*\\s+${Deno.pid}\\b`);
  return { files: files.length, zombies: states.filter((line) => zombie.test(line)).length };
}

/** Waits until there is no more than before; a test that waits in vain is stopped. */
async function noMoreThan(before: { files: number; zombies: number }): Promise<void> {
  await eventually(async () => {
    const { files, zombies } = await leftovers();
    return files <= before.files && zombies <= before.zombies;
  });
}

Deno.test("makeProc() leaves nothing of a thousand processes in a row", async () => {
  await using first = await Hosted.start({ path: "true" });
  await first.wait();
  await first.element.released;
  const before = await leftovers();
  for (let round = 0; round < IN_A_ROW; round++) {
    await using hosted = await Hosted.start({ path: "true" });
    assertEquals((await hosted.wait()).exit, null);
  }
  await noMoreThan(before);
});

/** Files that are open for {@linkcode AT_ONCE} processes. */
const { needs, ignore } = needsFiles(1_000);

Deno.test(
  `makeProc() leaves nothing of two hundred processes at once${needs}`,
  { ignore },
  async () => {
    const before = await leftovers();
    const starts = Array.from(
      { length: AT_ONCE },
      (_, index) => Hosted.start({ path: "cat", keep: index % 2 === 0 ? 0 : 100 }),
    );
    const all = await Promise.all(starts);
    await Promise.all(all.map(async (hosted, index) => {
      const output = hosted.text("stdout");
      await hosted.feed(`${index}`);
      assertEquals(await output, `${index}`);
      assertEquals((await hosted.wait()).exit, null);
      await hosted.element.released;
    }));
    await noMoreThan(before);
    for (const hosted of all) hosted.scrub();
  },
);

Deno.test("makeProc() leaves nothing of processes that nobody read and nobody scrubbed", async () => {
  const before = await leftovers();
  const all = await Promise.all(
    Array.from({ length: 20 }, () => Hosted.start({ path: "seq", args: ["1", "5000"] })),
  );
  await Promise.all(all.map((hosted) => hosted.element.released));
  await noMoreThan(before);
  for (const hosted of all) {
    assertEquals((await hosted.text("stdout")).length, 23_893);
    hosted.scrub();
  }
});

Deno.test("makeProc() leaves nothing behind when it fails", async () => {
  const before = await leftovers();
  for (let round = 0; round < 100; round++) {
    await Hosted.start({ path: "/no/such" }).catch(() => {});
    await Hosted.start({ path: "true", dir: "/no/such" }).catch(() => {});
    await Hosted.start({ path: "/bin" }).catch(() => {});
  }
  await noMoreThan(before);
});
