// What the project's logger relies on in @std/log. It holds for the real
// package and for the stand-in alike.

import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  BaseHandler,
  ConsoleHandler,
  error as logError,
  FileHandler,
  formatters,
  getLevelByName,
  getLevelName,
  getLogger,
  info,
  type LevelName,
  Logger,
  LogLevelNames,
  LogLevels,
  setup,
} from "@std/log";
import { LogRecord } from "@std/log/logger";

/** Keeps lines and what was called. */
class Keeper extends BaseHandler {
  readonly lines: string[] = [];
  readonly calls: string[] = [];

  log(msg: string): void {
    this.lines.push(msg);
  }

  override setup(): void {
    this.calls.push("setup");
  }

  override destroy(): void {
    this.calls.push("destroy");
  }
}

/** Lines that the body prints on standard output. */
function printed(body: () => void): string[] {
  const lines: string[] = [];
  const original = console.log;
  console.log = (...values: unknown[]) => void lines.push(values.join(" "));
  try {
    body();
  } finally {
    console.log = original;
  }
  return lines;
}

Deno.test("levels have numbers and names", () => {
  const names: LevelName[] = [
    "NOTSET",
    "DEBUG",
    "INFO",
    "WARN",
    "ERROR",
    "CRITICAL",
  ];
  assertEquals(LogLevelNames, names);
  assertEquals(names.map(getLevelByName), [0, 10, 20, 30, 40, 50]);
  assertEquals(getLevelName(LogLevels.WARN), "WARN");
  assertThrows(() => getLevelByName("LOUD" as LevelName), Error, "LOUD");
  assertThrows(() => getLevelName(7 as 10), Error, "7");
});

Deno.test("Logger hands on what is at its level or above", () => {
  const keeper = new Keeper("NOTSET");
  const logger = new Logger("name", "WARN", { handlers: [keeper] });
  assertEquals(logger.info("no"), "no");
  assertEquals(logger.warn("w"), "w");
  logger.error("e");
  logger.critical("c");
  logger.levelName = "DEBUG";
  logger.debug("d");
  assertEquals(keeper.lines, ["WARN w", "ERROR e", "CRITICAL c", "DEBUG d"]);
  logger.level = LogLevels.ERROR;
  assertEquals([logger.levelName, logger.loggerName], ["ERROR", "name"]);
  assertThrows(() => logger.level = 7 as 10, TypeError);
});

Deno.test("Logger calls a function only if its result is logged", () => {
  const keeper = new Keeper("NOTSET");
  const logger = new Logger("name", "INFO", { handlers: [keeper] });
  let calls = 0;
  const message = () => ++calls;
  assertEquals(logger.debug(message), undefined);
  assertEquals(logger.info(message), 1);
  assertEquals(keeper.lines, ["INFO 1"]);
});

Deno.test("Logger makes text of anything", () => {
  const keeper = new Keeper("NOTSET", { formatter: (record) => record.msg });
  const logger = new Logger("name", "DEBUG", { handlers: [keeper] });
  for (const value of [1, 2n, true, null, undefined, Symbol("s")]) {
    logger.info(value);
  }
  logger.info({ a: 1, b: "x", c: { d: [1] } });
  assertEquals(keeper.lines, [
    "1",
    "2",
    "true",
    "null",
    "undefined",
    "Symbol(s)",
    '{"a":1,"b":"x","c":{"d":{"0":1}}}',
  ]);
  logger.info(new Error("broken"));
  assertMatch(keeper.lines.at(-1) ?? "", /^Error: broken\n {4}at /);
});

