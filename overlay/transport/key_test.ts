import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertThrows,
} from "@std/assert";
import { CircuitError } from "../errors.ts";
import { hkdfSync } from "node:crypto";
import {
  checkKey,
  fingerprint,
  formatKey,
  KEY_BYTES,
  MAX_KEY_FILE_BYTES,
  MAX_KEYS,
  newKey,
  parseKeys,
  readKeyFile,
} from "./key.ts";
import { pskOf } from "./psk.ts";
import { failureOf } from "./_testing.ts";

const KEY = new Uint8Array(KEY_BYTES).map((_, i) => i);
const OTHER = new Uint8Array(KEY_BYTES).fill(255);
const TEXT = formatKey(KEY);

async function withFile(
  content: string | Uint8Array,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(path, bytes);
    await Deno.chmod(path, 0o600);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("newKey() makes a key that formatKey() and parseKeys() carry unchanged", () => {
  const key = newKey();
  assertEquals(key.length, KEY_BYTES);
  assertNotEquals(key, newKey());
  assertMatch(formatKey(key), /^[A-Za-z0-9+/]{86}==$/);
  assertEquals(parseKeys(`${formatKey(key)}\n`, "f"), [key]);
});

Deno.test("parseKeys() takes a key a line, in order, and skips blank lines and comments", () => {
  const other = formatKey(OTHER);
  for (
    const [text, keys] of [
      [TEXT, [KEY]],
      [`  ${TEXT}\t\r\n`, [KEY]],
      [`\ufeff${TEXT}\n`, [KEY]],
      [`# from May\n${other}\n\n   # before\n${TEXT}\n`, [OTHER, KEY]],
      [`${TEXT}\n`.repeat(MAX_KEYS), Array(MAX_KEYS).fill(KEY)],
    ] as const
  ) assertEquals(parseKeys(text, "f"), keys);
});

Deno.test("parseKeys() says which line is wrong, what is there and what is wanted", async () => {
  const short = new Uint8Array(32).toBase64();
  const cases: [string, RegExp][] = [
    ["", /^cannot use key file f: it is empty, want 64 random bytes in base64 on a line/],
    ["\n \n", /it is empty/],
    ["# nothing\n", /it holds comments only/],
    [short, /line 1 holds 32 bytes, want 64 random bytes/],
    [`# a\n${TEXT}\n${formatKey(new Uint8Array(65))}`, /line 3 holds 65 bytes/],
    [`${TEXT}${TEXT}`, /line 1 has "=" in column 87/],
    [`${TEXT.slice(0, 10)}-${TEXT.slice(11)}`, /line 1 has "-" in column 11/],
    [`${TEXT.slice(0, 40)} ${TEXT.slice(40)}`, /line 1 has " " in column 41/],
    [KEY.toHex(), /line 1 holds 96 bytes/],
    [TEXT.slice(0, -2), /line 1 is not all of a key/],
    [TEXT.slice(0, -1), /line 1 is not all of a key/],
    [TEXT.replace("w==", "x=="), /its last characters are wrong/],
    [`${TEXT}\n`.repeat(MAX_KEYS + 1), /more than 16 keys/],
    ["€".repeat(88), /has "€" in column 1/],
  ];
  for (const [text, message] of cases) {
    // deno-lint-ignore require-await -- to get at what it throws
    const error = await failureOf((async () => parseKeys(text, "f"))());
    assertEquals(error.code, "BAD_REQUEST", text);
    assertMatch(error.message, message);
    assertNotMatch(error.message, new RegExp(TEXT.slice(0, 9)));
  }
});

Deno.test("readKeyFile() reads the file, and warns if others can read or change it", async () => {
  await withFile(`${TEXT}\n${formatKey(OTHER)}\n`, async (path) => {
    for (
      const [mode, warning] of [
        [0o600, undefined],
        [0o400, undefined],
        [0o640, /can be read by other users .* \(its mode is 640\).*chmod 600/],
        [0o604, /can be read/],
        [0o620, /can be changed/],
        [0o777, /can be read .*777/],
      ] as const
    ) {
      await Deno.chmod(path, mode);
      const file = await readKeyFile(path);
      assertEquals(file.keys, [KEY, OTHER]);
      if (warning) assertMatch(file.warning ?? "", warning);
      else assertEquals(file.warning, undefined);
    }
  });
});

Deno.test("readKeyFile() says why a file cannot be read", async () => {
  const missing = await failureOf(readKeyFile("/nowhere/key"));
  assertEquals(missing.code, "NOT_FOUND");
  assertMatch(missing.message, /^cannot read key file \/nowhere\/key: there is no such file/);
  const folder = await failureOf(readKeyFile("/"));
  assertEquals(folder.code, "BAD_REQUEST");
  assertMatch(folder.message, /^cannot read key file \/: it is a directory/);
  await withFile(new Uint8Array(MAX_KEY_FILE_BYTES), async (path) => {
    assertMatch((await failureOf(readKeyFile(path))).message, /line 1 has "\\u0000" in column 1/);
  });
  await withFile("\n".repeat(MAX_KEY_FILE_BYTES - TEXT.length) + TEXT, async (path) => {
    assertEquals((await readKeyFile(path)).keys, [KEY]);
  });
  // It has no end.
  assertMatch((await failureOf(readKeyFile("/dev/zero"))).message, /longer than 65536 bytes/);
});

Deno.test("pskOf() is HKDF-SHA-512 of the key, without salt, for its own purpose", () => {
  const expected = hkdfSync("sha512", KEY, new Uint8Array(), "circuit noise v1", 32);
  assertEquals(pskOf(KEY), new Uint8Array(expected));
  assertEquals(
    pskOf(KEY).toHex(),
    "4cfaf23759800236f85ed6616dcb3ce70e0bf16748d27ba6b04d40ab1d81cb5f",
  );
  assertNotEquals(pskOf(KEY), pskOf(OTHER));
  const error = assertThrows(() => pskOf(new Uint8Array(32)), CircuitError);
  assertEquals(error.code, "BAD_REQUEST");
});

Deno.test("fingerprint() names a key by 8 hex digits of its SHA-256", async () => {
  assertEquals(await fingerprint(new Uint8Array(KEY_BYTES)), "f5a5fd42");
  assertNotEquals(await fingerprint(KEY), await fingerprint(OTHER));
});

Deno.test("checkKey() takes 64 bytes and nothing else", async () => {
  checkKey(KEY);
  for (const length of [0, 32, 63, 65, 88]) {
    // deno-lint-ignore require-await -- to get at what it throws
    const error = await failureOf((async () => checkKey(new Uint8Array(length)))());
    assertMatch(error.message, new RegExp(`^cannot use a key of ${length} bytes`));
  }
});
