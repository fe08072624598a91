/** Paths, and the tree of anchors that they lead through. */

import { assert, assertEquals } from "@std/assert";
import type { Element } from "../../elements/mod.ts";
import { formatPath, MAX_COMPONENT_BYTES, MAX_COMPONENTS, parsePath } from "../../elements/path.ts";
import { printable } from "../../client/commands/print.ts";
import { parseGlob } from "../../client/commands/ls.ts";
import { AnchorTree, walk } from "../../server/anchors.ts";
import { fuzz } from "./harness.ts";
import { mutateText, pick } from "./mutate.ts";

const SERVER = "X0123456789abcdef";
const PATHS = [`/${SERVER}/this/is/charlie`, `/${SERVER}`, "/", `/${SERVER}/...`, `${SERVER}//a/`];
const PIECES = [
  "/",
  "//",
  "/.",
  "/..",
  "/...",
  "\0",
  "\n",
  "\x1b[2J",
  "é",
  "\ud83d",
  "__proto__",
  "a".repeat(254),
  "/b".repeat(60),
  SERVER,
];

/** An element that does nothing: the tree only keeps it. */
const ELEMENT = { kind: "chan", dispose() {} } as unknown as Element;

fuzz("paths", () => {
  const tree = new AnchorTree(SERVER, () => {});
  tree.fill(tree.reserve([SERVER], `/${SERVER}`), ELEMENT);
  return (random) => {
    const text = mutateText(pick(PATHS, random), PIECES, random);
    // deno-lint-ignore no-control-regex -- what must not reach a terminal
    assert(!/[\0-\x1f\x7f-\x9f]/.test(printable(text)));
    parseGlob(text);
    const names = parsePath(text);
    assert(names.length <= MAX_COMPONENTS);
    for (const name of names) {
      assert(new TextEncoder().encode(name).length <= MAX_COMPONENT_BYTES);
      assert(!/[/\0]|^\.{0,3}$/.test(name));
    }
    assertEquals(parsePath(formatPath(names)), names);
    if (names.length === 0) return;
    const node = tree.reserve(names, text);
    tree.fill(node, ELEMENT);
    assert(tree.find(names) === node);
    const root = tree.find([SERVER])!; // its element is there for good
    const last = [...walk(root, { recursive: true, depthFirst: false })].at(-1);
    assertEquals(last?.path, names.slice(1).join("/"));
    tree.clear(node);
    assertEquals([tree.size, tree.find(names)], [1, undefined]);
  };
});
