// A stand-in for @std/assert where JSR can't be reached: the part that the
// project uses, with the names, signatures and judgements of the real one.

export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export * from "./errors.ts";
export * from "./object_match.ts";
export * from "./values.ts";
