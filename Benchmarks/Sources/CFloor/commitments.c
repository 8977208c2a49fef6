// A commitment transaction as BOLT 3 describes it, with fixed sizes and no checks: keys, scripts, order, txid, signature hashes.
#include <openssl/ripemd.h>
#include <openssl/sha.h>
#include <secp256k1.h>
#include "floor.h"
#include "internal.h"

enum { MOST = 1000, SCRIPT = 160 };

typedef struct {
  uint64_t value;
  uint32_t expiry;
  int offered;
  uint8_t hash20[20];
} contract;

typedef struct {
  uint64_t value;
  uint8_t script[34];
  uint8_t count;
  uint32_t expiry;
  int32_t index;
} output;

typedef struct {
  uint8_t revocation[33], revocation20[20], delayed[33], holder[33], counterparty[33];
} keyset;

struct floor_commitment {
  floor_channel channel;
  secp256k1_pubkey points[7], point;
  uint8_t keys[7][33], point33[33];
  size_t count;
  contract contracts[MOST];
  // What the last build left, for signing.
  keyset set;
  output outputs[MOST + 8];
  size_t output_count;
  uint8_t raw[50000], txid[32], sighash[32];
  secp256k1_ecdsa_signature signatures[MOST + 1];
  secp256k1_pubkey htlc_key;
};

enum { REVOCATION, DELAYED, HTLC_HOLDER, HTLC_COUNTERPARTY, PAYMENT, FUNDING_HOLDER, FUNDING_COUNTERPARTY };

floor_commitment *floor_commitment_new(const floor_channel *channel, const uint8_t *keys231, const uint8_t *point33) {
  floor_commitment *made = calloc(1, sizeof *made);
  MUST(made);
  made->channel = *channel;
  for (int i = 0; i < 7; i++) {
    memcpy(made->keys[i], keys231 + 33 * i, 33);
    MUST(secp256k1_ec_pubkey_parse(floor_context, &made->points[i], made->keys[i], 33));
  }
  memcpy(made->point33, point33, 33);
  MUST(secp256k1_ec_pubkey_parse(floor_context, &made->point, point33, 33));
  return made;
}

void floor_commitment_add(floor_commitment *c, int offered, uint64_t value, uint32_t expiry, const uint8_t *hash20) {
  MUST(c->count < MOST);
  contract *added = &c->contracts[c->count++];
  added->offered = offered;
  added->value = value;
  added->expiry = expiry;
  memcpy(added->hash20, hash20, 20);
}

static void pair_hash(const uint8_t *a, const uint8_t *b, uint8_t *out32) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, a, 33);
  SHA256_Update(&state, b, 33);
  SHA256_Final(out32, &state);
}

static void serialize(const secp256k1_pubkey *key, uint8_t *out33) {
  size_t count = 33;
  secp256k1_ec_pubkey_serialize(floor_context, out33, &count, key, SECP256K1_EC_COMPRESSED);
}

static void derive(const floor_commitment *c, int index, secp256k1_pubkey *key, uint8_t *out33) {
  uint8_t tweak[32];
  pair_hash(c->point33, c->keys[index], tweak);
  *key = c->points[index];
  MUST(secp256k1_ec_pubkey_tweak_add(floor_context, key, tweak));
  serialize(key, out33);
}

static void derive_keyset(floor_commitment *c, keyset *set) {
  secp256k1_pubkey key, first, second;
  uint8_t tweak[32];
  derive(c, DELAYED, &key, set->delayed);
  derive(c, HTLC_HOLDER, &key, set->holder);
  derive(c, HTLC_COUNTERPARTY, &c->htlc_key, set->counterparty);
  pair_hash(c->keys[REVOCATION], c->point33, tweak);
  first = c->points[REVOCATION];
  MUST(secp256k1_ec_pubkey_tweak_mul(floor_context, &first, tweak));
  pair_hash(c->point33, c->keys[REVOCATION], tweak);
  second = c->point;
  MUST(secp256k1_ec_pubkey_tweak_mul(floor_context, &second, tweak));
  const secp256k1_pubkey *both[2] = {&first, &second};
  MUST(secp256k1_ec_pubkey_combine(floor_context, &key, both, 2));
  serialize(&key, set->revocation);
  uint8_t hash[32];
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, set->revocation, 33);
  SHA256_Final(hash, &state);
  RIPEMD160(hash, 32, set->revocation20);
}

