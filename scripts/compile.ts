// Makes executables with `deno compile`: dist/circuit for this machine, or with
// --all one for each platform, and SHA256SUMS beside them.

/** A platform that an executable can be made for. */
interface Target {
  /** Deno's name for it. */
  readonly triple: string;
  /** The file that --all makes, in dist/. */
  readonly file: string;
}

const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", file: "circuit-linux-x86_64" },
  { triple: "aarch64-unknown-linux-gnu", file: "circuit-linux-arm64" },
  { triple: "x86_64-apple-darwin", file: "circuit-macos-x86_64" },
  { triple: "aarch64-apple-darwin", file: "circuit-macos-arm64" },
];

/** The file for this machine, in dist/. */
const HOST_FILE = "circuit";

const SUMS_FILE = "SHA256SUMS";

/**
 * A server runs any program for those who may use it, so narrower permissions would protect nobody. With
 * all of them it can read what the system tells of processes (`/proc`) itself. Nothing is asked for at
 * run time.
 */
const PERMISSIONS: readonly string[] = [
  "--allow-all",
  "--no-prompt",
  // No grant: it lets a server give memory back, see server/memory.ts.
  "--v8-flags=--expose-gc",
];

/** Modules that are loaded by a name which the compiler can't see; see elements/dns/load.ts. */
const LOADED_LATE: readonly string[] = ["elements/dns/nameserver.ts"];

/** Bytes at the start of an executable that tell its platform. */
const HEADER_SIZE = 20;

/** Lines of a failed compiler's output that are worth repeating. */
const TRACE = /^(Stack backtrace:|\s+\d+: (<unknown>|__libc_start_\w+)$|\s+at \.\/)/;

/** What is compiled; see {@linkcode CompileOptions}. */
type Program = Required<Pick<CompileOptions, "root" | "entry" | "include">>;

/** What {@linkcode compile} needs to know. */
export interface CompileOptions {
  /** The project's folder, as a path. */
  root: string;
  /** The program, by default main.ts. */
  entry?: string;
  /** Modules to put in beside those that the program is seen to import, by default none. */
  include?: readonly string[];
  /** Every platform instead of this machine only. */
  all?: boolean;
  /** A runtime stub, used for the platform that it is of. */
  stub?: string | undefined;
  /** Where progress and errors are told, by default stderr. */
  say?: (line: string) => void;
}

/**
 * The platform of an executable, by its first bytes.
 *
 * @returns Deno's name for it; undefined if it is none of those known here.
 */
export function targetOf(header: Uint8Array): string | undefined {
  if (header.length < HEADER_SIZE) return undefined;
  const view = new DataView(header.buffer, header.byteOffset, HEADER_SIZE);
  const magic = view.getUint32(0);
  if (magic === 0x7f454c46) { // ELF; its machine is at 18.
    const machine = view.getUint16(18, true);
    if (machine === 0x3e) return "x86_64-unknown-linux-gnu";
    if (machine === 0xb7) return "aarch64-unknown-linux-gnu";
  } else if (magic === 0xcffaedfe) { // 64-bit Mach-O; its machine is at 4.
    const machine = view.getUint32(4, true);
    if (machine === 0x01000007) return "x86_64-apple-darwin";
    if (machine === 0x0100000c) return "aarch64-apple-darwin";
  }
  return undefined;
}

/**
 * Makes the executables and their checksums.
 *
 * A platform that fails is told and left out; the others are made.
 *
 * @returns Whether all were made.
 * @throws {Error} If the stub can't be read, is of no known platform, or is of
 * another one than the only platform that is asked for.
 */
export async function compile(options: CompileOptions): Promise<boolean> {
  const { root, entry = "main.ts", include = [], all = false, stub } = options;
  const program: Program = { root, entry, include };
  const say = options.say ?? ((line) => console.error(line));
  const host = Deno.build.target;
  const targets = all ? TARGETS : [{ triple: host, file: HOST_FILE }];
  const stubTarget = stub === undefined ? undefined : await readTarget(stub);
  if (stubTarget !== undefined && !all && stubTarget !== host) {
    throw new Error(
      `can't compile with DENORT_BIN=${stub}: it is a stub for ${stubTarget}, ` +
        `and this machine needs one for ${host}`,
    );
  }
  if (stubTarget !== undefined && all) {
    say(`DENORT_BIN is for ${stubTarget}; it is used for that platform only`);
  }
  const errors = await typeErrors(program);
  if (errors !== undefined) {
    say(`can't compile ${entry}, it does not type-check:\n${errors}`);
    return false;
  }
  await Deno.mkdir(`${root}/dist`, { recursive: true });
  let complete = true;
  for (const { triple, file } of targets) {
    const own = triple === stubTarget ? stub : undefined;
    const output = `dist/${file}`;
    const trouble = await make(program, triple, output, own) ??
      (triple === host ? await starts(`${root}/${output}`) : undefined);
    if (trouble === undefined) {
      const { size } = await Deno.stat(`${root}/${output}`);
      say(`made ${output} for ${triple}, ${(size / 1e6).toFixed(1)} MB`);
    } else {
      complete = false;
      await remove(`${root}/${output}`);
      say(explanation(triple, output, own, trouble));
    }
  }
  await writeSums(`${root}/dist`);
  return complete;
}

