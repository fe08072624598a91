/**
 * `circuit start`: the description of the command; what it runs is loaded when it is run.
 *
 * @module
 */

import { type Command, command } from "../client/commands/mod.ts";

/** Runs a server until it is told to stop. */
export const startCommand: Command = command({
  name: "start",
  group: "Servers",
  summary: "run a circuit server on this machine",
  args: {},
  flags: {
    addr: {
      type: "string",
      alias: "a",
      value: "HOST:PORT",
      help: "listen there; HOST alone picks a port (default: all interfaces, any port)",
    },
    if: { type: "string", value: "IFACE", help: "listen on that network interface, any port" },
    join: {
      type: "string",
      alias: "j",
      value: "ADDRESS",
      repeatable: true,
      help: "join the circuit of that server; may be repeated",
    },
    discover: {
      type: "string",
      value: "GROUP:PORT",
      help: "find other servers by multicast, and be found (default: CIRCUIT_DISCOVER)",
    },
    hmac: {
      type: "string",
      value: "FILE",
      help: "let in only who has the circuit's key in FILE (default: CIRCUIT_HMAC)",
    },
    insecure: { type: "boolean", help: "do not warn that there is no key" },
    var: {
      type: "string",
      value: "DIR",
      help: "keep a lock, the log and a list of children there",
    },
    memory: {
      type: "number",
      value: "BYTES",
      least: 1_048_576,
      help: "hold at most so much for clients (default: half of the machine's or cgroup's memory)",
    },
    docker: { type: "boolean", help: "make containers too, with docker or podman" },
    grace: {
      type: "number",
      value: "SECONDS",
      least: 0,
      help: "when it stops, give what it runs so long between TERM and KILL (default: 10)",
    },
  },
  help: [
    "With -discover the servers find each other in whatever order they start, and one that is alone " +
    "starts too.",
    "With several -j one of them has to be there within 2 s, and the server goes on trying the " +
    "others; its own address counts. So all servers may be started at once with the same command.",
    "The first line on standard output is the server's address, which other servers join (-j) and " +
    "the other commands dial (-d). The log goes to standard error; CIRCUIT_LOG sets how much: " +
    "debug, info (the default), warn or error.",
    "Without a key, whoever can reach the server can run programs on this machine. With one, all " +
    "connections are encrypted and nobody without it is let in. The file may hold several keys, the " +
    "first to dial with, all to accept.",
    "SIGHUP makes the server read the key file and open the log file in -var again; it never ends " +
    "the server, so that one goes on whose terminal was closed. A log file of 16 MiB is moved to " +
    "circuit.log.1 and begun anew. Nothing waits for the log: what cannot be written waits in a " +
    "buffer of 1 MiB, then is dropped and counted.",
    "SIGINT and SIGTERM stop the server in order: the others see it leave at once. The processes " +
    "and containers that it has started get SIGTERM, and SIGKILL if they have not ended after " +
    "-grace seconds; the log names those. A second SIGINT or SIGTERM cuts the wait short. If the " +
    "server is killed, they lose their standard input and output: most end with their next write " +
    "or read, others run on. With -var, the next server on the same directory reports those that " +
    "are left.",
    "With -docker the server makes containers, with the docker command where that reaches an " +
    "engine, else with podman. Whoever may make one may mount any directory of this machine into it.",
  ].join("\n\n"),
  example: "circuit start -a 127.0.0.1:0",
  ownSignals: true,
  async run({ flags, stdout }) {
    // Loading takes a while, and from here on SIGHUP does not end the server.
    Deno.addSignalListener("SIGHUP", () => {});
    const { runServer } = await import("./run_server.ts");
    const discover = flags.discover ?? Deno.env.get("CIRCUIT_DISCOVER");
    return await runServer({
      ...(flags.addr === undefined ? {} : { addr: flags.addr }),
      ...(flags.if === undefined ? {} : { interface: flags.if }),
      ...(discover ? { discover } : {}),
      insecure: flags.insecure,
      docker: flags.docker,
      ...(flags.grace === undefined ? {} : { grace: flags.grace }),
      ...(flags.memory === undefined ? {} : { memory: flags.memory }),
      ...(flags.var === undefined ? {} : { varDir: flags.var }),
      join: flags.join ?? [],
    }, { keyFile: flags.hmac, print: (line) => stdout.line(line) });
  },
});
