#include "lightning.h"

#include <openssl/sha.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) \
  do { \
    if (!(call)) { \
      fprintf(stderr, "floor: %s failed (line %d)\n", #call, __LINE__); \
      abort(); \
    } \
  } while (0)

enum { payloads = 1300, packet_size = 1366, most_hops = 27, rounds = 27, most_hold_times = 20, attribution_size = 920 };

// HMAC-SHA256 under a key whose two blocks are hashed.
typedef struct {
  SHA256_CTX inner, outer;
} mac;

static secp256k1_context *context;
static mac rho_mac, mu_mac, um_mac, pad_mac, ammag_mac, ammagext_mac;
static const uint8_t nonce_zero[12];

static void mac_init(mac *mac, const void *key, size_t count) {
  uint8_t block[64] = {0};
  memcpy(block, key, count);
  for (int i = 0; i < 64; i++) block[i] ^= 0x36;
  SHA256_Init(&mac->inner);
  SHA256_Update(&mac->inner, block, 64);
  for (int i = 0; i < 64; i++) block[i] ^= 0x36 ^ 0x5c;
  SHA256_Init(&mac->outer);
  SHA256_Update(&mac->outer, block, 64);
}

static inline void mac_finish(mac *mac, uint8_t *out32) {
  SHA256_Final(out32, &mac->inner);
  SHA256_Update(&mac->outer, out32, 32);
  SHA256_Final(out32, &mac->outer);
}

static inline void derive(const mac *name, const uint8_t *secret32, uint8_t *out32) {
  mac copy = *name;
  SHA256_Update(&copy.inner, secret32, 32);
  mac_finish(&copy, out32);
}

__attribute__((constructor)) static void prepare(void) {
  uint8_t seed[32];
  MUST(sodium_init() >= 0);
  randombytes_buf(seed, 32);
  context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  MUST(secp256k1_context_randomize(context, seed));
  mac_init(&rho_mac, "rho", 3);
  mac_init(&mu_mac, "mu", 2);
  mac_init(&um_mac, "um", 2);
  mac_init(&pad_mac, "pad", 3);
  mac_init(&ammag_mac, "ammag", 5);
  mac_init(&ammagext_mac, "ammagext", 8);
}

static inline uint64_t word(const void *bytes) {
  uint64_t value;
  memcpy(&value, bytes, 8);
  return value;
}

static inline void put_turn(void *bytes, size_t turn) {
  uint64_t value = turn;
  memcpy(bytes, &value, 8);
}

static inline void stream(uint8_t *bytes, size_t count, uint32_t block, const uint8_t *key32) {
  crypto_stream_chacha20_ietf_xor_ic(bytes, bytes, count, nonce_zero, block, key32);
}

// MARK: Onions

struct floor_route {
  secp256k1_pubkey nodes[most_hops];
  size_t hops, payload_count;
  uint8_t payload[payloads];
};

const floor_route *floor_route_new(const uint8_t *keys33, size_t hops, const uint8_t *payload, size_t payload_count) {
  floor_route *made = malloc(sizeof *made);
  MUST(made && hops > 0 && hops <= most_hops && payload_count < 253 && hops * (payload_count + 33) <= payloads);
  made->hops = hops;
  made->payload_count = payload_count;
  memcpy(made->payload, payload, payload_count);
  for (size_t i = 0; i < hops; i++) MUST(secp256k1_ec_pubkey_parse(context, &made->nodes[i], keys33 + 33 * i, 33));
  return made;
}

static void blinding(const uint8_t *point33, const uint8_t *secret32, uint8_t *out32) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, point33, 33);
  SHA256_Update(&state, secret32, 32);
  SHA256_Final(out32, &state);
}

