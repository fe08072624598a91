/**
 * Server IDs and circuit addresses: how they are written, read and made.
 *
 * @module
 */

import { CircuitError } from "./errors.ts";

/** Bytes of a server ID. */
export const SERVER_ID_BYTES = 8;

const SERVER_ID = /^X[0-9a-f]{16}$/;
const ADDRESS = /^circuit:\/\/(.+):(\d{1,5})\/(\d{1,10})\/Q([0-9a-f]{16})$/;
const HOST_PORT = /^(.+):(\d{1,5})$/;
const MAX_PORT = 65_535;

/** Where a server listens, and which server is expected to answer there. */
export interface Address {
  /** Host name or IP address; an IPv6 address is without brackets. */
  readonly host: string;
  /** TCP port, 1–65535; 0 only where a port is still to be chosen. */
  readonly port: number;
  /** Process ID of the server, undefined in a bare `HOST:PORT`. */
  readonly pid?: number;
  /** Server ID (`X` and 16 hex digits), undefined in a bare `HOST:PORT`. */
  readonly id?: string;
}

/** True for `X` followed by 16 lower-case hex digits. */
export function isServerId(text: string): boolean {
  return SERVER_ID.test(text);
}

/** A new server ID from 64 random bits. */
export function newServerId(): string {
  return serverIdFromBytes(crypto.getRandomValues(new Uint8Array(SERVER_ID_BYTES)));
}

/** The server ID that these 8 bytes stand for. */
export function serverIdFromBytes(bytes: Uint8Array): string {
  let text = "X";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The 8 bytes of a server ID; the ID must be valid. */
export function serverIdToBytes(id: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SERVER_ID_BYTES);
  for (let i = 0; i < SERVER_ID_BYTES; i++) {
    bytes[i] = Number.parseInt(id.slice(1 + 2 * i, 3 + 2 * i), 16);
  }
  return bytes;
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The address as users see it: `circuit://HOST:PORT/PID/Q…`, or `HOST:PORT` where there is no ID. */
export function formatAddress(address: Address): string {
  const where = formatHostPort(address.host, address.port);
  if (address.id === undefined) return where;
  return `circuit://${where}/${address.pid ?? 0}/Q${address.id.slice(1)}`;
}

/**
 * Reads `circuit://HOST:PORT/PID/Q…` or a bare `HOST:PORT`.
 *
 * @throws {CircuitError} `BAD_REQUEST` if the text is neither.
 */
export function parseAddress(text: string): Address {
  const full = ADDRESS.exec(text);
  if (full) {
    const [, host = "", port = "", pid = "", hex = ""] = full;
    return {
      host: plainHost(host, text),
      port: portOf(port, text),
      pid: Number(pid),
      id: `X${hex}`,
    };
  }
  const bare = text.includes("/") ? null : HOST_PORT.exec(text);
  if (!bare) throw badAddress(text);
  const [, host = "", port = ""] = bare;
  return { host: plainHost(host, text), port: portOf(port, text) };
}

function plainHost(host: string, text: string): string {
  const bracketed = /^\[([0-9a-fA-F:.%a-z]+)\]$/.exec(host);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  if (/[\s[\]/:]/.test(host)) throw badAddress(text);
  return host;
}

function portOf(port: string, text: string): number {
  const number = Number(port);
  if (number > MAX_PORT) throw badAddress(text);
  return number;
}

function badAddress(text: string): CircuitError {
  return new CircuitError(
    "BAD_REQUEST",
    `bad circuit address ${
      JSON.stringify(text)
    }: want circuit://HOST:PORT/PID/Q<16 hex digits> or HOST:PORT`,
  );
}
