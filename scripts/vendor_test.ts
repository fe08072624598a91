// Tests of scripts/vendor.ts: when stand-ins are written, that Deno takes them,
// and that runs beside one another do no harm.

import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { hostFolder, type Outcome, vendor } from "./vendor.ts";

const SOURCES = `${import.meta.dirname}/vendor`;
const SCRIPT = new URL("./vendor.ts", import.meta.url).href;
const CONFIG = new URL("../deno.json", import.meta.url);
const JSR = new URL("https://jsr.example/");

/** How often the concurrent runs are repeated. */
const ROUNDS = 10;

/** A folder that goes with the test, and a JSR that answers or does not. */
class Bench implements AsyncDisposable {
  answers = false;
  questions = 0;

  private constructor(readonly root: string) {}

  static async create(): Promise<Bench> {
    return new Bench(await Deno.makeTempDir({ prefix: "vendor_test-" }));
  }

  get packages(): string {
    return `${this.root}/vendor/jsr.example/@std`;
  }

  run(ask: "once" | "again" | "never" = "once"): Promise<Outcome> {
    return vendor({
      root: this.root,
      sources: SOURCES,
      jsr: JSR,
      ask,
      fetch: () => {
        this.questions++;
        return this.answers
          ? Promise.resolve(Response.json({ versions: {} }))
          : Promise.reject(new TypeError("unreachable"));
      },
    });
  }

