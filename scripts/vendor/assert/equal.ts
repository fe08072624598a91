// Deep equality as @std/assert sees it. `node:util` has one too, but it tells
// 0 from -0 and null-prototype objects from plain ones, which @std does not.

type Keyed = ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;
type Numbers = ArrayLike<number | bigint>;

const TypedArray = Object.getPrototypeOf(Uint8Array) as new () => Numbers;

/** Classes whose state is private and whose text says all there is to know. */
const BY_TEXT: readonly (new (...args: never[]) => object)[] = [
  RegExp,
  URL,
  URLSearchParams,
  Intl.Locale,
];

/**
 * Tells whether two values are deeply equal.
 *
 * `0` equals `-0` and `NaN` equals itself; a property that is `undefined` is
 * not the same as one that is missing; `Map` and `Set` ignore order.
 *
 * @throws {TypeError} If it meets a `WeakMap` or `WeakSet`, which can't be read.
 */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

function same(a: unknown, b: unknown, seen: Map<object, object>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (family(a) !== family(b)) return false;
  if (a instanceof TypedArray) return sameNumbers(a, b as Numbers);
  if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
    return sameNumbers(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`Cannot compare ${a.constructor.name} instances`);
  }
  if (a instanceof WeakRef) {
    return same(a.deref(), (b as WeakRef<object>).deref(), seen);
  }
  // A cycle: this pair is being compared further out, which decides it.
  if (seen.get(a) === b) return true;
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  seen.set(a, b);
  if (a instanceof Map || a instanceof Set) {
    return sameKeyed(a, b as Keyed, seen);
  }
  if (BY_TEXT.some((type) => family(a) === type.prototype)) {
    return String(a) === String(b);
  }
  return sameProperties(a, b, seen);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The prototype, with objects that have none counted as plain ones. */
function family(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function sameNumbers(a: Numbers, b: Numbers): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

function sameKeyed(a: Keyed, b: Keyed, seen: Map<object, object>): boolean {
  if (a.size !== b.size) return false;
  const rest = [...b.entries()];
  for (const [key, value] of a.entries()) {
    if (!isObject(key) && typeof key !== "function") {
      if (!b.has(key)) return false;
      if (b instanceof Map && !same(value, b.get(key), seen)) return false;
      continue;
    }
    const at = rest.findIndex(([k, v]) =>
      same(key, k, seen) && (b instanceof Set || same(value, v, seen))
    );
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  return true;
}

function sameProperties(
  a: object,
  b: object,
  seen: Map<object, object>,
): boolean {
  for (const key of new Set([...properties(a), ...properties(b)])) {
    if (key in a !== key in b) return false;
    if (!same(Reflect.get(a, key), Reflect.get(b, key), seen)) return false;
  }
  return true;
}

/** Own enumerable keys; of an instance also hidden and inherited ones. */
function properties(value: object): PropertyKey[] {
  const type = family(value);
  if (type === Object.prototype || type === Array.prototype) {
    return Reflect.ownKeys({ ...value });
  }
  const keys: PropertyKey[] = [];
  for (
    let at: object | null = value;
    at !== null && at !== Object.prototype && at !== Array.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    keys.push(...Reflect.ownKeys(at));
  }
  return keys;
}
