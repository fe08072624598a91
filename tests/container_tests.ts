/**
 * Tests with servers that make containers, with podman or Docker. They are skipped where that cannot run
 * containers.
 *
 * @module
 */

import { ContainerLab, ENGINE_MS, whyNoContainers } from "./containers.ts";
import { type Cluster, cluster } from "./launcher.ts";
import { circuitTest, type Logs } from "./logs.ts";
import { type Route, withRoutes } from "./routes.ts";
import { until } from "./until.ts";

const why = await whyNoContainers();
if (why !== undefined) console.log(`containers are not tested: ${why}`);

/** True where containers cannot be tested. */
export const ignore: boolean = why !== undefined;

/** On both routes, with servers that make containers, none of which is left at the end. */
export function containersOnBothRoutes(
  name: string,
  body: (circuit: Cluster, lab: ContainerLab, route: Route) => Promise<void>,
): void {
  withRoutes(name, async (route, logs) => {
    await using lab = await ContainerLab.make();
    await using circuit = await route.start(logs, { args: ["-docker"], env: lab.env });
    await body(circuit, lab, route);
  }, { ignore });
}

/** As {@linkcode containersOnBothRoutes}, on the direct one alone. */
export function containerTest(
  name: string,
  body: (circuit: Cluster, lab: ContainerLab, logs: Logs) => Promise<void>,
): void {
  circuitTest(name, async (logs) => {
    await using lab = await ContainerLab.make();
    await using circuit = await cluster(2, { logs, args: ["-docker"], env: lab.env });
    await body(circuit, lab, logs);
  }, { ignore });
}

/** Waits until there is no container in a store. */
export async function untilNone(lab: ContainerLab): Promise<void> {
  await until("no container to be left", () => lab.names(), (names) => names.length === 0, {
    within: ENGINE_MS,
  });
}
