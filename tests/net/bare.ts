// What heartbeats cost a program that does nothing else: it has eight ends of connections, all with
// itself, and sends 20 bytes on each once a second. Prints a line when it has begun.

const ENDS = 8;
const BEAT = new Uint8Array(20);

using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const ends: Deno.TcpConn[] = [];
while (ends.length < ENDS) {
  const dialled = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  ends.push(await listener.accept(), await dialled);
}
for (const end of ends) read(end);
setInterval(() => {
  for (const end of ends) end.write(BEAT);
}, 1000);
console.log("it beats");
await new Promise(() => {});

async function read(end: Deno.TcpConn): Promise<void> {
  end.setNoDelay(true);
  const buffer = new Uint8Array(2048);
  while (await end.read(buffer) !== null);
}
