/**
 * `circuit completions`
 *
 * @module
 */

import { type Command, command, UsageError } from "./command.ts";
import { didYouMean } from "./suggest.ts";

/** The shells that there are completions for. */
const SHELLS = ["bash", "zsh", "fish"] as const;

/** Prints what makes a shell complete the tool's commands, flags and paths. */
export const completionsCommand: Command = command({
  name: "completions",
  group: "This tool",
  summary: "print completions for a shell: bash, zsh or fish",
  args: { SHELL: { words: SHELLS } },
  flags: {},
  help: [
    "Commands, flags, signals, files and programs are completed, and paths by asking the circuit, " +
    "with the flags that are on the line. It is asked for a second; nothing is said if it does not " +
    "answer.",
    "Save them where the shell looks for them: bash in ~/.local/share/bash-completion/completions/circuit " +
    "(or source them in ~/.bashrc), zsh as _circuit in a folder of fpath (or source them behind " +
    "compinit), fish in ~/.config/fish/completions/circuit.fish.",
  ].join("\n\n"),
  example: "circuit completions bash",
  async run({ args, commands, stdout }) {
    const shell = SHELLS.find((each) => each === args.SHELL);
    if (shell === undefined) {
      const hint = didYouMean(args.SHELL, SHELLS) || `: want ${SHELLS.join(", ")}`;
      throw new UsageError(`unknown shell ${JSON.stringify(args.SHELL)}${hint}`);
    }
    const { completionScript } = await import("./completion_script.ts");
    await stdout.line(completionScript(shell, commands));
  },
});
