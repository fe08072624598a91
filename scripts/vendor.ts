// Makes the project run where JSR can't be reached: writes stand-ins for the
// @std packages into vendor/, where Deno looks before it asks JSR. Every task
// runs this first, so it is quick when there is nothing to do.

/** One package: its place under scripts/vendor/, and how the real one is cut. */
interface Package {
  /** The version that the stand-in is modelled on. */
  readonly version: string;
  /** The entry points that the stand-in has, as in the real package. */
  readonly exports: Readonly<Record<string, string>>;
}

/** What is to be written, by path. */
type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** What {@linkcode vendor} needs to know. */
export interface VendorOptions {
  /** The folder that holds vendor/, as a path. */
  root: string;
  /** The folder with the sources of the stand-ins, as a path. */
  sources: string;
  /** JSR's address. */
  jsr: URL;
  /** What to do about JSR: ask once, ask again, or take it for unreachable. */
  ask?: "once" | "again" | "never";
  /** Asks JSR; by default with `fetch`. */
  fetch?: typeof fetch;
}

/** What was done: nothing, nothing because JSR answers, or stand-ins. */
export type Outcome = "nothing" | "jsr" | "stand-ins";

const SCOPE = "std";

const PACKAGES: Readonly<Record<string, Package>> = {
  assert: { version: "1.0.19", exports: { ".": "./mod.ts" } },
  cli: { version: "1.0.32", exports: { "./parse-args": "./parse_args.ts" } },
  crypto: { version: "1.1.0", exports: { "./timing-safe-equal": "./timing_safe_equal.ts" } },
  log: { version: "0.224.14", exports: { ".": "./mod.ts" } },
  msgpack: { version: "1.0.3", exports: { ".": "./mod.ts" } },
};

/** How long JSR may take to answer, in milliseconds. */
const JSR_TIMEOUT = 2_000;

/** Attempts at putting the folder in place while others do the same. */
const MAX_ATTEMPTS = 20;

/** Beside the stand-ins: the digest of what is there. */
const STAND_IN_MARK = ".stand-ins";

/** In vendor/: JSR has answered, Deno fills the folder by itself. */
const JSR_MARK = ".jsr-answers";

/**
 * Writes the stand-ins unless they or packages from JSR are there already, or JSR answers.
 *
 * The answer is remembered in vendor/. The folder of the stand-ins is made
 * aside and renamed into place, so that a run beside this one sees all of it or
 * none of it, and several runs at once do no harm.
 *
 * @throws {Deno.errors.NotFound} If the sources are not there.
 */
