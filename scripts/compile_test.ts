// Tests of scripts/compile.ts. One makes a real executable; it needs a runtime
// stub of the running Deno in DENORT_BIN, since most are too big to fetch here.

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { compile, targetOf } from "./compile.ts";

const LINUX_X64 = "7f454c46020101000000000000000000";
const MACOS = "cffaedfe";

const HEADERS: readonly [string, string, string | undefined][] = [
  ["Linux on x86-64", `${LINUX_X64}03003e00`, "x86_64-unknown-linux-gnu"],
  ["Linux on arm64", `${LINUX_X64}0300b700`, "aarch64-unknown-linux-gnu"],
  ["Linux on RISC-V", `${LINUX_X64}0300f300`, undefined],
  ["macOS on x86-64", `${MACOS}07000001${"00".repeat(12)}`, "x86_64-apple-darwin"],
  ["macOS on arm64", `${MACOS}0c000001${"00".repeat(12)}`, "aarch64-apple-darwin"],
  ["a script", "23212f62696e2f73680a6563686f2068656c6c6f", undefined],
  ["too short", "7f454c46", undefined],
];

const VERSIONED = `import config from "./deno.json" with { type: "json" };
  const { late } = await import(new URL("./late.ts", import.meta.url).href);
  console.log(config.version, late, Deno.permissions.querySync({ name: "ffi" }).state);`;

const STUB = Deno.env.get("DENORT_BIN");

/** A project of one program that goes with the test. */
class Project implements AsyncDisposable {
  readonly said: string[] = [];

  private constructor(readonly root: string) {}

  static async create(program: string): Promise<Project> {
    const root = await Deno.makeTempDir({ prefix: "compile_test-" });
    await Deno.writeTextFile(`${root}/deno.json`, '{ "version": "1.2.3" }');
    await Deno.writeTextFile(`${root}/main.ts`, program);
    await Deno.writeTextFile(`${root}/late.ts`, 'export const late = "loaded late";');
    return new Project(root);
  }

  compile(stub?: string, lock?: string): Promise<boolean> {
    return compile({
      root: this.root,
      include: ["late.ts"],
      lock,
      stub,
      say: (line) => this.said.push(line),
    });
  }

  /** A file that looks like a stub for the target and is none. */
  async falseStub(target: string): Promise<string> {
    const header = HEADERS.find(([, , name]) => name === target)?.[1] ?? "";
    const path = `${this.root}/stub`;
    await Deno.writeFile(path, Uint8Array.fromHex(header), { mode: 0o755 });
    return path;
  }

  async made(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(`${this.root}/dist`)) {
      names.push(name);
    }
    return names.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

Deno.test("targetOf() tells the platform of an executable", async (t) => {
  for (const [name, header, target] of HEADERS) {
    await t.step(name, () => {
      assertEquals(targetOf(Uint8Array.fromHex(header)), target);
    });
  }
});

Deno.test("targetOf() knows the running Deno", async () => {
  using file = await Deno.open(Deno.execPath());
  const header = new Uint8Array(64);
  await file.read(header);
  assertEquals(targetOf(header), Deno.build.target);
});

Deno.test("compile() refuses a stub for another platform", async () => {
  await using project = await Project.create(VERSIONED);
  const other = Deno.build.target === "aarch64-apple-darwin"
    ? "x86_64-unknown-linux-gnu"
    : "aarch64-apple-darwin";
  const stub = await project.falseStub(other);
  const error = await assertRejects(() => project.compile(stub), Error, stub);
  assertStringIncludes(error.message, other);
  assertStringIncludes(error.message, Deno.build.target);
});

Deno.test("compile() refuses a stub that is missing or no executable", async () => {
  await using project = await Project.create(VERSIONED);
  await assertRejects(() => project.compile("/nowhere"), Error, "/nowhere");
  const script = `${project.root}/main.ts`;
  await assertRejects(() => project.compile(script), Error, script);
});

Deno.test("compile() explains a stub that does not work, and leaves nothing", async () => {
  await using project = await Project.create(VERSIONED);
  const stub = await project.falseStub(Deno.build.target);
  assertFalse(await project.compile(stub));
  const said = project.said.join("\n");
  for (const part of [Deno.build.target, "dist/circuit", stub, Deno.version.deno]) {
    assertStringIncludes(said, part);
  }
  assertEquals(await project.made(), ["SHA256SUMS"]);
});

Deno.test("compile() fails for a program with a type error", async () => {
  await using project = await Project.create("const n: number = 'text';");
  assertFalse(await project.compile());
  assertStringIncludes(project.said.join("\n"), "TS2322");
});

Deno.test("compile() stops where the npm packages are not those of the lock file", async () => {
  await using project = await Project.create(VERSIONED);
  const lock = `${project.root}/npm.lock`;
  await Deno.writeTextFile(lock, '{ "version": "none", "specifiers": { "npm:a@1.0.0": "1.0.0" } }');
  assertFalse(await project.compile(undefined, lock));
  assertStringIncludes(project.said.join("\n"), `its npm packages are not those of ${lock}`);
});

Deno.test({
  name: "compile() makes an executable that starts (needs DENORT_BIN)",
  ignore: STUB === undefined,
  fn: async () => {
    await using project = await Project.create(VERSIONED);
    assert(await project.compile(STUB), project.said.join("\n"));
    assertEquals(await project.made(), ["SHA256SUMS", "circuit"]);
    const sums = await Deno.readTextFile(`${project.root}/dist/SHA256SUMS`);
    assertMatch(sums, /^[0-9a-f]{64} {2}circuit\n$/);
    const { stdout } = await new Deno.Command(`${project.root}/dist/circuit`, {
      cwd: "/",
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "1.2.3 loaded late granted\n");
  },
});
