/**
 * The two ways of a request to a server that the client did not dial: straight there, and through
 * the dial-in server where that server cannot be reached. The second is had without touching the
 * machine's network: the far server listens on another loopback address, to which the client has no
 * permission to connect.
 *
 * @module
 */

import { type Cluster, cluster, type StartOptions } from "./launcher.ts";
import { fromSources, type Program } from "./program.ts";
import { circuitTest, type Logs, type TestSettings } from "./logs.ts";

/** The only host that the client of a relayed test may talk to. */
const NEAR = "127.0.0.1";

/** Another address of this machine; all of 127.0.0.0/8 is there on Linux, and elsewhere one is. */
const FAR = Deno.build.os === "linux" ? "127.0.0.2" : "[::1]";

/** How the far server of a test is reached. */
export interface Route {
  /** For the name of the test. */
  readonly name: "directly" | "relayed";
  /** What the tool is, where it is not the one under test. */
  readonly program?: Program;
  /** Starts the two servers. */
  start(logs: Logs, options?: Pick<StartOptions, "args" | "env">): Promise<Cluster>;
}

const DIRECT: Route = {
  name: "directly",
  start: (logs, options) => cluster(2, { logs, ...options }),
};

const RELAYED: Route = {
  name: "relayed",
  // The sources, for an executable has its permissions built in.
  program: fromSources([NEAR]),
  start: (logs, options) => cluster(2, { logs, listen: [`${NEAR}:0`, `${FAR}:0`], ...options }),
};

/**
 * Two tests of the same: with a far server that the client connects to, and with one that it
 * reaches through the near one. In the second, neither the library nor the tool can connect to it.
 */
export function onBothRoutes(
  name: string,
  run: (circuit: Cluster, route: Route, logs: Logs) => Promise<void>,
): void {
  withRoutes(name, async (route, logs) => {
    await using circuit = await route.start(logs);
    await run(circuit, route, logs);
  });
}

/** {@linkcode onBothRoutes} for a test that starts the servers itself. */
export function withRoutes(
  name: string,
  run: (route: Route, logs: Logs) => Promise<void>,
  settings: Pick<TestSettings, "ignore"> = {},
): void {
  for (const route of [DIRECT, RELAYED]) {
    const permissions = route === DIRECT ? {} : { permissions: WITHOUT_FAR };
    circuitTest(`${name}, ${route.name}`, (logs) => run(route, logs), {
      ...settings,
      ...permissions,
    });
  }
}

/** The permissions of the test run, but for the network. */
const WITHOUT_FAR: Deno.PermissionOptions = {
  net: [NEAR],
  read: "inherit",
  write: "inherit",
  env: "inherit",
  run: "inherit",
  sys: "inherit",
};
