import { assert, assertEquals } from "@std/assert";
import { Heap } from "./heap.ts";
import { List } from "./list.ts";
import { ChanQueue, Recv, Send } from "./queue.ts";

class S extends Send<S> {
  constructor(readonly name: string) {
    super();
  }
}

class R extends Recv<R> {
  constructor(readonly name: string) {
    super();
  }
}

/** Names for a sequence of sends. */
function sends(...names: string[]): S[] {
  return names.map((name) => new S(name));
}

/** Receives until a receive would wait; the names of the messages. */
function drain(queue: ChanQueue<S, R>): string[] {
  const names: string[] = [];
  for (let i = 0;; i++) {
    const recv = new R(`drain ${i}`);
    const send = queue.recv(recv);
    if (!send) {
      queue.cancelRecv(recv);
      return names;
    }
    queue.finish(send);
    while (queue.promote());
    names.push(send.name);
  }
}

Deno.test("List keeps the order of its items and lets go of any of them", () => {
  const list = new List<S>();
  const [a, b, c, d] = sends("a", "b", "c", "d") as [S, S, S, S];
  for (const item of [a, b, c, d]) list.push(item);
  list.remove(b);
  list.remove(d);
  list.push(b);
  list.remove(a);
  assertEquals([list.size, list.clear().map(({ name }) => name)], [2, ["c", "b"]]);
  assertEquals([list.size, list.shift()], [0, undefined]);
});

Deno.test("Heap lets out by rank, whatever went in and was taken out before", () => {
  // A fixed walk through all residues stands in for chance.
  for (let size = 0; size < 60; size++) {
    const heap = new Heap<S>();
    const items = Array.from({ length: size }, (_, i) => {
      const item = new S(String(i));
      item.rank = (i * 37 + 11) % 61;
      heap.push(item);
      return item;
    });
    const removed = items.filter((_, i) => i % 3 === 1);
    for (const item of removed) heap.remove(item);
    const out: number[] = [];
    for (let item = heap.shift(); item; item = heap.shift()) out.push(item.rank);
    const want = items.filter((item) => !removed.includes(item)).map(({ rank }) => rank);
    assertEquals(out, want.sort((a, b) => a - b));
  }
});

Deno.test("send() waits without a buffer until recv() comes", () => {
  const queue = new ChanQueue<S, R>(0);
  const [a, b] = sends("a", "b") as [S, S];
  assertEquals(queue.send(a), undefined);
  assertEquals(queue.send(b), undefined);
  assertEquals([a.state, queue.numSend], ["waiting", 0]);
  assertEquals(queue.recv(new R("r")), a);
  assertEquals([a.state, b.state], ["flying", "waiting"]);
  assertEquals([queue.numSend, queue.numRecv], [1, 1]);
});

Deno.test("send() is matched with the receive that has waited longest", () => {
  const queue = new ChanQueue<S, R>(3);
  const r1 = new R("r1");
  const r2 = new R("r2");
  assertEquals([queue.recv(r1), queue.recv(r2)], [undefined, undefined]);
  assertEquals(queue.send(new S("a")), r1);
  assertEquals(queue.send(new S("b")), r2);
  assertEquals([r1.waiting, r2.waiting], [false, false]);
});

Deno.test("send() fills the buffer, then waits; promote() follows in order", () => {
  const queue = new ChanQueue<S, R>(2);
  const all = sends("a", "b", "c", "d");
  for (const send of all) queue.send(send);
  assertEquals(all.map(({ state }) => state), ["buffered", "buffered", "waiting", "waiting"]);
  assertEquals(queue.promote(), undefined);
  assertEquals(queue.recv(new R("r"))?.name, "a");
  assertEquals([queue.promote()?.name, queue.promote()], ["c", undefined]);
  assertEquals(drain(queue), ["b", "c", "d"]);
});

Deno.test("cancelSend() leaves no trace of a send that waited", () => {
  const queue = new ChanQueue<S, R>(1);
  const [a, b, c] = sends("a", "b", "c") as [S, S, S];
  for (const send of [a, b, c]) queue.send(send);
  queue.cancelSend(b);
  assertEquals([queue.numSend, queue.promote()], [1, undefined]);
  assertEquals(drain(queue), ["a", "c"]);
});

Deno.test("cancelSend() of a buffered send makes room and is not counted", () => {
  const queue = new ChanQueue<S, R>(1);
  const [a, b] = sends("a", "b") as [S, S];
  for (const send of [a, b]) queue.send(send);
  queue.cancelSend(a);
  assertEquals([queue.numSend, queue.promote()?.name, queue.numSend], [0, "b", 1]);
  assertEquals(drain(queue), ["b"]);
});

Deno.test("cancelRecv() leaves no trace of a receive that waited", () => {
  const queue = new ChanQueue<S, R>(0);
  const r1 = new R("r1");
  const r2 = new R("r2");
  queue.recv(r1);
  queue.recv(r2);
  queue.cancelRecv(r1);
  queue.cancelRecv(r1);
  assertEquals(queue.send(new S("a")), r2);
});

