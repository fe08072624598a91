// Tests of scripts/install.sh against a release that is served on loopback, by HTTPS with a
// certificate that the machine is told to trust. The executables in it are shell scripts; `uname` is
// one too, so that a machine can be any.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const SCRIPT = `${import.meta.dirname}/install.sh`;

/** What the script calls, besides what downloads. */
const PROGRAMS = "sh awk cat chmod cp cut grep mkdir mktemp mv rm sed sha256sum shasum perl".split(
  " ",
);

const RUNS = "#!/bin/sh\necho circuit 1.2.3\n";

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A release that is served by HTTPS and by HTTP, and a machine to install it on. */
class Bench implements AsyncDisposable {
  /** What is served, by name; anything else is not found. */
  readonly files = new Map<string, string>();
  /** Where requests for a name are sent instead. */
  readonly moved = new Map<string, string>();
  readonly asked: string[] = [];
  readonly #https: Deno.HttpServer<Deno.NetAddr>;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  private constructor(readonly root: string, identity: Deno.TlsCertifiedKeyPem) {
    const place = { hostname: "127.0.0.1", port: 0, onListen() {} };
    this.#https = Deno.serve({ ...place, ...identity }, (request) => this.#answer(request));
    this.#http = Deno.serve(place, (request) => this.#answer(request));
  }

  #answer({ url }: Request): Response {
    const { protocol, pathname } = new URL(url);
    const name = pathname.slice("/release/".length);
    this.asked.push(`${protocol}${name}`);
    const location = this.moved.get(name);
    if (location !== undefined) return new Response(null, { status: 302, headers: { location } });
    const body = this.files.get(name);
    return new Response(body ?? "not found", { status: body === undefined ? 404 : 200 });
  }

  static async create(): Promise<Bench> {
    const root = await Deno.makeTempDir({ prefix: "install_test-" });
    const [key, cert] = [`${root}/key.pem`, `${root}/cert.pem`];
    const { success, stderr } = await new Deno.Command("openssl", {
      args: ["req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", key, "-out", cert]
        .concat("-days", "2", "-subj", "/CN=release", "-addext", "subjectAltName=IP:127.0.0.1"),
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    // For curl it is an environment variable that names the certificate.
    await Deno.writeTextFile(`${root}/.wgetrc`, `ca_certificate = ${cert}\n`);
    return new Bench(root, {
      key: await Deno.readTextFile(key),
      cert: await Deno.readTextFile(cert),
    });
  }

  get url(): string {
    return `https://127.0.0.1:${this.#https.addr.port}/release`;
  }

  get plainUrl(): string {
    return `http://127.0.0.1:${this.#http.addr.port}/release`;
  }

  get target(): string {
    return `${this.root}/some where/bin`;
  }

  /** Serves an executable and its checksum. */
  async release(name: string, content = RUNS, contentToSum = content): Promise<void> {
    this.files.set(name, content);
    const bytes = new TextEncoder().encode(contentToSum);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    const sums = this.files.get("SHA256SUMS") ?? `${"0".repeat(64)}  circuit\n`;
    this.files.set("SHA256SUMS", `${sums}${digest}  ${name}\n`);
  }

  /** Runs the script on a machine that has `downloader` and calls itself so. */
  async install(
    {
      system = "Linux",
      machine = "x86_64",
      downloader = "curl",
      url = this.url,
      trusting = true,
      args,
    }: {
      system?: string;
      machine?: string;
      downloader?: string;
      url?: string;
      trusting?: boolean;
      args?: string[];
    } = {},
  ): Promise<Result> {
    const bin = await Deno.makeTempDir({ dir: this.root });
    for (const name of [...PROGRAMS, downloader]) {
      const path = await which(name);
      if (path !== undefined) await Deno.symlink(path, `${bin}/${name}`);
    }
    const uname = `#!/bin/sh\ncase $1 in -s) echo ${system} ;; -m) echo ${machine} ;; esac\n`;
    await Deno.writeTextFile(`${bin}/uname`, uname, { mode: 0o755 });
    const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: [SCRIPT, ...args ?? ["-d", this.target]],
      clearEnv: true,
      env: {
        PATH: bin,
        HOME: this.root,
        CIRCUIT_URL: url,
        ...(trusting && { CURL_CA_BUNDLE: `${this.root}/cert.pem` }),
      },
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** What is in the directory of choice. */
  async installed(): Promise<string[]> {
    try {
      return (await Array.fromAsync(Deno.readDir(this.target))).map(({ name }) => name).sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#https.shutdown(), this.#http.shutdown()]);
    await Deno.remove(this.root, { recursive: true });
  }
}

async function which(program: string): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'command -v "$1"', "sh", program],
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

const HAS = new Map(
  await Promise.all(
    ["curl", "wget", "openssl", "shellcheck"].map(async (name) =>
      [name, await which(name) !== undefined] as const
    ),
  ),
);

for (const downloader of ["curl", "wget"]) {
  Deno.test({
    name: `install.sh installs what the checksum is of (needs ${downloader}, openssl)`,
    ignore: !HAS.get(downloader) || !HAS.get("openssl"),
    fn: async () => {
      await using bench = await Bench.create();
      await bench.release("circuit-linux-x86_64");
      const { code, stdout, stderr } = await bench.install({ downloader });
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(stdout, `installed circuit 1.2.3 as ${bench.target}/circuit\n`);
      assertStringIncludes(stdout, `put ${bench.target} into PATH`);
      assertEquals(await bench.installed(), ["circuit"]);
      const { stdout: said } = await new Deno.Command(`${bench.target}/circuit`).output();
      assertEquals(new TextDecoder().decode(said), "circuit 1.2.3\n");
    },
  });

  Deno.test({
    name: `install.sh says what can't be downloaded (needs ${downloader}, openssl)`,
    ignore: !HAS.get(downloader) || !HAS.get("openssl"),
    fn: async () => {
      await using bench = await Bench.create();
      const nothing = await bench.install({ downloader });
      assertEquals(nothing.code, 1);
      assertStringIncludes(nothing.stderr, `cannot download ${bench.url}/SHA256SUMS: `);
      await bench.release("circuit-linux-x86_64");
      bench.files.delete("circuit-linux-x86_64");
      const missing = await bench.install({ downloader });
      assertEquals(missing.code, 1);
      assertStringIncludes(missing.stderr, `cannot download ${bench.url}/circuit-linux-x86_64: `);
      assertStringIncludes(missing.stderr, "404");
      assertEquals(await bench.installed(), []);
    },
  });

  Deno.test({
    name: `install.sh follows redirections by HTTPS alone (needs ${downloader}, openssl)`,
    ignore: !HAS.get(downloader) || !HAS.get("openssl"),
    fn: async () => {
      await using bench = await Bench.create();
      await bench.release("circuit-linux-x86_64");
      for (const [name, content] of [...bench.files]) bench.files.set(`real/${name}`, content);
      const move = (name: string, url: string) => bench.moved.set(name, `${url}/real/${name}`);
      // Each file by itself, and what would come by HTTP is right.
      for (const name of ["SHA256SUMS", "circuit-linux-x86_64"]) {
        move(name, bench.plainUrl);
        const { code, stderr } = await bench.install({ downloader });
        assertEquals(code, 1);
        assertMatch(stderr, new RegExp(`^install: cannot download ${bench.url}/${name}: .*http`));
        move(name, bench.url);
      }
      assertEquals(bench.asked.filter((asked) => asked.startsWith("http:")), []);
      assertEquals(await bench.installed(), []);
      const { code, stderr } = await bench.install({ downloader });
      assertEquals([code, stderr], [0, ""]);
      assertEquals(await bench.installed(), ["circuit"]);
      move("SHA256SUMS", bench.url);
      bench.moved.set("real/SHA256SUMS", `${bench.url}/SHA256SUMS`);
      assertEquals((await bench.install({ downloader })).code, 1, "round in a circle");
    },
  });
}

const needsCurl = (name: string, run: (bench: Bench) => Promise<void>) =>
  Deno.test({
    name: `${name} (needs curl, openssl)`,
    ignore: !HAS.get("curl") || !HAS.get("openssl"),
    fn: async () => {
      await using bench = await Bench.create();
      await run(bench);
    },
  });

needsCurl("install.sh picks the executable for the machine", async (bench) => {
  const machines = [
    ["Linux", "x86_64", "circuit-linux-x86_64"],
    ["Linux", "aarch64", "circuit-linux-arm64"],
    ["Darwin", "x86_64", "circuit-macos-x86_64"],
    ["Darwin", "arm64", "circuit-macos-arm64"],
  ] as const;
  for (const [, , name] of machines) await bench.release(name, `${RUNS}# ${name}\n`);
  for (const [system, machine, name] of machines) {
    const { code, stderr } = await bench.install({ system, machine });
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(await Deno.readTextFile(`${bench.target}/circuit`), name);
  }
});

needsCurl(
  "install.sh says that there is nothing for the machine, and asks for nothing",
  async (bench) => {
    const system = await bench.install({ system: "FreeBSD" });
    assertEquals(system.code, 1);
    assertMatch(system.stderr, /^install: .*FreeBSD.*Linux and macOS\n$/);
    const machine = await bench.install({ machine: "riscv64" });
    assertEquals(machine.code, 1);
    assertMatch(machine.stderr, /^install: .*riscv64.*x86-64 and arm64\n$/);
    assertEquals([bench.asked, await bench.installed()], [[], []]);
  },
);

needsCurl("install.sh leaves what is there if the checksum is wrong", async (bench) => {
  await Deno.mkdir(bench.target, { recursive: true });
  await Deno.writeTextFile(`${bench.target}/circuit`, "the old one");
  await bench.release("circuit-linux-x86_64", RUNS, "something else");
  const { code, stderr } = await bench.install();
  assertEquals(code, 1);
  assertMatch(stderr, /circuit-linux-x86_64 is not what was released: .*[0-9a-f]{64}/);
  assertEquals(await Deno.readTextFile(`${bench.target}/circuit`), "the old one");
  assertEquals(await bench.installed(), ["circuit"]);
});

needsCurl("install.sh wants a checksum of that very file", async (bench) => {
  await bench.release("circuit-linux-x86_64-old");
  bench.files.set("circuit-linux-x86_64", RUNS);
  const { code, stderr } = await bench.install();
  assertEquals(code, 1);
  assertStringIncludes(stderr, "has no checksum for circuit-linux-x86_64\n");
});

needsCurl("install.sh does not install what does not run", async (bench) => {
  await bench.release("circuit-linux-x86_64", "#!/bin/sh\nexit 1\n");
  const { code, stderr } = await bench.install();
  assertEquals(code, 1);
  assertStringIncludes(stderr, "does not run on this machine");
  assertEquals(await bench.installed(), []);
});

needsCurl("install.sh takes nothing by HTTP, and nothing from a stranger", async (bench) => {
  await bench.release("circuit-linux-x86_64");
  for (const url of [bench.plainUrl, "ftp://127.0.0.1/", "release", "file://release"]) {
    const { code, stderr } = await bench.install({ url });
    assertEquals(code, 1);
    assertMatch(stderr, /^install: cannot install from .*: want https:\/\/\.\.\., or file:/);
  }
  const stranger = await bench.install({ trusting: false });
  assertEquals(stranger.code, 1);
  assertMatch(stranger.stderr, /^install: cannot download .*certificate/);
  assertEquals([bench.asked, await bench.installed()], [[], []]);
});

needsCurl("install.sh takes the files of a directory", async (bench) => {
  await bench.release("circuit-linux-x86_64");
  const directory = `${bench.root}/a release`;
  await Deno.mkdir(directory);
  const missing = await bench.install({ url: `file://${directory}`, downloader: "none" });
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /^install: cannot download file:.*: .*No such file/);
  for (const [name, content] of bench.files) {
    await Deno.writeTextFile(`${directory}/${name}`, content);
  }
  const { code, stderr } = await bench.install({ url: `file://${directory}`, downloader: "none" });
  assertEquals([code, stderr], [0, ""]);
  assertEquals([bench.asked, await bench.installed()], [[], ["circuit"]]);
});

needsCurl("install.sh says what it needs to know", async (bench) => {
  const nowhere = await bench.install({ url: "" });
  assertEquals(nowhere.code, 1);
  assertStringIncludes(nowhere.stderr, "set CIRCUIT_URL");
  for (const args of [["-x"], ["-d"], ["what"]]) {
    const wrong = await bench.install({ args });
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, "Usage: install.sh [-d DIR]");
  }
  const help = await bench.install({ args: ["-h"] });
  assertEquals([help.code, help.stderr], [0, ""]);
  assert(help.stdout.startsWith("Usage: install.sh [-d DIR]"));
});

Deno.test({
  name: "install.sh is fine with shellcheck (needs shellcheck)",
  ignore: !HAS.get("shellcheck"),
  fn: async () => {
    const { stdout } = await new Deno.Command("shellcheck", { args: [SCRIPT] }).output();
    assertEquals(new TextDecoder().decode(stdout), "");
  },
});
