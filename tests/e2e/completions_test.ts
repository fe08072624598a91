/**
 * Completion in the shells themselves, each with the script that the tool prints for it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Cluster, cluster, dialTo } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertUsage } from "../refused.ts";
import { quote, shell } from "../shell.ts";

/** A shell: how it is made to complete lines, and to print a line `<line> candidates` for each. */
interface Shell {
  readonly name: "bash" | "zsh" | "fish";
  script(lines: readonly string[]): string;
}

const BASH: Shell = {
  name: "bash",
  script: (lines) =>
    [
      "source ./script",
      "ask() { COMP_LINE=$1 COMP_POINT=${#1}; _circuit; " +
      `printf '<%s> %s\\n' "$1" "\${COMPREPLY[*]}"; }`,
      ...lines.map((line) => `ask ${quote(line)}`),
    ].join("\n"),
};

const FISH: Shell = {
  name: "fish",
  script: (lines) =>
    [
      "source ./script",
      "function ask",
      "  set -l found (complete -C$argv[1] | string replace -r '\\t.*' '')",
      "  printf '<%s> %s\\n' $argv[1] \"$found\"",
      "end",
      ...lines.map((line) => `ask ${quote(line)}`),
    ].join("\n"),
};

/**
 * Types into a zsh on a terminal. What it offers is caught on its way to the line editor, in braces;
 * what it puts on the line, as it does with a single file or program, is shown by a key.
 */
const ZSH: Shell = {
  name: "zsh",
  script: (lines) =>
    [
      "zmodload zsh/zpty",
      "zpty typed zsh -f -i",
      // Words that are typed are not the words that are waited for.
      "zpty -w typed 'PS1=; autoload -Uz compinit; compinit -u -D; source ./script",
      'show() { print -r -- "<$BUFFER>"; zle kill-whole-line }; zle -N show; bindkey "^Xs" show',
      'compadd() { local -a it; builtin compadd -O it "$@"; [[ $1 == -S || $1 == -l ]] && ' +
      'print -r -- "{${(j: :)it}}"; builtin compadd "$@" }',
      'print REA""DY\'',
      "zpty -r typed seen '*READY*'",
      "ask() {",
      "  zpty -n -w typed \"$1\"$'\\t\\C-xs'",
      "  zpty -r typed seen '*<*>*'",
      "  local line=${${seen##*\\<}%%\\>*}",
      "  local offered=${${line% }##* }",
      "  [[ $seen == *\\{* ]] && offered=${${seen#*\\{}%%\\}*}",
      '  print -r -- "<$1> $offered"',
      "}",
      ...lines.map((line) => `ask ${quote(line)}`),
      "zpty -d typed",
    ].join("\n"),
};

/** What a shell offers for each line, sorted; where there is one candidate, zsh puts it there. */
async function offers(
  { name, script }: Shell,
  circuit: Cluster,
  lines: readonly string[],
): Promise<string[][]> {
  const file = quote(script(lines));
  const { code, stdout, stderr } = await shell(
    `mkdir keys; touch keys/one.key; circuit completions ${name} > script || exit 9; ` +
      `printf %s ${file} > ask; echo ${quote(circuit.near.address)} > address; ` +
      `HOME=$PWD CIRCUIT=$PWD/address ${name} ask`,
  );
  assertEquals([code, stderr], [0, ""], stdout);
  const answers = new Map(
    stdout.split("\n").map((line) => {
      const [, typed = "", found = ""] = /^<([^>]*)> ?(.*?)\r?$/.exec(line) ?? [];
      return [typed, found.split(" ").filter((word) => word !== "").sort()] as const;
    }),
  );
  return lines.map((line) => answers.get(line) ?? [`no answer to ${line} in ${stdout}`]);
}

for (const each of [BASH, ZSH, FISH]) {
  circuitTest(`completions for ${each.name} complete the tool's command line`, async (logs) => {
    await using circuit = await cluster(2, { logs });
    const { near, far, servers } = circuit;
    await using client = await dialTo(near);
    await client.anchor(far.path).walk("jobs", "first").makeChan();
    await client.anchor(far.path).walk("jobs", "second").makeChan();
    const all = servers.map(({ path }) => path).sort();
    const jobs = ["first", "second"].map((name) => `${far.path}/jobs/${name}`);
    const expected: [typed: string, found: string[]][] = [
      ["circuit std", ["stderr", "stdin", "stdout"]],
      ["circuit sui", ["suicide"]],
      ["circuit help pee", ["peek"]],
      ["circuit completions f", ["fish"]],
      ["circuit signal T", ["TERM", "TSTP", "TTIN", "TTOU"]],
      ["circuit signal KIL", ["KILL"]],
      ["circuit ls -de", ["-depth"]],
      ["circuit ls -l --jso", ["--json"]],
      ["circuit peek /", all],
      ["circuit signal KILL /", all],
      [`circuit ls -l ${far.path}/jobs/`, jobs],
      [`circuit peek ${far.path}/jobs/fi`, jobs.slice(0, 1)],
      [`circuit run ${near.path},${far.path.slice(0, 16)}`, [`${near.path},${far.path}`]],
      ["circuit run / -- unam", ["uname"]],
      ["circuit ls -hmac keys/o", ["keys/one.key"]],
      // Flags on the line are those that the circuit is asked with.
      [`circuit ls -d ${far.address} /`, all],
      ["circuit ls -d 127.0.0.1:1 /", []],
      ["circuit nonsense /", []],
    ];
    const typed = expected.map(([line]) => line);
    const found = await offers(each, circuit, typed);
    for (const [i, [line, wanted]] of expected.entries()) {
      const offered = found[i]?.map((word) => word.trim());
      // It leaves the line as it is where there is nothing to offer.
      const none = each.name === "zsh" ? [line.split(" ").at(-1)] : [];
      assertEquals(
        offered && [...new Set(offered)],
        wanted.length > 0 ? wanted : none,
        `${each.name}: ${line}`,
      );
    }
  }, { ignore: !await isThere(each.name) });
}

circuitTest("completions say what is wrong with a shell", async () => {
  await assertUsage(["completions", "tcsh"], /unknown shell "tcsh"/);
  await assertUsage(["completions", "bsh"], /unknown shell "bsh": did you mean "bash"\?/);
  await assertUsage(["completions"], /SHELL is missing/);
});

/** Whether the machine has this program. */
async function isThere(name: string): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", { args: ["-c", `command -v ${name}`] })
    .output();
  return success;
}
