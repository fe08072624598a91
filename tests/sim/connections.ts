/**
 * The connections between virtual servers. Their ends have numbers: `2·n` where it was dialled from
 * and `2·n + 1`. They are kept in columns, since each frame looks at two ends of some connection or
 * other, and what it looks at then lies together.
 *
 * @module
 */

import type { Node } from "./node.ts";

/** The server holds this end. */
const OPEN = 1;
/** A packet from this end was lost for good: nothing after it arrives. */
const STUCK = 2;
const FIRST_CAPACITY = 1024;

/** All connections there ever were. */
export class ConnectionTable {
  #flags = new Uint8Array(FIRST_CAPACITY);
  /** When what was sent last from each end arrives. */
  #arrives = new Float64Array(FIRST_CAPACITY);
  /** By end; those of connections closed at both ends are gone. */
  readonly #nodes: (Node | undefined)[] = [];

  /** A new connection; returns the dialler's end. */
  open(dialler: Node, listener: Node, now: number): number {
    const end = this.#nodes.length;
    if (end === this.#flags.length) this.#grow();
    this.#nodes.push(dialler, listener);
    this.#flags[end] = this.#flags[end + 1] = OPEN;
    this.#arrives[end] = this.#arrives[end + 1] = now;
    return end;
  }

  /** True while the server holds this end. */
  isOpen(end: number): boolean {
    return ((this.#flags[end] as number) & OPEN) !== 0;
  }

  /** The server at an end; the connection must be open at one of its ends. */
  node(end: number): Node {
    return this.#nodes[end] as Node;
  }

  /** The server no longer holds this end. */
  close(end: number): void {
    this.#flags[end] = (this.#flags[end] as number) & ~OPEN;
    if (!this.isOpen(end ^ 1)) this.#nodes[end] = this.#nodes[end ^ 1] = undefined;
  }

  /** From now on nothing from this end arrives. */
  stick(end: number): void {
    this.#flags[end] = (this.#flags[end] as number) | STUCK;
  }

  /** True where nothing from this end arrives. */
  isStuck(end: number): boolean {
    return ((this.#flags[end] as number) & STUCK) !== 0;
  }

  /** When something from this end arrives that would at `at`: not before what was sent earlier. */
  after(end: number, at: number): number {
    const arrives = Math.max(at, this.#arrives[end] as number);
    this.#arrives[end] = arrives;
    return arrives;
  }

  #grow(): void {
    const flags = new Uint8Array(2 * this.#flags.length);
    const arrives = new Float64Array(flags.length);
    flags.set(this.#flags);
    arrives.set(this.#arrives);
    this.#flags = flags;
    this.#arrives = arrives;
  }
}
