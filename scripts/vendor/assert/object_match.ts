// Asserts that an object has at least the properties of another.

import { assertEquals } from "./values.ts";

/**
 * Asserts that `actual` has every property of `expected`, at any depth.
 *
 * Properties that `expected` does not name are left out of the comparison;
 * arrays are compared as far as the shorter one reaches.
 */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any -- so that interfaces are taken, as by the real one
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  assertEquals(
    record(actual, expected, new Map()),
    record(expected, expected, new Map()),
    msg,
  );
}

/** For each container met, what is left of it; cycles come back to these. */
type Seen = Map<object, unknown>;

/** The part of the value that the pattern speaks of. */
function part(value: unknown, pattern: unknown, seen: Seen): unknown {
  if (!isContainer(value) || !isContainer(pattern)) return value;
  const made = seen.get(value);
  if (made !== undefined) return made;
  if (Array.isArray(value) && Array.isArray(pattern)) {
    const result: unknown[] = [];
    seen.set(value, result);
    const length = Math.min(value.length, pattern.length);
    for (let i = 0; i < length; i++) {
      result.push(part(value[i], pattern[i], seen));
    }
    return result;
  }
  if (value instanceof Set && pattern instanceof Set) {
    return value.intersection(pattern);
  }
  if (value instanceof Map && pattern instanceof Map) {
    const result = new Map<unknown, unknown>();
    seen.set(value, result);
    for (const [key, item] of value) {
      if (!pattern.has(key)) continue;
      const wanted: unknown = pattern.get(key);
      // Whatever is in a map is looked at by its properties alone.
      const both = isObject(item) && isObject(wanted);
      result.set(key, both ? record(item, wanted, seen) : item);
    }
    return result;
  }
  return record(value, pattern, seen);
}

/** The properties of the value that the pattern names. */
function record(value: object, pattern: object, seen: Seen): object {
  const result: Record<PropertyKey, unknown> = {};
  seen.set(value, result);
  const shared = Reflect.ownKeys(value).filter((key) => Object.hasOwn(pattern, key));
  // Nothing in common: show the whole of what there is.
  const keys = shared.length > 0 || Reflect.ownKeys(pattern).length === 0
    ? shared
    : Reflect.ownKeys(value);
  for (const key of keys) {
    const item: unknown = Reflect.get(value, key);
    result[key] = shared.includes(key) ? part(item, Reflect.get(pattern, key), seen) : item;
  }
  return result;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Dates and patterns are values: their state is not in their properties. */
function isContainer(value: unknown): value is object {
  return isObject(value) && !(value instanceof Date) &&
    !(value instanceof RegExp);
}
