/** Hellos, from diallers and from those who answer them. */

import { encodeHello } from "../../overlay/transport/hello.ts";
import { answerSession, dialSession } from "../../overlay/transport/connect.ts";
import { CircuitError } from "../../overlay/errors.ts";
import type { Network } from "../../overlay/transport/network.ts";
import { addressOf, OTHER_ID, SERVER_ID } from "../../overlay/transport/_testing.ts";
import { fuzz } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";
import { NEVER, Script } from "./script.ts";

const SELF = { id: SERVER_ID, address: addressOf(SERVER_ID) };
const NONE = { flags: 0, id: undefined, expected: undefined, refusal: undefined, address: "" };
const ANSWER = { ...NONE, role: "server", ...SELF } as const;
const OTHER = { ...NONE, role: "server", id: OTHER_ID, address: addressOf(OTHER_ID) } as const;

/** What diallers say. */
const HELLOS = [
  encodeHello({ ...NONE, role: "client" }),
  encodeHello({ ...NONE, role: "client", flags: 1, expected: SERVER_ID }),
  encodeHello({ ...OTHER, expected: SERVER_ID }),
  encodeHello({ ...OTHER, address: "circuit://[2001:db8::1]:7711/99/Qfedcba9876543210" }),
];

/** What they are answered. */
const ANSWERS = [
  encodeHello(ANSWER),
  encodeHello({ ...ANSWER, refusal: new CircuitError("DENIED", "go away") }),
  encodeHello(OTHER),
];

/** A network on which whoever is dialled says this. */
function saying(script: Script): Network {
  return {
    dial: () => Promise.resolve(script),
    listen() {
      throw new CircuitError("UNSUPPORTED", "nobody listens here");
    },
  };
}

fuzz("hellos", () => async (random) => {
  const answering = random.below(2) === 0;
  const bytes = mutate(pick(answering ? HELLOS : ANSWERS, random), random);
  const script = new Script(bytes, pick([1, 7, 31, 1_000], random));
  const endpoint = { network: saying(script), clock: NEVER };
  try {
    const session = answering
      ? await answerSession({ ...endpoint, self: SELF }, script)
      : await dialSession(endpoint, { host: "host", port: 1, id: SERVER_ID });
    throw await session.closed;
  } catch (error) {
    // Whoever refuses says with which code, and INTERNAL is one.
    if (!answering && error instanceof CircuitError && /refused the conn/.test(error.message)) {
      return;
    }
    throw error;
  }
});
