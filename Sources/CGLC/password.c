#include "glc.h"

#include <sodium.h>

int glc_argon2id(uint8_t *out, size_t out_count, const void *password, size_t password_count, const uint8_t *salt16,
                 uint64_t operations, size_t memory) {
  return crypto_pwhash(out, out_count, password, password_count, salt16, operations, memory,
                       crypto_pwhash_ALG_ARGON2ID13) == 0;
}

void glc_xchachapoly_seal(uint8_t *out, const uint8_t *in, size_t count, const uint8_t *ad, size_t ad_count,
                          const uint8_t *nonce24, const uint8_t *key32) {
  crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, in, count, ad, ad_count, NULL, nonce24, key32);
}

int glc_xchachapoly_open(uint8_t *out, const uint8_t *in, size_t count, const uint8_t *ad, size_t ad_count,
                         const uint8_t *nonce24, const uint8_t *key32) {
  return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in, count, ad, ad_count, nonce24, key32) == 0;
}
