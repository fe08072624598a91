/**
 * A switch that loses and delays packets, in software: for kernels that have no netem. It is a
 * program of its own, which needs all permissions:
 *
 *     bad_switch.ts LOSS_PERCENT DELAY_MS DEVICE…
 *
 * The devices are those of macvtap interfaces, one for each cable. A line on standard output says
 * that it is running; it runs until it is killed.
 *
 * @module
 */

/** Bytes that the kernel puts in front of each frame, about checksums; they are passed on. */
const PRELUDE_BYTES = 10;

/** Bytes of an Ethernet address. */
const ADDRESS_BYTES = 6;

/** Most bytes of a frame and its prelude. */
const MAX_BYTES = 65_536 + PRELUDE_BYTES;

class BadSwitch {
  readonly #files: readonly Deno.FsFile[];
  readonly #loss: number;
  readonly #delayMs: number;
  /** Behind which device a station is, by its address. */
  readonly #places = new Map<string, Deno.FsFile>();

  constructor(devices: readonly string[], loss: number, delayMs: number) {
    this.#files = devices.map((path) => Deno.openSync(path, { read: true, write: true }));
    this.#loss = loss;
    this.#delayMs = delayMs;
  }

  run(): void {
    for (const file of this.#files) this.#forward(file);
  }

  async #forward(from: Deno.FsFile): Promise<void> {
    const buffer = new Uint8Array(MAX_BYTES);
    for (;;) {
      const length = await from.read(buffer);
      if (length === null) return;
      const target = addressAt(buffer, PRELUDE_BYTES);
      this.#places.set(addressAt(buffer, PRELUDE_BYTES + ADDRESS_BYTES), from);
      if (Math.random() < this.#loss) continue;
      const frame = buffer.slice(0, length);
      setTimeout(() => this.#deliver(frame, target, from), this.#delayMs);
    }
  }

  #deliver(frame: Uint8Array, target: string, from: Deno.FsFile): void {
    const place = this.#places.get(target);
    for (const file of place ? [place] : this.#files) {
      if (file === from) continue;
      try {
        file.writeSync(frame);
      } catch {
        // The cable is down, or the queue is full: one more packet that is lost.
      }
    }
  }
}

function addressAt(bytes: Uint8Array, offset: number): string {
  return bytes.subarray(offset, offset + ADDRESS_BYTES).join(":");
}

if (import.meta.main) {
  const [loss, delay, ...devices] = Deno.args;
  new BadSwitch(devices, Number(loss) / 100, Number(delay)).run();
  console.log("ready");
}
