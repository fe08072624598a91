import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CircuitError, type ErrorCode } from "../../overlay/errors.ts";
import { Hosted, PATH } from "./_testing/hosted.ts";
import type { Cmd } from "./description.ts";
import { Patience } from "../launch/patience.ts";
import { findProgram } from "../launch/program.ts";

/** A directory that is gone at the end of the block. */
async function directory(dir?: string) {
  const path = await Deno.realPath(await Deno.makeTempDir(dir === undefined ? {} : { dir }));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Asserts that a command is refused with that code, and a message with all those texts. */
async function refused(cmd: Cmd, code: ErrorCode, ...texts: string[]): Promise<void> {
  const error = await assertRejects(() => Hosted.start(cmd), CircuitError);
  assertEquals(error.code, code, error.message);
  for (const text of [...texts, PATH]) assertStringIncludes(error.message, text);
}

async function printed(cmd: Cmd): Promise<string> {
  await using hosted = await Hosted.start(cmd);
  return await hosted.text("stdout");
}

Deno.test("spawn() says that there is no such program", async () => {
  await refused({ path: "no-such-program" }, "NOT_FOUND", '"no-such-program"', "PATH");
  await refused({ path: "/no/such/program" }, "NOT_FOUND", '"/no/such/program"', "no such program");
  await refused({ path: "/bin/sh/program" }, "NOT_FOUND", '"/bin/sh/program"', "no such program");
  await refused({ path: "" }, "BAD_REQUEST", "empty");
});

Deno.test("spawn() says that there is no such directory", async () => {
  await refused({ path: "/bin/sh", dir: "/no/such" }, "NOT_FOUND", '"/no/such"', "directory");
  await refused({ path: "./sh", dir: "/no/such" }, "NOT_FOUND", '"/no/such"', "directory");
  await refused({ path: "sh", dir: "/bin/sh" }, "NOT_FOUND", '"/bin/sh" is not a directory');
});

Deno.test("spawn() says what is wrong with a file that is no program", async () => {
  // The line that names an interpreter ends the name at a blank.
  await using dir = await directory(/\s/.test(Deno.env.get("TMPDIR") ?? "") ? "/tmp" : undefined);
  const write = async (name: string, text: string, mode: number) => {
    await Deno.writeTextFile(`${dir.path}/${name}`, text);
    await Deno.chmod(`${dir.path}/${name}`, mode);
    return `${dir.path}/${name}`;
  };
  const plain = await write("plain", "#!/bin/sh\n", 0o644);
  await refused({ path: plain }, "DENIED", `"${plain}" is not executable`);
  await refused({ path: dir.path }, "DENIED", `"${dir.path}" is a directory`);
  const bare = await write("bare", "echo hi\n", 0o755);
  await refused({ path: bare }, "BAD_REQUEST", "exec format error");
  await refused({ path: await write("empty", "", 0o755) }, "BAD_REQUEST", "exec format error");
  const lost = await write("lost", "#!/no/such/interpreter\n", 0o755);
  await refused({ path: lost }, "NOT_FOUND", "interpreter", `"${lost}"`);
  const dos = await write("dos", "#!/bin/sh\r\necho\r\n", 0o755);
  await refused({ path: dos }, "NOT_FOUND", "carriage return", `"${dos}"`);
  const second = await write("second", `#!${bare}\n`, 0o755);
  await refused({ path: second }, "BAD_REQUEST", "exec format error", `"${bare}"`);
});

Deno.test("spawn() says what is wrong with a name", async () => {
  await using dir = await directory();
  const loop = `${dir.path}/loop`;
  await Deno.symlink(loop, loop);
  await refused({ path: loop }, "BAD_REQUEST", "symbolic links");
  await refused({ path: "/bin/true", dir: loop }, "BAD_REQUEST", "symbolic links");
  const long = `${dir.path}/${"x".repeat(300)}`;
  await refused({ path: long }, "BAD_REQUEST", "too long");
  await refused({ path: "/bin/true", dir: long }, "BAD_REQUEST", "too long");
});

for (const tied of [false, true]) {
  const how = tied ? "a tied process" : "a process";
  Deno.test({
    name: `spawn() lets no shell execute ${how} that the system does not execute`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using dir = await directory();
      const file = `${dir.path}/program`;
      const script = new TextEncoder().encode("\ntouch ran\n");
      const own = (await Deno.readFile("/bin/true")).subarray(0, 64);
      // Cut off behind its header; with a damaged header; for another machine.
      const damaged = own.with(54, 1);
      const foreign = own.with(18, 0x15);
      for (const head of [own, damaged, foreign, new Uint8Array(64)]) {
        await Deno.writeFile(file, new Uint8Array([...head, ...script]), { mode: 0o755 });
        const error = await assertRejects(
          () => Hosted.start({ path: file, dir: dir.path }, tied),
          CircuitError,
        );
        assertEquals(error.code, "BAD_REQUEST", error.message);
        assertStringIncludes(error.message, "exec format error");
        await assertRejects(() => Deno.stat(`${dir.path}/ran`), Deno.errors.NotFound);
      }
    },
  });

  Deno.test({
    name: `spawn() says that the file of ${how} is open for writing`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using dir = await directory();
      const file = `${dir.path}/program`;
      await Deno.copyFile("/bin/true", file);
      {
        using _writer = await Deno.open(file, { write: true });
        const error = await assertRejects(() => Hosted.start({ path: file }, tied), CircuitError);
        assertEquals([error.code, error.message.includes("open for writing")], ["BUSY", true]);
      }
      await using hosted = await Hosted.start({ path: file }, tied);
      assertEquals((await hosted.wait()).exitCode, 0);
    },
  });

  Deno.test(`spawn() keeps what ${how} says that ends as the tools do`, async () => {
    for (const code of [126, 127]) {
      const script = `echo "x: /bin/sh: no" >&2; exit ${code}`;
      await using hosted = await Hosted.start({ path: "/bin/sh", args: ["-c", script] }, tied);
      assertEquals(await hosted.text("stderr"), "x: /bin/sh: no\n");
      assertEquals((await hosted.wait()).exitCode, code);
    }
  });
}