export async function vendor(options: VendorOptions): Promise<Outcome> {
  const { root, jsr, ask = "once" } = options;
  const folder = `${root}/vendor`;
  const target = `${folder}/${hostFolder(jsr)}/@${SCOPE}`;
  const files = await build(options.sources);
  const digest = await digestOf(files);
  const found = await readText(`${target}/${STAND_IN_MARK}`);
  if (ask !== "again") {
    if (found === digest) return "nothing";
    if (ask === "once" && found === undefined) {
      if (await readText(`${folder}/${JSR_MARK}`) !== undefined || await fromJsr(target)) {
        return "nothing";
      }
    }
  }
  // Stand-ins that are there but out of date mean that JSR did not answer.
  const asked = ask === "again" || (ask === "once" && found === undefined);
  if (asked && await answers(jsr, options.fetch ?? fetch)) {
    if (found !== undefined) await remove(target);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/${JSR_MARK}`, `${jsr.href}\n`);
    return "jsr";
  }
  if (found === digest) return "nothing";
  const stage = `${folder}/.stage-${crypto.randomUUID()}`;
  try {
    for (const [path, bytes] of files) {
      const file = `${stage}/${path}`;
      await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeFile(file, bytes);
    }
    await Deno.writeTextFile(`${stage}/${STAND_IN_MARK}`, digest);
    await remove(`${folder}/${JSR_MARK}`);
    await putInPlace(stage, target, digest);
  } finally {
    await remove(stage);
  }
  return "stand-ins";
}

/** The name of the folder in vendor/ that Deno keeps a host's modules in. */
export function hostFolder(url: URL): string {
  const scheme = url.protocol === "https:" ? "" : `${url.protocol}_`;
  const port = url.port === "" ? "" : `_${url.port}`;
  return `${scheme.replace(":", "")}${url.hostname}${port}`;
}

async function answers(jsr: URL, ask: typeof fetch): Promise<boolean> {
  try {
    const response = await ask(new URL(`@${SCOPE}/msgpack/meta.json`, jsr), {
      signal: AbortSignal.timeout(JSR_TIMEOUT),
    });
    // A proxy's or a hotel's page of its own is no answer.
    const meta: unknown = await response.json();
    return response.ok && typeof meta === "object" && meta !== null &&
      "versions" in meta;
  } catch {
    return false;
  }
}

/** Whether Deno has had a package from JSR; a page that is not JSR's has another name there. */
async function fromJsr(target: string): Promise<boolean> {
  const metas = Object.keys(PACKAGES).map((name) => readText(`${target}/${name}/meta.json`));
  return (await Promise.all(metas)).some((text) => text !== undefined);
}

/** All files of the packages' folder, by their path in it. */
async function build(sources: string): Promise<Files> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, { version, exports }] of Object.entries(PACKAGES)) {
    const manifest: Record<string, { size: number; checksum: string }> = {};
    for (const file of await sourceFiles(`${sources}/${name}`)) {
      const bytes = await Deno.readFile(`${sources}/${name}/${file}`);
      files.set(`${name}/${version}/${file}`, bytes);
      manifest[`/${file}`] = {
        size: bytes.length,
        checksum: `sha256-${await hex(bytes)}`,
      };
    }
    files.set(`${name}/${version}_meta.json`, json({ manifest, exports }));
    files.set(
      `${name}/meta.json`,
      json({
        scope: SCOPE,
        name,
        latest: version,
        versions: { [version]: {} },
      }),
    );
  }
  return files;
}

async function sourceFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && /(?<!_test)\.ts$/.test(entry.name)) {
      files.push(entry.name);
    }
  }
  return files.sort();
}

/** Renames the folder into place, whatever is there and whoever does it too. */
async function putInPlace(
  stage: string,
  target: string,
  digest: string,
): Promise<void> {
  await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), {
    recursive: true,
  });
  for (let attempt = 1;; attempt++) {
    try {
      await Deno.rename(stage, target);
      return;
    } catch (error) {
      if (attempt === MAX_ATTEMPTS) throw error;
    }
    // Someone else was first: either with the same, or with something older.
    if (await readText(`${target}/${STAND_IN_MARK}`) === digest) return;
    const old = `${stage}-old-${attempt}`;
    try {
      await Deno.rename(target, old);
    } catch {
      continue;
    }
    await remove(old);
  }
}

async function digestOf(files: Files): Promise<string> {
  const parts: string[] = [];
  for (const [path, bytes] of files) parts.push(`${path} ${await hex(bytes)}`);
  return await hex(new TextEncoder().encode(parts.join("\n")));
}

async function hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const USAGE = `Usage: deno task vendor [--force | --offline]
  --force    ask JSR again
  --offline  take JSR for unreachable`;

async function main(args: readonly string[]): Promise<number> {
  const wrong = args.find((arg) => arg !== "--force" && arg !== "--offline");
  if (wrong !== undefined || args.length > 1) {
    console.error(
      wrong === undefined
        ? "vendor: --force and --offline exclude each other"
        : `vendor: unknown argument "${wrong}"`,
    );
    console.error(USAGE);
    return 2;
  }
  const jsr = new URL(Deno.env.get("JSR_URL") ?? "https://jsr.io/");
  const outcome = await vendor({
    root: ".",
    sources: "scripts/vendor",
    jsr,
    ask: args[0] === "--force" ? "again" : args[0] === "--offline" ? "never" : "once",
  });
  if (outcome === "jsr") {
    console.error(
      `vendor: ${jsr.host} answers, Deno takes packages from there`,
    );
  } else if (outcome === "stand-ins") {
    const names = Object.keys(PACKAGES).map((name) => `@${SCOPE}/${name}`);
    console.error(
      `vendor: ${
        args[0] === "--offline" ? "as told, " : `${jsr.host} does not answer, `
      }wrote stand-ins for ${names.join(", ")} into vendor/`,
    );
  } else if (args.length > 0) {
    console.error("vendor: nothing to do");
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
