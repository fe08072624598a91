/**
 * A server whose peers are played by a test.
 *
 * @module
 */

import { seeded } from "../../tests/random.ts";
import { Directory } from "./directory.ts";
import { Membership } from "./mod.ts";
import type { Input, Member, MembershipOptions, Output } from "./mod.ts";
import { writeRecord } from "./records.ts";
import { standing, type Status } from "./standing.ts";
import { decode, encodeBeat, encodeHello, encodeRequest, FRAME } from "./wire.ts";

/** One of the servers of a test; the one that is tested is the first. */
export function member(n: number): Member {
  const hex = n.toString(16).padStart(16, "0");
  return {
    id: `X${hex}`,
    address: `circuit://10.0.0.${n & 255}:${7000 + n}/9/Q${hex}`,
  };
}

/** A server whose peers are played by the test. */
export class Bench {
  readonly membership: Membership;
  readonly log: Output[] = [];
  now = 0;

  /** @param options Those that matter to the test. */
  constructor(options: Partial<MembershipOptions> = {}) {
    this.membership = new Membership(member(1), { now: 0, random: seeded(7), ...options });
  }

  input(input: Input): Output[] {
    const outputs = this.membership.handle(input, this.now);
    this.log.push(...outputs);
    return outputs;
  }

  /** Lets time pass, with the ticks that it asks for. */
  run(ms: number): void {
    const end = this.now + ms;
    while (this.membership.wakeAt <= end) {
      this.now = Math.max(this.now, this.membership.wakeAt);
      this.input({ type: "tick" });
    }
    this.now = end;
  }

  send(link: number, bytes: Uint8Array): Output[] {
    return this.input({ type: "message", link, bytes });
  }

  /** A peer dials and says hello. */
  greet(link: number, peer: Member, held = 0, alone = false): void {
    this.input({ type: "link-up", link, peer, dialled: false });
    const hello = { ask: true, incarnation: 1, alive: 2, hashA: 0, hashB: 0 };
    this.send(link, encodeHello({ ...hello, alone, held }));
  }

  /** A peer dials, says hello and asks for a link. */
  connect(link: number, peer: Member, held = 0): void {
    this.greet(link, peer, held);
    this.send(
      link,
      encodeRequest({
        want: 1,
        vital: false,
        replaces: undefined,
        swap: undefined,
        avoid: [],
      }),
    );
  }

  /** A flooded record about a server. */
  tell(link: number, about: Member, incarnation: number, status: Status, vetoed = false): void {
    const directory = new Directory();
    const slot = directory.intern(about);
    const frame = new Uint8Array(400);
    frame[0] = FRAME.RECORDS;
    const s = standing(incarnation, status);
    const end = writeRecord(frame, 1, directory, slot, s, true, -1, vetoed);
    this.send(link, frame.slice(0, end));
  }

  /** Peers of all these links let themselves be heard. */
  hear(...links: number[]): void {
    for (const link of links) {
      this.send(link, encodeBeat({ hashA: 0, hashB: 0, degree: links.length }));
    }
  }

  /** The links that were sent a veto for a server since the start. */
  vetoesOf(about: Member): number[] {
    return this.of("send").filter(({ bytes }) => {
      const message = decode(bytes);
      if (message?.type !== "records") return false;
      const { records } = message;
      while (records.next()) {
        if (records.vetoed && records.idLo === parseInt(about.id.slice(9), 16)) return true;
      }
      return false;
    }).map(({ link }) => link);
  }

  ids(): string[] {
    return this.membership.members().map((m) => m.id);
  }

  /** Outputs of a kind since the start. */
  of<T extends Output["type"]>(type: T): (Output & { type: T })[] {
    return this.log.filter((o): o is Output & { type: T } => o.type === type);
  }

  /** What was flooded about this server itself: its incarnations. */
  ownIncarnations(): number[] {
    return this.of("send").flatMap(({ bytes }) => {
      const message = decode(bytes);
      if (message?.type !== "records") return [];
      const own: number[] = [];
      while (message.records.next()) {
        if (message.records.idLo === 1) own.push(message.records.standing >> 3);
      }
      return own;
    });
  }
}
