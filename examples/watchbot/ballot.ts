/**
 * Which incarnation of the bot is the one that may run: decided by votes that the servers hold.
 *
 * A vote for epoch 7 is a channel at `/X…/watchbot/NAME/vote-7`. Nothing is ever sent through it; it
 * serves because making an element where there is one fails with EXISTS, so a server votes once an
 * epoch, for whoever comes first. The channel's capacity is the claimant's number, so that everyone
 * can see whose vote it is.
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { type Anchor, CircuitError, type Client } from "../../mod.ts";

/** Milliseconds that a server has to answer. */
const ANSWER_MS = 1_000;

/** Most that a channel's capacity, and so a claimant's number, can be. */
const MAX_NUMBER = 1_000_000;

/** An epoch of the bot, and who decides on the next one. */
export interface Term {
  /** Its number; each incarnation, and each change of the voters, has a higher one. */
  readonly epoch: number;
  /** IDs of the servers that vote on the next epoch: all that there were when this one began. */
  readonly voters: readonly string[];
  /** The one of them whose half wins where exactly half of them are left. */
  readonly tieBreaker: string;
}

/** What the voters say of the next epoch. */
export interface Outlook {
  /** So many voters have not voted for anyone else that nobody else can have won it. */
  readonly clear: boolean;
  /** Some voter has voted for someone else. */
  readonly contested: boolean;
  /** Someone has asked the bot to stop. */
  readonly stop: boolean;
}

/** Whether any other such set of voters must have a server in common with this one. */
export function isQuorum(term: Term, servers: ReadonlySet<string>): boolean {
  const twice = 2 * term.voters.filter((voter) => servers.has(voter)).length;
  return twice > term.voters.length ||
    twice === term.voters.length && servers.has(term.tieBreaker);
}

/** One claimant's access to the votes. */
export class Ballot {
  readonly #client: Client;
  readonly #name: string;
  /** Tells this claimant's votes from those of others. */
  readonly #number = 1 + Math.floor(Math.random() * MAX_NUMBER);

  /** @param name The bot's name. */
  constructor(client: Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /**
   * Tries to win the epoch after `term`. Whoever has won it is the only one who ever can.
   *
   * @returns whether it was won. If not, the votes that were got are given back.
   */
  async claim(term: Term): Promise<boolean> {
    const won = await this.#ask(term, (vote, options) => this.#vote(vote, options));
    if (!won) await this.#ask(term, (vote, options) => this.#withdraw(vote, options));
    return won;
  }

  /** Asks the voters of a term. */
  async look(term: Term): Promise<Outlook> {
    const seen = { contested: false, stop: false };
    const clear = await this.#ask(term, async (vote, options, place) => {
      const marks = await place.view(options);
      if (marks.has("stop")) seen.stop = true;
      const free = !marks.has(vote.name) || await this.#isMine(vote, options);
      if (!free) seen.contested = true;
      return free;
    });
    return { clear, ...seen };
  }

  async #vote(vote: Anchor, options: { signal: AbortSignal }): Promise<boolean> {
    try {
      await vote.makeChan(this.#number, options);
      return true;
    } catch (error) {
      // It may be ours, from an earlier try whose answer did not arrive.
      const taken = error instanceof CircuitError && error.code === "EXISTS";
      return taken && await this.#isMine(vote, options);
    }
  }

  /** Never counts as a quorum, so that all are asked. */
  async #withdraw(vote: Anchor, options: { signal: AbortSignal }): Promise<false> {
    if (await this.#isMine(vote, options)) await vote.scrub(options);
    return false;
  }

  async #isMine(vote: Anchor, options: { signal: AbortSignal }): Promise<boolean> {
    const element = await vote.get(options);
    return element?.kind === "chan" && (await element.stat(options)).cap === this.#number;
  }

  /**
   * Asks all voters at once for a yes. A server that does not answer has not said yes.
   *
   * @returns whether a quorum did, as soon as that is known.
   */
  async #ask(
    term: Term,
    question: (
      vote: Anchor,
      options: { signal: AbortSignal },
      place: Anchor,
    ) => Promise<boolean>,
  ): Promise<boolean> {
    const enough = new AbortController();
    const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(ANSWER_MS)]);
    const yes = new Set<string>();
    const answers = term.voters.map(async (voter) => {
      const place = placeOf(this.#client.anchor(`/${voter}`), this.#name);
      const vote = place.walk(`vote-${term.epoch + 1}`);
      // Whatever the reason why there is no answer, it is not a yes.
      if (!await question(vote, { signal }, place).catch(() => false)) return;
      yes.add(voter);
      if (isQuorum(term, yes)) enough.abort();
    });
    await Promise.all(answers);
    return isQuorum(term, yes);
  }
}

/** Where everything of the bot is on a server. */
export function placeOf(server: Anchor, name: string): Anchor {
  return server.walk("watchbot", name);
}
