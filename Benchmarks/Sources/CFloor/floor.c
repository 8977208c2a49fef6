#include "floor.h"

#include "internal.h"

#include <openssl/ripemd.h>
#include <openssl/sha.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_musig.h>
#include <secp256k1_schnorrsig.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

secp256k1_context *floor_context;
#define context floor_context

__attribute__((constructor)) static void prepare(void) {
  uint8_t seed[32];
  MUST(sodium_init() >= 0);
  randombytes_buf(seed, 32);
  context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  MUST(secp256k1_context_randomize(context, seed));
}

static inline void put_turn(void *bytes, size_t turn) {
  uint64_t value = turn;
  memcpy(bytes, &value, 8);
}

static inline void sha256(const void *data, size_t count, uint8_t *out32) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, data, count);
  SHA256_Final(out32, &state);
}

static inline void sha256d(const void *data, size_t count, uint8_t *out32) {
  uint8_t inner[32];
  sha256(data, count, inner);
  sha256(inner, 32, out32);
}

static inline SHA256_CTX midstate(const uint8_t *tag_hash32) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, tag_hash32, 32);
  SHA256_Update(&state, tag_hash32, 32);
  return state;
}

// MARK: libsecp256k1

struct floor_pair {
  secp256k1_keypair pair;
};
struct floor_point {
  secp256k1_pubkey key;
  secp256k1_xonly_pubkey x_only;
};
struct floor_signature {
  secp256k1_ecdsa_signature signature;
};

const floor_pair *floor_pair_new(const uint8_t *key32) {
  floor_pair *made = malloc(sizeof *made);
  MUST(made && secp256k1_keypair_create(context, &made->pair, key32));
  return made;
}

const floor_point *floor_point_new(const uint8_t *key33) {
  floor_point *made = malloc(sizeof *made);
  MUST(made && secp256k1_ec_pubkey_parse(context, &made->key, key33, 33));
  MUST(secp256k1_xonly_pubkey_from_pubkey(context, &made->x_only, NULL, &made->key));
  return made;
}

const floor_signature *floor_signature_new(const uint8_t *compact64) {
  floor_signature *made = malloc(sizeof *made);
  MUST(made && secp256k1_ecdsa_signature_parse_compact(context, &made->signature, compact64));
  return made;
}

uint64_t floor_ecdsa_sign(size_t n, const uint8_t *key32, const uint8_t *hash32, int grind_low_r) {
  uint8_t hash[32], extra[32], compact[64];
  uint64_t sum = 0;
  memcpy(hash, hash32, 32);
  for (size_t i = 0; i < n; i++) {
    secp256k1_ecdsa_signature signature;
    put_turn(hash, i);
    MUST(secp256k1_ecdsa_sign(context, &signature, hash, key32, NULL, NULL));
    secp256k1_ecdsa_signature_serialize_compact(context, compact, &signature);
    if (grind_low_r) {
      memset(extra, 0, 32);
      for (uint32_t counter = 1; compact[0] >= 0x80; counter++) {
        memcpy(extra, &counter, 4);
        MUST(secp256k1_ecdsa_sign(context, &signature, hash, key32, NULL, extra));
        secp256k1_ecdsa_signature_serialize_compact(context, compact, &signature);
      }
    }
    sum += word(compact);
  }
  return sum;
}

uint64_t floor_ecdsa_verify(size_t n, const floor_point *key, const floor_signature *signature, const uint8_t *hash32) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += (uint64_t)secp256k1_ecdsa_verify(context, &signature->signature, hash32, &key->key);
  return sum;
}

uint64_t floor_ecdsa_parse_der(size_t n, const uint8_t *der, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    secp256k1_ecdsa_signature signature;
    sum += (uint64_t)secp256k1_ecdsa_signature_parse_der(context, &signature, der, count);
  }
  return sum;
}

uint64_t floor_schnorr_sign(size_t n, const floor_pair *pair, const uint8_t *hash32, const uint8_t *aux32) {
  uint8_t hash[32], signature[64];
  uint64_t sum = 0;
  memcpy(hash, hash32, 32);
  for (size_t i = 0; i < n; i++) {
    put_turn(hash, i);
    MUST(secp256k1_schnorrsig_sign32(context, signature, hash, &pair->pair, aux32));
    sum += word(signature);
  }
  return sum;
}

uint64_t floor_schnorr_verify(size_t n, const floor_point *key, const uint8_t *signature64, const uint8_t *hash32) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += (uint64_t)secp256k1_schnorrsig_verify(context, signature64, hash32, 32, &key->x_only);
  return sum;
}

