/**
 * Runs every code block of the documentation: commands in a shell, against real servers, with what
 * they print; programs with the types checked.
 *
 * A page that starts servers is run with these; any other with two that are there already. The names
 * that pages show are put in the place of the real ones; what differs from run to run is `…` in what
 * is printed.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { ContainerLab, whyNoContainers } from "../containers.ts";
import { cluster } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { denoDir, root, rootUrl } from "../program.ts";
import { quote } from "../shell.ts";
import { type Block, blocksOf, printed } from "./blocks.ts";
import { Names } from "./names.ts";
import { ShellSession } from "./session.ts";

/** All pages that are run, from the project's folder. */
const PAGES = [
  ...[...Deno.readDirSync(`${root}docs`)].map(({ name }) => `docs/${name}`).sort(),
  "examples/watchbot/README.md",
  "examples/word_count/README.md",
];

/** Whether a block starts a server, which it then waits for. */
function startsServer({ code, fails }: Block): boolean {
  return !fails && /^circuit start\b/m.test(code);
}

/** Runs a page's blocks. */
class Page {
  readonly #session: ShellSession;
  readonly #names: Names;

  constructor(session: ShellSession, names: Names) {
    this.#session = session;
    this.#names = names;
  }

  async run(block: Block): Promise<void> {
    const commands = block.language === "sh"
      ? block.code
      : `deno run --quiet --no-check -A ${CONFIG} ${nameOf(block)}\n`;
    const code = this.#names.real(commands).replaceAll(
      " examples/",
      ` ${quote(`${root}examples`)}/`,
    );
    if (startsServer(block)) {
      const address = await this.#session.begin(code);
      this.#names.bind(address);
      if (block.output) assertMatch(this.#names.shown(`${address}\n`), printed(block.output));
      return;
    }
    const { code: status, failed, stdout, stderr } = await this.#session.run(code);
    const [out, err] = [this.#names.shown(stdout), this.#names.shown(stderr)];
    if (block.fails) assertNotEquals(status, 0, `it must fail, and printed ${out}${err}`);
    else assertEquals({ status, failed }, { status: 0, failed: "" }, `it printed ${out}${err}`);
    if (block.output !== undefined) {
      assertMatch(block.fails ? out + err : out, printed(block.output));
    }
  }

  /** Checks the types of all programs of a page at once. */
  async check(blocks: readonly Block[]): Promise<void> {
    const programs = blocks.filter(({ language }) => language === "ts");
    for (const block of programs) await this.#write(block);
    if (programs.length === 0) return;
    const { stderr, failed } = await this.#session.run(
      `deno check --quiet ${CONFIG} ${programs.map(nameOf).join(" ")}\n`,
    );
    assertEquals(failed, "", stderr);
  }

  /** A program that imports the library as others do. */
  async #write(block: Block): Promise<void> {
    const source = this.#names.real(block.code).replaceAll(
      /"jsr:@circuit\/cli\/(client|server)"/g,
      (_, door) => JSON.stringify(new URL(DOORS[door] ?? "", rootUrl).href),
    );
    assert(!source.includes('"./mod.ts"'), "programs in pages import what users import");
    await Deno.writeTextFile(`${this.#session.home}/work/${nameOf(block)}`, source);
  }
}

/** Which configuration Deno uses, as a word of a shell. */
const CONFIG = quote(`--config=${root}deno.json`);

/** The file of a program. */
function nameOf({ line }: Block): string {
  return `line_${line}.ts`;
}

const DOORS: Readonly<Record<string, string>> = { client: "mod.ts", server: "server/mod.ts" };

const whyNot = await whyNoContainers();
if (whyNot !== undefined) console.log(`docs/container.md is not tested: ${whyNot}`);

for (const path of PAGES) {
  const containers = path === "docs/container.md";
  const page = Deno.readTextFileSync(root + path);
  const blocks = blocksOf(page);
  if (blocks.length === 0) continue;
  circuitTest(`${path} is right, block by block`, async (logs) => {
    const names = new Names(`228.8.8.8:${20_000 + Math.floor(Math.random() * 20_000)}`);
    await using stack = new AsyncDisposableStack();
    const file = await Deno.makeTempFile();
    stack.defer(() => Deno.remove(file));
    const own = blocks.some(startsServer);
    if (!own) {
      const lab = containers ? stack.use(await ContainerLab.make()) : undefined;
      const options = lab ? { args: ["-docker"], env: lab.env } : {};
      const circuit = stack.use(await cluster(2, { logs, ...options }));
      for (const { address } of circuit.servers) names.bind(address);
      await Deno.writeTextFile(file, `${circuit.near.address}\n`);
    }
    const session = await ShellSession.start({
      DENO_DIR: await denoDir(),
      CIRCUIT_LOG: "warn",
      ...(own ? {} : { CIRCUIT: file }),
    });
    stack.use(session);
    const running = new Page(session, names);
    await running.check(blocks);
    for (const block of blocks) {
      try {
        await running.run(block);
      } catch (error) {
        throw new Error(`${path}:${block.line}\n${block.code}`, { cause: error });
      }
    }
  }, { ignore: containers && whyNot !== undefined });
}

Deno.test("docs/README.md links every page, and links in pages lead somewhere", async () => {
  const index = await Deno.readTextFile(`${root}docs/README.md`);
  for (const path of ["README.md", "examples/README.md", ...PAGES]) {
    const page = await Deno.readTextFile(root + path);
    const name = path.slice("docs/".length);
    if (path.startsWith("docs/") && name !== "README.md") {
      assert(index.includes(`(${name})`), `${path} is not in the index`);
    }
    for (const [, target = ""] of page.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue;
      const file = new URL(target, rootUrl.href + path);
      const there = await Deno.stat(file).then(() => true, () => false);
      assert(there, `${path} links ${target}, which is not there`);
    }
  }
});