Deno.test("spawn() leaves to the system what .. means behind a link", async () => {
  await using dir = await directory();
  await Deno.mkdir(`${dir.path}/real/sub`, { recursive: true });
  await Deno.mkdir(`${dir.path}/t`);
  await Deno.symlink(`${dir.path}/real/sub`, `${dir.path}/t/l`);
  for (const [folder, word] of [["t", "wrong"], ["real", "right"]]) {
    const script = `#!/bin/sh\necho ${word}; pwd -P\n`;
    await Deno.writeTextFile(`${dir.path}/${folder}/prog`, script, { mode: 0o755 });
  }
  const real = `right\n${dir.path}/real\n`;
  assertEquals(
    await printed({ path: "t/l/../prog", dir: `${dir.path}/t/../t/l/../..` }),
    real.replace("/real\n", "\n"),
  );
  assertEquals(await printed({ path: "./prog", dir: `${dir.path}/t/l/..` }), real);
  assertEquals(await printed({ path: `${dir.path}/t/l/../prog`, dir: `${dir.path}/real` }), real);
});

Deno.test("spawn() refuses too long arguments and malformed environments", async () => {
  const args = new Array(100).fill("x".repeat(100_000));
  await refused({ path: "/bin/echo", args }, "BAD_REQUEST", "too long");
  await refused({ path: "/bin/echo", env: ["A=1", "B"] }, "BAD_REQUEST", "NAME=VALUE", '"B"');
});

Deno.test("spawn() passes arguments as they are, without a shell", async () => {
  const args = ["%s|", "a b", "$HOME", "*", "", ";exit"];
  assertEquals(await printed({ path: "printf", args }), "a b|$HOME|*||;exit|");
});

Deno.test("spawn() takes a path with a slash as relative to dir", async () => {
  await using dir = await directory();
  await Deno.mkdir(`${dir.path}/sub`);
  await Deno.writeTextFile(`${dir.path}/sub/here`, "#!/bin/sh\npwd -P\n");
  await Deno.chmod(`${dir.path}/sub/here`, 0o755);
  assertEquals(await printed({ path: "./here", dir: `${dir.path}/sub` }), `${dir.path}/sub\n`);
  assertEquals(await printed({ path: "sub/here", dir: dir.path }), `${dir.path}\n`);
  await refused({ path: "here", dir: `${dir.path}/sub` }, "NOT_FOUND", "PATH");
});

Deno.test("spawn() replaces the environment with env, and inherits it without", async () => {
  assertEquals(await printed({ path: "env", env: ["A=1", "B=x=y", "C="] }), "A=1\nB=x=y\nC=\n");
  assertEquals(await printed({ path: "env", env: [] }), "");
  assertStringIncludes(await printed({ path: "env" }), `PATH=${Deno.env.get("PATH")}`);
});

Deno.test("spawn() looks names up in the server's PATH, also when env has another", async () => {
  assertEquals(await printed({ path: "env", env: ["PATH=/no/such"] }), "PATH=/no/such\n");
});

Deno.test("spawn() runs in the server's directory without dir, or with an empty one", async () => {
  const here = `${await Deno.realPath(".")}\n`;
  assertEquals(await printed({ path: "/bin/sh", args: ["-c", "pwd -P"] }), here);
  assertEquals(await printed({ path: "/bin/sh", args: ["-c", "pwd -P"], dir: "" }), here);
});

Deno.test("findProgram() passes over relative directories and what is not executable", async () => {
  await using dir = await directory();
  await Deno.writeTextFile(`${dir.path}/sh`, "text");
  await Deno.chmod(`${dir.path}/sh`, 0o644);
  const find = (search: string) => findProgram("sh", "/", search, new Patience());
  assertEquals(await find(`:.:bin:${dir.path}:/bin`), { file: "/bin/sh" });
  const found = await find(dir.path);
  assert("code" in found);
  assertEquals(found.code, "DENIED");
});
