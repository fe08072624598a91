/**
 * Membership for small circuits: every server keeps a connection to every other, so each sees for
 * itself who comes, leaves and dies.
 *
 * @module
 */

import { isServerId } from "./address.ts";
import type { Input, LinkId, Member, Output } from "./membership/types.ts";
import type { MembershipProtocol } from "./node.ts";

/** Most servers that a peer may name in one message. */
const MAX_NAMED = 4_096;

/** Milliseconds between a broken connection and the one attempt to make it anew. */
const REDIAL_MS = 50;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What one server tells another: that it leaves, or whom it knows and who is gone. */
interface Message {
  readonly leaving?: true;
  readonly members: readonly Member[];
  readonly gone: readonly string[];
}

/** A full mesh of links and a plain exchange of member lists over it. */
export class Mesh implements MembershipProtocol {
  readonly #self: Member;
  readonly #members = new Map<string, Member>();
  readonly #gone = new Set<string>();
  readonly #links = new Map<LinkId, Member>();
  readonly #dialling = new Map<string, string>();
  readonly #redials = new Map<string, number>();

  constructor(self: Member) {
    this.#self = self;
    this.#members.set(self.id, self);
  }

  get wakeAt(): number {
    return Math.min(Infinity, ...this.#redials.values());
  }

  members(): Member[] {
    return [...this.#members.values()].sort((a, b) => a.id < b.id ? -1 : 1);
  }

  handle(input: Input, now: number): Output[] {
    const out: Output[] = [];
    switch (input.type) {
      case "join":
        out.push({ type: "dial", address: input.address });
        break;
      case "link-up":
        if (input.address !== undefined) this.#dialling.delete(input.address);
        this.#redials.delete(input.peer.id);
        this.#links.set(input.link, input.peer);
        this.#learn(input.peer, out);
        out.push({ type: "send", link: input.link, bytes: this.#encode() });
        break;
      case "link-down":
        this.#onLinkDown(input.link, now);
        break;
      case "dial-failed": {
        const id = this.#dialling.get(input.address);
        this.#dialling.delete(input.address);
        if (id !== undefined && !this.#linked(id)) this.#forget(id, "dead", out);
        break;
      }
      case "message":
        this.#onMessage(input.link, input.bytes, out);
        break;
      case "tick":
        for (const [id, at] of this.#redials) {
          if (at > now) continue;
          this.#redials.delete(id);
          const member = this.#members.get(id);
          if (member && !this.#linked(id)) this.#dial(member, out);
        }
        break;
      case "leave":
        for (const link of this.#links.keys()) {
          out.push({ type: "send", link, bytes: this.#encode(true) });
        }
    }
    return out;
  }

  #onLinkDown(link: LinkId, now: number): void {
    const peer = this.#links.get(link);
    this.#links.delete(link);
    if (peer && this.#members.has(peer.id) && !this.#linked(peer.id)) {
      this.#redials.set(peer.id, now + REDIAL_MS);
    }
  }

  #onMessage(link: LinkId, bytes: Uint8Array, out: Output[]): void {
    const peer = this.#links.get(link);
    const message = parseMessage(bytes);
    if (!peer || !message) return;
    if (message.leaving) this.#forget(peer.id, "left", out);
    for (const id of message.gone) {
      if (!this.#linked(id)) this.#forget(id, "dead", out);
    }
    for (const member of message.members) {
      if (!this.#members.has(member.id) && !this.#gone.has(member.id)) {
        this.#learn(member, out);
        this.#dial(member, out);
      }
    }
  }

  #learn(member: Member, out: Output[]): void {
    if (this.#members.has(member.id) || this.#gone.has(member.id)) return;
    this.#members.set(member.id, member);
    out.push({ type: "joined", member });
    const news = this.#encode();
    for (const link of this.#links.keys()) out.push({ type: "send", link, bytes: news });
  }

  #dial(member: Member, out: Output[]): void {
    if (member.id === this.#self.id || this.#dialling.has(member.address)) return;
    this.#dialling.set(member.address, member.id);
    out.push({ type: "dial", address: member.address, id: member.id });
  }

  #forget(id: string, cause: "left" | "dead", out: Output[]): void {
    const member = this.#members.get(id);
    if (!member || id === this.#self.id) return;
    this.#members.delete(id);
    this.#gone.add(id);
    this.#redials.delete(id);
    out.push({ type: "left", member, cause });
  }

  #linked(id: string): boolean {
    for (const peer of this.#links.values()) if (peer.id === id) return true;
    return false;
  }

  #encode(leaving?: true): Uint8Array {
    const message: Message = {
      ...(leaving ? { leaving } : {}),
      members: this.members(),
      gone: [...this.#gone],
    };
    return encoder.encode(JSON.stringify(message));
  }
}

function parseMessage(bytes: Uint8Array): Message | undefined {
  try {
    const message: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof message !== "object" || message === null) return undefined;
    const { leaving, members, gone } = message as Partial<Message>;
    if (!Array.isArray(members) || !Array.isArray(gone)) return undefined;
    if (members.length > MAX_NAMED || gone.length > MAX_NAMED) return undefined;
    const valid = members.every((m) => isServerId(m.id) && typeof m.address === "string") &&
      gone.every((id) => isServerId(id));
    if (!valid) return undefined;
    return { ...(leaving === true ? { leaving } : {}), members, gone };
  } catch {
    return undefined;
  }
}