  async has(path: string): Promise<boolean> {
    try {
      await Deno.lstat(`${this.root}/${path}`);
      return true;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

/** Runs this Deno and returns what it printed. */
async function deno(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = new TextDecoder();
  return {
    success: output.success,
    stdout: text.decode(output.stdout),
    stderr: text.decode(output.stderr),
  };
}

/** A copy of the project with nothing in it but a program and the stand-ins. */
async function project(root: string, program: string): Promise<void> {
  await Deno.copyFile(CONFIG, `${root}/deno.json`);
  await Deno.writeTextFile(`${root}/program.ts`, program);
  await vendor({
    root,
    sources: SOURCES,
    jsr: new URL("https://jsr.io/"),
    ask: "never",
  });
}

Deno.test("vendor() writes stand-ins once where JSR does not answer", async () => {
  await using bench = await Bench.create();
  assertEquals(await bench.run(), "stand-ins");
  assertEquals(await bench.run(), "nothing");
  assertEquals(bench.questions, 1);
});

Deno.test("vendor() writes nothing where JSR answers, and remembers", async () => {
  await using bench = await Bench.create();
  bench.answers = true;
  assertEquals(await bench.run(), "jsr");
  assertEquals(await bench.run(), "nothing");
  assertEquals(bench.questions, 1);
  assertFalse(await bench.has("vendor/jsr.example"));
});

Deno.test("vendor() takes a page that is not JSR's for no answer", async () => {
  await using bench = await Bench.create();
  const outcome = await vendor({
    root: bench.root,
    sources: SOURCES,
    jsr: JSR,
    fetch: () => Promise.resolve(new Response("<h1>Welcome</h1>")),
  });
  assertEquals(outcome, "stand-ins");
});

Deno.test("vendor() asks again when told to, and goes either way", async () => {
  await using bench = await Bench.create();
  assertEquals(await bench.run(), "stand-ins");
  bench.answers = true;
  assertEquals(await bench.run("again"), "jsr");
  assertFalse(await bench.has("vendor/jsr.example/@std"));
  bench.answers = false;
  assertEquals(await bench.run("again"), "stand-ins");
  assertEquals(await bench.run("again"), "nothing");
  assertEquals(await bench.run(), "nothing");
});

Deno.test("vendor() leaves packages from JSR alone until told otherwise", async () => {
  await using bench = await Bench.create();
  const file = `${bench.packages}/msgpack/meta.json`;
  await Deno.mkdir(`${bench.packages}/msgpack`, { recursive: true });
  await Deno.writeTextFile(file, "from JSR");
  assertEquals(await bench.run(), "nothing");
  assertEquals(await Deno.readTextFile(file), "from JSR");
  assertEquals(bench.questions, 0);
  assertEquals(await bench.run("never"), "stand-ins");
  assertStringIncludes(await Deno.readTextFile(file), "versions");
});

Deno.test("vendor() writes stand-ins without asking when told to", async () => {
  await using bench = await Bench.create();
  bench.answers = true;
  assertEquals(await bench.run(), "jsr");
  assertEquals(await bench.run("never"), "stand-ins");
  assertEquals(await bench.run(), "nothing");
  assertEquals(bench.questions, 1);
});

Deno.test("vendor() replaces stand-ins that are out of date, whole", async () => {
  await using bench = await Bench.create();
  await bench.run();
  await Deno.writeTextFile(`${bench.packages}/.stand-ins`, "old");
  await Deno.writeTextFile(`${bench.packages}/msgpack/1.0.3/old.ts`, "");
  bench.answers = true;
  assertEquals(await bench.run(), "stand-ins");
  assertFalse(
    await bench.has("vendor/jsr.example/@std/msgpack/1.0.3/old.ts"),
  );
});

Deno.test("vendor() fails where there are no sources", async () => {
  await using bench = await Bench.create();
  await assertRejects(
    () => vendor({ root: bench.root, sources: "/nowhere", jsr: JSR }),
    Deno.errors.NotFound,
  );
  assertFalse(await bench.has("vendor"));
});

Deno.test("vendor() does no harm beside others that do the same", async () => {
  await using bench = await Bench.create();
  for (let round = 0; round < ROUNDS; round++) {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => bench.run("never")),
    );
    assert(outcomes.includes("stand-ins"));
    const left: string[] = [];
    for await (const entry of Deno.readDir(`${bench.root}/vendor`)) {
      left.push(entry.name);
    }
    assertEquals(left, ["jsr.example"]);
    assertEquals(await bench.run("never"), "nothing");
    await Deno.writeTextFile(`${bench.packages}/.stand-ins`, "old");
  }
});

Deno.test("vendor() writes sizes and checksums of what is there", async () => {
  await using bench = await Bench.create();
  await bench.run();
  for (const name of ["assert", "cli", "crypto", "log", "msgpack"]) {
    const folder = `${bench.packages}/${name}`;
    const meta = JSON.parse(await Deno.readTextFile(`${folder}/meta.json`));
    const { manifest, exports } = JSON.parse(
      await Deno.readTextFile(`${folder}/${meta.latest}_meta.json`),
    );
    for (
      const [path, { size, checksum }] of Object.entries<
        { size: number; checksum: string }
      >(manifest)
    ) {
      const bytes = await Deno.readFile(`${folder}/${meta.latest}${path}`);
      const digest = await crypto.subtle.digest("SHA-256", bytes);
      assertEquals(size, bytes.length);
      assertEquals(checksum, `sha256-${new Uint8Array(digest).toHex()}`);
    }
    for (const path of Object.values<string>(exports)) {
      assert(path.slice(1) in manifest, `${name} has no ${path}`);
    }
  }
});

Deno.test("hostFolder() names folders as Deno does", () => {
  const names = [
    ["https://jsr.io/", "jsr.io"],
    ["https://mirror.example:8443/", "mirror.example_8443"],
    ["http://127.0.0.1:8000/", "http_127.0.0.1_8000"],
  ] as const;
  for (const [url, name] of names) assertEquals(hostFolder(new URL(url)), name);
});

Deno.test("stand-ins serve bare and inline specifiers, checked", async () => {
  await using bench = await Bench.create();
  await using elsewhere = await Bench.create();
  const module = `${elsewhere.root}/elsewhere.ts`;
  await Deno.writeTextFile(
    module,
    `import { decode } from "jsr:@std/msgpack@^1";
     import { timingSafeEqual } from "jsr:@std/crypto@^1/timing-safe-equal";
     export const read = decode, same = timingSafeEqual;`,
  );
  await project(
    bench.root,
    `import { encode } from "@std/msgpack";
     import { parseArgs } from "@std/cli/parse-args";
     import { getLogger } from "@std/log";
     import { assertEquals } from "jsr:@std/assert@^1.0.19";
     import { read } from "${new URL(module, "file:///").href}";
     assertEquals(read(encode([1, "a"])), [1, "a"]);
     assertEquals(parseArgs(["--a"]).a, true);
     assertEquals(getLogger().info("told"), "told");
     console.log("done");`,
  );
  const cache = { DENO_DIR: `${elsewhere.root}/cache` };
  const run = await deno(["run", "--check", "program.ts"], bench.root, cache);
  assertEquals(run.stdout, "done\n", run.stderr);
});

Deno.test("what a stand-in lacks fails type checking", async () => {
  await using bench = await Bench.create();
  await project(
    bench.root,
    `import { decodeAll } from "@std/msgpack";
     console.log(decodeAll);`,
  );
  const check = await deno(["check", "program.ts"], bench.root);
  assertFalse(check.success);
  assertStringIncludes(check.stderr, "decodeAll");
});

Deno.test("vendor.ts says on stderr what it did, and refuses nonsense", async () => {
  await using bench = await Bench.create();
  await Deno.mkdir(`${bench.root}/scripts`);
  await Deno.symlink(SOURCES, `${bench.root}/scripts/vendor`);
  // A port that nobody listens on.
  const env = { JSR_URL: "http://127.0.0.1:9/" };
  const args = ["run", "--no-config", "-A", SCRIPT];
  const first = await deno(args, bench.root, env);
  assertEquals(first.stdout, "");
  assertStringIncludes(first.stderr, "127.0.0.1:9 does not answer");
  assertStringIncludes(first.stderr, "@std/msgpack");
  const second = await deno(args, bench.root, env);
  assertEquals([second.stdout, second.stderr], ["", ""]);
  const wrong = await deno([...args, "--what"], bench.root, env);
  assertFalse(wrong.success);
  assertStringIncludes(wrong.stderr, "--what");
});
