/**
 * Where the lines of a server's log go: standard error, and a file in the server's directory, each
 * whatever becomes of the other. Built on `@std/log`, whose global setup happens here and is called
 * once, by `circuit start`.
 *
 * @module
 */

import * as log from "@std/log";
import { LineQueue, type Outlet } from "./line_queue.ts";
import { type Log, type LogLevel, oneLine } from "./log.ts";
import { LogFile } from "./log_file.ts";

const LEVELS = { debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR" } as const;

/** Milliseconds in which what still waits at the end is written: 500 ms. */
const CLOSE_MS = 500;

/** A log, which neither blocks nor throws. */
export interface Logger {
  readonly log: Log;
  /** Opens the file again, as after it was moved. */
  reopen(): void;
  /** Ends it: what was logged before is written, if that takes no longer than half a second. */
  close(): Promise<void>;
}

/**
 * Sets up logging.
 *
 * @param options `level`: what is less grave is left out; `file`: also write there.
 */
export function setUpLog(options: { level: LogLevel; file?: string }): Logger {
  const level = LEVELS[options.level];
  const file = options.file === undefined ? undefined : new LogFile(options.file);
  const queues: LineQueue[] = [];
  const add = (name: string, outlet: Outlet) => {
    const queue = new LineQueue(outlet, {
      dropped(count) {
        const lines = count === 1 ? "1 line" : `${count} lines`;
        return format("WARN", `${lines} dropped: ${name} took none for a while`);
      },
      failed(error) {
        const why = error instanceof Error ? error.message : String(error);
        const line = format("WARN", `cannot write the log to ${name}, trying on: ${why}`);
        // It would be told of its own trouble when that is over, and what it missed then counts.
        for (const other of queues) if (other !== queue) other.add(line);
      },
    });
    queues.push(queue);
    return new QueueHandler(level, queue);
  };
  const handlers = {
    stderr: add("standard error", { write: (bytes) => Deno.stderr.write(bytes) }),
    ...(file && { file: add(String(options.file), file) }),
  };
  log.setup({ handlers, loggers: { default: { level, handlers: Object.keys(handlers) } } });
  const logger = log.getLogger();
  return {
    log: (level, message) => void logger[level](message),
    reopen: () => file?.reopen(),
    async close() {
      await Promise.all(queues.map((queue) => queue.close(CLOSE_MS)));
      file?.reopen();
    },
  };
}

function format(level: string, message: string, time = new Date()): string {
  return `${time.toISOString()} ${level.padEnd(5)} ${oneLine(message)}`;
}

/** The package's own handlers write at once, however long that takes, and throw. */
class QueueHandler extends log.BaseHandler {
  readonly #queue: LineQueue;

  constructor(level: log.LevelName, queue: LineQueue) {
    super(level, {
      formatter: ({ levelName, msg, datetime }) => format(levelName, msg, datetime),
    });
    this.#queue = queue;
  }

  override log(line: string): void {
    this.#queue.add(line);
  }
}