async function readTarget(stub: string): Promise<string> {
  const header = new Uint8Array(HEADER_SIZE);
  try {
    using file = await Deno.open(stub);
    await file.read(header);
  } catch (error) {
    throw new Error(
      `can't read DENORT_BIN=${stub}: ${error instanceof Error ? error.message : error}`,
    );
  }
  const target = targetOf(header);
  if (target !== undefined) return target;
  throw new Error(
    `can't compile with DENORT_BIN=${stub}: it is an executable for none of ` +
      TARGETS.map(({ triple }) => triple).join(", "),
  );
}

/** Type-checks apart, so that a later failure is one of making the file. */
async function typeErrors({ root, entry, include }: Program): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", entry, ...include],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return success ? undefined : indented(stderr);
}

/** Makes one executable; returns what went wrong, if anything did. */
async function make(
  { root, entry, include }: Program,
  triple: string,
  output: string,
  stub: string | undefined,
): Promise<string | undefined> {
  const env: Record<string, string> = { ...Deno.env.toObject(), NO_COLOR: "1" };
  // Deno would take it for every platform.
  delete env["DENORT_BIN"];
  if (stub !== undefined) env["DENORT_BIN"] = stub;
  const compiler = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--quiet",
      "--no-check",
      ...PERMISSIONS,
      ...include.flatMap((module) => ["--include", module]),
      "--target",
      triple,
      "--output",
      output,
      entry,
    ],
    cwd: root,
    clearEnv: true,
    env,
    stdout: "inherit",
    stderr: "piped",
  }).output();
  if (compiler.success) return undefined;
  return indented(compiler.stderr);
}

/** What a program said, without the trace of its own code, set off. */
function indented(output: Uint8Array): string {
  const lines = new TextDecoder().decode(output).trim().split("\n");
  return lines.filter((line) => !TRACE.test(line)).map((line) => `    ${line}`.trimEnd())
    .join("\n").trimEnd();
}

/** Tries the executable on this machine; returns what it said if it fails. */
async function starts(path: string): Promise<string | undefined> {
  try {
    const { success, code, stderr } = await new Deno.Command(path, {
      args: ["version"],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    return `    \`${path} version\` exited with ${code}\n${indented(stderr)}`;
  } catch (error) {
    return `    ${error instanceof Error ? error.message : error}`;
  }
}

function explanation(
  triple: string,
  output: string,
  stub: string | undefined,
  trouble: string,
): string {
  const version = Deno.version.deno;
  const advice = stub === undefined
    ? `Deno ${version} downloads a runtime stub (denort) for each target once ` +
      `and keeps it. If it could not be downloaded: try again where its host ` +
      `can be reached, or set DENORT_BIN to the path of a stub for ${triple}, ` +
      `made by the same version of Deno.`
    : `The stub is DENORT_BIN=${stub}. It must be a denort for ${triple} of ` +
      `the Deno that compiles, ${version}.`;
  return `can't make ${output} for ${triple}:\n${trouble}\n  ${advice}`;
}

/** Sums of every executable that is in the folder, as sha256sum reads them. */
async function writeSums(dist: string): Promise<void> {
  const lines: string[] = [];
  for (const file of [HOST_FILE, ...TARGETS.map(({ file }) => file)]) {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await Deno.readFile(`${dist}/${file}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    lines.push(`${new Uint8Array(digest).toHex()}  ${file}\n`);
  }
  await Deno.writeTextFile(`${dist}/${SUMS_FILE}`, lines.join(""));
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const USAGE = `Usage: deno task compile [--all]
  --all  make an executable for each of ${
  TARGETS.map(({ triple }) => `\n           ${triple}`).join("")
}
Environment:
  DENORT_BIN  a runtime stub to use instead of a downloaded one, for the
              platform that it is of`;

async function main(args: readonly string[]): Promise<number> {
  const wrong = args.find((arg) => arg !== "--all");
  if (wrong !== undefined) {
    console.error(`compile: unknown argument "${wrong}"\n${USAGE}`);
    return 2;
  }
  const say = (line: string) => console.error(`compile: ${line}`);
  try {
    const complete = await compile({
      root: ".",
      include: LOADED_LATE,
      all: args.includes("--all"),
      stub: Deno.env.get("DENORT_BIN") || undefined,
      say,
    });
    return complete ? 0 : 1;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
