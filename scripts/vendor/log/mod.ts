// A stand-in for @std/log where JSR can't be reached: levels, loggers, setup
// and handlers for the console and for files.

export * from "./base_handler.ts";
export * from "./console_handler.ts";
export * from "./file_handler.ts";
export * from "./formatters.ts";
export * from "./levels.ts";
export * from "./logger.ts";
export * from "./setup.ts";