static inline uint8_t *put(uint8_t *at, const void *bytes, size_t count) {
  memcpy(at, bytes, count);
  return at + count;
}
static inline uint8_t *put_key(uint8_t *at, const uint8_t *key33) {
  *at++ = 33;
  return put(at, key33, 33);
}
static inline uint8_t *put32(uint8_t *at, uint32_t value) { return put(at, &value, 4); }
static inline uint8_t *put64(uint8_t *at, uint64_t value) { return put(at, &value, 8); }

static size_t contract_script(uint8_t *script, const keyset *set, const contract *c, int delays) {
  static const uint8_t start[] = {0x76, 0xa9, 20}, key[] = {0x87, 0x63, 0xac, 0x67}, size[] = {0x7c, 0x82, 1, 32, 0x87};
  static const uint8_t timeout[] = {0x64, 0x75, 0x52, 0x7c}, preimage[] = {0x52, 0xae, 0x67, 0xa9, 20};
  static const uint8_t offered_end[] = {0x88, 0xac, 0x68}, success[] = {0x63, 0xa9, 20}, both[] = {0x88, 0x52, 0x7c};
  static const uint8_t expiry[] = {0x52, 0xae, 0x67, 0x75, 3}, received_end[] = {0xb1, 0x75, 0xac, 0x68};
  static const uint8_t delay[] = {0x51, 0xb2, 0x75};
  uint8_t *at = put(script, start, sizeof start);
  at = put(at, set->revocation20, 20);
  at = put(at, key, sizeof key);
  at = put_key(at, set->counterparty);
  at = put(at, size, sizeof size);
  if (c->offered) {
    at = put(at, timeout, sizeof timeout);
    at = put_key(at, set->holder);
    at = put(at, preimage, sizeof preimage);
    at = put(at, c->hash20, 20);
    at = put(at, offered_end, sizeof offered_end);
  } else {
    at = put(at, success, sizeof success);
    at = put(at, c->hash20, 20);
    at = put(at, both, sizeof both);
    at = put_key(at, set->holder);
    at = put(at, expiry, sizeof expiry);
    at = put(at, &c->expiry, 3);
    at = put(at, received_end, sizeof received_end);
  }
  if (delays) at = put(at, delay, sizeof delay);
  *at++ = 0x68;
  return (size_t)(at - script);
}

static size_t delayed_script(uint8_t *script, const keyset *set, uint16_t delay) {
  uint8_t *at = script;
  *at++ = 0x63;
  at = put_key(at, set->revocation);
  *at++ = 0x67;
  *at++ = 2;
  at = put(at, &delay, 2);
  *at++ = 0xb2;
  *at++ = 0x75;
  at = put_key(at, set->delayed);
  *at++ = 0x68;
  *at++ = 0xac;
  return (size_t)(at - script);
}

static inline void hash_once(const void *data, size_t count, uint8_t *out32) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, data, count);
  SHA256_Final(out32, &state);
}
static inline void hash_twice(const void *data, size_t count, uint8_t *out32) {
  uint8_t inner[32];
  hash_once(data, count, inner);
  hash_once(inner, 32, out32);
}

static void script_output(output *out, uint64_t value, const uint8_t *script, size_t count, uint32_t expiry, int32_t index) {
  out->value = value;
  out->script[0] = 0;
  out->script[1] = 32;
  hash_once(script, count, out->script + 2);
  out->count = 34;
  out->expiry = expiry;
  out->index = index;
}

static int order(const void *left, const void *right) {
  const output *a = left, *b = right;
  if (a->value != b->value) return a->value < b->value ? -1 : 1;
  int scripts = memcmp(a->script, b->script, 34);
  if (scripts) return scripts;
  return a->expiry < b->expiry ? -1 : a->expiry > b->expiry;
}