Deno.test("BaseHandler drops what is below its level", () => {
  const records: LogRecord[] = [];
  const keeper = new Keeper("ERROR", {
    formatter: (record) => {
      records.push(record);
      return `${record.loggerName}: ${record.msg}`;
    },
  });
  const logger = new Logger("name", "DEBUG", { handlers: [keeper] });
  logger.info("no");
  logger.error("yes", 1, { two: 2 });
  assertEquals(keeper.lines, ["name: yes"]);
  const [record] = records;
  assertInstanceOf(record, LogRecord);
  assertEquals(record.args, [1, { two: 2 }]);
  assertEquals([record.level, record.levelName], [40, "ERROR"]);
  assertInstanceOf(record.datetime, Date);
  keeper.levelName = "INFO";
  assertEquals(keeper.level, LogLevels.INFO);
  keeper.level = LogLevels.WARN;
  assertEquals(keeper.levelName, "WARN");
  keeper[Symbol.dispose]();
  assertEquals(keeper.calls, ["destroy"]);
});

Deno.test("ConsoleHandler prints lines, coloured unless told otherwise", () => {
  const plain = new ConsoleHandler("INFO", { useColors: false });
  const coloured = new ConsoleHandler("INFO");
  const logger = new Logger("name", "DEBUG", { handlers: [plain, coloured] });
  const lines = printed(() => logger.warn("careful"));
  assertEquals(lines[0], "WARN careful");
  assertEquals(
    lines[1],
    Deno.noColor ? "WARN careful" : "\x1b[33mWARN careful\x1b[39m",
  );
});

Deno.test("FileHandler buffers lines and appends them to the file", async () => {
  const filename = await Deno.makeTempFile();
  try {
    const handler = new FileHandler("INFO", { filename, bufferSize: 16 });
    handler.setup();
    handler.log("short");
    assertEquals(await Deno.readTextFile(filename), "");
    handler.log("longer than the buffer is");
    assertStringIncludes(await Deno.readTextFile(filename), "longer");
    handler.log("rest");
    handler.destroy();
    assertEquals(
      await Deno.readTextFile(filename),
      "short\nlonger than the buffer is\nrest\n",
    );
    const again = new FileHandler("INFO", { filename });
    again.setup();
    new Logger("name", "INFO", { handlers: [again] }).critical("at once");
    assertMatch(await Deno.readTextFile(filename), /rest\nCRITICAL at once\n$/);
    again.destroy();
    const fresh = new FileHandler("INFO", { filename, mode: "x" });
    assertThrows(() => fresh.setup(), Deno.errors.AlreadyExists);
    const over = new FileHandler("INFO", { filename, mode: "w" });
    over.setup();
    over.destroy();
    assertEquals(await Deno.readTextFile(filename), "");
  } finally {
    await Deno.remove(filename);
  }
});

Deno.test("jsonFormatter() writes one object a record", () => {
  const record = new LogRecord({
    msg: "hello",
    args: [1],
    level: LogLevels.INFO,
    loggerName: "name",
  });
  assertEquals(JSON.parse(formatters.jsonFormatter(record)), {
    level: "INFO",
    datetime: record.datetime.getTime(),
    message: "hello",
    args: 1,
  });
});

Deno.test("setup() replaces loggers and handlers", () => {
  const first = new Keeper("NOTSET");
  const second = new Keeper("NOTSET");
  setup({
    handlers: { first },
    loggers: {
      default: { level: "DEBUG", handlers: ["first"] },
      other: { handlers: ["first", "missing"] },
    },
  });
  assertEquals(getLogger("other").levelName, "INFO");
  assertEquals(getLogger("other").handlers, [first]);
  assertStrictEquals(getLogger("new"), getLogger("new"));
  assertEquals(getLogger("new").handlers, []);
  getLogger().debug("d");
  info("i");
  assertEquals(logError(() => "e"), "e");
  assertEquals(first.lines, ["DEBUG d", "INFO i", "ERROR e"]);
  setup({ handlers: { default: second } });
  getLogger().debug("below INFO");
  getLogger().info("kept");
  assertEquals(second.lines, ["INFO kept"]);
  assertEquals(first.calls, ["setup", "destroy"]);
  setup({});
  assertInstanceOf(getLogger().handlers[0], ConsoleHandler);
});
