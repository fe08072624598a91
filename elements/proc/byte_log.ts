/**
 * A stretch of a byte stream held in memory: appended at one end, forgotten at the other, and read
 * by position in the stream.
 *
 * @module
 */

import { Budget, type Share } from "../../overlay/budget.ts";

/** Bytes of the first block of a log, so that a process that says little costs little: 4 KiB. */
const FIRST_BLOCK_BYTES = 4 * 1024;

/** Bytes of every later block: 64 KiB. */
const BLOCK_BYTES = 64 * 1024;

/** Blocks that are kept for what comes next while there are bytes in a log: 256 KiB, a window. */
const MAX_SPARES = 4;

/** What counts the memory of a log. */
type Account = Pick<Share, "add">;

interface Block {
  /** Position in the stream of the block's first byte. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  used: number;
}

/**
 * The bytes of a stream from {@linkcode ByteLog.start} up to {@linkcode ByteLog.end}, both counted
 * from the stream's beginning.
 *
 * Bytes are packed, so that a million one-byte appends cost a million bytes. Beyond what it holds, a
 * log takes at most two blocks of 64 KiB, and one that recycles four more unless it is empty.
 */
export class ByteLog {
  readonly #recycle: boolean;
  readonly #account: Account;
  readonly #blocks: Block[] = [];
  readonly #spares: Uint8Array[] = [];
  #start = 0;
  #end = 0;
  #memory = 0;

  /**
   * @param options `recycle`: memory of forgotten bytes is written again, so nobody may look at
   * what {@linkcode ByteLog.at} returned once {@linkcode ByteLog.forget} has passed it. Default
   * false: what was returned never changes. `account`: counts the memory that the log takes, until
   * {@linkcode ByteLog.clear}; default: nobody does.
   */
  constructor(options: { recycle?: boolean; account?: Account } = {}) {
    this.#recycle = options.recycle ?? false;
    this.#account = options.account ?? new Budget().outputs;
  }

  /** Position of the first byte that is still held. */
  get start(): number {
    return this.#start;
  }

  /** Position after the last byte. */
  get end(): number {
    return this.#end;
  }

  /** Bytes of memory that the log takes. */
  get memory(): number {
    return this.#memory;
  }

  /** Adds a copy of `bytes` at the end. */
  append(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const block = this.#tail();
      const part = rest.subarray(0, block.bytes.length - block.used);
      block.bytes.set(part, block.used);
      block.used += part.length;
      this.#end += part.length;
      rest = rest.subarray(part.length);
    }
  }

  /**
   * The bytes from `position` on that lie in one piece: some if there are any, at most 64 KiB, and
   * none at the end or before the start. Not a copy.
   */
  at(position: number): Uint8Array {
    if (position < this.#start) return new Uint8Array(0);
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index];
      if (block === undefined || block.offset > position) continue;
      return block.bytes.subarray(Math.min(position - block.offset, block.used), block.used);
    }
    return new Uint8Array(0);
  }

  /** Lets go of the bytes before `position`. Positions before the start change nothing. */
  forget(position: number): void {
    this.#start = Math.max(this.#start, Math.min(position, this.#end));
    for (let first = this.#blocks[0]; first !== undefined; first = this.#blocks[0]) {
      if (first.offset + first.used > this.#start) return;
      const full = first.used === first.bytes.length;
      // A block with room goes on being filled, unless its memory can be had from its beginning.
      if (!full && !this.#recycle) return;
      this.#blocks.shift();
      const worth = this.#recycle && (!full || first.bytes.length === BLOCK_BYTES);
      if (worth && this.#spares.length < MAX_SPARES) this.#spares.push(first.bytes);
      else this.#count(-first.bytes.length);
    }
    // Fresh memory costs more than what is done with it, but nobody is in a hurry now.
    for (const spare of this.#spares.splice(1)) this.#count(-spare.length);
  }

  /** Lets go of everything, the memory too. */
  clear(): void {
    this.#start = this.#end;
    this.#blocks.length = 0;
    this.#spares.length = 0;
    this.#count(-this.#memory);
  }

  #count(bytes: number): void {
    this.#memory += bytes;
    this.#account.add(bytes);
  }

  #tail(): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.used < last.bytes.length) return last;
    const size = last === undefined && this.#end === 0 ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
    const spare = this.#spares.pop();
    if (!spare) this.#count(size);
    const bytes = spare ?? new Uint8Array(size);
    const block = { offset: this.#end, bytes, used: 0 };
    this.#blocks.push(block);
    return block;
  }
}
