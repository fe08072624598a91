import { assertEquals, assertThrows } from "@std/assert";
import { parsePath } from "../elements/path.ts";
import { CircuitError } from "../overlay/errors.ts";
import type { Element } from "../elements/mod.ts";
import { AnchorTree, MAX_ANCHORS, MAX_ELEMENTS } from "./anchors.ts";

const ROOT = "X0123456789abcdef";

/** An element that does nothing: the tree only keeps it. */
const ELEMENT = { kind: "chan", dispose() {} } as unknown as Element;

function tree(limits: { anchors?: number; elements?: number }) {
  const made = new AnchorTree(ROOT, () => {}, limits);
  const make = (path: string) => {
    const names = parsePath(`/${ROOT}${path}`);
    const node = made.reserve(names, `/${ROOT}${path}`);
    made.fill(node, ELEMENT);
    return node;
  };
  make("");
  return { made, make };
}

function refused(make: () => unknown, message: string): void {
  assertEquals(assertThrows(make, CircuitError, message).code, "BUSY");
}

Deno.test("the limits of a server are what SECURITY.md says", () => {
  assertEquals([MAX_ANCHORS, MAX_ELEMENTS], [2_000_000, 1_000_000]);
});

Deno.test("AnchorTree.reserve() takes as many anchors as it may, and not one more", () => {
  const { made, make } = tree({ anchors: 4 });
  make("/a/b");
  make("/c");
  assertEquals(made.size, 4);
  refused(
    () => make("/d"),
    `cannot make /${ROOT}/d: this server has 4 anchors, which is all it takes`,
  );
  // One that is half made leaves nothing.
  made.clear(made.find([ROOT, "c"])!); // just made
  refused(() => make("/x/y"), "has 4 anchors");
  assertEquals([made.size, made.find([ROOT, "x"])], [3, undefined]);
  make("/a");
  make("/a/d");
  assertEquals(made.size, 4);
});

Deno.test("AnchorTree.reserve() takes as many elements as it may, and not one more", () => {
  const { made, make } = tree({ elements: 3 });
  make("/a");
  // One that is being made counts.
  const reserved = made.reserve([ROOT, "b"], `/${ROOT}/b`);
  refused(() => make("/c/d"), "this server has 3 elements, which is all it takes");
  assertEquals([made.size, made.find([ROOT, "c"])], [3, undefined]);
  made.clear(reserved);
  make("/c/d");
  made.clear(made.find([ROOT, "a"])!); // made above
  make("/a");
  refused(() => make("/b"), "3 elements");
});

function treeOf(...paths: string[]): AnchorTree {
  const tree = new AnchorTree(ROOT, () => {});
  for (const path of paths) tree.reserve(parsePath(path), path);
  return tree;
}

Deno.test("at() finds what find() finds, by the canonical path", () => {
  const paths = [
    `/${ROOT}`,
    `/${ROOT}/a`,
    `/${ROOT}/a/b`,
    `/${ROOT}/a/f`,
    `/${ROOT}/f`,
    `/${ROOT}/ü ü`,
  ];
  const tree = treeOf(...paths);
  for (const path of [...paths, `/${ROOT}/b`, `/${ROOT}/a/b/c`, `/${ROOT}/ab`, `/${ROOT}f`]) {
    assertEquals(
      tree.at(path),
      path === `/${ROOT}f` ? undefined : tree.find(parsePath(path)),
      path,
    );
  }
  assertEquals(tree.at(`/${ROOT}/a/b`)?.name, "b");
});

Deno.test("at() finds nothing by a path that is not canonical, or not of this server", () => {
  const tree = treeOf(`/${ROOT}`, `/${ROOT}/f`, `/${ROOT}/a/f`);
  const others = [
    "",
    "/",
    "//",
    ROOT,
    `//${ROOT}`,
    `///${ROOT}`,
    `/${ROOT}/`,
    `//${ROOT}/f`,
    `///${ROOT}/a/f`,
  ];
  for (
    const path of [...others, `/${ROOT}//f`, `/${ROOT}/f/`, "/Xffffffffffffffff/f", `/${ROOT}/./f`]
  ) {
    assertEquals(tree.at(path), undefined, path);
  }
});
