/**
 * The commands for containers, over two servers, with podman or Docker. They are skipped where that cannot run
 * containers.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { containersOnBothRoutes, containerTest, untilNone } from "../container_tests.ts";
import { ENGINE_MS, IMAGE } from "../containers.ts";
import { assertRefused } from "../refused.ts";
import { run, RunningTool, tool } from "../tool.ts";
import { until, within } from "../until.ts";

containersOnBothRoutes(
  "mkdkr and the commands for what it makes",
  async ({ near, far }, lab, { program }) => {
    const options = program ? { program } : {};
    const at = ["-d", near.address];
    const path = `${far.path}/dkr`;
    const stdin = JSON.stringify({
      iMAGE: IMAGE,
      PATH: "/bin/sh",
      args: ["-c", 'read x; echo "$x $A"; exit 3'],
      Env: ["A=1"],
      Dir: "",
      Volume: null,
      memory: 0,
    });
    assertEquals(await run(["mkdkr", ...at, path], { stdin, ...options }), "");
    assertMatch(await run(["ls", ...at, "-l", `${far.path}/...`], options), /^docker +\/.*\/dkr$/m);
    const state = JSON.parse(await run(["peek", ...at, path], options));
    assertEquals(state.State.Status, "running");
    await run(["stdin", ...at, path], { stdin: "hello\n", ...options });
    assertEquals(await run(["stdout", ...at, path], options), "hello 1\n");
    assertEquals(await run(["stderr", ...at, path], options), "");
    assertEquals(JSON.parse(await run(["wait", ...at, path], options)).State.ExitCode, 3);
    const all = await tool(["waitall", ...at], { stdin: path, ...options });
    assertEquals([all.code, all.stdout], [1, `${path}\texit status 3\n`]);
    await run(["scrub", ...at, path], options);

    const going = `${far.path}/going`;
    await run(["mkdkr", "-scrub", ...at, going], {
      stdin: JSON.stringify({ Image: IMAGE, Path: "sleep", Args: ["1000"] }),
      ...options,
    });
    await run(["signal", ...at, "KILL", going], options);
    await until("it to go", () => run(["peek", ...at, going], options), (it) => it === "null\n");
    await untilNone(lab);
  },
);

containerTest("mkdkr says what is wrong in a line", async ({ near, far }) => {
  const args = ["mkdkr", "-d", near.address, `${far.path}/dkr`];
  const failures: [string, RegExp][] = [
    ["", /standard input is empty/],
    ["{}", /the container: "Image" is missing/],
    ['{"Image": ""}', /image is empty/],
    ['{"Image": "x", "Imgae": "y"}', /unknown key "Imgae": did you mean "Image"\?/],
    ['{"Image": "x", "Memory": "64m"}', /Memory: want a whole number from 0 to/],
    [JSON.stringify({ Image: IMAGE, Path: "/no/such" }), /cannot start the container at .*\/dkr/],
  ];
  for (const [stdin, message] of failures) await assertRefused(args, message, { stdin });
  assertEquals(await run(["ls", "-d", near.address, far.path]), "");
});

containerTest(
  "mkdkr that is interrupted while it pulls leaves nothing",
  async ({ near, far }, lab) => {
    using registry = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const image = `127.0.0.1:${registry.addr.port}/none`;
    const path = `${far.path}/dkr`;
    await using making = new RunningTool(["mkdkr", "-d", near.address, path]);
    await making.write(JSON.stringify({ Image: image }));
    await making.closeStdin();
    using _pulling = await within(ENGINE_MS, "the pull", registry.accept());
    making.kill("SIGINT");
    assertEquals((await making.result()).code, 130);
    const list = () => run(["ls", "-d", near.address, far.path]);
    await until("the anchor to be gone", list, (text) => text === "", { within: ENGINE_MS });
    assertEquals(await lab.names(), []);
  },
);
