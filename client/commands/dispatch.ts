/**
 * From what the user typed to an exit status.
 *
 * @module
 */

import { type Command, type Context, type Invocation, UsageError } from "./command.ts";
import { systemContext } from "./context.ts";
import { commandHelp, overview, usage } from "./help.ts";
import { OutputClosed } from "./output.ts";
import { parse } from "./parse.ts";
import { didYouMean } from "./suggest.ts";

/** Status of a command that did what it was asked. */
export const STATUS_OK = 0;
/** Status of a command that failed. */
export const STATUS_FAILED = 1;
/** Status of a command that was typed wrongly. */
export const STATUS_USAGE = 2;

/** Milliseconds that an interrupted command has to free what it holds. */
const GRACE_MS = 200;

/** What may stop a command from outside. */
export interface Interrupts {
  /**
   * Calls back with the exit status when the user interrupts the tool.
   *
   * @returns a function that ends this.
   */
  listen(callback: (status: number) => void): () => void;
}

/** The world around the tool. */
export interface World extends Interrupts {
  /** The world around a command; `signal` is aborted when the user interrupts the tool. */
  context(commands: readonly Command[], signal: AbortSignal): Context;
  /** Whether errors are shown with all there is to know of them. */
  readonly debug: boolean;
}

/**
 * Runs the command that was typed.
 *
 * @param argv What was typed after `circuit`.
 * @param commands The table of commands.
 * @param world Default: standard input and output, the signals and the environment of this process.
 * @returns the exit status: 0; 1 after a failure; 2 for a usage error; 130 and 143 after SIGINT and
 * SIGTERM. A standard output whose reader has gone is no failure.
 */
export async function dispatch(
  argv: readonly string[],
  commands: readonly Command[],
  world: World = systemContext(),
): Promise<number> {
  const interruption = new AbortController();
  const context = world.context(commands, interruption.signal);
  const command = commands.find((each) => each.name === argv[0]);
  try {
    if (!command) return await withoutCommand(argv[0], context);
    const { flags, args, help } = parse(command, argv.slice(1));
    if (help) {
      await context.stdout.line(commandHelp(command));
      await context.stdout.flush();
      return STATUS_OK;
    }
    const invocation = invocationOf(context, flags, args);
    if (command.ownSignals) return await finished(command, invocation);
    interruption.signal.addEventListener("abort", () => context.stdout.abandon());
    return await interruptible(finished(command, invocation), interruption, world);
  } catch (error) {
    return report(error, command, context, world.debug);
  }
}

async function withoutCommand(typed: string | undefined, context: Context): Promise<number> {
  if (typed === undefined) {
    context.note(overview(context.commands));
    return STATUS_USAGE;
  }
  if (typed === "-h" || typed === "-help" || typed === "--help") {
    await context.stdout.line(overview(context.commands));
    await context.stdout.flush();
    return STATUS_OK;
  }
  if (typed.startsWith("-")) {
    throw new UsageError(
      `a command comes first, then its flags: ${JSON.stringify(typed)} is a flag`,
    );
  }
  throw unknownCommand(typed, context.commands);
}

/** The error for a command that is not in the table. */
export function unknownCommand(typed: string, commands: readonly Command[]): UsageError {
  const hint = didYouMean(typed, commands.map((each) => each.name));
  return new UsageError(`unknown command ${JSON.stringify(typed)}${hint}`);
}

/** The invocation of a command. The context's getters stay getters: standard input stays shut. */
function invocationOf(
  context: Context,
  flags: Record<string, unknown>,
  args: Record<string, unknown>,
): Invocation {
  return Object.create(context, { flags: { value: flags }, args: { value: args } });
}

async function finished(command: Command, invocation: Invocation): Promise<number> {
  const status = await command.run(invocation);
  await invocation.stdout.flush();
  return status ?? STATUS_OK;
}

/** The status of the work, or of what interrupted it once the work has freed what it held. */
async function interruptible(
  work: Promise<number>,
  interruption: AbortController,
  interrupts: Interrupts,
): Promise<number> {
  const interrupted = Promise.withResolvers<number>();
  let status: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const unlisten = interrupts.listen((given) => {
    // Who asks twice is tired of waiting.
    if (status !== undefined) return interrupted.resolve(status);
    status = given;
    interruption.abort();
    timer = setTimeout(() => interrupted.resolve(given), GRACE_MS);
    // However the work ends now, the interruption ended it.
    work.catch(() => {}).finally(() => interrupted.resolve(given));
  });
  try {
    const first = await Promise.race([work, interrupted.promise]);
    return status ?? first;
  } catch (error) {
    if (status !== undefined) return status;
    throw error;
  } finally {
    clearTimeout(timer);
    unlisten();
  }
}

function report(
  error: unknown,
  command: Command | undefined,
  context: Context,
  debug: boolean,
): number {
  if (error instanceof OutputClosed) return STATUS_OK;
  if (error instanceof UsageError) {
    context.note(`circuit: ${command ? `${command.name}: ` : ""}${error.message}`);
    context.note(command ? usage(command) : 'see "circuit help"');
    return STATUS_USAGE;
  }
  context.note(`circuit: ${error instanceof Error ? error.message : String(error)}`);
  if (debug) context.note(Deno.inspect(error));
  return STATUS_FAILED;
}
