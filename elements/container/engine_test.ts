import { assert, assertEquals, assertRejects } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { Launcher } from "../launch/launcher.ts";
import { Engine, findEngine, reasonOf } from "./engine.ts";

/** A directory with these commands in it, each a script. */
async function withCommands(
  scripts: Readonly<Record<string, string>>,
  run: (launcher: Launcher, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, script] of Object.entries(scripts)) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    await run(new Launcher({ search: folder }), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const PODMAN = "exit 0";

Deno.test("findEngine() takes docker where it reaches an engine", () =>
  withCommands({ docker: "echo 28.2.2", podman: PODMAN }, async (launcher) => {
    assertEquals((await findEngine(launcher)).name, "docker");
  }));

Deno.test("findEngine() takes podman where docker reaches none, or is not there", async () => {
  const docker = "echo 'Cannot connect to the Docker daemon' >&2; exit 1";
  await withCommands({ docker, podman: PODMAN }, async (launcher) => {
    assertEquals((await findEngine(launcher)).name, "podman");
  });
  await withCommands({ podman: PODMAN }, async (launcher) => {
    assertEquals((await findEngine(launcher)).name, "podman");
  });
});

Deno.test("findEngine() says what it tried", async () => {
  const docker = "echo 'Cannot connect to the Docker daemon at x' >&2; exit 1";
  await withCommands({ docker }, async (launcher) => {
    const error = await assertRejects(() => findEngine(launcher), CircuitError);
    assertEquals(error.code, "UNSUPPORTED");
    assert(error.message.includes("docker reaches no engine: Cannot connect to the Docker daemon"));
    assert(error.message.includes("podman: there is no program of that name"), error.message);
  });
});

Deno.test("findEngine() and run() are cancelled at once", () =>
  withCommands({ docker: "exec sleep 1000" }, async (launcher, folder) => {
    const cancel = new AbortController();
    const finding = assertRejects(() => findEngine(launcher, cancel.signal), CircuitError);
    const engine = new Engine("docker", `${folder}/docker`, launcher);
    const running = assertRejects(() => engine.run(["pull"], cancel.signal), CircuitError);
    cancel.abort();
    assertEquals((await finding).code, "ABORTED");
    assertEquals((await running).code, "ABORTED");
    const late = await assertRejects(() => engine.run(["pull"], cancel.signal), CircuitError);
    assertEquals([late.code, late.message.includes("docker pull")], ["ABORTED", true]);
  }));

Deno.test("run() passes arguments on as they are, and keeps a bounded part of the answer", () =>
  withCommands(
    { docker: 'printf "%s|" "$@"; head -c 1000000 /dev/zero' },
    async (launcher, folder) => {
      const engine = new Engine("docker", `${folder}/docker`, launcher);
      const { ok, stdout } = await engine.run(["a b", "$HOME", "-x"]);
      assertEquals([ok, stdout.length, stdout.slice(0, 13)], [true, 256 * 1024, "a b|$HOME|-x|"]);
    },
  ));

Deno.test("reasonOf() finds what an engine says went wrong", () => {
  const reasons: [string, string][] = [
    ["Error: no such image\n", "no such image"],
    ["Error response from daemon: No such image: x\nError: failed to start\n", "No such image: x"],
    ["docker: Error response from daemon: bad\nSee 'docker create --help'.\n", "bad"],
    ['time="…" level=warning msg="retrying"\nError: pull failed\n', "pull failed"],
    ["Unable to find it\ninvalid reference format\n", "invalid reference format"],
    ["\n", "it does not say why"],
  ];
  for (const [text, reason] of reasons) assertEquals(reasonOf(text), reason);
});
