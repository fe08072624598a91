import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import type { Chan, Proc, ProcStat, Server, Subscription } from "../types.ts";
import { command } from "./command.ts";
import { dispatch } from "./dispatch.ts";
import { encode, fake, type FakeOptions, FakeWorld } from "./fake_world_test.ts";
import { clientCommands } from "./mod.ts";

/** Runs the tool in a made-up world. */
async function run(argv: string, options?: FakeOptions) {
  const world = new FakeWorld(options);
  const status = await dispatch(argv.split(" ").filter((each) => each), clientCommands, world);
  return { status, out: world.out, err: world.err, asked: world.asked, world };
}

const NOWHERE = { dial: undefined, discover: undefined, hmac: undefined, timeoutMs: 5_000 };

Deno.test("dispatch() without a command prints the help on standard error", async () => {
  const { status, out, err } = await run("");
  assertEquals([status, out], [2, ""]);
  assertStringIncludes(err, "usage: circuit COMMAND");
});

Deno.test("dispatch() prints help that was asked for on standard output", async () => {
  for (const argv of ["help", "-h", "--help", "-help"]) {
    const { status, out, err } = await run(argv);
    assertEquals([status, err], [0, ""]);
    assertStringIncludes(out, "usage: circuit COMMAND");
  }
  const { out } = await run("help ls");
  for (const argv of ["ls -h", "ls --help", "ls /x y -help"]) {
    assertEquals((await run(argv)).out, out);
  }
});

Deno.test("dispatch() answers a mistyped command with the nearest", async () => {
  for (const argv of ["lss", "help lss"]) {
    const { status, out, err } = await run(argv);
    assertEquals([status, out], [2, ""]);
    assertStringIncludes(err, 'unknown command "lss": did you mean "ls"?');
  }
  assertStringIncludes((await run("-d x ls")).err, "a command comes first");
});

Deno.test("dispatch() answers a usage error with the command's usage line", async () => {
  assertEquals(await run("ls -dail x /").then(({ status, err }) => [status, err]), [
    2,
    'circuit: ls: unknown flag "-dail": did you mean "-dial"?\n' +
    "usage: circuit ls [-l] [-depth] [-json] PATH",
  ]);
  assertEquals(await run("mkchan /x three").then(({ status, asked }) => [status, asked]), [2, []]);
});

Deno.test("dispatch() prints a failure's message, and its stack only for debugging", async () => {
  const anchor = { scrub: () => Promise.reject(new CircuitError("DENIED", "it may not be")) };
  const plain = await run("scrub /x", { anchor });
  assertEquals([plain.status, plain.err, plain.out], [1, "circuit: it may not be", ""]);
  assertEquals(plain.world.closedClients, 1);
  const debug = await run("scrub /x", { anchor, debug: true });
  assertStringIncludes(debug.err, "dispatch_test.ts");
});

Deno.test("dispatch() ends quietly when nobody reads its output", async () => {
  const entries = [{ path: "/x", kind: undefined }];
  const write = () => Promise.reject(new Deno.errors.BrokenPipe());
  const { status, err, world } = await run("ls /", { entries, write });
  assertEquals([status, err], [0, ""]);
  assertEquals(world.closedClients, 1);
});

Deno.test("dispatch() ends an interrupted call at once and closes the client", async () => {
  const world = new FakeWorld({
    anchor: {
      get: (options) =>
        new Promise((_resolve, reject) =>
          options?.signal?.addEventListener("abort", () => reject(options.signal?.reason))
        ),
    },
  });
  const status = dispatch(["recv", "/x"], clientCommands, world);
  await new Promise((resolve) => setTimeout(resolve, 0));
  world.interrupt(130);
  assertEquals(await status, 130);
  assertEquals([world.err, world.out, world.closedClients > 0], ["", "", true]);
});

Deno.test("dispatch() does not wait long for an interrupted command that hangs", async () => {
  const hang = command({
    name: "hang",
    group: "This tool",
    summary: "",
    args: {},
    flags: {},
    example: "",
    run: () => new Promise(() => {}),
  });
  const world = new FakeWorld();
  const twice = dispatch(["hang"], [hang], world);
  world.interrupt(143);
  world.interrupt(143);
  assertEquals(await twice, 143);
});

Deno.test("the flags for finding a server reach the client", async () => {
  assertEquals((await run("ls /")).asked[0], NOWHERE);
  const where = { dial: "a:1", discover: "228.8.8.8:1", hmac: "k", timeoutMs: 250 };
  const typed = "ls -d a:1 / -discover=228.8.8.8:1 -hmac k -timeout 0.25";
  assertEquals((await run(typed)).asked[0], where);
});

Deno.test("a command that finds no server in time names -timeout", async () => {
  const connect = () => Promise.reject(new CircuitError("TIMEOUT", "cannot reach a:1"));
  const { status, err } = await run("ls -d a:1 -timeout 0.01 /", { connect });
  assertEquals(status, 1);
  assertEquals(err, "circuit: cannot reach a:1 (-timeout SECONDS waits longer)");
});

Deno.test("ls prints paths, kinds or JSON", async () => {
  const entries = [
    { path: "/X/a", kind: "chan" },
    { path: "/X/new\nline", kind: undefined },
  ] as const;
  const plain = await run("ls /X", { entries });
  assertEquals(plain.out, "/X/a\n/X/new\\nline\n");
  assertEquals(plain.asked.slice(1), ["/X", { recursive: false, depthFirst: false }]);
  assertEquals(
    (await run("ls -l /X", { entries })).out,
    "chan            /X/a\n·               /X/new\\nline\n",
  );
  assertEquals(
    (await run("ls -json /X", { entries })).out,
    '{"path":"/X/a","kind":"chan"}\n{"path":"/X/new\\nline","kind":null}\n',
  );
});

