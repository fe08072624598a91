/**
 * The raw limits that the benchmark compares with: a TCP server in a process of its own that echoes,
 * sends what a pipe gives it, or writes what comes to a pipe.
 *
 * @module
 */

/** Bytes of a read or write of bulk data. */
const PIECE = 256 * 1024;

/** A connection to the raw server. */
export interface Raw extends AsyncDisposable {
  /** The server's process. */
  readonly pid: number;
  /** Sends the bytes and waits until as many have come back. */
  echo(bytes: Uint8Array): Promise<void>;
  /** Echoes a second of the bytes, so many of them on their way at a time, gathered into writes. */
  rate(echoes: number, inFlight: number, bytes: Uint8Array): Promise<number>;
  /** Megabytes a second of an echoed stream of so many bytes. */
  throughput(bytes: number): Promise<number>;
  /** Megabytes a second of a process's output, read by the server and sent here. */
  pipeThroughput(bytes: number): Promise<number>;
  /** Megabytes a second to a process's input, sent from here until the process has exited. */
  inputThroughput(bytes: number): Promise<number>;
}

if (import.meta.main) await serve();

/** Starts the raw server and connects to it. */
export async function startRaw(): Promise<Raw> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", import.meta.url],
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.getReader();
  const ports = new TextDecoder().decode((await lines.read()).value).trim().split(" ").map(Number);
  await lines.cancel();
  const [echoPort = 0, pipePort = 0, inputPort = 0] = ports;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: echoPort });
  conn.setNoDelay(true);
  const buffer = new Uint8Array(PIECE);
  const receive = async (from: Deno.Conn, bytes: number) => {
    for (let left = bytes; left > 0;) left -= (await from.read(buffer)) ?? left;
  };
  const send = (bytes: Uint8Array) => writeAll(conn, bytes);
  const sendMany = async (to: Deno.Conn, bytes: number) => {
    const piece = new Uint8Array(PIECE);
    for (let left = bytes; left > 0; left -= piece.length) {
      await writeAll(to, piece.subarray(0, Math.min(left, piece.length)));
    }
  };
  return {
    pid: child.pid,
    async echo(bytes) {
      await send(bytes);
      await receive(conn, bytes.length);
    },
    async rate(echoes, inFlight, bytes) {
      const batch = new Uint8Array(bytes.length * inFlight);
      const start = performance.now();
      for (let left = echoes; left > 0; left -= inFlight) {
        await send(batch);
        await receive(conn, batch.length);
      }
      return echoes * 1000 / (performance.now() - start);
    },
    async throughput(bytes) {
      const start = performance.now();
      await Promise.all([sendMany(conn, bytes), receive(conn, bytes)]);
      return bytes / 1000 / (performance.now() - start);
    },
    async pipeThroughput(bytes) {
      const start = performance.now();
      using source = await Deno.connect({ hostname: "127.0.0.1", port: pipePort });
      await source.write(new TextEncoder().encode(`${bytes}\n`));
      await receive(source, bytes);
      return bytes / 1000 / (performance.now() - start);
    },
    async inputThroughput(bytes) {
      const start = performance.now();
      using sink = await Deno.connect({ hostname: "127.0.0.1", port: inputPort });
      await sendMany(sink, bytes);
      await sink.closeWrite();
      // The end comes when the process has exited.
      if (await sink.read(buffer) !== null) throw new Error("the raw server sent something");
      return bytes / 1000 / (performance.now() - start);
    },
    async [Symbol.asyncDispose]() {
      conn.close();
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

async function serve(): Promise<void> {
  const echoes = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pipes = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const inputs = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(`${echoes.addr.port} ${pipes.addr.port} ${inputs.addr.port}`);
  accept(echoes, echo);
  accept(pipes, sendOutput);
  accept(inputs, takeInput);
  await new Promise(() => {});
}

async function accept(
  listener: Deno.TcpListener,
  answer: (conn: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  for await (const conn of listener) {
    conn.setNoDelay(true);
    answer(conn).catch(() => {}).finally(() => conn.close());
  }
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return;
    await writeAll(conn, buffer.subarray(0, count));
  }
}

async function sendOutput(conn: Deno.TcpConn): Promise<void> {
  const wanted = new Uint8Array(32);
  const count = await conn.read(wanted) ?? 0;
  const bytes = new TextDecoder().decode(wanted.subarray(0, count)).trim();
  const child = new Deno.Command("head", {
    args: ["-c", bytes, "/dev/zero"],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  for await (const chunk of child.stdout) await writeAll(conn, chunk);
  await child.status;
}

/** Writes what comes to a process that reads it all, as the standard input of a circuit's process. */
async function takeInput(conn: Deno.TcpConn): Promise<void> {
  const child = new Deno.Command("sh", {
    args: ["-c", "cat > /dev/null"],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  const buffer = new Uint8Array(PIECE);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    await input.write(buffer.subarray(0, count));
  }
  await input.close();
  await child.status;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
