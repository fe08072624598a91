/**
 * ChaCha20-Poly1305 (RFC 8439) of libsodium, in WebAssembly: for small messages. A cipher object of
 * `node:crypto` costs some 3 µs whatever it seals, and garbage; this costs 0.5 to 1 µs and none. For
 * large ones `node:crypto` is faster.
 *
 * @module
 */

import { CIPHER_KEY_BYTES, NONCE_BYTES, SEAL_BYTES } from "./aead.ts";

/** Bytes of the largest message, before it is sealed. */
export const MAX_SMALL_BYTES = 2 * 1024;

/** An address in the module's memory. */
type Pointer = number;

/** What is used of the module; lengths of 64 bits are two numbers, the lower half first. */
interface Module {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): Pointer;
  _crypto_aead_chacha20poly1305_ietf_encrypt(
    out: Pointer,
    outLength: Pointer,
    message: Pointer,
    length: number,
    lengthHigh: number,
    ad: Pointer,
    adLength: number,
    adLengthHigh: number,
    secretNonce: Pointer,
    nonce: Pointer,
    key: Pointer,
  ): number;
  _crypto_aead_chacha20poly1305_ietf_decrypt(
    out: Pointer,
    outLength: Pointer,
    secretNonce: Pointer,
    sealed: Pointer,
    length: number,
    lengthHigh: number,
    ad: Pointer,
    adLength: number,
    adLengthHigh: number,
    nonce: Pointer,
    key: Pointer,
  ): number;
}

/** Seals and opens small messages, without associated data. */
export class Sodium {
  readonly #module: Module;
  readonly #key: Pointer;
  readonly #nonce: Pointer;
  readonly #text: Pointer;

  constructor(module: Module) {
    this.#module = module;
    this.#key = module._malloc(CIPHER_KEY_BYTES);
    this.#nonce = module._malloc(NONCE_BYTES);
    this.#text = module._malloc(MAX_SMALL_BYTES + SEAL_BYTES);
    if (!this.#key || !this.#nonce || !this.#text) throw new Error("libsodium has no memory");
  }

  /** Seals up to {@linkcode MAX_SMALL_BYTES}, and writes them and their tag into `out` at `at`. */
  seal(key: Uint8Array, nonce: Uint8Array, message: Uint8Array, out: Uint8Array, at: number): void {
    const text = this.#text;
    const memory = this.#take(key, nonce, message);
    this.#module._crypto_aead_chacha20poly1305_ietf_encrypt(
      text,
      0,
      text,
      message.length,
      0,
      0,
      0,
      0,
      0,
      this.#nonce,
      this.#key,
    );
    out.set(memory.subarray(text, text + message.length + SEAL_BYTES), at);
  }

  /** Opens a message with its tag; undefined if that is not its tag. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array<ArrayBuffer> | undefined {
    const text = this.#text;
    const memory = this.#take(key, nonce, sealed);
    const failed = this.#module._crypto_aead_chacha20poly1305_ietf_decrypt(
      text,
      0,
      0,
      text,
      sealed.length,
      0,
      0,
      0,
      0,
      this.#nonce,
      this.#key,
    );
    return failed
      ? undefined
      : new Uint8Array(memory.subarray(text, text + sealed.length - SEAL_BYTES));
  }

  /** Takes all into the module's memory. */
  #take(key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array {
    if (
      key.length !== CIPHER_KEY_BYTES || nonce.length !== NONCE_BYTES ||
      text.length > MAX_SMALL_BYTES + SEAL_BYTES
    ) throw new RangeError("that does not fit into the memory of libsodium");
    const memory = this.#module.HEAPU8;
    memory.set(key, this.#key);
    memory.set(nonce, this.#nonce);
    memory.set(text, this.#text);
    return memory;
  }
}

/**
 * The one of this process, like a module: to begin with there is none, for a command that is over
 * after a few messages would wait for it longer than it gains.
 */
export class SharedSodium {
  #sodium: Sodium | undefined;
  #loading: Promise<void> | undefined;

  /** Undefined until it is loaded, and where it cannot be. */
  get ready(): Sodium | undefined {
    return this.#sodium;
  }

  /** Loads it, once. Takes some 20 ms of a core. */
  load(): Promise<void> {
    return this.#loading ??= this.#load();
  }

  async #load(): Promise<void> {
    try {
      // deno-lint-ignore no-import-prefix -- reached from mod.ts, where a user's import map counts, not ours
      const { default: make } = await import("npm:libsodium@0.8.4");
      this.#sodium = new Sodium(await (make as () => Promise<Module>)());
    } catch {
      // Whoever has no WebAssembly, or not the package, does without.
    }
  }
}

/** Shared by all connections. */
export const sodium: SharedSodium = new SharedSodium();