Deno.test("ls takes PATH/... for everything below", async () => {
  const recursive = { recursive: true, depthFirst: true };
  for (
    const [typed, path] of [["/...", "/"], ["...", "/"], ["/X/a/...", "/X/a"], ["/X/.../", "/X"]]
  ) assertEquals((await run(`ls -depth ${typed}`)).asked.slice(1), [path, recursive]);
  assertEquals((await run("ls /X/a...")).asked[1], "/X/a...");
});

Deno.test("peek prints null for an empty anchor, and every kind's state", async () => {
  assertEquals((await run("peek /x")).out, "null\n");
  const elements = {
    "/s": fake<Subscription>("@join", {
      peek: () => Promise.resolve({ source: "join", pending: 2, closed: false }),
    }),
  };
  assertEquals(
    (await run("peek /s", { elements })).out,
    '{\n\t"Source": "join",\n\t"Pending": 2,\n\t"Closed": false\n}\n',
  );
});

Deno.test("a command says what it found instead of what it needs", async () => {
  const none = await run("close /x");
  assertEquals(none.err, "circuit: there is nothing at /x; it should be a channel");
  const elements = { "/x": fake<Server>("server", {}) };
  const other = await run("wait /x", { elements });
  assertEquals(other.err, "circuit: /x is a server; it should be a process or a container");
  assertEquals([none.status, other.status], [1, 1]);
});

Deno.test("mkproc reads the command and adds -scrub", async () => {
  const made: unknown[] = [];
  const anchor = {
    makeProc: (cmd: unknown) => {
      made.push(cmd);
      return Promise.resolve(fake<Proc>("proc", {}));
    },
  };
  const stdin = '{"Path":"ls"}';
  const { status, err } = await run("mkproc -scrub /x", { anchor, stdin });
  assertEquals([status, err, made], [0, "", [{ path: "ls", scrub: true }]]);
  const bad = await run("mkproc /x", { anchor, stdin: "{}" });
  assertEquals([bad.status, bad.err], [1, 'circuit: the command: "Path" is missing']);
  assertEquals(bad.asked, []);
});

Deno.test("send streams standard input and ends the message", async () => {
  let sent = "";
  const decoder = new TextDecoder();
  const elements = {
    "/c": fake<Chan>("chan", {
      send: () =>
        Promise.resolve(
          new WritableStream({
            write: (chunk) => void (sent += decoder.decode(chunk)),
            close: () => void (sent += "."),
          }),
        ),
    }),
  };
  assertEquals((await run("send /c", { elements, stdin: "hello" })).status, 0);
  assertEquals(sent, "hello.");
});

Deno.test("recv has written all of a message before it says so", async () => {
  let written = 0;
  const write = async (bytes: Uint8Array) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    written += bytes.length;
    return bytes.length;
  };
  const writtenAtEnd: number[] = [];
  let pulls = 0;
  const message = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (++pulls <= 3) return controller.enqueue(encode("12345"));
      writtenAtEnd.push(written);
      controller.close();
    },
  }, { highWaterMark: 0 });
  const elements = { "/c": fake<Chan>("chan", { recv: () => Promise.resolve(message) }) };
  assertEquals((await run("recv /c", { elements, write })).status, 0);
  assertEquals(writtenAtEnd, [15]);
});

Deno.test("recv prints a subscription's path on a line, and fails when it is gone", async () => {
  const subscription = (path: string | undefined) => ({
    "/s": fake<Subscription>("@leave", { consume: () => Promise.resolve(path) }),
  });
  assertEquals((await run("recv /s", { elements: subscription("/X1") })).out, "/X1\n");
  const gone = await run("recv /s", { elements: subscription(undefined) });
  assertEquals([gone.status, gone.err], [1, "circuit: /s has been scrubbed"]);
});

Deno.test("waitall prints each status as it comes and fails if one did", async () => {
  const proc = (exit: string | null, wait: Promise<unknown>) =>
    fake<Proc>("proc", {
      wait: async () => {
        await wait;
        const stat = { phase: "exited", exit, exitCode: exit ? 3 : 0, signal: null, pid: 1 };
        return { cmd: { path: "x" }, ...stat } as ProcStat;
      },
    });
  const quick = proc(null, Promise.resolve());
  const late = proc("exit status 3", new Promise((resolve) => setTimeout(resolve, 5)));
  const elements = { "/late": late, "/quick": quick };
  const stdin = "/late\n\n/quick\n";
  const text = await run("waitall", { elements, stdin });
  assertEquals([text.status, text.out], [1, "/quick\texit status 0\n/late\texit status 3\n"]);
  const asJson = await run("waitall -json", { elements, stdin: "/quick\n/none" });
  assertEquals(asJson.status, 1);
  assertEquals(asJson.out.split("\n").sort(), [
    "",
    '{"path":"/none","error":"there is nothing at /none; it should be a process or a container"}',
    '{"path":"/quick","exit":null,"exitCode":0,"signal":null}',
  ]);
  const well = await run("waitall", { elements, stdin: "/quick" });
  assertEquals([well.status, well.out], [0, "/quick\texit status 0\n"]);
  assertEquals((await run("waitall")).status, 0);
});

Deno.test("version prints the version, and what it runs on as JSON", async () => {
  assert(/^circuit \d+\.\d+\.\d+\n$/.test((await run("version")).out));
  const { out } = await run("version -json");
  assertEquals(Object.keys(JSON.parse(out)), ["version", "deno", "os", "arch"]);
});
