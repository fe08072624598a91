// A stand-in for @std/crypto where JSR can't be reached: digests and the
// constant-time comparison.

export * from "./crypto.ts";
export * from "./timing_safe_equal.ts";
