// What each operation costs at least: the calls of libsecp256k1, libcrypto and libsodium that it cannot avoid, in a tight loop
// over memory that is there already. Each function repeats its operation `n` times on inputs that change with the turn, and
// returns the sum of the first eight bytes of every result, so that both sides can be compared before they are timed.
#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// What is made once and used in each turn: kept for the life of the process.
typedef struct floor_pair floor_pair;            // a key pair
typedef struct floor_point floor_point;          // a public key, in both forms
typedef struct floor_signature floor_signature;  // an ECDSA signature
typedef struct floor_musig floor_musig;          // two signers of which the first one signs, and their session
const floor_pair *floor_pair_new(const uint8_t *key32);
const floor_point *floor_point_new(const uint8_t *key33);
const floor_signature *floor_signature_new(const uint8_t *compact64);
const floor_musig *floor_musig_new(const uint8_t *keys64, const uint8_t *hash32);

uint64_t floor_ecdsa_sign(size_t n, const uint8_t *key32, const uint8_t *hash32, int grind_low_r);
uint64_t floor_ecdsa_verify(size_t n, const floor_point *key, const floor_signature *signature, const uint8_t *hash32);
uint64_t floor_ecdsa_parse_der(size_t n, const uint8_t *der, size_t count);
uint64_t floor_schnorr_sign(size_t n, const floor_pair *pair, const uint8_t *hash32, const uint8_t *aux32);
uint64_t floor_schnorr_verify(size_t n, const floor_point *key, const uint8_t *signature64, const uint8_t *hash32);
uint64_t floor_ecdh(size_t n, const uint8_t *key32, const floor_point *point);
uint64_t floor_public_key_create(size_t n, const uint8_t *key32);
uint64_t floor_public_key_parse(size_t n, const uint8_t *key33);
uint64_t floor_public_key_tweak_add(size_t n, const floor_point *key, const uint8_t *tweak32);
uint64_t floor_secret_key_tweak_add(size_t n, const uint8_t *key32, const uint8_t *tweak32);
uint64_t floor_musig_nonce(size_t n, const floor_musig *musig);
uint64_t floor_musig_sign(size_t n, const floor_musig *musig);
uint64_t floor_musig_nonce_and_sign(size_t n, const floor_musig *musig);
uint64_t floor_musig_verify(size_t n, const floor_musig *musig);

uint64_t floor_sha256(size_t n, uint8_t *data, size_t count);
uint64_t floor_sha256d(size_t n, uint8_t *data, size_t count);
uint64_t floor_hash160(size_t n, uint8_t *data, size_t count);
// The key's two blocks hashed beforehand.
uint64_t floor_hmac_sha256(size_t n, const uint8_t *key32, uint8_t *data, size_t count);
uint64_t floor_hmac_sha256_fresh_key(size_t n, uint8_t *key32, const uint8_t *data, size_t count);
// SHA-256 from the midstate behind one block.
uint64_t floor_tagged_hash(size_t n, const uint8_t *tag_hash32, uint8_t *data, size_t count);
uint64_t floor_chacha20(size_t n, uint8_t *data, size_t count, const uint8_t *key32, uint8_t *nonce12);
uint64_t floor_chachapoly_seal(size_t n, uint8_t *data, size_t count, const uint8_t *key32, uint8_t *nonce12);
uint64_t floor_chachapoly_open(size_t n, const uint8_t *sealed, size_t count, const uint8_t *key32, const uint8_t *nonce12);

// A preimage as it stands: double SHA-256, or SHA-256 from a midstate.
// The parts that a preimage is put together of are copied in each turn.
uint64_t floor_sighash_v0(size_t n, const uint8_t *preimage, size_t count);
uint64_t floor_sighash_v1(size_t n, const uint8_t *tag_hash32, const uint8_t *preimage, size_t count);
// One walk over the bytes of a transaction with every length checked; the sum is over the amounts.
uint64_t floor_transaction_walk(size_t n, const uint8_t *transaction, size_t count);
uint64_t floor_copy(size_t n, const uint8_t *data, size_t count);