uint64_t floor_ecdh(size_t n, const uint8_t *key32, const floor_point *point) {
  uint8_t secret[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    MUST(secp256k1_ecdh(context, secret, &point->key, key32, NULL, NULL));
    sum += word(secret);
  }
  return sum;
}

static inline uint64_t serialized(const secp256k1_pubkey *key) {
  uint8_t bytes[33];
  size_t count = 33;
  secp256k1_ec_pubkey_serialize(context, bytes, &count, key, SECP256K1_EC_COMPRESSED);
  return word(bytes + 25);
}

uint64_t floor_public_key_create(size_t n, const uint8_t *key32) {
  uint8_t secret[32];
  uint64_t sum = 0;
  memcpy(secret, key32, 32);
  for (size_t i = 0; i < n; i++) {
    secp256k1_pubkey key;
    put_turn(secret + 24, i + 1);
    MUST(secp256k1_ec_pubkey_create(context, &key, secret));
    sum += serialized(&key);
  }
  return sum;
}

uint64_t floor_public_key_parse(size_t n, const uint8_t *key33) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    secp256k1_pubkey key;
    MUST(secp256k1_ec_pubkey_parse(context, &key, key33, 33));
    sum += word(&key) != 0;
  }
  return sum;
}

uint64_t floor_public_key_tweak_add(size_t n, const floor_point *key, const uint8_t *tweak32) {
  uint8_t tweak[32];
  uint64_t sum = 0;
  memcpy(tweak, tweak32, 32);
  for (size_t i = 0; i < n; i++) {
    secp256k1_pubkey result = key->key;
    put_turn(tweak + 24, i);
    MUST(secp256k1_ec_pubkey_tweak_add(context, &result, tweak));
    sum += serialized(&result);
  }
  return sum;
}

uint64_t floor_secret_key_tweak_add(size_t n, const uint8_t *key32, const uint8_t *tweak32) {
  uint8_t tweak[32], result[32];
  uint64_t sum = 0;
  memcpy(tweak, tweak32, 32);
  for (size_t i = 0; i < n; i++) {
    put_turn(tweak + 24, i);
    memcpy(result, key32, 32);
    MUST(secp256k1_ec_seckey_tweak_add(context, result, tweak));
    sum += word(result);
  }
  return sum;
}

// MARK: MuSig2

struct floor_musig {
  secp256k1_keypair pairs[2];
  secp256k1_pubkey keys[2];
  uint8_t secret[32];
  uint8_t hash[32];
  secp256k1_musig_keyagg_cache cache;
  secp256k1_musig_pubnonce nonces[2];
  secp256k1_musig_secnonce secret_nonce;
  secp256k1_musig_session session;
  secp256k1_musig_partial_sig signature;
};

static void musig_secret(uint8_t *out32, size_t turn) {
  memset(out32, 0x5a, 32);
  put_turn(out32, turn);
}

// The nonces of the session come of the session secrets of turn 0 and turn 1.
const floor_musig *floor_musig_new(const uint8_t *keys64, const uint8_t *hash32) {
  floor_musig *m = malloc(sizeof *m);
  MUST(m);
  const secp256k1_pubkey *keys[2] = {&m->keys[0], &m->keys[1]};
  const secp256k1_musig_pubnonce *nonces[2] = {&m->nonces[0], &m->nonces[1]};
  secp256k1_musig_aggnonce aggregate;
  memcpy(m->secret, keys64, 32);
  memcpy(m->hash, hash32, 32);
  for (int i = 0; i < 2; i++) {
    MUST(secp256k1_keypair_create(context, &m->pairs[i], keys64 + 32 * i));
    MUST(secp256k1_keypair_pub(context, &m->keys[i], &m->pairs[i]));
  }
  MUST(secp256k1_musig_pubkey_agg(context, NULL, &m->cache, keys, 2));
  for (int i = 1; i >= 0; i--) {
    uint8_t secret[32];
    musig_secret(secret, (size_t)i);
    MUST(secp256k1_musig_nonce_gen(context, &m->secret_nonce, &m->nonces[i], secret, keys64 + 32 * i, &m->keys[i], hash32,
                                   &m->cache, NULL));
  }
  MUST(secp256k1_musig_nonce_agg(context, &aggregate, nonces, 2));
  MUST(secp256k1_musig_nonce_process(context, &m->session, &aggregate, hash32, &m->cache));
  secp256k1_musig_secnonce used = m->secret_nonce;
  MUST(secp256k1_musig_partial_sign(context, &m->signature, &used, &m->pairs[0], &m->cache, &m->session));
  return m;
}