Deno.test("putBack() makes a send the next one, in the order of arrival", () => {
  const queue = new ChanQueue<S, R>(4);
  const [a, b, c, d] = sends("a", "b", "c", "d") as [S, S, S, S];
  for (const send of [a, b, c, d]) queue.send(send);
  for (const name of ["a", "b", "c"]) assertEquals(queue.recv(new R("r"))?.name, name);
  assertEquals(queue.numRecv, 3);
  for (const send of [b, c, a]) assertEquals(queue.putBack(send), undefined);
  assertEquals([queue.numSend, queue.numRecv], [4, 0]);
  assertEquals(drain(queue), ["a", "b", "c", "d"]);
});

Deno.test("putBack() matches the send with a waiting receive at once", () => {
  const queue = new ChanQueue<S, R>(0);
  const a = new S("a");
  const r2 = new R("r2");
  queue.recv(new R("r1"));
  queue.send(a);
  queue.recv(r2);
  assertEquals(queue.putBack(a), r2);
  assertEquals([a.state, r2.waiting, queue.numSend, queue.numRecv], ["flying", false, 1, 1]);
});

Deno.test("putBack() takes room in the buffer", () => {
  const queue = new ChanQueue<S, R>(1);
  const [a, b] = sends("a", "b") as [S, S];
  queue.send(a);
  queue.recv(new R("r"));
  queue.putBack(a);
  queue.send(b);
  assertEquals([a.state, b.state], ["returned", "waiting"]);
  queue.cancelSend(a);
  assertEquals([queue.promote()?.name, queue.numSend, queue.numRecv], ["b", 1, 0]);
});

Deno.test("close() turns away waiting sends and lets out what is buffered", () => {
  const queue = new ChanQueue<S, R>(1);
  const [a, b, c] = sends("a", "b", "c") as [S, S, S];
  for (const send of [a, b, c]) queue.send(send);
  assertEquals(queue.close(), [b, c]);
  assertEquals([queue.closed, b.state, queue.numSend], [true, "outside", 1]);
  assertEquals(queue.recv(new R("r1")), a);
  const r2 = new R("r2");
  queue.recv(r2);
  assertEquals(queue.turnAway(), undefined, "a may come back");
  queue.finish(a);
  assertEquals([queue.turnAway(), queue.turnAway()], [r2, undefined]);
});

Deno.test("turnAway() does not wait for a send that cannot come back", () => {
  const queue = new ChanQueue<S, R>(0);
  const a = new S("a");
  const r2 = new R("r2");
  queue.recv(new R("r1"));
  queue.send(a);
  queue.recv(r2);
  queue.close();
  assertEquals(queue.turnAway(), undefined);
  queue.commit(a);
  assertEquals(queue.turnAway(), r2);
  queue.finish(a);
  assertEquals(queue.turnAway(), undefined);
});

Deno.test("turnAway() leaves receives alone while the channel is open", () => {
  const queue = new ChanQueue<S, R>(0);
  queue.recv(new R("r"));
  assertEquals(queue.turnAway(), undefined);
});

Deno.test("abort() lets go of everything", () => {
  const queue = new ChanQueue<S, R>(1);
  const [a, b, c, d] = sends("a", "b", "c", "d") as [S, S, S, S];
  queue.send(a);
  queue.recv(new R("r"));
  queue.commit(a);
  queue.send(b);
  queue.recv(new R("r"));
  queue.putBack(b);
  queue.send(c);
  queue.cancelSend(b);
  queue.promote();
  queue.send(d);
  const gone = queue.abort();
  assertEquals(gone.sends.map(({ name }) => name).sort(), ["a", "c", "d"]);
  assert(gone.sends.every(({ state }) => state === "outside"));
  assertEquals([gone.recvs, queue.aborted], [[], true]);

  const other = new ChanQueue<S, R>(1);
  const r = new R("r");
  other.recv(r);
  assertEquals([other.abort(), r.waiting], [{ sends: [], recvs: [r] }, false]);
});

Deno.test("a queue of 100,000 costs no more an item than a short one", () => {
  // Each step that looked at all the others would make this take minutes.
  const count = 100_000;
  const queue = new ChanQueue<S, R>(0);
  const all = Array.from({ length: count }, (_, i) => new S(String(i)));
  for (const send of all) queue.send(send);
  for (const send of all) if (send.rank % 2 === 1) queue.cancelSend(send);
  const flying: S[] = [];
  for (let i = 0; i < count / 2; i++) {
    const send = queue.recv(new R("r"));
    if (send) flying.push(send);
  }
  // 7919 is prime to the count: everyone comes back, in an order without order.
  for (let i = 0; i < flying.length; i++) {
    const send = flying[(i * 7919) % flying.length];
    if (send) queue.putBack(send);
  }
  for (const send of flying.slice(0, 100)) queue.cancelSend(send);
  const recvs = Array.from({ length: count }, (_, i) => new R(String(i)));
  const names = drain(queue);
  assertEquals(names, flying.slice(100).map(({ name }) => name));
  for (const recv of recvs) queue.recv(recv);
  for (const recv of recvs.toReversed()) queue.cancelRecv(recv);
  queue.close();
  assertEquals(queue.turnAway(), undefined);
});
