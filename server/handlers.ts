/**
 * What anchors and the root answer: making, finding, listing and removing.
 *
 * @module
 */

import type {
  anchorDescription,
  MakeArgs,
  rootDescription,
} from "../elements/anchor/description.ts";
import {
  type Call,
  type CircuitView,
  type Element,
  type ElementContext,
  type Handlers,
  type Kind,
  KINDS,
  signalOf,
} from "../elements/mod.ts";
import type { Launcher } from "../elements/launch/mod.ts";
import type { Budget } from "../overlay/budget.ts";
import { CircuitError } from "../overlay/errors.ts";
import type { Member } from "../overlay/node.ts";
import { type AnchorNode, type AnchorTree, walk } from "./anchors.ts";
import type { Log } from "./log.ts";

/** Bytes of a listing that are gathered before they are sent: 16 KiB. */
const LIST_CHUNK_BYTES = 16 * 1024;

const encoder = new TextEncoder();

/** What anchors need of their server. */
export interface Host {
  readonly tree: AnchorTree;
  readonly circuit: CircuitView;
  readonly log: Log;
  /** Takes what a removed element has still to do. */
  readonly ending: (work: Promise<void>) => void;
  /** What elements may hold of memory, all together. */
  readonly budget: Budget;
  /** Whether containers can be made. */
  readonly docker: boolean;
  /** What starts programs. */
  readonly launcher: Launcher;
  /** Elements that are being made right now. */
  readonly making: Set<Promise<Element>>;
}

/** The behaviour of the anchor with these names. */
export function anchorHandlers(
  host: Host,
  names: readonly string[],
  path: string,
): Handlers<typeof anchorDescription["methods"]> {
  const { tree } = host;
  return {
    get(): Kind | null {
      const element = tree.find(names)?.element;
      return element === undefined || element === "making" ? null : element.kind;
    },

    async make(args, call) {
      await makeElement(host, names, path, args, { call, tied: false });
    },

    async tie(args, call) {
      const { node, element } = await makeElement(host, names, path, args, { call, tied: true });
      call.accept();
      if (node.element === element) node.tie = call;
      // It has gone by itself already.
      else call.end();
      const untie = () => {
        if (node.tie === call) removeElement(host, node);
      };
      // Calls back at once if the caller went away while the element was being made.
      call.onOver(untie);
      while (await call.read() !== undefined);
      untie();
    },

    scrub() {
      const node = tree.find(names);
      if (!node) return;
      if (!node.parent) {
        throw new CircuitError("DENIED", `cannot scrub ${path}: a server element stays for good`);
      }
      removeElement(host, node);
    },

    async list(options, call) {
      const node = tree.find(names);
      await sendRecords(call, node ? records(walk(node, options)) : []);
    },
  };
}

/** The behaviour of the root, as this server knows the circuit. */
export function rootHandlers(
  members: () => Member[],
): Handlers<typeof rootDescription["methods"]> {
  return {
    servers: (_, call) => sendRecords(call, members().map(({ id, address }) => [id, address])),
    find: (id) => members().find((member) => member.id === id)?.address ?? null,
  };
}

function* records(entries: Iterable<{ kind: string; path: string }>): Generator<string[]> {
  for (const { kind, path } of entries) yield [kind, path];
}

/**
 * Makes an element at the anchor with these names.
 *
 * @param by The call that makes it, and whether it is to go with that.
 * @returns the anchor, and the element, which may have gone from it again already.
 */
async function makeElement(
  host: Host,
  names: readonly string[],
  path: string,
  { kind, value }: MakeArgs,
  { call, tied }: { readonly call: Call; readonly tied: boolean },
): Promise<{ readonly node: AnchorNode; readonly element: Element }> {
  const { tree, circuit, log, budget, docker, launcher, making } = host;
  const maker = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (!maker) {
    throw new CircuitError(
      "UNSUPPORTED",
      `cannot make ${path}: this server knows no element of kind ${JSON.stringify(kind)}, only ` +
        Object.keys(KINDS).join(", "),
    );
  }
  const node = tree.reserve(names, path);
  try {
    let removed = false;
    let signal: AbortSignal | undefined;
    const context: ElementContext = {
      path,
      tied,
      budget,
      docker,
      launcher,
      get signal() {
        return signal ??= signalOf(call);
      },
      remove() {
        // An element may be over before it is in its place.
        removed = true;
        removeElement(host, node);
      },
      log: (level, message) => log(level, `${path}: ${message}`),
    };
    const made = maker.make(value, context, circuit);
    const element = made instanceof Promise ? await underWay(making, made) : made;
    tree.fill(node, element);
    if (removed) removeElement(host, node);
    return { node, element };
  } catch (error) {
    if (node.element === "making") tree.clear(node);
    throw error;
  }
}

/** The promise's value; until then it is among those under way. */
async function underWay<T>(among: Set<Promise<T>>, promise: Promise<T>): Promise<T> {
  among.add(promise);
  try {
    return await promise;
  } finally {
    among.delete(promise);
  }
}

function removeElement({ tree, ending }: Pick<Host, "tree" | "ending">, node: AnchorNode): void {
  const { element, tie } = node;
  if (element === undefined || element === "making") return;
  node.tie = undefined;
  tree.clear(node);
  const work = element.dispose();
  if (work) ending(work);
  tie?.end();
}

/** Answers with records of NUL-ended fields, as fast as the caller takes them. */
async function sendRecords(call: Call, records: Iterable<readonly string[]>): Promise<void> {
  call.accept();
  let text = "";
  for (const fields of records) {
    for (const field of fields) text += field + "\0";
    if (text.length < LIST_CHUNK_BYTES) continue;
    await call.write(encoder.encode(text));
    text = "";
  }
  await call.write(encoder.encode(text));
  call.end();
}