uint64_t floor_musig_nonce(size_t n, const floor_musig *m) {
  uint8_t secret[32], bytes[66];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    secp256k1_musig_secnonce secret_nonce;
    secp256k1_musig_pubnonce nonce;
    musig_secret(secret, i);
    MUST(secp256k1_musig_nonce_gen(context, &secret_nonce, &nonce, secret, m->secret, &m->keys[0], m->hash, &m->cache, NULL));
    secp256k1_musig_pubnonce_serialize(context, bytes, &nonce);
    sum += word(bytes + 1);
  }
  return sum;
}

uint64_t floor_musig_sign(size_t n, const floor_musig *m) {
  uint8_t bytes[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    // The library wipes a nonce that it has used: a copy each time.
    secp256k1_musig_secnonce secret_nonce = m->secret_nonce;
    secp256k1_musig_partial_sig signature;
    MUST(secp256k1_musig_partial_sign(context, &signature, &secret_nonce, &m->pairs[0], &m->cache, &m->session));
    secp256k1_musig_partial_sig_serialize(context, bytes, &signature);
    sum += word(bytes);
  }
  return sum;
}

uint64_t floor_musig_nonce_and_sign(size_t n, const floor_musig *m) {
  uint8_t secret[32], bytes[66];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    secp256k1_musig_secnonce secret_nonce;
    secp256k1_musig_pubnonce nonce;
    secp256k1_musig_partial_sig signature;
    musig_secret(secret, i);
    MUST(secp256k1_musig_nonce_gen(context, &secret_nonce, &nonce, secret, m->secret, &m->keys[0], m->hash, &m->cache, NULL));
    secp256k1_musig_pubnonce_serialize(context, bytes, &nonce);
    MUST(secp256k1_musig_partial_sign(context, &signature, &secret_nonce, &m->pairs[0], &m->cache, &m->session));
    secp256k1_musig_partial_sig_serialize(context, bytes, &signature);
    sum += word(bytes);
  }
  return sum;
}

uint64_t floor_musig_verify(size_t n, const floor_musig *m) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += (uint64_t)secp256k1_musig_partial_sig_verify(context, &m->signature, &m->nonces[0], &m->keys[0], &m->cache,
                                                        &m->session);
  }
  return sum;
}

// MARK: Hashes and ciphers

uint64_t floor_sha256(size_t n, uint8_t *data, size_t count) {
  uint8_t out[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    put_turn(data, i);
    sha256(data, count, out);
    sum += word(out);
  }
  return sum;
}

uint64_t floor_sha256d(size_t n, uint8_t *data, size_t count) {
  uint8_t out[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    put_turn(data, i);
    sha256d(data, count, out);
    sum += word(out);
  }
  return sum;
}

static inline void hash160(const void *data, size_t count, uint8_t *out20) {
  uint8_t inner[32];
  RIPEMD160_CTX state;
  sha256(data, count, inner);
  RIPEMD160_Init(&state);
  RIPEMD160_Update(&state, inner, 32);
  RIPEMD160_Final(out20, &state);
}

uint64_t floor_hash160(size_t n, uint8_t *data, size_t count) {
  uint8_t out[20];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    put_turn(data, i);
    hash160(data, count, out);
    sum += word(out);
  }
  return sum;
}

static inline void hmac_key(const uint8_t *key32, SHA256_CTX *inner, SHA256_CTX *outer) {
  uint8_t block[64];
  for (int i = 0; i < 64; i++) block[i] = (i < 32 ? key32[i] : 0) ^ 0x36;
  SHA256_Init(inner);
  SHA256_Update(inner, block, 64);
  for (int i = 0; i < 64; i++) block[i] ^= 0x36 ^ 0x5c;
  SHA256_Init(outer);
  SHA256_Update(outer, block, 64);
}

static inline void hmac(SHA256_CTX inner, SHA256_CTX outer, const uint8_t *data, size_t count, uint8_t *out32) {
  SHA256_Update(&inner, data, count);
  SHA256_Final(out32, &inner);
  SHA256_Update(&outer, out32, 32);
  SHA256_Final(out32, &outer);
}

uint64_t floor_hmac_sha256(size_t n, const uint8_t *key32, uint8_t *data, size_t count) {
  SHA256_CTX inner, outer;
  uint8_t out[32];
  uint64_t sum = 0;
  hmac_key(key32, &inner, &outer);
  for (size_t i = 0; i < n; i++) {
    put_turn(data, i);
    hmac(inner, outer, data, count, out);
    sum += word(out);
  }
  return sum;
}

