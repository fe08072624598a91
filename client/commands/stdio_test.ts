import { assertEquals } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import type { Proc, ProcStat } from "../types.ts";
import { dispatch } from "./dispatch.ts";
import { encode, fake, FakeWorld } from "./fake_world_test.ts";
import { clientCommands } from "./mod.ts";

/** Runs `circuit stdin` into a process whose input is this. */
async function stdin(from: string | ReadableStream<Uint8Array>, to: WritableStream<Uint8Array>) {
  const elements = { "/p": fake<Proc>("proc", { stdin: () => to }) };
  const world = new FakeWorld({ stdin: from, elements });
  return { status: await dispatch(["stdin", "/p"], clientCommands, world), err: world.err };
}

/** An input that fails from the start, as that of a process that has exited. */
function exited(): WritableStream<Uint8Array> {
  return new WritableStream({
    start: (controller) => controller.error(new CircuitError("CLOSED", "it has exited")),
  });
}

function collect(into: string[]): WritableStream<Uint8Array> {
  const decoder = new TextDecoder();
  return new WritableStream({
    write: (chunk) => void into.push(decoder.decode(chunk)),
    close: () => void into.push("end"),
  });
}

Deno.test("stdin forwards all chunks, then the end", async () => {
  const got: string[] = [];
  const chunks = ReadableStream.from(["a", "b", "c"].map(encode));
  assertEquals(await stdin(chunks, collect(got)), { status: 0, err: "" });
  assertEquals(got, ["a", "b", "c", "end"]);
});

Deno.test("stdin closes the process's input when its own is empty", async () => {
  const got: string[] = [];
  assertEquals(await stdin(ReadableStream.from([]), collect(got)), { status: 0, err: "" });
  assertEquals(got, ["end"]);
});

Deno.test("stdin fails on a process that has exited, unless there was nothing to forward", async () => {
  const failed = { status: 1, err: "circuit: it has exited" };
  assertEquals(await stdin(ReadableStream.from([]), exited()), { status: 0, err: "" });
  assertEquals(await stdin("x", exited()), failed);
  let cancelled = false;
  const silent = new ReadableStream({ cancel: () => void (cancelled = true) });
  assertEquals(await stdin(silent, exited()), failed);
  assertEquals(cancelled, true);
});

/** The state of a process that has dropped these bytes of its outputs, if it keeps any. */
function peek(dropped?: ProcStat["dropped"]): () => Promise<ProcStat> {
  const stat = { cmd: { path: "/p" }, phase: "running", exit: null, exitCode: null } as const;
  return () => Promise.resolve({ ...stat, signal: null, pid: 1, ...(dropped && { dropped }) });
}

Deno.test("stdout tells how much is no longer kept, and takes -f for what it does", async () => {
  const stdout = () => ReadableStream.from([encode("tail")]);
  const elements = {
    "/p": fake<Proc>("proc", { stdout, peek: peek({ stdout: 7, stderr: 0 }) }),
  };
  const world = new FakeWorld({ elements });
  assertEquals(await dispatch(["stdout", "-f", "/p"], clientCommands, world), 0);
  assertEquals([world.out, world.err], ["tail", "circuit: 7 bytes before this are no longer kept"]);
});

Deno.test("stdout copies what the process prints", async () => {
  const stdout = () => ReadableStream.from(["1\n", "2\n", "3"].map(encode));
  const elements = { "/p": fake<Proc>("proc", { stdout, peek: peek() }) };
  const world = new FakeWorld({ elements });
  assertEquals(await dispatch(["stdout", "/p"], clientCommands, world), 0);
  assertEquals(world.out, "1\n2\n3");
});

Deno.test("stderr prints what came before a failure", async () => {
  let pulls = 0;
  const stderr = () =>
    new ReadableStream({
      pull(controller) {
        if (++pulls === 1) return controller.enqueue(encode("half"));
        controller.error(new CircuitError("SERVER_GONE", "the server has gone"));
      },
    });
  const elements = { "/p": fake<Proc>("proc", { stderr, peek: peek() }) };
  const world = new FakeWorld({ elements });
  assertEquals(await dispatch(["stderr", "/p"], clientCommands, world), 1);
  assertEquals([world.out, world.err], ["half", "circuit: the server has gone"]);
});
