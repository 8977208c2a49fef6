// What Swift cannot call directly: libcrypto's low-level hashes (their one-shot and context forms allocate nothing, unlike
// EVP), libsodium's ChaCha20, the callbacks of libsecp256k1, and wiping that the optimiser cannot remove.
#ifndef GLC_H
#define GLC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

// States as large and as aligned as libcrypto's own: see the static assertions in hash.c.
typedef struct { uint64_t opaque[14]; } glc_sha256_state;
typedef struct { uint64_t opaque[27]; } glc_sha512_state;

void glc_sha256_init(glc_sha256_state *state);
void glc_sha256_update(glc_sha256_state *state, const void *_Nullable data, size_t count);
void glc_sha256_final(glc_sha256_state *state, uint8_t *out32);
void glc_sha256(const void *_Nullable data, size_t count, uint8_t *out32);
// SHA-256 of SHA-256.
void glc_sha256d(const void *_Nullable data, size_t count, uint8_t *out32);

void glc_sha512_init(glc_sha512_state *state);
void glc_sha512_update(glc_sha512_state *state, const void *_Nullable data, size_t count);
void glc_sha512_final(glc_sha512_state *state, uint8_t *out64);

void glc_sha1(const void *_Nullable data, size_t count, uint8_t *out20);
void glc_ripemd160(const void *_Nullable data, size_t count, uint8_t *out20);
// RIPEMD-160 of SHA-256.
void glc_hash160(const void *_Nullable data, size_t count, uint8_t *out20);

// PBKDF2 with HMAC-SHA512. Returns 0 on failure.
int glc_pbkdf2_sha512(const void *_Nullable password, size_t password_count, const void *_Nullable salt, size_t salt_count,
                      uint32_t rounds, uint8_t *out, size_t out_count);

// SipHash-2-4 with a 16-byte key.
uint64_t glc_siphash24(const void *_Nullable data, size_t count, const uint8_t *key16);

// ChaCha20 (RFC 8439): XORs the key stream, from 64-byte block `counter` on, into `count` bytes. In place is allowed.
void glc_chacha20_xor(uint8_t *out, const uint8_t *in, size_t count, const uint8_t *nonce12, uint32_t counter,
                      const uint8_t *key32);
// ChaCha20-Poly1305 (RFC 8439). `out` holds count + 16 bytes.
void glc_chachapoly_seal(uint8_t *out, const uint8_t *_Nullable in, size_t count, const uint8_t *_Nullable ad,
                         size_t ad_count, const uint8_t *nonce12, const uint8_t *key32);
// `count` includes the 16-byte tag; `out` holds count - 16 bytes. Returns 1 when the tag is right; nothing is written otherwise.
int glc_chachapoly_open(uint8_t *_Nullable out, const uint8_t *in, size_t count, const uint8_t *_Nullable ad,
                        size_t ad_count, const uint8_t *nonce12, const uint8_t *key32);

// Argon2id, version 1.3, with one lane: `operations` passes (1 and more) over `memory` bytes (8,192 and more). Returns 0 when there is
// not that much memory.
int glc_argon2id(uint8_t *out, size_t out_count, const void *_Nullable password, size_t password_count,
                 const uint8_t *salt16, uint64_t operations, size_t memory);
// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), otherwise as above.
void glc_xchachapoly_seal(uint8_t *out, const uint8_t *_Nullable in, size_t count, const uint8_t *_Nullable ad,
                          size_t ad_count, const uint8_t *nonce24, const uint8_t *key32);
int glc_xchachapoly_open(uint8_t *_Nullable out, const uint8_t *in, size_t count, const uint8_t *_Nullable ad,
                         size_t ad_count, const uint8_t *nonce24, const uint8_t *key32);

// Overwrites with zeros, and is never optimised away.
void glc_wipe(void *bytes, size_t count);
// Fills with randomness from the operating system; ends the process if there is none (no key can be made safely then).
void glc_random(void *bytes, size_t count);

// Callbacks for libsecp256k1. An illegal argument makes the called function return 0: the callback counts it, on this thread,
// and returns. An internal error of the library is memory corruption: it says so and aborts.
void glc_secp256k1_illegal_argument(const char *_Nullable message, void *_Nullable data);
void glc_secp256k1_internal_error(const char *_Nullable message, void *_Nullable data);
// How many illegal arguments this thread has passed so far.
uint64_t glc_secp256k1_illegal_argument_count(void);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
#endif
