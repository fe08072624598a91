/**
 * What every anchor can do, whatever it holds, and what the root can; for whoever calls and whoever
 * answers.
 *
 * @module
 */

import { type Kind, streaming, unary } from "../describe.ts";
import { boolean, nothing, record, string } from "../parse.ts";

/** What makes an element: its kind, and the value that its kind wants. */
export interface MakeArgs {
  readonly kind: string;
  readonly value?: unknown;
}

/** The kind of element to make, and its arguments, which the kind itself checks. */
function parseMake(value: unknown): MakeArgs {
  const { kind, value: args } = (value ?? {}) as { kind?: unknown; value?: unknown };
  return { kind: string(kind), value: args };
}

/**
 * What starts something outside the server, by the command that does it. Of a process its program is
 * told, of a container its image: arguments and environment may hold secrets.
 *
 * @param proc The command where it is a process.
 */
function audit({ kind, value }: MakeArgs, proc: string): string | undefined {
  const { path, image } = (value ?? {}) as { path?: unknown; image?: unknown };
  if (kind === "proc") return `${proc} ${path}`;
  return kind === "docker" ? `mkdkr ${image}` : undefined;
}

/** How to list what is below an anchor. */
export interface ListArgs {
  /** All descendants, not only the children. */
  readonly recursive: boolean;
  /** An anchor after all that is below it, not before. */
  readonly depthFirst: boolean;
}

/** The methods of every anchor below a server. */
export const anchorDescription = {
  name: "anchor",
  methods: {
    /** The kind of the element; null for an anchor that holds none. */
    get: unary<void, Kind | null>(nothing),
    make: unary<MakeArgs, void>(parseMake, (args) => audit(args, "mkproc")),
    /**
     * As `make`, but the element lasts no longer than the call: when that is over, however it ends,
     * the element is removed. Answered once it is made. The caller sends nothing; when the element
     * is removed before, the server ends its stream.
     */
    tie: streaming("up", parseMake, (args) => audit(args, "run")),
    scrub: unary<void, void>(nothing, () => "scrub"),
    /**
     * What is below the anchor, in order of name. The bytes that come down are records of two
     * fields, each ended by a NUL: the kind (empty for none) and the path from the anchor.
     */
    list: streaming("down", record({ recursive: boolean, depthFirst: boolean })),
  },
} as const;

/** The methods of the root: what the dial-in server knows of the circuit. */
export const rootDescription = {
  name: "circuit",
  methods: {
    /** The live servers by ID: records of ID and address, each field ended by a NUL. */
    servers: streaming("down", nothing),
    /** The address of the live server with this ID; null if there is none. */
    find: unary<string, string | null>(string),
  },
} as const;