static void build(floor_commitment *c, uint64_t number) {
  const floor_channel *channel = &c->channel;
  keyset *set = &c->set;
  uint8_t script[SCRIPT];
  size_t count = 0, size;
  derive_keyset(c, set);
  for (size_t i = 0; i < c->count; i++) {
    size = contract_script(script, set, &c->contracts[i], channel->format == FLOOR_ANCHORS);
    script_output(&c->outputs[count++], c->contracts[i].value, script, size, c->contracts[i].expiry, (int32_t)i);
  }
  size = delayed_script(script, set, channel->delay);
  script_output(&c->outputs[count++], channel->to_holder, script, size, 0, -1);
  output *to_counterparty = &c->outputs[count++];
  if (channel->format == FLOOR_ANCHORS) {
    uint8_t *at = put_key(script, c->keys[PAYMENT]);
    at = put(at, "\xad\x51\xb2", 3);
    script_output(to_counterparty, channel->to_counterparty, script, (size_t)(at - script), 0, -1);
    for (int i = FUNDING_HOLDER; i <= FUNDING_COUNTERPARTY; i++) {
      at = put_key(script, c->keys[i]);
      at = put(at, "\xac\x73\x64\x60\xb2\x68", 6);
      script_output(&c->outputs[count++], channel->anchor, script, (size_t)(at - script), 0, -1);
    }
  } else {
    uint8_t hash[32];
    memset(to_counterparty, 0, sizeof *to_counterparty);
    to_counterparty->value = channel->to_counterparty;
    to_counterparty->script[1] = 20;
    hash_once(c->keys[PAYMENT], 33, hash);
    RIPEMD160(hash, 32, to_counterparty->script + 2);
    to_counterparty->count = 22;
    to_counterparty->index = -1;
  }
  if (channel->format == FLOOR_ZERO_FEE) {
    output *anchor = &c->outputs[count++];
    memset(anchor, 0, sizeof *anchor);
    anchor->value = channel->anchor;
    memcpy(anchor->script, "\x51\x02\x4e\x73", 4);
    anchor->count = 4;
    anchor->index = -1;
  }
  qsort(c->outputs, count, sizeof(output), order);
  c->output_count = count;

  uint64_t obscured = number ^ channel->obscuring_factor;
  uint32_t version = channel->format == FLOOR_ZERO_FEE ? 3 : 2;
  uint32_t sequence = 0x80000000u | (uint32_t)(obscured >> 24 & 0xffffff);
  uint32_t lock_time = 0x20000000u | (uint32_t)(obscured & 0xffffff);
  uint8_t *at = put32(c->raw, version);
  *at++ = 1;
  at = put(at, channel->outpoint36, 36);
  *at++ = 0;
  at = put32(at, sequence);
  if (count < 253) {
    *at++ = (uint8_t)count;
  } else {
    *at++ = 253;
    at = put(at, &(uint16_t){(uint16_t)count}, 2);
  }
  uint8_t *start = at;
  for (size_t i = 0; i < count; i++) {
    const output *out = &c->outputs[i];
    at = put64(at, out->value);
    *at++ = out->count;
    at = put(at, out->script, out->count);
  }
  uint8_t *end = at;
  at = put32(at, lock_time);
  hash_twice(c->raw, (size_t)(at - c->raw), c->txid);

  uint8_t preimage[300];
  at = put32(preimage, version);
  hash_twice(channel->outpoint36, 36, at);
  hash_twice(&sequence, 4, at + 32);
  at = put(at + 64, channel->outpoint36, 36);
  int swapped = memcmp(c->keys[FUNDING_HOLDER], c->keys[FUNDING_COUNTERPARTY], 33) > 0;
  *at++ = 71;
  *at++ = 0x52;
  at = put_key(at, c->keys[swapped ? FUNDING_COUNTERPARTY : FUNDING_HOLDER]);
  at = put_key(at, c->keys[swapped ? FUNDING_HOLDER : FUNDING_COUNTERPARTY]);
  *at++ = 0x52;
  *at++ = 0xae;
  at = put64(at, channel->capacity);
  at = put32(at, sequence);
  hash_twice(start, (size_t)(end - start), at);
  at = put32(at + 32, lock_time);
  at = put32(at, 1);
  hash_twice(preimage, (size_t)(at - preimage), c->sighash);
}

uint64_t floor_commitment_build(size_t n, floor_commitment *c) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    build(c, i);
    sum += word(c->txid) + word(c->sighash);
  }
  return sum;
}

