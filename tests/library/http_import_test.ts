/**
 * The library by URL: a program in another folder, with no import map of the project's, imports
 * `mod.ts` over HTTP.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { environment, root } from "../program.ts";

/**
 * Most bytes of source that a program gets with the library, comments and descriptions included. It
 * is a little above what there is: what makes it grow should be worth it.
 */
const MAX_BYTES = 380_000;

/** Most modules of the project that a program gets with the library. */
const MAX_MODULES = 90;

/** What a module may be that a program gets with the library. */
const ALLOWED: readonly RegExp[] = [
  /^mod\.ts$/,
  /^client\/[^/]+\.ts$/,
  /^overlay\/(errors|address|budget|delay)\.ts$/,
  /^overlay\/(transport|discovery)\/[^/]+\.ts$/,
  /^elements\/([^/]+\/description|describe|parse|path|call)\.ts$/,
];

const PROGRAM = (url: string) => `
  import { CircuitError, dial } from "${url}mod.ts";
  await using client = await dial(Deno.args[0]);
  const [server] = await client.servers();
  const chan = await server.walk("c").makeChan(1);
  await chan.sendBytes(new TextEncoder().encode("by URL"));
  console.log(new TextDecoder().decode(await chan.recvBytes()));
  const error = await server.walk("c").makeChan().catch((error) => error);
  console.log(error instanceof CircuitError, error.code);
`;

/** What `deno info --json` says, as far as it is used here. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly size?: number;
    readonly error?: string;
    readonly dependencies?: readonly { readonly specifier: string }[];
  }[];
}

/** Serves the project's files on loopback, as they are. */
function serveTree(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname.slice(1);
    // Nothing above the project's folder, and no file that is not the project's.
    if (!/^[\w./-]+\.(ts|json)$/.test(path) || path.includes("..")) {
      return new Response("not found", { status: 404 });
    }
    try {
      const body = await Deno.readFile(root + path);
      const type = path.endsWith(".json") ? "application/json" : "application/typescript";
      return new Response(body, { headers: { "content-type": type } });
    } catch {
      return new Response("not found", { status: 404 });
    }
  });
}

/** A folder with a program and a configuration of its own, and Deno with an empty cache. */
class Elsewhere implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(url: string): Promise<Elsewhere> {
    const folder = await Deno.makeTempDir({ prefix: "circuit_test_" });
    const config = { vendor: true, nodeModulesDir: "none", lock: false };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
    await Deno.writeTextFile(`${folder}/main.ts`, PROGRAM(url));
    await copyFolder(`${root}vendor`, `${folder}/vendor`);
    return new Elsewhere(folder);
  }

  async deno(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: this.folder,
      clearEnv: true,
      env: environment({ DENO_DIR: `${this.folder}/.deno` }),
    }).output();
    const decoder = new TextDecoder();
    assert(success, `deno ${args.join(" ")}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Where JSR can be reached there is nothing to copy. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  try {
    for await (const { name, isDirectory } of Deno.readDir(from)) {
      if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
      else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

circuitTest("mod.ts can be imported by URL, without an import map", async (logs) => {
  await using server = await RunningServer.start({ logs });
  await using http = serveTree();
  const url = `http://127.0.0.1:${http.addr.port}/`;
  await using elsewhere = await Elsewhere.make(url);
  const permissions = ["--allow-net=127.0.0.1", "--allow-import", "--no-prompt"];
  // Type-checked too, as its user's program would be.
  const printed = await elsewhere.deno("run", "--check", ...permissions, "main.ts", server.address);
  assertEquals(printed, "by URL\ntrue EXISTS\n");
});

circuitTest("what comes with mod.ts is the client, and no more than it needs", async () => {
  await using http = serveTree();
  const url = `http://127.0.0.1:${http.addr.port}/`;
  await using elsewhere = await Elsewhere.make(url);
  const info = await elsewhere.deno("info", "--allow-import", "--json", `${url}mod.ts`);
  const { modules } = JSON.parse(info) as Info;
  assertEquals(modules.flatMap(({ error }) => error ?? []), []);
  const own = modules.filter(({ specifier }) => specifier.startsWith(url));
  const paths = own.map(({ specifier }) => specifier.slice(url.length));
  assertEquals(paths.filter((path) => !ALLOWED.some((each) => each.test(path))), []);
  // What these packages need in turn is their affair.
  const others = own.flatMap(({ dependencies = [] }) => dependencies)
    .map(({ specifier }) => /^(?:jsr|npm):\/?(.+)@/.exec(specifier)?.[1])
    .filter((name) => name !== undefined);
  assertEquals([...new Set(others)].sort(), ["@std/crypto", "@std/msgpack", "libsodium"]);
  const size = own.reduce((sum, { size = 0 }) => sum + size, 0);
  assert(own.length <= MAX_MODULES, `${own.length} modules`);
  assert(size <= MAX_BYTES, `${size} bytes`);
});
