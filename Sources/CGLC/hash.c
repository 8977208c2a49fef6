#include "glc.h"

#include <openssl/evp.h>
#include <openssl/ripemd.h>
#include <openssl/sha.h>
#include <sodium.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(glc_sha256_state), "SHA256_CTX has grown");
_Static_assert(sizeof(SHA512_CTX) <= sizeof(glc_sha512_state), "SHA512_CTX has grown");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(glc_sha256_state), "SHA256_CTX needs more alignment");
_Static_assert(_Alignof(SHA512_CTX) <= _Alignof(glc_sha512_state), "SHA512_CTX needs more alignment");

void glc_sha256_init(glc_sha256_state *state) { SHA256_Init((SHA256_CTX *)state); }
void glc_sha256_update(glc_sha256_state *state, const void *data, size_t count) {
  SHA256_Update((SHA256_CTX *)state, data, count);
}
void glc_sha256_final(glc_sha256_state *state, uint8_t *out32) { SHA256_Final(out32, (SHA256_CTX *)state); }

void glc_sha256(const void *data, size_t count, uint8_t *out32) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, data, count);
  SHA256_Final(out32, &state);
}

void glc_sha256d(const void *data, size_t count, uint8_t *out32) {
  uint8_t inner[32];
  glc_sha256(data, count, inner);
  glc_sha256(inner, 32, out32);
}

void glc_sha512_init(glc_sha512_state *state) { SHA512_Init((SHA512_CTX *)state); }
void glc_sha512_update(glc_sha512_state *state, const void *data, size_t count) {
  SHA512_Update((SHA512_CTX *)state, data, count);
}
void glc_sha512_final(glc_sha512_state *state, uint8_t *out64) { SHA512_Final(out64, (SHA512_CTX *)state); }

void glc_sha1(const void *data, size_t count, uint8_t *out20) {
  SHA_CTX state;
  SHA1_Init(&state);
  SHA1_Update(&state, data, count);
  SHA1_Final(out20, &state);
}

void glc_ripemd160(const void *data, size_t count, uint8_t *out20) {
  RIPEMD160_CTX state;
  RIPEMD160_Init(&state);
  RIPEMD160_Update(&state, data, count);
  RIPEMD160_Final(out20, &state);
}

void glc_hash160(const void *data, size_t count, uint8_t *out20) {
  uint8_t inner[32];
  glc_sha256(data, count, inner);
  glc_ripemd160(inner, 32, out20);
}

int glc_pbkdf2_sha512(const void *password, size_t password_count, const void *salt, size_t salt_count, uint32_t rounds,
                      uint8_t *out, size_t out_count) {
  return PKCS5_PBKDF2_HMAC(password ? password : "", (int)password_count, salt, (int)salt_count, (int)rounds, EVP_sha512(),
                           (int)out_count, out) == 1;
}

uint64_t glc_siphash24(const void *data, size_t count, const uint8_t *key16) {
  uint8_t out[8];
  crypto_shorthash_siphash24(out, data, count, key16);
  uint64_t value = 0;
  for (int i = 7; i >= 0; i--) value = value << 8 | out[i];
  return value;
}

// libsodium chooses its vector code when it is initialised: once, before the first use.
__attribute__((constructor)) static void initialise_sodium(void) { (void)sodium_init(); }

void glc_chacha20_xor(uint8_t *out, const uint8_t *in, size_t count, const uint8_t *nonce12, uint32_t counter,
                      const uint8_t *key32) {
  crypto_stream_chacha20_ietf_xor_ic(out, in, count, nonce12, counter, key32);
}

void glc_chachapoly_seal(uint8_t *out, const uint8_t *in, size_t count, const uint8_t *ad, size_t ad_count,
                         const uint8_t *nonce12, const uint8_t *key32) {
  crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, count, ad, ad_count, NULL, nonce12, key32);
}

int glc_chachapoly_open(uint8_t *out, const uint8_t *in, size_t count, const uint8_t *ad, size_t ad_count,
                        const uint8_t *nonce12, const uint8_t *key32) {
  return count >= 16 &&
         crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, count, ad, ad_count, nonce12, key32) == 0;
}
