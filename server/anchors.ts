/**
 * The anchors of one server: a tree of names, some of which hold an element.
 *
 * @module
 */

import type { Call, Element } from "../elements/mod.ts";
import { CircuitError } from "../overlay/errors.ts";

/** A name in the tree. Children are kept only where there are any: most anchors are leaves. */
export interface AnchorNode {
  readonly name: string;
  readonly parent: AnchorNode | undefined;
  children: Map<string, AnchorNode> | undefined;
  /** `"making"` while an element is being made. */
  element: Element | "making" | undefined;
  /** The call with which the element is to go. */
  tie: Call | undefined;
}

/** Most anchors that a server keeps, its own included. */
export const MAX_ANCHORS = 2_000_000;

/** Most elements that a server keeps, its own included. */
export const MAX_ELEMENTS = 1_000_000;

/** What is called for each element that has come or gone. */
export type OnChange = (element: Element, how: "come" | "gone") => void;

/** The limits of a tree. */
export interface TreeLimits {
  /** Default {@linkcode MAX_ANCHORS}. */
  readonly anchors?: number;
  /** Default {@linkcode MAX_ELEMENTS}. */
  readonly elements?: number;
}

/**
 * The tree. An anchor is there as long as it or one below it holds an element; the root, which holds
 * the server element, is there for good.
 */
export class AnchorTree {
  readonly #root: AnchorNode;
  readonly #counts = new Map<string, number>();
  readonly #onChange: OnChange;
  readonly #maxAnchors: number;
  readonly #maxElements: number;
  #size = 1;
  /** Elements, those included that are being made. */
  #elements = 0;

  /**
   * @param name The server's ID, the first component of every path.
   * @param onChange Called for each element that has come or gone, and must not throw.
   */
  constructor(name: string, onChange: OnChange, limits: TreeLimits = {}) {
    this.#onChange = onChange;
    this.#maxAnchors = limits.anchors ?? MAX_ANCHORS;
    this.#maxElements = limits.elements ?? MAX_ELEMENTS;
    this.#root = newNode(name, undefined);
  }

  /** Anchors that there are, the root included. */
  get size(): number {
    return this.#size;
  }

  /** How many elements of each kind there are. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  /** The anchor at this path; undefined if neither it nor anything below it holds an element. */
  find(names: readonly string[]): AnchorNode | undefined {
    let node: AnchorNode | undefined = this.#root;
    for (let i = 1; i < names.length && node; i++) node = node.children?.get(names[i] ?? "");
    return node;
  }

  /**
   * The anchor at this path, as {@linkcode find}; undefined also for a path that is not in its one
   * canonical form.
   */
  at(path: string): AnchorNode | undefined {
    let node: AnchorNode | undefined = this.#root;
    const end = 1 + node.name.length;
    if (path[0] !== "/" || !path.startsWith(node.name, 1)) return undefined;
    if (path.length > end && path[end] !== "/") return undefined;
    for (let from = end + 1; from <= path.length && node;) {
      const slash = path.indexOf("/", from);
      const to = slash < 0 ? path.length : slash;
      node = node.children?.get(path.slice(from, to));
      from = to + 1;
    }
    return node;
  }

  /**
   * Reserves the anchor at this path for an element, which {@linkcode fill} then puts there or
   * {@linkcode clear} gives up.
   *
   * @throws {CircuitError} `EXISTS` if there is an element or one is being made; `BUSY` if there are
   * {@linkcode MAX_ANCHORS} or {@linkcode MAX_ELEMENTS}. Nothing has changed then.
   */
  reserve(names: readonly string[], path: string): AnchorNode {
    let node = this.#root;
    for (let i = 1; i < names.length; i++) {
      const name = names[i] ?? "";
      let child = node.children?.get(name);
      if (!child) {
        if (this.#size >= this.#maxAnchors) {
          this.#prune(node);
          throw full(path, this.#maxAnchors, "anchors");
        }
        child = newNode(name, node);
        (node.children ??= new Map()).set(name, child);
        this.#size++;
      }
      node = child;
    }
    if (node.element !== undefined) {
      const kind = node.element === "making" ? "an element" : `a ${node.element.kind}`;
      throw new CircuitError(
        "EXISTS",
        `cannot make an element at ${path}: it holds ${kind} already`,
      );
    }
    if (this.#elements >= this.#maxElements) {
      this.#prune(node);
      throw full(path, this.#maxElements, "elements");
    }
    this.#elements++;
    node.element = "making";
    return node;
  }

  /** Puts the element at the anchor that was reserved for it. */
  fill(node: AnchorNode, element: Element): void {
    node.element = element;
    this.#counts.set(element.kind, (this.#counts.get(element.kind) ?? 0) + 1);
    this.#onChange(element, "come");
  }

  /** Takes away what the anchor holds, and the anchors that now have no reason to be there. */
  clear(node: AnchorNode): void {
    const { element } = node;
    node.element = undefined;
    if (element !== undefined) this.#elements--;
    if (element !== undefined && element !== "making") {
      const count = (this.#counts.get(element.kind) ?? 1) - 1;
      if (count > 0) this.#counts.set(element.kind, count);
      else this.#counts.delete(element.kind);
      this.#onChange(element, "gone");
    }
    this.#prune(node);
  }

  /** Every element, in no particular order. */
  *elements(): Generator<Element> {
    for (const [, element] of this.located()) yield element;
  }

  /** Every element and the anchor that holds it, in no particular order. */
  *located(node: AnchorNode = this.#root): Generator<[AnchorNode, Element]> {
    if (node.element !== undefined && node.element !== "making") yield [node, node.element];
    if (node.children) {
      for (const child of node.children.values()) yield* this.located(child);
    }
  }

  #prune(node: AnchorNode): void {
    let each: AnchorNode | undefined = node;
    while (each?.parent && each.element === undefined && !each.children) {
      const { parent }: AnchorNode = each;
      parent.children?.delete(each.name);
      if (parent.children?.size === 0) parent.children = undefined;
      this.#size--;
      each = parent;
    }
  }
}

function newNode(name: string, parent: AnchorNode | undefined): AnchorNode {
  return { name, parent, children: undefined, element: undefined, tie: undefined };
}

function full(path: string, most: number, what: string): CircuitError {
  return new CircuitError(
    "BUSY",
    `cannot make ${path}: this server has ${most} ${what}, which is all it takes`,
  );
}

/** The path of an anchor. */
export function pathOf({ name, parent }: AnchorNode): string {
  return `${parent ? pathOf(parent) : ""}/${name}`;
}

/** One line of a listing. */
export interface Entry {
  readonly kind: string;
  /** From the anchor that was listed, without a leading slash. */
  readonly path: string;
}

/**
 * What is below an anchor, in order of name. Names that come while the listing is under way may or
 * may not be in it; what is there from beginning to end is in it exactly once.
 */
export function* walk(
  node: AnchorNode,
  options: { recursive: boolean; depthFirst: boolean },
  prefix = "",
): Generator<Entry> {
  const { children } = node;
  if (!children) return;
  for (const name of [...children.keys()].sort(byCodePoint)) {
    const child = children.get(name);
    if (!child) continue;
    const path = prefix + name;
    const entry = { kind: kindOf(child), path };
    if (!options.depthFirst) yield entry;
    if (options.recursive && child.children) yield* walk(child, options, `${path}/`);
    if (options.depthFirst) yield entry;
  }
}

/** The kind of what an anchor holds; empty for nothing. */
export function kindOf(node: AnchorNode): string {
  return node.element === undefined || node.element === "making" ? "" : node.element.kind;
}

/** By code unit: the same on every machine, and the cheapest. */
function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
