/**
 * The commands of the tool that talk to a circuit, and what runs them.
 *
 * @module
 */

import { peekCommand, scrubCommand } from "./anchors.ts";
import { closeCommand, mkchanCommand, recvCommand, sendCommand } from "./chan.ts";
import type { Command } from "./command.ts";
import { mkdkrCommand } from "./container.ts";
import { completionsCommand } from "./completions.ts";
import { keygenCommand } from "./keygen.ts";
import { mkdnsCommand, setCommand, unsetCommand } from "./dns.ts";
import { lsCommand } from "./ls.ts";
import { mkprocCommand, signalCommand, waitCommand } from "./proc.ts";
import { runCommand } from "./run.ts";
import { joinCommand, stkCommand, suicideCommand } from "./server.ts";
import { stderrCommand, stdinCommand, stdoutCommand } from "./stdio.ts";
import { mkOnJoinCommand, mkOnLeaveCommand } from "./subscription.ts";
import { helpCommand, versionCommand } from "./tool.ts";
import { waitallCommand } from "./waitall.ts";

export {
  type Argument,
  type Arguments,
  type ArgumentValues,
  type BooleanFlag,
  type Command,
  command,
  type Context,
  type Description,
  type Flag,
  type Flags,
  type FlagValues,
  type Group,
  type Invocation,
  type NumberFlag,
  type StringFlag,
  UsageError,
  type Where,
} from "./command.ts";
export { dispatch, type Interrupts, type World } from "./dispatch.ts";
export { commandHelp, overview } from "./help.ts";
export { Output, type Sink } from "./output.ts";

/** The commands, in the order of the help. */
export const clientCommands: readonly Command[] = [
  lsCommand,
  peekCommand,
  scrubCommand,
  mkprocCommand,
  mkdkrCommand,
  signalCommand,
  waitCommand,
  waitallCommand,
  runCommand,
  stdinCommand,
  stdoutCommand,
  stderrCommand,
  mkchanCommand,
  sendCommand,
  recvCommand,
  closeCommand,
  mkOnJoinCommand,
  mkOnLeaveCommand,
  mkdnsCommand,
  setCommand,
  unsetCommand,
  joinCommand,
  stkCommand,
  suicideCommand,
  keygenCommand,
  versionCommand,
  helpCommand,
  completionsCommand,
];
