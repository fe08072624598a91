/**
 * What a server says of its keys when it starts.
 *
 * @module
 */

import { fingerprint } from "../overlay/transport/key.ts";
import { isLoopback } from "./listen.ts";
import type { Log } from "./log.ts";

/**
 * Writes down which keys there are, by their fingerprints, or what it means that there is none.
 *
 * @param host Where the server listens: on loopback, and with `insecure`, nothing is said of that.
 */
export async function logKeys(
  options: { readonly keys?: readonly Uint8Array[]; readonly insecure?: boolean },
  host: string,
  log: Log,
): Promise<void> {
  const { keys = [], insecure = false } = options;
  if (keys.length > 0) {
    log("info", `key ${(await Promise.all(keys.map(fingerprint))).join(", also accepted ")}`);
  } else if (!insecure && !isLoopback(host)) {
    log(
      "warn",
      "this server has no key: anyone who can reach it over the network can run any program here " +
        "as the user that it runs as, read and change what its processes and channels carry, and " +
        "stop it; and anyone on the way can read and change all traffic. Give it a key with -hmac " +
        "FILE (circuit keygen makes one), let it listen on 127.0.0.1 only, or say -insecure if all " +
        "who can reach it may do that",
    );
  }
}
