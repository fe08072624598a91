import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { CircuitError } from "../overlay/errors.ts";
import { VarDir } from "./var_dir.ts";

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("VarDir.take() makes a directory that nobody else can look into", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a/b`;
    await using _dir = await VarDir.take(path);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o700); // there are modes on Unix
    assertEquals((await Deno.stat(`${path}/lock`)).mode! & 0o777, 0o600);
  }));

Deno.test("VarDir.take() takes no directory in which others can lay links, and touches nothing", () =>
  inFolder(async (folder) => {
    const path = `${folder}/shared`;
    const target = `${folder}/precious`;
    await Deno.writeTextFile(target, "precious");
    await Deno.mkdir(path);
    await Deno.symlink(target, `${path}/lock`);
    for (const mode of [0o777, 0o1777, 0o702]) {
      await Deno.chmod(path, mode);
      const error = await assertRejects(() => VarDir.take(path), CircuitError);
      assertEquals(error.code, "DENIED");
      assertMatch(error.message, /all users of this machine can write there, want one that only/);
    }
    assertEquals(await Deno.readTextFile(target), "precious");
  }));

Deno.test({
  name: "VarDir.take() takes no directory of another user",
  ignore: Deno.uid() !== 0,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/other`;
      await Deno.mkdir(path);
      await Deno.chown(path, 12_345, null);
      const error = await assertRejects(() => VarDir.take(path), CircuitError);
      assertMatch(error.message, /it belongs to user 12345/);
    }),
});