uint64_t floor_hmac_sha256_fresh_key(size_t n, uint8_t *key32, const uint8_t *data, size_t count) {
  uint8_t out[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    SHA256_CTX inner, outer;
    put_turn(key32, i);
    hmac_key(key32, &inner, &outer);
    hmac(inner, outer, data, count, out);
    sum += word(out);
  }
  return sum;
}

uint64_t floor_tagged_hash(size_t n, const uint8_t *tag_hash32, uint8_t *data, size_t count) {
  SHA256_CTX start = midstate(tag_hash32);
  uint8_t out[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    SHA256_CTX state = start;
    put_turn(data, i);
    SHA256_Update(&state, data, count);
    SHA256_Final(out, &state);
    sum += word(out);
  }
  return sum;
}

uint64_t floor_chacha20(size_t n, uint8_t *data, size_t count, const uint8_t *key32, uint8_t *nonce12) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    put_turn(nonce12 + 4, i);
    crypto_stream_chacha20_ietf_xor_ic(data, data, count, nonce12, 0, key32);
    sum += word(data);
  }
  return sum;
}

uint64_t floor_chachapoly_seal(size_t n, uint8_t *data, size_t count, const uint8_t *key32, uint8_t *nonce12) {
  uint8_t out[2048];
  uint64_t sum = 0;
  MUST(count + 16 <= sizeof out);
  for (size_t i = 0; i < n; i++) {
    put_turn(nonce12 + 4, i);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, data, count, NULL, 0, NULL, nonce12, key32);
    sum += word(out);
  }
  return sum;
}

uint64_t floor_chachapoly_open(size_t n, const uint8_t *sealed, size_t count, const uint8_t *key32, const uint8_t *nonce12) {
  uint8_t out[2048];
  uint64_t sum = 0;
  MUST(count <= sizeof out);
  for (size_t i = 0; i < n; i++) {
    MUST(crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, count, NULL, 0, nonce12, key32) == 0);
    sum += word(out);
  }
  return sum;
}

// MARK: Transactions

uint64_t floor_sighash_v0(size_t n, const uint8_t *preimage, size_t count) {
  uint8_t buffer[1024], out[32];
  uint64_t sum = 0;
  MUST(count <= sizeof buffer);
  for (size_t i = 0; i < n; i++) {
    memcpy(buffer, preimage, count);
    sha256d(buffer, count, out);
    sum += word(out);
  }
  return sum;
}

uint64_t floor_sighash_v1(size_t n, const uint8_t *tag_hash32, const uint8_t *preimage, size_t count) {
  SHA256_CTX start = midstate(tag_hash32);
  uint8_t buffer[1024], out[32];
  uint64_t sum = 0;
  MUST(count <= sizeof buffer);
  for (size_t i = 0; i < n; i++) {
    SHA256_CTX state = start;
    memcpy(buffer, preimage, count);
    SHA256_Update(&state, buffer, count);
    SHA256_Final(out, &state);
    sum += word(out);
  }
  return sum;
}

static inline int walk_size(const uint8_t **at, const uint8_t *end, uint64_t *size) {
  size_t left = (size_t)(end - *at);
  if (left < 1) return 0;
  uint8_t first = **at;
  if (first < 0xfd) {
    *size = first;
    *at += 1;
    return 1;
  }
  size_t width = first == 0xfd ? 2 : first == 0xfe ? 4 : 8;
  if (left < 1 + width) return 0;
  *size = 0;
  memcpy(size, *at + 1, width);
  *at += 1 + width;
  return 1;
}

static inline int walk_bytes(const uint8_t **at, const uint8_t *end) {
  uint64_t size;
  if (!walk_size(at, end, &size) || size > (uint64_t)(end - *at)) return 0;
  *at += size;
  return 1;
}

static inline int walk_skip(const uint8_t **at, const uint8_t *end, size_t count) {
  if ((size_t)(end - *at) < count) return 0;
  *at += count;
  return 1;
}

static int walk(const uint8_t *at, const uint8_t *end, uint64_t *sum) {
  uint64_t inputs, outputs, elements;
  if (!walk_skip(&at, end, 4) || end - at < 2) return 0;
  int has_witness = at[0] == 0 && at[1] == 1;
  if (has_witness) at += 2;
  if (!walk_size(&at, end, &inputs)) return 0;
  for (uint64_t i = 0; i < inputs; i++) {
    if (!walk_skip(&at, end, 36) || !walk_bytes(&at, end) || !walk_skip(&at, end, 4)) return 0;
  }
  if (!walk_size(&at, end, &outputs)) return 0;
  for (uint64_t i = 0; i < outputs; i++) {
    if (end - at < 8) return 0;
    *sum += word(at);
    at += 8;
    if (!walk_bytes(&at, end)) return 0;
  }
  for (uint64_t i = 0; has_witness && i < inputs; i++) {
    if (!walk_size(&at, end, &elements)) return 0;
    for (uint64_t j = 0; j < elements; j++) {
      if (!walk_bytes(&at, end)) return 0;
    }
  }
  return walk_skip(&at, end, 4) && at == end;
}

