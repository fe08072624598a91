/**
 * Another clock for a program, which can be set while the program runs.
 *
 * @module
 */

/** Makes the system's clock another for a program; `apt-get install faketime` on Debian. */
const LIBRARY = findLibrary([
  `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketimeMT.so.1`,
  "/usr/lib/faketime/libfaketimeMT.so.1",
  "/usr/lib64/faketime/libfaketimeMT.so.1",
]);

function findLibrary(files: readonly string[]): string | undefined {
  return files.find((file) => {
    try {
      return Deno.statSync(file).isFile;
    } catch {
      return false;
    }
  });
}

/** Whether there can be such clocks. */
export const hasFakeClock: boolean = LIBRARY !== undefined;

/** A clock that a test sets. */
export class FakeClock implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes one that is so far ahead of the right time, as `+3h`, or behind it. */
  static async create(offset: string): Promise<FakeClock> {
    const clock = new FakeClock(await Deno.makeTempDir());
    await clock.set(offset);
    return clock;
  }

  /** What makes a program go by it. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY ?? "",
      FAKETIME_TIMESTAMP_FILE: `${this.#folder}/offset`,
      FAKETIME_NO_CACHE: "1",
      // Nobody can set the other one.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Sets it ahead of the right time, as `+3h`, or behind it. */
  async set(offset: string): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/next`, `${offset}\n`);
    await Deno.rename(`${this.#folder}/next`, `${this.#folder}/offset`);
  }

  /** Removes its file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
