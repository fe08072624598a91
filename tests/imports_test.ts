/**
 * Which part imports which, checked from the real import graph. A part is a folder with a door,
 * `mod.ts`; the table below says what each may reach for, and nothing else may.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { root, rootUrl } from "./program.ts";

/** The modules of a graph, each with those that it imports; paths from the project's folder. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** What `deno info --json` says of a module, as far as it is used here. */
interface InfoModule {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** The import graph below a module of the project, imports of types included. */
async function graphOf(entry: string): Promise<Graph> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", `--config=${root}deno.json`, root + entry],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: InfoModule[] };
  const base = rootUrl.href;
  const local = (specifier: string | undefined) =>
    specifier?.startsWith(base) ? [specifier.slice(base.length)] : [];
  return new Map(
    modules.flatMap(({ specifier, dependencies = [] }) =>
      local(specifier).map((path) => {
        const imports = dependencies.flatMap(({ code, type }) => [
          ...local(code?.specifier),
          ...local(type?.specifier),
        ]);
        return [path, new Set(imports)] as const;
      })
    ),
  );
}

/** Every module that is not a test, from all the doors of the project. */
async function wholeGraph(): Promise<Graph> {
  const graphs = await Promise.all(["main.ts", "mod.ts", "server/mod.ts"].map(graphOf));
  return new Map(graphs.flatMap((graph) => [...graph]));
}

/**
 * What each part may import of others: patterns of paths. What a module imports of its own part is
 * its own affair. The first row that a module matches holds.
 */
const ARROWS: readonly (readonly [part: RegExp, may: readonly RegExp[]])[] = [
  [/^overlay\/transport\//, [/^overlay\/(errors|address|budget)\.ts$/]],
  // A state machine, which knows neither sockets nor sessions.
  [/^overlay\/membership\//, [/^overlay\/(errors|address)\.ts$/]],
  [/^overlay\/discovery\//, [/^overlay\/(errors|address)\.ts$/]],
  [/^overlay\//, [/^overlay\//]],
  [/^elements\//, [/^overlay\/(errors|address|budget|delay)\.ts$/]],
  [/^client\/commands\//, [
    /^client\/(mod|types)\.ts$/,
    /^overlay\/(errors|address)\.ts$/,
    /^elements\/([^/]+\/description|describe|parse|path)\.ts$/,
    /^deno\.json$/,
  ]],
  [/^client\//, [
    /^overlay\/(errors|address|delay)\.ts$/,
    /^overlay\/transport\//,
    // A client asks the network for servers as a server does.
    /^overlay\/discovery\/mod\.ts$/,
    /^elements\/([^/]+\/description|describe|parse|path)\.ts$/,
  ]],
  [/^server\/start_command\.ts$/, [/^client\/commands\/mod\.ts$/]],
  [/^server\//, [
    /^overlay\//,
    /^elements\/([^/]+\/)?mod\.ts$/,
    /^elements\/([^/]+\/description|describe|parse|path)\.ts$/,
    /^deno\.json$/,
  ]],
  [/^mod\.ts$/, [/^client\/(mod|types)\.ts$/, /^overlay\/errors\.ts$/]],
  [/^main\.ts$/, [
    /^mod\.ts$/,
    /^client\/commands\/mod\.ts$/,
    /^server\/(mod|start_command)\.ts$/,
  ]],
];

/** The folder whose insides a module may use freely. */
function partOf(path: string): string {
  const nested = /^(client\/commands|overlay\/[^/]+)\//.exec(path)?.[0];
  return nested ?? path.slice(0, path.indexOf("/") + 1);
}

/** Imports that the table does not allow. */
function violations(graph: Graph): string[] {
  const found = [];
  for (const [from, imports] of graph) {
    const may = ARROWS.find(([part]) => part.test(from))?.[1] ?? [];
    for (const to of imports) {
      if (partOf(to) === partOf(from)) continue;
      if (!may.some((pattern) => pattern.test(to))) found.push(`${from} imports ${to}`);
    }
  }
  return found;
}

/** Cycles among folders, each as the folders in it; none in a graph that has layers. */
function cycles(graph: Graph, folderOf: (path: string) => string): string[][] {
  const edges = new Map<string, Set<string>>();
  for (const [from, imports] of graph) {
    for (const to of imports) {
      const [a, b] = [folderOf(from), folderOf(to)];
      if (a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b));
    }
  }
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const open = [start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const next of edges.get(at) ?? []) {
        if (!seen.has(next)) open.push(next);
        seen.add(next);
      }
    }
    return seen;
  };
  const all = new Map([...edges.keys()].map((folder) => [folder, reach(folder)]));
  const groups = new Map<string, string[]>();
  for (const [folder, reached] of all) {
    if (!reached.has(folder)) continue;
    const group = [...reached].filter((other) => all.get(other)?.has(folder)).sort();
    groups.set(group.join(), group);
  }
  return [...groups.values()];
}

Deno.test("the import graph has only the arrows that the design has", async () => {
  const graph = await wholeGraph();
  assert(graph.size > 50, `${graph.size} modules`);
  assertEquals(violations(graph), []);
});

Deno.test("the import graph of mod.ts holds nothing of a server and no element's behaviour", async () => {
  const graph = await graphOf("mod.ts");
  const allowed = [
    /^mod\.ts$/,
    /^client\/[^/]+\.ts$/,
    /^overlay\/(errors|address|budget|delay)\.ts$/,
    /^overlay\/(transport|discovery)\/[^/]+\.ts$/,
    /^elements\/([^/]+\/description|describe|parse|path|call)\.ts$/,
  ];
  const others = [...graph.keys()].filter((path) => !allowed.some((each) => each.test(path)));
  assertEquals(others, []);
});

Deno.test("the import graph of overlay/ holds nothing of anchors, elements and clients", async () => {
  const graph = await wholeGraph();
  for (const [from, imports] of graph) {
    if (!from.startsWith("overlay/")) continue;
    for (const to of imports) assert(to.startsWith("overlay/"), `${from} imports ${to}`);
  }
});

Deno.test("the import graph has no cycles between folders", async () => {
  const graph = await wholeGraph();
  const topFolder = (path: string) => path.split("/")[0] ?? path;
  assertEquals(cycles(graph, topFolder), []);
  // Files that stand beside folders are either below them, as errors.ts, or above, as node.ts.
  const innerFolder = (path: string) =>
    /^((elements|overlay)\/)?[^/]+$/.test(path) ? path : path.slice(0, path.lastIndexOf("/") + 1);
  assertEquals(cycles(graph, innerFolder), []);
});

Deno.test("what mod.ts reaches imports by relative path or a full specifier", async () => {
  // Import maps do not travel with a URL.
  const { imports } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const bare = Object.keys(imports);
  for (const path of (await graphOf("mod.ts")).keys()) {
    const source = await Deno.readTextFile(root + path);
    for (const [, specifier = ""] of source.matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
      const mapped = bare.some((name) => specifier === name || specifier.startsWith(`${name}/`));
      assert(!mapped, `${path} imports ${specifier}, which only an import map explains`);
    }
  }
});