// The hash of one second-stage transaction; `delayed34` is the script of its output.
static void child_sighash(const floor_commitment *c, size_t vout, const uint8_t *delayed34, uint8_t *out32) {
  const floor_channel *channel = &c->channel;
  const output *parent = &c->outputs[vout];
  const contract *of = &c->contracts[parent->index];
  int single = channel->format != FLOOR_LEGACY;
  uint32_t sequence = channel->format == FLOOR_ANCHORS;
  uint8_t preimage[420], out[43], outpoint[36];
  memcpy(outpoint, c->txid, 32);
  put32(outpoint + 32, (uint32_t)vout);
  uint8_t *at = put32(preimage, channel->format == FLOOR_ZERO_FEE ? 3 : 2);
  if (single) {
    memset(at, 0, 64);
  } else {
    hash_twice(outpoint, 36, at);
    hash_twice(&sequence, 4, at + 32);
  }
  at = put(at + 64, outpoint, 36);
  uint8_t *length = at++;
  *length = (uint8_t)contract_script(at, &c->set, of, channel->format == FLOOR_ANCHORS);
  at = put64(at + *length, of->value);
  at = put32(at, sequence);
  put64(out, of->value - (of->offered ? channel->timeout_fee : channel->success_fee));
  out[8] = 34;
  memcpy(out + 9, delayed34, 34);
  hash_twice(out, 43, at);
  at = put32(at + 32, of->offered ? of->expiry : 0);
  at = put32(at, single ? 0x83 : 1);
  hash_twice(preimage, (size_t)(at - preimage), out32);
}

static void delayed_program(const floor_commitment *c, uint8_t *out34) {
  uint8_t script[SCRIPT];
  size_t size = delayed_script(script, &c->set, c->channel.delay);
  out34[0] = 0;
  out34[1] = 32;
  hash_once(script, size, out34 + 2);
}

static void sign_one(floor_commitment *c, size_t index, const uint8_t *hash, const uint8_t *key, int low_r, uint64_t *sum) {
  uint8_t compact[64], extra[32];
  secp256k1_ecdsa_signature *signature = &c->signatures[index];
  MUST(secp256k1_ecdsa_sign(floor_context, signature, hash, key, NULL, NULL));
  secp256k1_ecdsa_signature_serialize_compact(floor_context, compact, signature);
  memset(extra, 0, 32);
  for (uint32_t counter = 1; low_r && compact[0] >= 0x80; counter++) {
    memcpy(extra, &counter, 4);
    MUST(secp256k1_ecdsa_sign(floor_context, signature, hash, key, NULL, extra));
    secp256k1_ecdsa_signature_serialize_compact(floor_context, compact, signature);
  }
  *sum += word(compact);
}

uint64_t floor_commitment_sign(size_t n, floor_commitment *c, const uint8_t *keys64, int low_r) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    uint8_t delayed[34], hash[32];
    size_t made = 0;
    delayed_program(c, delayed);
    sign_one(c, made++, c->sighash, keys64, low_r, &sum);
    for (size_t j = 0; j < c->output_count; j++) {
      if (c->outputs[j].index < 0) continue;
      child_sighash(c, j, delayed, hash);
      sign_one(c, made++, hash, keys64 + 32, low_r, &sum);
    }
  }
  return sum;
}

// After `floor_commitment_sign`.
uint64_t floor_commitment_verify(size_t n, const floor_commitment *c) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    uint8_t delayed[34], hash[32];
    size_t checked = 0;
    delayed_program(c, delayed);
    sum += (uint64_t)secp256k1_ecdsa_verify(floor_context, &c->signatures[checked++], c->sighash,
                                            &c->points[FUNDING_COUNTERPARTY]);
    for (size_t j = 0; j < c->output_count; j++) {
      if (c->outputs[j].index < 0) continue;
      child_sighash(c, j, delayed, hash);
      MUST(secp256k1_ecdsa_verify(floor_context, &c->signatures[checked++], hash, &c->htlc_key));
    }
  }
  return sum;
}

uint64_t floor_walk(size_t n, const uint64_t *amounts, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < count; j++) sum += amounts[j];
    __asm__ volatile("" : "+r"(sum));
  }
  return sum;
}
