/**
 * The servers and addresses that the pages show, and what stands for them while the pages are run.
 *
 * @module
 */

import { IMAGE as REAL_IMAGE } from "../containers.ts";

/** What a page calls a server. */
interface Example {
  /** `HOST:PORT`. */
  readonly hostPort: string;
  /** The number of its process. */
  readonly pid: string;
  /** The digits of its ID. */
  readonly hex: string;
}

/** The servers of all pages, the one that is dialled first. */
const EXAMPLES: readonly Example[] = [
  { hostPort: "10.0.0.1:11022", pid: "78517", hex: "56e7a2a0d47a7b5d" },
  { hostPort: "10.0.0.2:11088", pid: "41370", hex: "938fe923bcdef239" },
  { hostPort: "10.0.0.3:40111", pid: "51260", hex: "1f9c02d47be3a856" },
];

/** The multicast group of all pages. */
const GROUP = "228.8.8.8:7711";

/** The image of all pages. */
const IMAGE = "docker.io/library/busybox";

/** The names of a page's servers, real ones for those that it shows and the other way round. */
export class Names {
  readonly #pairs: [shown: string, real: string][];

  /** @param group Stands for the pages' multicast group. */
  constructor(group: string) {
    this.#pairs = [[GROUP, group], [IMAGE, REAL_IMAGE]];
  }

  /** How many servers are bound. */
  #bound = 0;

  /** Lets the next server that pages show be a real one. */
  bind(address: string): void {
    const example = EXAMPLES[this.#bound++];
    const [, hostPort, pid, hex] = /^circuit:\/\/(.+)\/(\d+)\/Q([0-9a-f]{16})$/.exec(address) ?? [];
    if (!example) throw new Error(`pages show only ${EXAMPLES.length} servers`);
    if (hostPort === undefined || pid === undefined || hex === undefined) {
      throw new Error(`no address: ${address}`);
    }
    this.#pairs.push(
      [`${example.hostPort}/${example.pid}/`, `${hostPort}/${pid}/`],
      [example.hostPort, hostPort],
      [example.hex, hex],
    );
  }

  /** A page's text with the real names. A server that is yet to be started gets any port. */
  real(text: string): string {
    for (const [shown, real] of this.#pairs) text = text.replaceAll(shown, real);
    return text.replaceAll(/-a 10\.0\.0\.\d+(:\d+)?/g, "-a 127.0.0.1:0").replaceAll("eth0", "lo");
  }

  /**
   * What a tool printed, with the names of the pages. Servers that are listed one after the other are
   * in the order of their IDs, which is chance; here they come in the order of the pages.
   */
  shown(text: string): string {
    for (const [shown, real] of this.#pairs) text = text.replaceAll(real, shown);
    return text.replaceAll(
      /((\S+ +)?\/X[0-9a-f]{16}\n){2,}/g,
      (lines) => lines.split(/(?<=\n)/).sort().join(""),
    );
  }
}
