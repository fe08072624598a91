/**
 * A server on a terminal that stops taking output, or goes away.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dial, type DialOptions } from "../../mod.ts";
import { circuitTest, type LogBuffer, type Logs } from "../logs.ts";
import { beLoud } from "../loud.ts";
import { environment, program } from "../program.ts";
import { quote } from "../shell.ts";
import { folder } from "../temp.ts";
import { run } from "../tool.ts";
import { until, within } from "../until.ts";

/** Milliseconds in which a server that is told to stop must have stopped. */
const STOPS_WITHIN_MS = 2_000;

/** The key that stops the output, and the one that lets it go on. */
const [CTRL_S, CTRL_Q] = ["\x13", "\x11"];

/** A server on a terminal of its own. */
class OnTerminal implements AsyncDisposable {
  readonly address: string;
  readonly pid: number;
  readonly screen: LogBuffer;
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(child: Deno.ChildProcess, screen: LogBuffer, address: string) {
    this.#child = child;
    this.#keys = child.stdin.getWriter();
    this.screen = screen;
    this.address = address;
    this.pid = Number(new URL(address).pathname.split("/").at(-2));
  }

  static async start(logs: Logs, dir: string, args: readonly string[]): Promise<OnTerminal> {
    const { command, args: first } = program();
    const words = [command, ...first, "start", "-a", "127.0.0.1:0", ...args].map(quote).join(" ");
    const address = `${dir}/address`;
    const child = new Deno.Command("script", {
      args: ["-qefc", `exec ${words} > ${quote(address)}`, "/dev/null"],
      clearEnv: true,
      env: environment(),
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const screen = logs.add("terminal", child.stdout);
    const line = await until(
      "the address",
      () => Deno.readTextFile(address).catch(() => ""),
      (text) => text.endsWith("\n"),
    );
    return new OnTerminal(child, screen, line.trim());
  }

  async type(text: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(text));
  }

  /** Resolves with the server's status, as the terminal's program passes it on. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** The terminal goes away. */
  async hangUp(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of [() => Deno.kill(this.pid, "SIGKILL"), () => this.#child.kill("SIGKILL")]) {
      try {
        end();
      } catch {
        // It has ended.
      }
    }
    await this.#child.status;
    await this.#keys.close().catch(() => {});
    await this.screen.ended;
  }
}

const hasScript = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null" }).output()
    .then(({ success }) => success, () => false);

/** Has the server log more than a terminal holds, and a process of it run. */
async function use(address: string, options?: DialOptions): Promise<void> {
  await using client = await dial(address, options);
  const [server] = await client.servers();
  assert(server);
  await beLoud(client, server.path, 100);
  const proc = await server.walk("true").makeProc({ path: "true" });
  assertEquals((await proc.wait()).exit, null);
  await server.walk("true").scrub();
}

circuitTest("start serves while Ctrl-S holds its terminal, and stops", async (logs) => {
  await using dir = await folder();
  await using server = await OnTerminal.start(logs, dir.path, []);
  await until("the screen", () => String(server.screen), (text) => text.includes("listening on"));
  await server.type(CTRL_S);
  await use(server.address);
  await server.type(CTRL_Q);
  await until("the rest", () => String(server.screen), (text) => text.includes("mkproc true"));
  await server.type(CTRL_S);
  await use(server.address);
  Deno.kill(server.pid, "SIGTERM");
  const { code } = await within(STOPS_WITHIN_MS, "the server's end", server.status);
  assertEquals(code, 0);
}, { ignore: !hasScript });

for (const keyed of [false, true]) {
  const what = keyed ? "with a key" : "without a key";
  circuitTest(`start ${what} goes on when its terminal is closed`, async (logs) => {
    await using dir = await folder();
    const keyFile = `${dir.path}/key`;
    await Deno.writeTextFile(keyFile, await run(["keygen"]), { mode: 0o600 });
    const args = ["-var", `${dir.path}/var`, ...keyed ? ["-hmac", keyFile] : []];
    const options = keyed ? { keyFile } : {};
    await using server = await OnTerminal.start(logs, dir.path, args);
    await server.hangUp();
    const log = () => Deno.readTextFile(`${dir.path}/var/circuit.log`);
    await until("the signal", log, (text) => text.includes("SIGHUP: the server goes on"));
    await use(server.address, options);
    Deno.kill(server.pid, "SIGTERM");
    await until(
      "its end",
      () => dial(server.address, options).then((client) => client.close(), (error) => error.code),
      (code) => code === "UNREACHABLE",
    );
    await until("its last words", log, (text) => text.includes("stopping: SIGTERM"));
  }, { ignore: !hasScript });
}