uint64_t floor_transaction_walk(size_t n, const uint8_t *transaction, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    const uint8_t *volatile start = transaction;
    MUST(walk(start, transaction + count, &sum));
  }
  return sum;
}

uint64_t floor_copy(size_t n, const uint8_t *data, size_t count) {
  uint8_t buffer[4096];
  uint64_t sum = 0;
  MUST(count <= sizeof buffer);
  for (size_t i = 0; i < n; i++) {
    memcpy(buffer, data, count);
    __asm__ volatile("" : : "r"(buffer) : "memory");
    sum += word(buffer);
  }
  return sum;
}

// MARK: Scripts

static inline int verify_ecdsa(const uint8_t *key33, const uint8_t *der, size_t der_count, const uint8_t *hash32) {
  secp256k1_pubkey key;
  secp256k1_ecdsa_signature signature;
  return secp256k1_ec_pubkey_parse(context, &key, key33, 33) &&
         secp256k1_ecdsa_signature_parse_der(context, &signature, der, der_count) &&
         secp256k1_ecdsa_verify(context, &signature, hash32, &key);
}

uint64_t floor_verify_p2wpkh(size_t n, const uint8_t *preimage, size_t count, const uint8_t *key33, const uint8_t *der,
                             size_t der_count) {
  uint8_t hash[32], program[20];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    hash160(key33, 33, program);
    sha256d(preimage, count, hash);
    sum += (uint64_t)verify_ecdsa(key33, der, der_count, hash);
  }
  return sum;
}

uint64_t floor_verify_p2wsh_2of2(size_t n, const uint8_t *preimage, size_t count, const uint8_t *script, size_t script_count,
                                 const uint8_t *keys66, const uint8_t *first, size_t first_count, const uint8_t *second,
                                 size_t second_count) {
  uint8_t hash[32], program[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    sha256(script, script_count, program);
    sha256d(preimage, count, hash);
    sum += (uint64_t)(verify_ecdsa(keys66, first, first_count, hash) && verify_ecdsa(keys66 + 33, second, second_count, hash));
  }
  return sum;
}

static inline int verify_schnorr(const SHA256_CTX *start, const uint8_t *preimage, size_t count, const uint8_t *key32,
                                 const uint8_t *signature64) {
  SHA256_CTX state = *start;
  secp256k1_xonly_pubkey key;
  uint8_t hash[32];
  SHA256_Update(&state, preimage, count);
  SHA256_Final(hash, &state);
  return secp256k1_xonly_pubkey_parse(context, &key, key32) &&
         secp256k1_schnorrsig_verify(context, signature64, hash, 32, &key);
}

uint64_t floor_verify_taproot_key(size_t n, const uint8_t *tag_hash32, const uint8_t *preimage, size_t count,
                                  const uint8_t *key32, const uint8_t *signature64) {
  SHA256_CTX start = midstate(tag_hash32);
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += (uint64_t)verify_schnorr(&start, preimage, count, key32, signature64);
  return sum;
}

uint64_t floor_verify_tapscript(size_t n, const uint8_t *tag_hash32, const uint8_t *preimage, size_t count,
                                const uint8_t *leaf_tag_hash32, const uint8_t *script, size_t script_count,
                                const uint8_t *tweak_tag_hash32, const uint8_t *internal32, const uint8_t *output32,
                                int parity, const uint8_t *key32, const uint8_t *signature64) {
  SHA256_CTX start = midstate(tag_hash32), leaf_start = midstate(leaf_tag_hash32), tweak_start = midstate(tweak_tag_hash32);
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    SHA256_CTX state = leaf_start;
    secp256k1_xonly_pubkey internal;
    uint8_t header[2] = {0xc0, (uint8_t)script_count}, hash[32];
    SHA256_Update(&state, header, 2);
    SHA256_Update(&state, script, script_count);
    SHA256_Final(hash, &state);
    state = tweak_start;
    SHA256_Update(&state, internal32, 32);
    SHA256_Update(&state, hash, 32);
    SHA256_Final(hash, &state);
    MUST(secp256k1_xonly_pubkey_parse(context, &internal, internal32));
    MUST(secp256k1_xonly_pubkey_tweak_add_check(context, output32, parity, &internal, hash));
    sum += (uint64_t)verify_schnorr(&start, preimage, count, key32, signature64);
  }
  return sum;
}
