import { assertEquals } from "@std/assert";
import { parseSignal } from "../../elements/proc/signals.ts";
import { completionScript } from "./completion_script.ts";
import { clientCommands } from "./mod.ts";
import { SIGNALS } from "./proc.ts";

Deno.test("SIGNALS are known to servers", () => {
  for (const name of SIGNALS) assertEquals(parseSignal(name), `SIG${name}`);
});

Deno.test("completionScript() holds every command and flag", () => {
  for (const shell of ["bash", "zsh", "fish"] as const) {
    const rows = completionScript(shell, clientCommands).split("\n");
    for (const { name, flags } of clientCommands) {
      assertEquals(rows.some((row) => row.includes(` '${name}' '-' `)), true, name);
      for (const flag of Object.keys(flags)) {
        assertEquals(rows.some((row) => row.includes(` '-${flag}' `)), true, `${shell}: -${flag}`);
      }
    }
  }
});
