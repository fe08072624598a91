// What the server's logger relies on in @std/log. It holds for the real package and for the
// stand-in.

import { assertEquals, assertMatch } from "@std/assert";
import {
  BaseHandler,
  type BaseHandlerOptions,
  getLogger,
  type LevelName,
  type LogRecord,
  setup,
} from "@std/log";

/** Keeps lines and what was called. */
class Keeper extends BaseHandler {
  readonly kept: string[] = [];

  constructor(level: LevelName, options?: BaseHandlerOptions) {
    super(level, options);
  }

  override log(msg: string): void {
    this.kept.push(msg);
  }

  override setup(): void {
    this.kept.push("set up");
  }

  override destroy(): void {
    this.kept.push("destroyed");
  }
}

const formatter = (record: LogRecord) =>
  `${record.datetime.toISOString()} ${record.levelName} ${record.msg}`;

Deno.test("a logger hands on what is at its level or above, and so does a handler", () => {
  const all = new Keeper("DEBUG");
  const grave = new Keeper("ERROR", { formatter });
  setup({
    handlers: { all, grave },
    loggers: { default: { level: "INFO", handlers: ["all", "grave"] } },
  });
  const logger = getLogger();
  for (const level of ["debug", "info", "warn", "error"] as const) logger[level](`a ${level}`);
  assertEquals(all.kept, ["set up", "INFO a info", "WARN a warn", "ERROR a error"]);
  assertEquals(grave.kept.length, 2);
  assertMatch(grave.kept[1] ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z ERROR a error$/);
  setup({ handlers: {} });
});

Deno.test("setup() replaces loggers and handlers", () => {
  const first = new Keeper("DEBUG");
  const second = new Keeper("DEBUG");
  setup({ handlers: { first }, loggers: { default: { level: "DEBUG", handlers: ["first"] } } });
  setup({ handlers: { second }, loggers: { default: { handlers: ["second", "missing"] } } });
  getLogger().info("to the second");
  getLogger("unknown").error("to nobody");
  assertEquals(first.kept, ["set up", "destroyed"]);
  assertEquals(second.kept, ["set up", "INFO to the second"]);
  setup({ handlers: {} });
});
