// Tests of scripts/npm_lock.ts, and of the lock file. A registry on loopback serves a package.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { LOADED_LATE } from "./compile.ts";
import { fetchLocked, lockedPackages, NPM_LOCK } from "./npm_lock.ts";

const ROOT = new URL("../", import.meta.url);

Deno.test("fetchLocked() takes a package that has the lock file's checksum, and no other", async () => {
  const folder = await Deno.makeTempDir({ prefix: "npm_lock_test-" });
  const packed = `${folder}/a.tgz`;
  await Deno.mkdir(`${folder}/package`);
  await Deno.writeTextFile(`${folder}/package/package.json`, '{ "name": "a", "version": "1.0.0" }');
  await new Deno.Command("tar", { args: ["-C", folder, "-czf", packed, "package"] }).output();
  const bytes = await Deno.readFile(packed);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes));
  const integrity = `sha512-${digest.toBase64()}`;
  const place = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const registry = Deno.serve(place, ({ url }) => {
    if (url.endsWith(".tgz")) return new Response(bytes);
    const version = {
      name: "a",
      version: "1.0.0",
      dist: { tarball: `${url}/-/a-1.0.0.tgz`, integrity },
    };
    return Response.json({
      name: "a",
      versions: { "1.0.0": version },
      "dist-tags": { latest: "1.0.0" },
    });
  });
  const address = `http://127.0.0.1:${registry.addr.port}/`;
  const fetchWith = async (integrity: string) => {
    const lock = `${folder}/npm.lock`;
    const specifiers = { "npm:a@1.0.0": "1.0.0" };
    const npm = { "a@1.0.0": { integrity, tarball: `${address}a/-/a-1.0.0.tgz` } };
    await Deno.writeTextFile(lock, JSON.stringify({ version: "5", specifiers, npm }));
    return await fetchLocked(lock, {
      NPM_CONFIG_REGISTRY: address,
      // Deno compares what it fetches, so the cache has to be empty.
      DENO_DIR: await Deno.makeTempDir({ dir: folder }),
    });
  };
  try {
    assertEquals(await fetchWith(integrity), undefined);
    const other = `sha512-${new Uint8Array(64).toBase64()}`;
    assertStringIncludes(await fetchWith(other) ?? "", "checksum did not match");
  } finally {
    await registry.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("npm.lock holds the npm packages that the program imports, and no others", async () => {
  const imported = new Set<string>();
  for (const entry of ["main.ts", ...LOADED_LATE]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: ROOT,
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout));
    for (const { npmPackage } of modules) if (npmPackage) imported.add(`npm:${npmPackage}`);
  }
  assertEquals([...imported].sort(), await lockedPackages(new URL(NPM_LOCK, ROOT).pathname));
});
