import { assert, assertEquals } from "@std/assert";
import { Recorder } from "./recorder.ts";

/** A disk that can be full, and what a recorder did to it. */
class Disk {
  full = false;
  writes = 0;
  most = 0;
  #under = 0;
  readonly lines: string[] = [];
  #next = Promise.withResolvers<void>();

  recorder(): Recorder {
    return new Recorder("the list", () => this.#write(), (level, line) => {
      this.lines.push(`${level} ${line}`);
    });
  }

  /** Resolves with the next write. */
  get next(): Promise<void> {
    return this.#next.promise;
  }

  async #write(): Promise<void> {
    this.most = Math.max(this.most, ++this.#under);
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#under--;
    this.writes++;
    this.#next.resolve();
    this.#next = Promise.withResolvers();
    if (this.full) throw new Error("no space left on device");
  }
}

Deno.test("Recorder writes once for many changes, and never twice at a time", async () => {
  const disk = new Disk();
  const recorder = disk.recorder();
  for (let i = 0; i < 100; i++) recorder.changed();
  await disk.next;
  assertEquals(disk.writes, 1);
  recorder.changed();
  await Promise.all([recorder.close(), recorder.close()]);
  assert(disk.writes > 1);
  assertEquals(disk.lines, []);
});

Deno.test("Recorder writes again what failed, with the next change and without one", async () => {
  const disk = new Disk();
  const recorder = disk.recorder();
  disk.full = true;
  recorder.changed();
  await disk.next;
  recorder.changed();
  await disk.next;
  disk.full = false;
  await disk.next;
  await recorder.close();
  assertEquals(disk.lines, [
    "warn the list: cannot be written down: no space left on device",
    "info the list: written down again",
  ]);
});

Deno.test("Recorder.close() gives up a write that never ends", async () => {
  const recorder = new Recorder("the list", () => new Promise(() => {}), () => {});
  recorder.changed();
  await recorder.close();
});