// What a script spends its time on: the hash of a script or key, the sighash's double hash, and the signatures.
uint64_t floor_verify_p2wpkh(size_t n, const uint8_t *preimage, size_t count, const uint8_t *key33, const uint8_t *der,
                             size_t der_count);
uint64_t floor_verify_p2wsh_2of2(size_t n, const uint8_t *preimage, size_t count, const uint8_t *script, size_t script_count,
                                 const uint8_t *keys66, const uint8_t *first, size_t first_count, const uint8_t *second,
                                 size_t second_count);
uint64_t floor_verify_taproot_key(size_t n, const uint8_t *tag_hash32, const uint8_t *preimage, size_t count,
                                  const uint8_t *key32, const uint8_t *signature64);
uint64_t floor_verify_tapscript(size_t n, const uint8_t *tag_hash32, const uint8_t *preimage, size_t count,
                                const uint8_t *leaf_tag_hash32, const uint8_t *script, size_t script_count,
                                const uint8_t *tweak_tag_hash32, const uint8_t *internal32, const uint8_t *output32,
                                int parity, const uint8_t *key32, const uint8_t *signature64);

// A commitment transaction with HTLCs: keyset, scripts, order, txid and the signature hash, all of it from memory that is there.
enum floor_format { FLOOR_LEGACY = 0, FLOOR_ANCHORS = 1, FLOOR_ZERO_FEE = 2 };
typedef struct {
  enum floor_format format;
  uint8_t outpoint36[36];
  uint64_t capacity, to_holder, to_counterparty, anchor;  // satoshi
  uint64_t obscuring_factor;
  uint64_t timeout_fee, success_fee;
  uint16_t delay;
} floor_channel;
typedef struct floor_commitment floor_commitment;
// Basepoints, 33 bytes each: the counterparty's for revocation; the holder's for delayed payments; both for HTLCs, the holder's first;
// the counterparty's for payments; both for funding.
floor_commitment *floor_commitment_new(const floor_channel *channel, const uint8_t *keys231, const uint8_t *point33);
// The payment hash comes hashed with RIPEMD-160: that is done once, not for every commitment.
void floor_commitment_add(floor_commitment *commitment, int offered, uint64_t value, uint32_t expiry, const uint8_t *hash20);
// Commitments 0, 1, 2 …
uint64_t floor_commitment_build(size_t n, floor_commitment *commitment);
// Signs what was built last, with its second stage, the signature hashes of which are made anew. The keys: for funding, for HTLCs.
uint64_t floor_commitment_sign(size_t n, floor_commitment *commitment, const uint8_t *keys64, int low_r);
// Verifies what was signed last.
uint64_t floor_commitment_verify(size_t n, const floor_commitment *commitment);
// One walk over the amounts of pending updates.
uint64_t floor_walk(size_t n, const uint64_t *amounts, size_t count);
// Taproot outputs of one internal key: leaves of 80 bytes (one or two), their branch, the tweak, and the key that comes of it.
uint64_t floor_taproot_outputs(size_t n, size_t outputs, size_t leaves, int bound, const uint8_t *key33);

// Dijkstra's algorithm over arrays. A row for each edge: from, to, base fee, proportional fee, minimum, maximum, delta.
typedef struct floor_graph floor_graph;
floor_graph *floor_graph_new(size_t nodes, size_t edges, const uint64_t *rows);
// From the first to the second node of a pair, one pair after the other.
uint64_t floor_paths(size_t n, floor_graph *graph, const uint32_t *pairs, size_t count, uint64_t amount);

// Writes so many pages of a write-ahead log, and flushes them to the disk.
uint64_t floor_write(size_t n, const char *path, size_t pages);

#pragma clang assume_nonnull end
#endif
