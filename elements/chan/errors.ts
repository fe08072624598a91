/**
 * What a channel says when it cannot do what it was asked to.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { RETAINED_BYTES } from "./message.ts";

/** What was asked of the channel, for messages. */
export type Action = "send to" | "receive from" | "close";

/** The channel takes no new messages. */
export function sendClosed(path: string): CircuitError {
  return closed("send to", path, "the channel is closed, and only an open one takes messages");
}

/** The channel was closed while a send waited. */
export function sendOvertaken(path: string): CircuitError {
  const found = "the channel was closed while the message waited for a receiver or room";
  return closed("send to", path, found);
}

/** There is nothing to receive, and there never will be. */
export function recvClosed(path: string): CircuitError {
  return closed("receive from", path, "the channel is closed, and no message is left in it");
}

/** A second `close`. */
export function closedTwice(path: string): CircuitError {
  return closed("close", path, "the channel is closed already, and can be closed once");
}

/** The channel is gone. */
export function scrubbed(action: Action, path: string): CircuitError {
  return aborted(action, path, "the channel was scrubbed");
}

/** A receiver is told that the sender went away half-way. */
export function senderGone(path: string, bytes: number): CircuitError {
  const found = `the sender went away after ${bytes} bytes, before the message's end`;
  return aborted("receive from", path, found);
}

/** A sender is told that the receiver went away half-way. */
export function receiverGone(path: string, bytes: number): CircuitError {
  const found = `the receiver went away after ${bytes} bytes, ` +
    `and only a message of up to ${RETAINED_BYTES} bytes can be given to another one`;
  return aborted("send to", path, found);
}

/** A sender is told that the server has no memory for its message. */
export function sendRefused(path: string, cause: CircuitError): CircuitError {
  return new CircuitError(cause.code, `cannot send to ${path}: ${cause.message}`, { cause });
}

/** A receiver is told the same, half-way. */
export function recvRefused(path: string, bytes: number, cause: CircuitError): CircuitError {
  const found = `the message was refused after ${bytes} bytes: ${cause.message}`;
  return aborted("receive from", path, found);
}

function closed(action: Action, path: string, found: string): CircuitError {
  return new CircuitError("CLOSED", `cannot ${action} ${path}: ${found}`);
}

function aborted(action: Action, path: string, found: string): CircuitError {
  return new CircuitError("ABORTED", `cannot ${action} ${path}: ${found}`);
}
