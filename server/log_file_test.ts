import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { CircuitError } from "../overlay/errors.ts";
import { LogFile } from "./log_file.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Runs with a file of at most 100 bytes. */
async function withFile(use: (file: LogFile, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/circuit.log`;
  const file = new LogFile(path, 100);
  try {
    await use(file, path);
  } finally {
    file.reopen();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("LogFile appends to what is there, in a file that only its owner can read", () =>
  withFile(async (file, path) => {
    await file.write(bytes("one\n"));
    file.reopen();
    await file.write(bytes("two\n"));
    assertEquals(await Deno.readTextFile(path), "one\ntwo\n");
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600); // there are modes on Unix
  }));

Deno.test("LogFile keeps one file before this one, and parts them between lines", () =>
  withFile(async (file, path) => {
    const line = `${"x".repeat(39)}\n`;
    for (let i = 0; i < 2; i++) await file.write(bytes(line));
    await file.write(bytes("half a "));
    await file.write(bytes("line that is too long\n"));
    assertEquals((await Deno.stat(path)).size, 109);
    for (let i = 0; i < 3; i++) await file.write(bytes(line));
    assertEquals(await Deno.readTextFile(path), line);
    assertEquals(await Deno.readTextFile(`${path}.1`), line + line);
  }));

Deno.test("LogFile begins anew where its file was moved or its directory made anew", () =>
  withFile(async (file, path) => {
    await file.write(bytes("one\n"));
    await Deno.rename(path, `${path}.old`);
    await file.write(bytes("two\n"));
    file.reopen();
    await file.write(bytes("three\n"));
    assertEquals(await Deno.readTextFile(`${path}.old`), "one\ntwo\n");
    assertEquals(await Deno.readTextFile(path), "three\n");
    const folder = path.slice(0, path.lastIndexOf("/"));
    await Deno.remove(folder, { recursive: true });
    file.reopen();
    await assertRejects(() => file.write(bytes("four\n")), Deno.errors.NotFound);
    await Deno.mkdir(folder);
    await file.write(bytes("five\n"));
    assertEquals(await Deno.readTextFile(path), "five\n");
  }));

Deno.test({
  name: "LogFile does not follow another user's link",
  ignore: Deno.uid() !== 0,
  fn: () =>
    withFile(async (file, path) => {
      await Deno.writeTextFile(`${path}.precious`, "");
      await Deno.symlink(`${path}.precious`, path);
      const chown = new Deno.Command("chown", { args: ["-h", "12345", path] });
      assertEquals((await chown.output()).code, 0);
      const error = await assertRejects(() => file.write(bytes("one\n")), CircuitError);
      assertMatch(error.message, /circuit\.log: it belongs to user 12345/);
      assertEquals(await Deno.readTextFile(`${path}.precious`), "");
    }),
});
