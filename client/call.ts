/**
 * Calls on anchors and elements, typed by the descriptions of their kinds.
 *
 * @module
 */

import type { Args, Description, Methods, Result } from "../elements/describe.ts";
import { cancelled } from "../overlay/errors.ts";
import type { OpenOptions, Session } from "../overlay/transport/session.ts";
import type { Stream } from "../overlay/transport/stream.ts";
import type { Router } from "./router.ts";
import type { CallOptions } from "./types.ts";

/** An anchor as calls see it: where it is, and how to get there. */
export interface Target {
  readonly router: Router;
  readonly path: string;
  readonly serverId: string | undefined;
}

/**
 * Calls a method that takes a value and returns one.
 *
 * @throws {CircuitError} what the server answered with, or why there was no answer.
 */
export function call<M extends Methods, K extends keyof M & string>(
  target: Target,
  description: Description<M>,
  method: K,
  args: Args<M[K]>,
  options: CallOptions | undefined,
): Promise<Result<M[K]>> {
  const name = `${description.name}.${method}`;
  let reply: Promise<unknown>;
  try {
    const stream = open(target, name, { args, end: true }, options);
    reply = stream instanceof Promise ? stream.then(replyOf) : stream.reply();
  } catch (error) {
    reply = Promise.reject(error);
  }
  // The server checks what it answers with against the same description.
  return reply as Promise<Result<M[K]>>;
}

function replyOf(stream: Stream): Promise<unknown> {
  return stream.reply();
}

/**
 * Opens a call with byte streams; at once if there is a connection. The signal, if there is one,
 * cancels it until it is over.
 *
 * @param unwanted Gives up opening it, with its reason.
 * @throws {CircuitError} if it cannot be sent. That it was sent does not say that it is answered.
 */
export function open(
  target: Target,
  method: string,
  request: OpenOptions,
  options: CallOptions | undefined,
  unwanted?: AbortSignal,
): Stream | Promise<Stream> {
  const signal = options?.signal;
  if (signal?.aborted) throw cancelled(`${method} ${target.path}`, signal);
  const session = target.router.session(target.serverId);
  if (!(session instanceof Promise)) return send(session, target, method, request, signal);
  return race(session, [
    [signal, (signal) => cancelled(`${method} ${target.path}`, signal)],
    [unwanted, ({ reason }) => reason],
  ]).then((session) => send(session, target, method, request, signal));
}

function send(
  session: Session,
  { path }: Target,
  method: string,
  request: OpenOptions,
  signal: AbortSignal | undefined,
): Stream {
  // Most calls have none, and need nothing to be made for it.
  if (!signal) return session.open(method, path, request);
  if (signal.aborted) throw cancelled(`${method} ${path}`, signal);
  const stream = session.open(method, path, request);
  const onAbort = () => stream.fail(cancelled(`${method} ${path}`, signal));
  signal.addEventListener("abort", onAbort, { once: true });
  stream.onOver(() => signal.removeEventListener("abort", onAbort));
  return stream;
}

/** What `work` comes to, or the error that belongs to the first of these signals that is aborted. */
async function race<T>(
  work: Promise<T>,
  signals: readonly (readonly [AbortSignal | undefined, (signal: AbortSignal) => unknown])[],
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  using listening = new DisposableStack();
  for (const [signal, error] of signals) {
    if (!signal) continue;
    const onAbort = () => aborted.reject(error(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    listening.defer(() => signal.removeEventListener("abort", onAbort));
  }
  return await Promise.race([work, aborted.promise]);
}
