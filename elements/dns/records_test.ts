import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ask, recordsOf, refused, short } from "./_harness.ts";
import { MAX_SET_BYTES, MAX_TEXT_BYTES } from "./limits.ts";
import { parseRecord } from "./record.ts";
import { Records } from "./records.ts";

Deno.test("add() keeps the order of a name's records, and sorts names", () => {
  const records = recordsOf(
    "miek.nl. 3600 IN MX 10 mx.miek.nl.",
    "a.nl. A 192.0.2.1",
    "miek.nl. 3600 IN MX 20 mx2.miek.nl.",
  );
  assertEquals(Object.entries(records.texts()), [
    ["a.nl.", ["a.nl.\t3600\tIN\tA\t192.0.2.1"]],
    ["miek.nl.", [
      "miek.nl.\t3600\tIN\tMX\t10 mx.miek.nl.",
      "miek.nl.\t3600\tIN\tMX\t20 mx2.miek.nl.",
    ]],
  ]);
});

Deno.test("add() takes a record that is there for the same, but for its TTL", () => {
  const records = recordsOf("x MX 10 mx.example.", "x MX 20 mx.example.");
  for (const line of ["X. MX 10 MX.example", "x 3600 IN MX 10 mx.example."]) {
    records.add(parseRecord(line));
    assertEquals(records.texts()["x."]?.length, 2);
  }
  records.add(parseRecord("x 60 MX 10 mx.example."));
  assertEquals(records.texts()["x."], [
    "x.\t60\tIN\tMX\t10 mx.example.",
    "x.\t3600\tIN\tMX\t20 mx.example.",
  ]);
  // Letter case counts in texts.
  records.add(parseRecord("t TXT a"));
  records.add(parseRecord("t TXT A"));
  assertEquals(records.texts()["t."]?.length, 2);
});

Deno.test("add() lets an alias stand alone", () => {
  const records = recordsOf("alias CNAME x.", "host A 192.0.2.1");
  const said = refused("BAD_REQUEST", () => records.add(parseRecord("alias A 192.0.2.1")));
  assertStringIncludes(said, "it has records of type CNAME, and an alias stands alone");
  refused("BAD_REQUEST", () => records.add(parseRecord("host CNAME x.")));
  const second = refused("BAD_REQUEST", () => records.add(parseRecord("alias CNAME y.")));
  assertStringIncludes(second, "it has one already, alias. 3600 IN CNAME x.");
  records.add(parseRecord("alias 60 CNAME X."));
  records.add(parseRecord("alias NSEC y. CNAME NSEC"));
  assertEquals(records.texts()["alias."]?.length, 2);
  assertEquals(records.texts()["host."]?.length, 1);
});

Deno.test("add() refuses a second SOA, and a second DNAME", () => {
  const records = recordsOf("x SOA a. b. 1 2 3 4 5", "x DNAME a.");
  refused("BAD_REQUEST", () => records.add(parseRecord("x SOA a. b. 2 2 3 4 5")));
  refused("BAD_REQUEST", () => records.add(parseRecord("x DNAME b.")));
});

Deno.test("remove() removes all records of a name and nothing else", () => {
  const records = recordsOf("a.x A 192.0.2.1", "a.x MX 1 y.", "x A 192.0.2.2", "b.a.x A 192.0.2.3");
  assertEquals(records.remove("a.x"), 2);
  assertEquals(records.remove("a.x"), 0);
  assertEquals(Object.keys(records.texts()), ["b.a.x.", "x."]);
  assertEquals(short(ask(records, "a.x", "A")), ["NOERROR"]);
  records.remove("b.a.x");
  assertEquals(short(ask(records, "a.x", "A")), ["NXDOMAIN"]);
  records.remove("x");
  assert(!records.exists("."));
});

Deno.test("add() bounds the records of a name and type to what an answer holds", () => {
  const records = new Records();
  const line = (index: number) => `x TXT ${`"${"a".repeat(255)}" `.repeat(3)}${index}`;
  const said = refused("BUSY", () => {
    for (let index = 0;; index++) records.add(parseRecord(line(index)));
  });
  assertStringIncludes(said, `at most ${MAX_SET_BYTES}`);
  const reply = ask(records, "x", "TXT", { transport: "tcp" });
  assertEquals(reply.answers.length, records.texts()["x."]?.length);
  assert(!reply.flag_tc);
});

Deno.test("add() bounds all records together, and removing them makes room", () => {
  const records = new Records();
  let count = 0;
  const fill = () => {
    for (;; count++) records.add(parseRecord(`host-${count}.example. A 192.0.2.1`));
  };
  const said = refused("BUSY", fill);
  assertStringIncludes(said, `at most ${MAX_TEXT_BYTES}`);
  assert(count > 5_000, `${count} records`);
  const bytes = new TextEncoder().encode(JSON.stringify(records.texts())).length;
  assert(bytes < 512 * 1024, `${bytes} bytes`);
  // One that is there takes no room.
  records.add(parseRecord("host-0.example. A 192.0.2.1"));
  const full = count;
  for (let index = 0; index < count; index++) records.remove(`host-${index}.example`);
  count = 0;
  refused("BUSY", fill);
  assertEquals(count, full);
});
