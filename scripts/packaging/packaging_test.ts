// Tests of the services: that systemd and launchd can read them, and that the server that they start
// has the flags they give it.

import { pathToFileURL } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { parse } from "../../client/commands/parse.ts";
import { startCommand } from "../../server/start_command.ts";

const UNIT = new URL("./circuit.service", import.meta.url);
const PLIST = new URL("./circuit.plist", import.meta.url);

/** What a property list is made of; Apple's own definition is a download. */
const PLIST_DTD = `
  <!ENTITY % value "(array|dict|string|integer|real|true|false|date|data)">
  <!ELEMENT plist %value;>
  <!ATTLIST plist version CDATA "1.0">
  <!ELEMENT array (%value;)*>
  <!ELEMENT dict (key, %value;)*>
  <!ELEMENT key (#PCDATA)>
  <!ELEMENT string (#PCDATA)>
  <!ELEMENT integer (#PCDATA)>
  <!ELEMENT real (#PCDATA)>
  <!ELEMENT true EMPTY>
  <!ELEMENT false EMPTY>
  <!ELEMENT date (#PCDATA)>
  <!ELEMENT data (#PCDATA)>`;

async function has(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'command -v "$1"', "sh", program],
    stdout: "null",
  }).output();
  return success;
}

/** What the program says against the file; empty for nothing. */
async function complaints(program: string, args: readonly string[]): Promise<string> {
  const { code, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const said = new TextDecoder().decode(stderr);
  return code === 0 ? said : `${said}exit status ${code}`;
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "packaging_test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Fails if the command line is none of the server's. */
function assertStarts([program, command, ...args]: readonly string[]): void {
  assertEquals([program, command], ["/usr/local/bin/circuit", "start"]);
  assert(args.includes("-var"));
  parse(startCommand, args);
}

Deno.test({
  name: "systemd takes circuit.service (needs systemd-analyze)",
  ignore: !await has("systemd-analyze"),
  fn: () =>
    inFolder(async (folder) => {
      const unit = await Deno.readTextFile(UNIT);
      const path = `${folder}/circuit.service`;
      const verify = async (content: string) => {
        await Deno.writeTextFile(path, content);
        return await complaints("systemd-analyze", ["verify", "--man=no", path]);
      };
      // It asks whether the program is there.
      const installed = unit.replace("/usr/local/bin/circuit", "/bin/sh");
      assertEquals(await verify(installed), "");
      assert(await verify(installed.replace("KillMode=process", "KillMode=nonsense")) !== "");
    }),
});

Deno.test({
  name: "circuit.plist is a property list (needs xmllint)",
  ignore: !await has("xmllint"),
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/circuit.plist`;
      const dtd = `${folder}/plist.dtd`;
      await Deno.writeTextFile(dtd, PLIST_DTD);
      const plist = (await Deno.readTextFile(PLIST)).replace(
        /"http:[^"]*"/,
        `"${pathToFileURL(dtd)}"`,
      );
      const verify = async (content: string) => {
        await Deno.writeTextFile(path, content);
        return await complaints("xmllint", ["--noout", "--nonet", "--valid", path]);
      };
      assertEquals(await verify(plist), "");
      assert(await verify(plist.replace("<true/>", "<yes/>")) !== "");
    }),
});

Deno.test("circuit.service and circuit.plist start a server with flags that it has", async () => {
  const unit = await Deno.readTextFile(UNIT);
  const exec = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "";
  assertStarts(exec.split(" ").filter((word) => word !== "$CIRCUIT_ARGS"));
  const plist = await Deno.readTextFile(PLIST);
  const list = /<key>ProgramArguments<\/key>\s*<array>(.*?)<\/array>/s.exec(plist)?.[1] ?? "";
  assertStarts([...list.matchAll(/<string>(.*?)<\/string>/g)].map(([, word]) => word ?? ""));
});