// The packet stands behind `left` bytes, into which the window moves: no byte of payload is moved.
static void create(const floor_route *route, const uint8_t *session32, const uint8_t *data32, uint8_t *buffer, uint8_t *hmac32) {
  uint8_t secret[32], rho[most_hops][32], mu[most_hops][32], ephemeral[32], point[33], factor[32], pad[32];
  size_t hop_size = 1 + route->payload_count + 32, needed = route->hops * hop_size;
  memcpy(ephemeral, session32, 32);
  for (size_t i = 0; i < route->hops; i++) {
    secp256k1_pubkey key;
    size_t count = 33;
    MUST(secp256k1_ec_pubkey_create(context, &key, ephemeral));
    secp256k1_ec_pubkey_serialize(context, point, &count, &key, SECP256K1_EC_COMPRESSED);
    if (i == 0) memcpy(buffer, point, 33);
    MUST(secp256k1_ecdh(context, secret, &route->nodes[i], ephemeral, NULL, NULL));
    derive(&rho_mac, secret, rho[i]);
    derive(&mu_mac, secret, mu[i]);
    if (i + 1 == route->hops) break;
    blinding(point, secret, factor);
    MUST(secp256k1_ec_seckey_tweak_mul(context, ephemeral, factor));
  }
  uint8_t *window = buffer + 34 + needed - hop_size, *tail = window + hop_size;
  size_t tail_size = payloads - needed, filled = 0;
  derive(&pad_mac, session32, pad);
  memset(tail, 0, tail_size);
  stream(tail, tail_size, 0, pad);
  uint8_t *filler = tail + tail_size;
  for (size_t i = 0; i + 1 < route->hops; i++) {
    // The stream from 1,300 − filled on, block by block from one that was begun.
    size_t offset = payloads - filled, skipped = offset % 64;
    uint8_t before[64];
    memset(filler + filled, 0, hop_size);
    filled += hop_size;
    memcpy(before, filler - skipped, skipped);
    stream(filler - skipped, skipped + filled, (uint32_t)(offset / 64), rho[i]);
    memcpy(filler - skipped, before, skipped);
  }
  memset(hmac32, 0, 32);
  for (size_t i = route->hops; i-- > 0;) {
    mac mac;
    if (i + 1 < route->hops) window -= hop_size;
    window[0] = (uint8_t)route->payload_count;
    memcpy(window + 1, route->payload, route->payload_count);
    memcpy(window + 1 + route->payload_count, hmac32, 32);
    stream(window, i + 1 < route->hops ? payloads : hop_size + tail_size, 0, rho[i]);
    mac_init(&mac, mu[i], 32);
    SHA256_Update(&mac.inner, window, payloads);
    SHA256_Update(&mac.inner, data32, 32);
    mac_finish(&mac, hmac32);
  }
}

uint64_t floor_onion_create(size_t n, const floor_route *route, const uint8_t *session32, const uint8_t *data32) {
  static uint8_t buffer[64 + 34 + 2 * payloads];
  uint8_t session[32], hmac[32];
  uint64_t sum = 0;
  memcpy(session, session32, 32);
  for (size_t i = 0; i < n; i++) {
    put_turn(session, i);
    create(route, session, data32, buffer, hmac);
    sum += word(hmac);
  }
  return sum;
}

uint64_t floor_onion_peel(size_t n, const uint8_t *packet, const uint8_t *key32, const uint8_t *data32) {
  uint8_t secret[32], rho[32], mu[32], hmac[32], factor[32], opened[2 * payloads], next[packet_size];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    secp256k1_pubkey point;
    mac mac;
    size_t count = 33;
    MUST(packet[0] == 0 && secp256k1_ec_pubkey_parse(context, &point, packet + 1, 33));
    MUST(secp256k1_ecdh(context, secret, &point, key32, NULL, NULL));
    derive(&mu_mac, secret, mu);
    mac_init(&mac, mu, 32);
    SHA256_Update(&mac.inner, packet + 34, payloads);
    SHA256_Update(&mac.inner, data32, 32);
    mac_finish(&mac, hmac);
    MUST(sodium_memcmp(hmac, packet + 34 + payloads, 32) == 0);
    derive(&rho_mac, secret, rho);
    // The first block says how many zeros come in behind.
    memcpy(opened, packet + 34, payloads);
    stream(opened, 64, 0, rho);
    size_t shift = (size_t)opened[0] + 33;
    memset(opened + payloads, 0, shift);
    stream(opened + 64, payloads + shift - 64, 1, rho);
    blinding(packet + 1, secret, factor);
    MUST(secp256k1_ec_pubkey_tweak_mul(context, &point, factor));
    next[0] = 0;
    secp256k1_ec_pubkey_serialize(context, next + 1, &count, &point, SECP256K1_EC_COMPRESSED);
    memcpy(next + 34, opened + shift, payloads);
    memcpy(next + 34 + payloads, opened + shift - 32, 32);
    sum += word(next + 34 + payloads) + word(next + 1);
  }
  return sum;
}

