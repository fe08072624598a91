import { assertEquals, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { createArguments } from "./arguments.ts";

const ALWAYS = ["--name=n", "--label=circuit=/X1/a", "--interactive", "--log-driver=none"];

Deno.test("createArguments() leaves to the engine what is absent, empty or 0", () => {
  const plain = ["create", ...ALWAYS, "--pull=never", "--", "busybox"];
  assertEquals(createArguments({ image: "busybox" }, "n", "/X1/a"), plain);
  const empty = { memory: 0, cpuShares: 0, volume: [], dir: "", entry: "", env: [], path: "" };
  assertEquals(createArguments({ image: "busybox", ...empty, args: [] }, "n", "/X1/a"), plain);
});

Deno.test("createArguments() gives no value the chance to be a flag", () => {
  const run = {
    image: "--privileged",
    memory: 1,
    cpuShares: 2,
    volume: ["--privileged", "/a:/b:ro"],
    dir: "--privileged",
    entry: "--privileged",
    env: ["--privileged=true"],
    path: "--privileged",
    args: ["--privileged", "-v/:/host"],
  };
  assertEquals(createArguments(run, "n", "/X1/a"), [
    "create",
    ...ALWAYS,
    "--pull=never",
    "--memory=1b",
    "--cpu-shares=2",
    "--volume=--privileged",
    "--volume=/a:/b:ro",
    "--workdir=--privileged",
    "--entrypoint=--privileged",
    "--env=--privileged=true",
    "--",
    "--privileged",
    "--privileged",
    "--privileged",
    "-v/:/host",
  ]);
});

Deno.test("createArguments() refuses variables without a value, which the engine would fill in", () => {
  for (const env of [["HOME"], ["=x"], [""], ["A=1", "B"]]) {
    const make = () => createArguments({ image: "busybox", env }, "n", "/X1/a");
    assertEquals(assertThrows(make, CircuitError).code, "BAD_REQUEST");
  }
});
