/**
 * Making a server log a lot.
 *
 * @module
 */

import type { Client } from "../mod.ts";

/** Has a server do what it logs in so many lines of 2 KB each. */
export async function beLoud(client: Client, path: string, lines: number): Promise<void> {
  const below = client.anchor(`${path}${`/${"x".repeat(250)}`.repeat(8)}`);
  for (let i = 0; i < lines; i++) await below.scrub();
}
