// A stand-in for `@std/assert` over `node:assert/strict`. Its equality is the stricter one in what
// differs: it tells 0 from -0, and an object without a prototype from one with.

import node from "node:assert/strict";

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** What {@linkcode assertFalse} leaves of a type. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** Asserts that the expression is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) node.fail(msg);
}

/** Asserts that the expression is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) node.fail(msg);
}

/** Asserts that the two are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  remarked(() => node.deepEqual(actual, expected), msg);
}

/** Asserts that the two are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  remarked(() => node.notDeepEqual(actual, expected), msg);
}

/** Asserts that the two differ by `tolerance` at most, by default a ten-millionth of `expected`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance: number = Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7,
  msg?: string,
): void {
  if (Object.is(actual, expected) || Math.abs(expected - actual) <= tolerance) return;
  refuse(`${actual} is not within ${tolerance} of ${expected}`, msg);
}

/** Asserts that the text holds the other text. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) refuse(`"${actual}" does not contain "${expected}"`, msg);
}

/** Asserts that the text matches the pattern. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  remarked(() => node.match(actual, expected), msg);
}

/** Asserts that the text does not match the pattern. */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  remarked(() => node.doesNotMatch(actual, expected), msg);
}

/** Asserts that the function throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that the function throws an error of the class, and returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(fn: () => unknown, ...wanted: Wanted): unknown {
  try {
    fn();
  } catch (error) {
    return checked(error, wanted);
  }
  refuse("it does not throw", remarkOf(wanted));
}

/** Asserts that the promise rejects, and returns what with. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Asserts that the promise rejects with an error of the class, and returns it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...wanted: Wanted
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    refuse(`it throws ${error} before there is a promise`, remarkOf(wanted));
  }
  try {
    await promise;
  } catch (error) {
    return checked(error, wanted);
  }
  refuse("it does not reject", remarkOf(wanted));
}

/** A remark alone, or a class, a part of the message and a remark. */
type Wanted = [classOrMsg?: ErrorClass<Error> | string, msgIncludes?: string, msg?: string];

function remarkOf([classOrMsg, , msg]: Wanted): string | undefined {
  return typeof classOrMsg === "string" ? classOrMsg : msg;
}

function checked(error: unknown, [wantedClass, msgIncludes = "", msg]: Wanted): unknown {
  if (wantedClass === undefined || typeof wantedClass === "string") return error;
  if (!(error instanceof wantedClass)) refuse(`${error} is no ${wantedClass.name}`, msg);
  assertStringIncludes(error.message, msgIncludes, msg);
  return error;
}

function remarked(check: () => void, msg: string | undefined): void {
  try {
    check();
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error), msg);
  }
}

function refuse(what: string, msg: string | undefined): never {
  node.fail(msg === undefined ? what : `${msg}: ${what}`);
}