// MARK: Failures

// Where `hmac_x_y` stands (BOLT 4 §Initialization of `attribution_data`).
static inline size_t hmac_offset(size_t x, size_t y) {
  return 4 * (most_hold_times + x * most_hold_times - x * (x - 1) / 2 + most_hold_times - 1 - x - y);
}

static inline void attribution_hmac(const mac *start, const uint8_t *attribution, size_t distance, uint8_t *out32) {
  mac copy = *start;
  uint8_t later[4 * most_hold_times];
  for (size_t x = 1; x <= distance; x++) memcpy(later + 4 * (x - 1), attribution + hmac_offset(x, distance - x), 4);
  SHA256_Update(&copy.inner, attribution, 4 * (distance + 1));
  SHA256_Update(&copy.inner, later, 4 * distance);
  mac_finish(&copy, out32);
}

static inline void packet_mac(mac *mac, const uint8_t *secret32, const uint8_t *bytes, size_t count) {
  uint8_t um[32];
  derive(&um_mac, secret32, um);
  mac_init(mac, um, 32);
  SHA256_Update(&mac->inner, bytes, count);
}

static inline void apply(const mac *name, const uint8_t *secret32, uint8_t *bytes, size_t count) {
  uint8_t key[32];
  derive(name, secret32, key);
  stream(bytes, count, 0, key);
}

uint64_t floor_failure_wrap(size_t n, const uint8_t *secrets, size_t hops, const uint8_t *reason, size_t count, int attribution) {
  uint8_t packet[2048], data[attribution_size], hmac[32];
  uint64_t sum = 0;
  MUST(count <= sizeof packet);
  for (size_t i = 0; i < n; i++) {
    memcpy(packet, reason, count);
    memset(data, 0, sizeof data);
    for (size_t hop = hops; hop-- > 0;) {
      const uint8_t *secret = secrets + 32 * hop;
      if (attribution) {
        mac mac;
        // A row moves down by one, without its first HMAC; rows follow each other.
        memmove(data + 4, data, 4 * (most_hold_times - 1));
        for (size_t x = most_hold_times - 1; x > 0; x--) {
          memmove(data + hmac_offset(x, most_hold_times - 1 - x), data + hmac_offset(x - 1, most_hold_times - 1 - x),
                  4 * (most_hold_times - x));
        }
        memset(data, 0, 4);
        data[3] = 1;
        packet_mac(&mac, secret, packet, count);
        for (size_t distance = 0; distance < most_hold_times; distance++) {
          attribution_hmac(&mac, data, distance, hmac);
          memcpy(data + hmac_offset(0, distance), hmac, 4);
        }
        apply(&ammagext_mac, secret, data, sizeof data);
      }
      apply(&ammag_mac, secret, packet, count);
    }
    sum += word(packet) + (attribution ? word(data) : 0);
  }
  return sum;
}

uint64_t floor_failure_unwrap(size_t n, const uint8_t *secrets, size_t hops, const uint8_t *reason, size_t count,
                              int attribution) {
  static const uint8_t constant[32];
  uint8_t packet[2048], data[attribution_size], hmac[32], zeros[attribution_size] = {0};
  uint64_t sum = 0;
  MUST(count > 42 && count <= 2048);
  for (size_t i = 0; i < n; i++) {
    memcpy(packet, reason, count);
    memcpy(data, attribution ? reason + count : zeros, sizeof data);
    for (size_t round = 0; round < rounds; round++) {
      const uint8_t *secret = round < hops ? secrets + 32 * round : constant;
      mac mac;
      apply(&ammag_mac, secret, packet, count);
      if (attribution && round < most_hold_times) {
        apply(&ammagext_mac, secret, data, sizeof data);
        packet_mac(&mac, secret, packet, count);
        attribution_hmac(&mac, data, hops > round + 1 ? hops - 1 - round : 0, hmac);
        if (round < hops && memcmp(hmac, data + hmac_offset(0, hops - 1 - round), 4) == 0) sum += data[3];
        memmove(data, data + 4, 4 * (most_hold_times - 1));
        memset(data + 4 * (most_hold_times - 1), 0, 4);
        for (size_t x = 0; x + 1 < most_hold_times; x++) {
          memmove(data + hmac_offset(x, most_hold_times - 2 - x), data + hmac_offset(x + 1, most_hold_times - 2 - x),
                  4 * (most_hold_times - 1 - x));
        }
      }
      packet_mac(&mac, secret, packet + 32, count - 32);
      mac_finish(&mac, hmac);
      if (sodium_memcmp(hmac, packet, 32) == 0 && round < hops) sum += round + word(packet + 34);
    }
  }
  return sum;
}

