// A stand-in for @std/cli where JSR can't be reached: the argument parser.

export * from "./parse_args.ts";
