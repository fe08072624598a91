/**
 * The library's public names, as they are and as the contract has them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import * as library from "../../mod.ts";
import type * as lib from "../../mod.ts";
import * as embedded from "../../server/mod.ts";
import { root, rootUrl } from "../program.ts";
import type * as contract from "./contract.ts";

/** What `deno doc --json` says, as far as it is used here. */
interface Doc {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly DocSymbol[] }>>;
}

interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly declarationKind: string;
    readonly jsDoc?: {
      readonly doc?: string;
      readonly tags?: readonly { readonly kind: string; readonly doc?: string }[];
    };
  }[];
}

/** The contract's names, and `CircuitError`, `ErrorCode` and `MakeOptions` in addition. */
const VALUES = ["CircuitError", "connect", "dial", "discover"];

const TYPES = [
  ...["Anchor", "CallOptions", "Chan", "ChanStat", "Client", "Cmd", "Container", "ContainerRun"],
  ...["DialOptions", "Element", "ErrorCode", "Kind", "ListOptions", "MakeOptions", "Nameserver"],
  ...["NameserverStat", "Proc", "ProcStat", "Server", "ServerStat", "Subscription"],
  "SubscriptionStat",
];

const SERVER_TYPES = ["CircuitServer", "Log", "LogLevel", "ServerOptions"];

/** The public symbols of a module. */
async function symbolsOf(module: string): Promise<DocSymbol[]> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", module],
    cwd: root,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as Doc;
  const own = nodes[rootUrl.href + module];
  assert(own, Object.keys(nodes).join());
  return own.symbols.filter(({ declarations }) =>
    declarations.some(({ declarationKind }) => declarationKind === "export")
  );
}

Deno.test("mod.ts exports the names below and no others", async () => {
  assertEquals(Object.keys(library).sort(), VALUES);
  const names = (await symbolsOf("mod.ts")).map(({ name }) => name);
  assertEquals(names.sort(), [...VALUES, ...TYPES].sort());
});

Deno.test("server/mod.ts exports startServer() and what it takes and gives", async () => {
  assertEquals(Object.keys(embedded), ["startServer"]);
  const names = (await symbolsOf("server/mod.ts")).map(({ name }) => name);
  assertEquals(names.sort(), [...SERVER_TYPES, "startServer"].sort());
});

Deno.test("every public symbol is described, with an example that is run", async () => {
  for (const symbol of [...await symbolsOf("mod.ts"), ...await symbolsOf("server/mod.ts")]) {
    const docs = symbol.declarations.flatMap(({ jsDoc }) => jsDoc ? [jsDoc] : []);
    assert(docs.some(({ doc = "" }) => doc.length > 20), `${symbol.name} has no description`);
    const examples = docs.flatMap(({ tags = [] }) => tags.filter(({ kind }) => kind === "example"));
    const run = examples.some(({ doc = "" }) => /^```ts\n/m.test(doc));
    assert(run, `${symbol.name} has no example that \`deno test --doc\` runs`);
  }
});

/** Compiles if a value of the first type can be used where one of the second is wanted. */
function usable<From extends To, To>(): [From?, To?] {
  return [];
}

Deno.test("the library can be used wherever the contract says so", () => {
  usable<typeof lib.dial, typeof contract.dial>();
  usable<typeof lib.discover, typeof contract.discover>();
  usable<typeof lib.connect, typeof contract.connect>();
  usable<lib.Client, contract.Client>();
  usable<lib.Anchor, contract.Anchor>();
  usable<lib.Element, contract.Element>();
  usable<lib.Chan, contract.Chan>();
  usable<lib.Proc, contract.Proc>();
  usable<lib.Subscription, contract.Subscription>();
  usable<lib.Server, contract.Server>();
  usable<lib.Nameserver, contract.Nameserver>();
  usable<lib.Container, contract.Container>();
  usable<Awaited<ReturnType<typeof embedded.startServer>>, contract.CircuitServer>();
  // What the library takes: all that the contract lets a program give.
  usable<contract.DialOptions, lib.DialOptions>();
  usable<contract.CallOptions, lib.CallOptions>();
  usable<contract.Cmd, lib.Cmd>();
  usable<contract.ContainerRun, lib.ContainerRun>();
  // Neither has a kind that the other has not.
  usable<lib.Kind, contract.Kind>();
  usable<contract.Kind, lib.Kind>();
  usable<lib.Element["kind"], contract.Kind>();
  usable<contract.Kind, lib.Element["kind"]>();
});

Deno.test("options may be given as undefined, also where a compiler is exact about it", () => {
  const all = { key: undefined, signal: undefined, redial: undefined, timeoutMs: undefined };
  const options: [lib.DialOptions, lib.CallOptions] = [all, { signal: undefined }];
  const list: lib.ListOptions = { signal: undefined, recursive: undefined, depthFirst: undefined };
  const run: lib.ContainerRun = { image: "nginx", memory: undefined, volume: undefined };
  assertEquals([options[0].key, list.recursive, run.memory], [undefined, undefined, undefined]);
});
