/**
 * Starts real servers as processes of their own, for the demo and the benchmarks.
 *
 * @module
 */

/** A server in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  /** Its address, `circuit://HOST:PORT/PID/Q…`. */
  readonly address: string;
  /** Its ID, `X` and 16 hex digits. */
  readonly serverId: string;
  readonly pid: number;
  kill(signal: Deno.Signal): void;
}

const MAIN = import.meta.resolve("../main.ts");

/** The program from its sources. */
export const FROM_SOURCE: readonly string[] = [Deno.execPath(), "run", "--quiet", "-A", MAIN];

/**
 * Starts a server on a free port of the loopback interface and waits until it says its address. The
 * server is stopped when the result is disposed of.
 *
 * @param args Further arguments of `circuit start`.
 * @param program What to run, with its first arguments. Default: the program from its sources.
 * @throws {Error} with what it printed, if it ends before that.
 */
export async function startServerProcess(
  args: readonly string[] = [],
  [program = "", ...first]: readonly string[] = FROM_SOURCE,
): Promise<ServerProcess> {
  const child = new Deno.Command(program, {
    args: [...first, "start", "-a", "127.0.0.1:0", ...args],
    env: { CIRCUIT_LOG: "error" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const address = await firstLine(child.stdout);
  const hex = /\/Q([0-9a-f]{16})$/.exec(address)?.[1];
  if (hex === undefined) throw new Error(`the server did not start: it printed ${address}`);
  let ended = false;
  child.status.then(() => ended = true);
  const kill = (signal: Deno.Signal) => ended || child.kill(signal);
  return {
    address,
    serverId: `X${hex}`,
    pid: child.pid,
    kill,
    async [Symbol.asyncDispose]() {
      kill("SIGTERM");
      await child.status;
    },
  };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  return text;
}
