/**
 * The lengths of ChaCha20-Poly1305 (RFC 8439), whatever computes it.
 *
 * @module
 */

/** Bytes of a key. */
export const CIPHER_KEY_BYTES = 32;

/** Bytes of a nonce. */
export const NONCE_BYTES = 12;

/** Bytes that sealing adds to a message: its tag. */
export const SEAL_BYTES = 16;
