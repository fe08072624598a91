// Tests of the services: that systemd and launchd can read them, and that the server that they start
// has the flags they give it.

import { pathToFileURL } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { parse } from "../../client/commands/parse.ts";
import { startCommand } from "../../server/start_command.ts";

const UNIT = new URL("./circuit.service", import.meta.url);
const PLIST = new URL("./circuit.plist", import.meta.url);
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** What the service does when something goes wrong, by section; each is a decision. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Unit: { StartLimitIntervalSec: "0" },
  Service: {
    Type: "exec",
    Restart: "on-failure",
    RestartForceExitStatus: "SIGHUP SIGPIPE",
    RestartPreventExitStatus: "2",
    StateDirectoryMode: "0700",
    KillMode: "process",
    TimeoutStopSec: "30s",
    OOMPolicy: "continue",
    TasksMax: "50%",
    LimitNOFILE: "1024:524288",
    Delegate: "yes",
    UMask: "0027",
  },
};

/** What `start -grace` is by default, in seconds. */
const GRACE = 10;

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

/** The last value of a setting in a section of the unit. */
function setting(unit: string, section: string, name: string): string | undefined {
  const lines = unit.split(/^\[(\w+)\]$/m);
  const content = lines[lines.indexOf(section) + 1] ?? "";
  return [...content.matchAll(/^(\w+)=(.*)$/gm)].findLast(([, key]) => key === name)?.[2];
}

/** An integer of the property list. */
function integer(plist: string, key: string): number {
  return Number(new RegExp(`<key>${key}</key>\\s*<integer>(\\d+)</integer>`).exec(plist)?.[1]);
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
      // It knows each setting, in that section.
      for (const [name, value] of Object.values(SETTINGS).flatMap(Object.entries)) {
        const broken = installed.replace(`\n${name}=${value}\n`, `\n${name}=nonsense\n`);
        assert(broken !== installed && await verify(broken) !== "", name);
      }
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

Deno.test("circuit.service says what to do when something goes wrong", async () => {
  const unit = await Deno.readTextFile(UNIT);
  for (const [section, settings] of Object.entries(SETTINGS)) {
    for (const [name, value] of Object.entries(settings)) {
      assertEquals(setting(unit, section, name), value, name);
    }
  }
});

Deno.test("circuit.service and circuit.plist give a server time to end its processes", async () => {
  const unit = await Deno.readTextFile(UNIT);
  assert(parseInt(setting(unit, "Service", "TimeoutStopSec") ?? "") > GRACE);
  assert(integer(await Deno.readTextFile(PLIST), "ExitTimeOut") > GRACE);
});

Deno.test("circuit.service and circuit.plist have the same umask", async () => {
  const umask = parseInt(setting(await Deno.readTextFile(UNIT), "Service", "UMask") ?? "", 8);
  assertEquals(integer(await Deno.readTextFile(PLIST), "Umask"), umask);
});

Deno.test("a server that fails has the exit status that circuit.service takes for it", async () => {
  const never = setting(await Deno.readTextFile(UNIT), "Service", "RestartPreventExitStatus");
  const start = async (...args: string[]) => {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", MAIN, "start", ...args],
      stdout: "null",
      stderr: "null",
    }).output();
    return String(code);
  };
  assertEquals(await start("-nonsense"), never);
  assertEquals(await start("unwanted"), never);
  // An address, an interface or a key that may come later. No machine has this address.
  for (const later of [["-a", "192.0.2.1:0"], ["-if", "none0"], ["-hmac", "/nowhere/key"]]) {
    assertEquals(await start(...later), "1", later.join(" "));
  }
});
