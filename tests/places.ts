/**
 * Places to listen at that stay free between one server and the next.
 *
 * @module
 */

/**
 * A loopback address that nothing else uses, where the system has many. On 127.0.0.1 a port that was
 * free may be another program's a moment later.
 */
export function freshHost(): string {
  if (Deno.build.os !== "linux") return "127.0.0.1";
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
  return `127.${1 + a % 254}.${b}.${1 + c % 254}`;
}

/** `HOST:PORT`s on which nothing listens. */
export function freePlaces(count: number): string[] {
  const hostname = freshHost();
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname, port: 0 }));
  return listeners.map((listener) => {
    listener.close();
    return `${hostname}:${listener.addr.port}`;
  });
}

/** Whether this machine has the IPv6 loopback address; some have no IPv6. */
export const hasIpv6: boolean = canListen("::1");

function canListen(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
