/**
 * The records of a name server.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { MAX_SET_BYTES, MAX_TEXT_BYTES, TEXT_OVERHEAD_BYTES } from "./limits.ts";
import { formatName, upwards } from "./names.ts";
import type { DnsRecord } from "./record.ts";
import { showType, standsBesideAlias, TYPE } from "./type_names.ts";

/** The records of one name, by the numbers of their types; no list is empty. */
export type Node = ReadonlyMap<number, readonly DnsRecord[]>;

/** Types of which a name has one record at most (RFC 1034, section 3.6.2; RFC 6672, section 2.4). */
const SINGLE: ReadonlySet<number> = new Set([TYPE.CNAME, TYPE.SOA, TYPE.DNAME]);

const encoder = new TextEncoder();

/** Records by name and type, each once. */
export class Records {
  readonly #nodes = new Map<string, Map<number, DnsRecord[]>>();
  /** How many names with records there are at or below each name. */
  readonly #below = new Map<string, number>();
  #bytes = 0;

  /**
   * Adds a record. One that is there already gets the new one's TTL, and nothing else changes.
   *
   * @throws {CircuitError} `BAD_REQUEST` if it can't stand beside the others of its name, `BUSY` if
   * there are too many.
   */
  add(record: DnsRecord): void {
    const node = this.#nodes.get(record.name);
    const set = node?.get(record.type) ?? [];
    const index = set.findIndex(({ key }) => key === record.key);
    const old = set[index];
    if (!old) checkBeside(record, node ?? new Map());
    const bytes = textBytes(record.text) - (old ? textBytes(old.text) : 0) +
      (node ? 0 : textBytes(record.name));
    const setBytes = set.reduce((sum, { size }) => sum + size, old ? 0 : record.size);
    this.#checkRoom(record, bytes, setBytes);
    this.#bytes += bytes;
    if (old) set[index] = record;
    else set.push(record);
    if (node) node.set(record.type, set);
    else {
      this.#nodes.set(record.name, new Map([[record.type, set]]));
      for (const name of upwards(record.name)) this.#count(name, 1);
    }
  }

  /** Removes all records of a name; returns how many there were. */
  remove(name: string): number {
    const node = this.#nodes.get(name);
    if (!node) return 0;
    const removed = [...node.values()].flat();
    this.#nodes.delete(name);
    this.#bytes -= textBytes(name) + removed.reduce((sum, { text }) => sum + textBytes(text), 0);
    for (const above of upwards(name)) this.#count(above, -1);
    return removed.length;
  }

  /** The records of a name; undefined if it has none. */
  at(name: string): Node | undefined {
    return this.#nodes.get(name);
  }

  /** Whether the name or one below it has records. Only then does the name exist (RFC 8020). */
  exists(name: string): boolean {
    return this.#below.has(name);
  }

  /** All of them, as `peek` shows them. */
  texts(): Record<string, string[]> {
    const entries = [...this.#nodes].map(([name, node]): [string, string[]] => [
      formatName(name),
      [...node.values()].flat().map(({ text }) => text),
    ]);
    entries.sort(([a], [b]) => a < b ? -1 : 1);
    return Object.fromEntries(entries);
  }

  #count(name: string, change: 1 | -1): void {
    const count = (this.#below.get(name) ?? 0) + change;
    if (count === 0) this.#below.delete(name);
    else this.#below.set(name, count);
  }

  #checkRoom(record: DnsRecord, bytes: number, setBytes: number): void {
    if (setBytes > MAX_SET_BYTES) {
      throw new CircuitError(
        "BUSY",
        `${formatName(record.name)} has too many records of type ${showType(record.type)}: they ` +
          `would take ${setBytes} bytes, at most ${MAX_SET_BYTES} fit in an answer`,
      );
    }
    if (this.#bytes + bytes > MAX_TEXT_BYTES) {
      throw new CircuitError(
        "BUSY",
        `there is no room for another record: all would take ${
          this.#bytes + bytes
        } bytes, at most ` +
          `${MAX_TEXT_BYTES} are allowed`,
      );
    }
  }
}

function textBytes(text: string): number {
  return encoder.encode(text).length + TEXT_OVERHEAD_BYTES;
}

/** An alias has no records beside it, and no second alias (RFC 2181, section 10.1). */
function checkBeside(record: DnsRecord, node: Node): void {
  const single = SINGLE.has(record.type) ? node.get(record.type)?.[0] : undefined;
  const other = [...node.keys()].find((type) => {
    const types = [type, record.type];
    return type !== record.type && types.includes(TYPE.CNAME) && !types.some(standsBesideAlias);
  });
  if (!single && other === undefined) return;
  const found = single?.text.replaceAll("\t", " ") ?? `records of type ${showType(other ?? 0)}`;
  throw new CircuitError(
    "BAD_REQUEST",
    `cannot add a record of type ${showType(record.type)} to ${formatName(record.name)}: it has ` +
      (single ? `one already, ${found}` : `${found}, and an alias stands alone`),
  );
}
