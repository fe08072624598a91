/**
 * What a server element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { streaming, unary } from "../describe.ts";
import { nothing, string } from "../parse.ts";

/**
 * What `peek` tells of a server.
 *
 * @example
 * ```ts
 * import { dial, type ServerStat } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const element = await client.anchor(`/${server.serverId}`).get();
 * if (element?.kind !== "server") throw new Error("the server is gone");
 * const stat: ServerStat = await element.peek();
 * console.assert(stat.addr === server.address && stat.elements["server"] === 1);
 * ```
 */
export interface ServerStat {
  /** Its address, `circuit://HOST:PORT/PID/Q…`. */
  readonly addr: string;
  /** When it started, as an ISO 8601 time in UTC. */
  readonly joined: string;
  /** Its version of the circuit. */
  readonly version: string;
  /** The name of its host. */
  readonly hostname: string;
  /** Its operating system, `linux` or `darwin`. */
  readonly os: string;
  /** Processors of its host. */
  readonly cpus: number;
  /** How many elements of each kind it holds; kinds that it holds none of are absent. */
  readonly elements: Readonly<Record<string, number>>;
  /** Resident memory of the server, in bytes. */
  readonly rss: number;
  /**
   * The memory that it may hold for its clients and that it does, in bytes: see `start -memory`.
   * `used` is the sum of what is behind it.
   */
  readonly memory: {
    /** At most so much; beyond it, calls get BUSY. */
    readonly limit: number;
    /** All together. */
    readonly used: number;
    /** Messages in channels. */
    readonly channels: number;
    /** What processes have printed. */
    readonly outputs: number;
    /** What has come and was not read or passed on yet. */
    readonly inflow: number;
    /** What waits for peers that do not read. */
    readonly replies: number;
    /** Open calls. */
    readonly calls: number;
  };
  /** Seconds since it started. */
  readonly uptime: number;
}

/** The server's methods. */
export const serverDescription = {
  name: "server",
  methods: {
    peek: unary<void, ServerStat>(nothing),
    rejoin: unary<string, void>(string, (address) => `join ${address}`),
    suicide: unary<void, void>(nothing, () => "suicide"),
    profile: streaming("down", string),
  },
} as const;
