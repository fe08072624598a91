import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { knownSignals, parseSignal, signalWords } from "./signals.ts";

Deno.test("parseSignal() takes names with and without SIG, in any letter case", () => {
  for (const name of ["KILL", "SIGKILL", "kill", "sigkill", "SigKill", " kill\n"]) {
    assertEquals(parseSignal(name), "SIGKILL");
  }
  assertEquals(parseSignal("usr1"), "SIGUSR1");
});

Deno.test("parseSignal() refuses unknown names with the list of known ones", () => {
  for (const name of ["", "SIG", "9", "KILLL", "SIGSIGKILL", "__proto__"]) {
    const error = assertThrows(() => parseSignal(name), CircuitError);
    assertEquals(error.code, "BAD_REQUEST");
    assertStringIncludes(error.message, JSON.stringify(name));
    assertStringIncludes(error.message, "HUP, ILL");
    assertStringIncludes(error.message, "TERM");
  }
});

Deno.test("knownSignals() leaves out what the other system has", () => {
  assert(knownSignals("linux").includes("SIGPWR"));
  assert(!knownSignals("linux").includes("SIGINFO"));
  assert(knownSignals("darwin").includes("SIGINFO"));
  assert(!knownSignals("darwin").includes("SIGSTKFLT"));
});

Deno.test("knownSignals() can all be sent on this system", async () => {
  for (const signal of knownSignals()) {
    await using child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    child.kill(signal);
    child.kill("SIGKILL");
    await child.status;
  }
});

Deno.test("signalWords() uses the usual words", () => {
  const words = {
    SIGTERM: "terminated",
    SIGKILL: "killed",
    SIGINT: "interrupt",
    SIGHUP: "hangup",
    SIGSEGV: "segmentation fault",
    SIGABRT: "aborted",
    SIGPIPE: "broken pipe",
    SIGUSR1: "user defined signal 1",
  };
  for (const [signal, word] of Object.entries(words)) assertEquals(signalWords(signal), word);
  assertEquals(signalWords("SIG42"), "SIG42");
  for (const signal of knownSignals()) assert(signalWords(signal) !== signal);
});