// MARK: Transport

static inline void count_up(uint8_t *nonce12) {
  uint64_t value = word(nonce12 + 4) + 1;
  memcpy(nonce12 + 4, &value, 8);
}

uint64_t floor_noise_encrypt(size_t n, const uint8_t *key32, const uint8_t *message, size_t count) {
  uint8_t out[4096], nonce[12] = {0}, header[2] = {(uint8_t)(count >> 8), (uint8_t)count};
  uint64_t sum = 0;
  MUST(count + 34 <= sizeof out);
  for (size_t i = 0; i < n; i++) {
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, header, 2, NULL, 0, NULL, nonce, key32);
    count_up(nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(out + 18, NULL, message, count, NULL, 0, NULL, nonce, key32);
    count_up(nonce);
    sum += word(out) + word(out + 18 + count);
  }
  return sum;
}

uint64_t floor_noise_decrypt(size_t n, const uint8_t *key32, const uint8_t *sealed, size_t count) {
  uint8_t out[4096], nonce[12] = {0}, header[2];
  uint64_t sum = 0;
  MUST(count <= sizeof out);
  for (size_t i = 0; i < n; i++) {
    const uint8_t *message = sealed + i * (count + 34);
    MUST(crypto_aead_chacha20poly1305_ietf_decrypt(header, NULL, NULL, message, 18, NULL, 0, nonce, key32) == 0);
    count_up(nonce);
    size_t length = (size_t)header[0] << 8 | header[1];
    MUST(crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, message + 18, length + 16, NULL, 0, nonce, key32) == 0);
    count_up(nonce);
    sum += word(out);
  }
  return sum;
}

// MARK: Messages

static inline int verify(const uint8_t *signature64, const secp256k1_pubkey *key, const uint8_t *hash32) {
  secp256k1_ecdsa_signature signature;
  return secp256k1_ecdsa_signature_parse_compact(context, &signature, signature64) &&
         secp256k1_ecdsa_verify(context, &signature, hash32, key);
}

static inline void sha256d(const uint8_t *data, size_t count, uint8_t *out32) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, data, count);
  SHA256_Final(out32, &state);
  SHA256_Init(&state);
  SHA256_Update(&state, out32, 32);
  SHA256_Final(out32, &state);
}

uint64_t floor_verify_announcement(size_t n, const uint8_t *message, size_t count, const uint8_t *keys132) {
  uint8_t hash[32];
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    sha256d(message + 256, count - 256, hash);
    for (size_t j = 0; j < 4; j++) {
      secp256k1_pubkey key;
      MUST(secp256k1_ec_pubkey_parse(context, &key, keys132 + 33 * j, 33) && verify(message + 64 * j, &key, hash));
    }
    sum += 1;
  }
  return sum;
}

uint64_t floor_verify_gossip(size_t n, const uint8_t *message, size_t count, const uint8_t *key33) {
  uint8_t hash[32];
  secp256k1_pubkey key;
  uint64_t sum = 0;
  MUST(secp256k1_ec_pubkey_parse(context, &key, key33, 33));
  for (size_t i = 0; i < n; i++) {
    sha256d(message + 64, count - 64, hash);
    MUST(verify(message, &key, hash));
    sum += 1;
  }
  return sum;
}

uint64_t floor_copy_out(size_t n, const uint8_t *data, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    uint8_t *copy = malloc(count);
    MUST(copy);
    memcpy(copy, data, count);
    __asm__ volatile("" : : "r"(copy) : "memory");
    sum += copy[0];
    free(copy);
  }
  return sum;
}
