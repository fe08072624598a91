/**
 * What a server can tell of a network that takes its datagrams and carries them nowhere: most clouds
 * do that, and so does a firewall.
 *
 * @module
 */

import { BURST_ANNOUNCEMENTS } from "./schedule.ts";

/** Announcements after which one's own must have come back: the system itself sees to that. */
const ECHO_ANNOUNCEMENTS = 3;

/** Doubts that announcements arrive, each said once. */
export class Doubt {
  #echoed = false;
  #others = false;
  #said = 0;

  /** A datagram came in, from this server itself or from anybody else, whatever it says. */
  heard(own: boolean): void {
    if (own) this.#echoed = true;
    else this.#others = true;
  }

  /** What there is to warn of after so many announcements without a failure. */
  warning(sent: number): string | undefined {
    if (this.#others) return undefined;
    if (!this.#echoed && sent >= ECHO_ANNOUNCEMENTS) {
      return this.#once(
        1,
        "nothing comes back, not even what this server sends: a firewall on this host drops it, or " +
          "the interface carries no multicast",
      );
    }
    if (sent >= BURST_ANNOUNCEMENTS) {
      return this.#once(
        2,
        "nobody else was heard so far: if there are other servers, the network between carries no " +
          "multicast, as in most clouds, or a firewall drops it",
      );
    }
    return undefined;
  }

  #once(doubt: number, text: string): string | undefined {
    if (this.#said >= doubt) return undefined;
    this.#said = doubt;
    return text;
  }
}
