import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
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

/** A link that belongs to another user. */
async function strangersLink(target: string, path: string): Promise<void> {
  await Deno.symlink(target, path);
  const { code } = await new Deno.Command("chown", { args: ["-h", "12345", path] }).output();
  assertEquals(code, 0);
}

Deno.test("VarDir.take() takes a directory by way of links of this user, and below sticky ones", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tmp/real/sub`, { recursive: true });
    await Deno.chmod(`${folder}/tmp`, 0o1777);
    await Deno.symlink("tmp/real", `${folder}/link`);
    await Deno.symlink(`${folder}/link/sub`, `${folder}/another`);
    await using dir = await VarDir.take(`${folder}/another/../var`);
    const real = await Deno.realPath(`${folder}/tmp/real/var`);
    assertEquals(dir.logFile, `${real}/circuit.log`);
  }));

Deno.test("VarDir.take() names what is at fault on the way", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/open/own`, { recursive: true });
    await Deno.chmod(`${folder}/open`, 0o777);
    const open = await Deno.realPath(`${folder}/open`);
    await Deno.symlink("open/own", `${folder}/link`);
    for (const path of [`${folder}/open/own`, `${folder}/open/own/new`, `${folder}/link`]) {
      const error = await assertRejects(() => VarDir.take(path), CircuitError);
      assertEquals(error.code, "DENIED");
      assertStringIncludes(error.message, `all users of this machine can write in ${open}, want`);
    }
    await Deno.symlink("round", `${folder}/round`);
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const [path, why] of [["round", "too many links"], ["file/x", "file is a file"]]) {
      const error = await assertRejects(() => VarDir.take(`${folder}/${path}`), CircuitError);
      assertEquals(error.code, "BAD_REQUEST");
      assertStringIncludes(error.message, String(why));
    }
  }));

Deno.test({
  name: "VarDir.take() does not go by what another user may exchange",
  ignore: Deno.uid() !== 0,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/theirs/own`, { recursive: true });
      await Deno.mkdir(`${folder}/own`);
      await Deno.chown(`${folder}/theirs`, 12_345, null);
      await strangersLink(`${folder}/own`, `${folder}/link`);
      for (
        const [path, fault] of [["theirs/own", "theirs"], ["link", "link"], ["link/x", "link"]]
      ) {
        const error = await assertRejects(() => VarDir.take(`${folder}/${path}`), CircuitError);
        assertEquals(error.code, "DENIED");
        assertMatch(error.message, new RegExp(`/${fault} belongs to user 12345`));
      }
      assertEquals([...Deno.readDirSync(`${folder}/own`)], []);
    }),
});

Deno.test({
  name: "VarDir.take() follows no link of another user in the directory",
  ignore: Deno.uid() !== 0,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/precious`, "precious");
      for (const name of ["lock", "circuit.log", "children.json"]) {
        const path = `${folder}/var-${name}`;
        await Deno.mkdir(path);
        await strangersLink(`${folder}/precious`, `${path}/${name}`);
        const error = await assertRejects(() => VarDir.take(path), CircuitError);
        assertEquals(error.code, "DENIED");
        assertStringIncludes(error.message, `${name}: it belongs to user 12345`);
        await Deno.remove(`${path}/${name}`);
        // It is free again.
        await using _dir = await VarDir.take(path);
      }
      assertEquals(await Deno.readTextFile(`${folder}/precious`), "precious");
    }),
});

Deno.test("recordChildren() replaces the list and what a crash has left of one", () =>
  inFolder(async (folder) => {
    await using dir = await VarDir.take(folder);
    await Deno.writeTextFile(`${folder}/precious`, "precious");
    await Deno.symlink(`${folder}/precious`, `${folder}/children.json.new`);
    await dir.recordChildren([]);
    assertEquals(await Deno.readTextFile(`${folder}/children.json`), '{"children":[]}\n');
    assertEquals(await Deno.readTextFile(`${folder}/precious`), "precious");
    await dir.recordChildren(['{"path":"/X1"}']);
    assertStringIncludes(await Deno.readTextFile(`${folder}/children.json`), '{"path":"/X1"}');
    assertEquals(
      [...Deno.readDirSync(folder)].map(({ name }) => name).sort(),
      ["children.json", "lock", "precious"],
    );
  }));
