// The floor of Lightning's transport, onions and gossip. As in floor.h: `n` turns, the sum over the results.
#ifndef FLOOR_LIGHTNING_H
#define FLOOR_LIGHTNING_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// A route of nodes, all of which get the same payload; and the failure's secrets. Kept for the life of the process.
typedef struct floor_route floor_route;
const floor_route *floor_route_new(const uint8_t *keys33, size_t hops, const uint8_t *payload, size_t payload_count);

// 1,300 bytes of payloads; the sum is over the HMACs. The session key's first bytes are the turn.
uint64_t floor_onion_create(size_t n, const floor_route *route, const uint8_t *session32, const uint8_t *data32);
// The sum is over the HMACs of the next packet.
uint64_t floor_onion_peel(size_t n, const uint8_t *packet1366, const uint8_t *key32, const uint8_t *data32);

// A failure of 292 bytes: what each of `hops` nodes puts around it, and what the sender does in 27 rounds. The secrets are 32 bytes
// each. With attribution data, 920 bytes more.
uint64_t floor_failure_wrap(size_t n, const uint8_t *secrets, size_t hops, const uint8_t *reason, size_t count, int attribution);
uint64_t floor_failure_unwrap(size_t n, const uint8_t *secrets, size_t hops, const uint8_t *reason, size_t count,
                              int attribution);

// The length and the message, each with its tag, the nonces counted up.
uint64_t floor_noise_encrypt(size_t n, const uint8_t *key32, const uint8_t *message, size_t count);
uint64_t floor_noise_decrypt(size_t n, const uint8_t *key32, const uint8_t *sealed, size_t count);

// The keys, the signatures and the hash of an announcement of a channel.
uint64_t floor_verify_announcement(size_t n, const uint8_t *message, size_t count, const uint8_t *keys132);
// One signature over what follows it, by a key that is known.
uint64_t floor_verify_gossip(size_t n, const uint8_t *message, size_t count, const uint8_t *key33);

// Copies the bytes to memory that is taken and given back in each turn.
uint64_t floor_copy_out(size_t n, const uint8_t *data, size_t count);

#pragma clang assume_nonnull end
#endif
