/**
 * The executable: `circuit COMMAND …`. As a module it is the client library.
 *
 * @module
 */

import { clientCommands, type Command, dispatch } from "./client/commands/mod.ts";
import { startCommand } from "./server/start_command.ts";

export * from "./mod.ts";

const commands: readonly Command[] = [startCommand, ...clientCommands];

if (import.meta.main) {
  // A read of standard input may be under way that nobody waits for; only `exit` ends that.
  Deno.exit(await dispatch(Deno.args, commands));
}
