/**
 * Processes whose output their server keeps, of the library and of the tool, over two servers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { textOf } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertRefused } from "../refused.ts";
import { onBothRoutes } from "../routes.ts";
import { run, RunningTool, tool } from "../tool.ts";
import { untilCalls } from "../traces.ts";

/** Bytes of the lines that `seq FIRST LAST` prints, all of one length. */
function lines(first: number, last: number): string {
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}\n`).join("");
}

onBothRoutes("Keep: readers get what is kept and follow, with and without -f", async (
  { near, far },
  { program },
) => {
  const options = program ? { program } : {};
  const at = ["-d", near.address];
  const path = `${far.path}/job`;
  const command = { Path: "/bin/sh", Args: ["-c", "echo begin; cat; echo end >&2"], Keep: 1000 };
  await run(["mkproc", ...at, path], { stdin: JSON.stringify(command), ...options });
  await using plain = new RunningTool(["stdout", ...at, path], options);
  await using follow = new RunningTool(["stdout", "-f", ...at, path], options);
  assertEquals([await plain.stdout.line(), await follow.stdout.line()], ["begin", "begin"]);
  await run(["stdin", ...at, path], { stdin: "more\n", ...options });
  for (const reader of [plain, follow]) {
    assertEquals(await reader.result(), { code: 0, stdout: "more\n", stderr: "" });
  }
  // It survives the exit, for any number of readers.
  assertEquals(JSON.parse(await run(["wait", ...at, path], options)).ExitCode, 0);
  for (let reader = 0; reader < 2; reader++) {
    assertEquals(await run(["stdout", ...at, path], options), "begin\nmore\n");
    assertEquals(await run(["stderr", "-follow", ...at, path], options), "end\n");
  }
});

onBothRoutes("Keep: late readers are told what came before", async (
  { near, far },
  { program },
) => {
  const options = program ? { program } : {};
  await using client = await dialTo(near);
  const path = `${far.path}/job`;
  const proc = await client.anchor(path).makeProc({
    path: "seq",
    args: ["1000000", "1199999"],
    keep: 800,
  });
  // Nobody reads, and it ends.
  await proc.wait();
  const kept = lines(1_199_900, 1_199_999);
  assertEquals(await textOf(proc.stdout()), kept);
  const dropped = { stdout: 200_000 * 8 - 800, stderr: 0 };
  assertEquals((await proc.peek()).dropped, dropped);
  assertEquals(await tool(["stdout", "-d", near.address, path], options), {
    code: 0,
    stdout: kept,
    stderr: `circuit: ${dropped.stdout} bytes before this are no longer kept\n`,
  });
  assertEquals(JSON.parse(await run(["peek", "-d", near.address, path], options)).Dropped, dropped);
});

onBothRoutes(
  "Keep: a reader that is too slow is told how much it missed",
  async ({ near, far }) => {
    await using client = await dialTo(near);
    const path = `${far.path}/job`;
    const proc = await client.anchor(path).makeProc({ path: "cat", keep: 1000 });
    const slow = proc.stdout().getReader();
    const writer = proc.stdin().getWriter();
    await writer.write(new TextEncoder().encode(lines(1_000_000, 1_000_000)));
    let seen = (await slow.read()).value?.length ?? 0;
    const rest = lines(1_000_001, 1_999_999);
    await writer.write(new TextEncoder().encode(rest));
    await writer.close();
    await proc.wait();
    const reading = (async () => {
      for (let next = await slow.read(); !next.done; next = await slow.read()) {
        seen += next.value.length;
      }
    })();
    const error = await assertFails("ABORTED", reading);
    const missed = Number(
      /missed (\d+) bytes, for the last 1000 are kept/.exec(error.message)?.[1],
    );
    assert(missed > 0 && seen + missed <= 8 + rest.length, `${error.message}; it saw ${seen}`);
    // Whoever comes now gets what is kept.
    assertEquals(await textOf(proc.stdout()), rest.slice(-1000));
  },
);

circuitTest("Keep is refused beyond its limit, and survives no scrub", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/job`;
  const anchor = client.anchor(path);
  const most = 64 * 1024 * 1024;
  for (const keep of [most + 1, -1, 1.5]) {
    const error = await assertFails("BAD_REQUEST", anchor.makeProc({ path: "cat", keep }));
    assertMatch(error.message, new RegExp(`keep: want a whole number from 0 to ${most}, not`));
    const stdin = JSON.stringify({ Path: "cat", Keep: keep });
    await assertRefused(["mkproc", "-d", near.address, path], /Keep: want a whole number/, {
      stdin,
    });
  }
  assertEquals(await anchor.get(), undefined);
  const proc = await anchor.makeProc({ path: "cat", keep: most });
  const reading = assertFails("ABORTED", textOf(proc.stdout()));
  await untilCalls(client, far, 1);
  await proc.scrub();
  await reading;
  await assertFails("NOT_FOUND", textOf(proc.stdout()));
});
