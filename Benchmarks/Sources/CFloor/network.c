// What finding a path and storing a batch cost at least: a search over arrays, and a write with a flush.
#define _GNU_SOURCE
#include <fcntl.h>
#include <openssl/sha.h>
#include <secp256k1_extrakeys.h>
#include <unistd.h>
#include "floor.h"
#include "internal.h"

// MARK: Paths

typedef struct {
  uint32_t from;
  uint32_t delta;
  uint64_t base, proportional, minimum, maximum;
} edge;

struct floor_graph {
  size_t nodes, edges;
  // The edges into each node, one after the other.
  uint32_t *first;
  edge *into;
  uint64_t *cost, *amount;
  struct entry {
    uint64_t cost;
    uint32_t node;
  } *heap;
};

floor_graph *floor_graph_new(size_t nodes, size_t edges, const uint64_t *rows) {
  // A row: from, to, base, proportional, minimum, maximum, delta.
  floor_graph *g = calloc(1, sizeof *g);
  MUST(g);
  g->nodes = nodes;
  g->edges = edges;
  g->first = calloc(nodes + 2, sizeof *g->first);
  g->into = calloc(edges + 1, sizeof *g->into);
  g->cost = calloc(nodes + 1, sizeof *g->cost);
  g->amount = calloc(nodes + 1, sizeof *g->amount);
  g->heap = calloc(edges + 2, sizeof *g->heap);
  MUST(g->first && g->into && g->cost && g->amount && g->heap);
  for (size_t i = 0; i < edges; i++) g->first[rows[7 * i + 1] + 2]++;
  for (size_t i = 2; i <= nodes + 1; i++) g->first[i] += g->first[i - 1];
  for (size_t i = 0; i < edges; i++) {
    const uint64_t *row = rows + 7 * i;
    g->into[g->first[row[1] + 1]++] =
        (edge){.from = (uint32_t)row[0], .delta = (uint32_t)row[6], .base = row[2], .proportional = row[3],
               .minimum = row[4], .maximum = row[5]};
  }
  return g;
}

// Dijkstra's algorithm from the destination backwards, with a binary heap; what counts are fees and time locked up.
static uint64_t search(floor_graph *g, uint32_t source, uint32_t destination, uint64_t amount) {
  size_t count = 0;
  memset(g->cost, 0xff, g->nodes * sizeof *g->cost);
  g->cost[destination] = 0;
  g->amount[destination] = amount;
  g->heap[count++] = (struct entry){0, destination};
  while (count) {
    struct entry best = g->heap[0], last = g->heap[--count];
    size_t hole = 0;
    for (;;) {
      size_t child = 2 * hole + 1;
      if (child >= count) break;
      if (child + 1 < count && g->heap[child + 1].cost < g->heap[child].cost) child++;
      if (g->heap[child].cost >= last.cost) break;
      g->heap[hole] = g->heap[child];
      hole = child;
    }
    g->heap[hole] = last;
    if (best.cost > g->cost[best.node]) continue;
    if (best.node == source) return best.cost;
    uint64_t carried = g->amount[best.node];
    for (uint32_t i = g->first[best.node]; i < g->first[best.node + 1]; i++) {
      const edge *e = &g->into[i];
      if (carried < e->minimum || carried > e->maximum) continue;
      uint64_t fee = e->from == source ? 0 : e->base + carried * e->proportional / 1000000;
      uint64_t cost = best.cost + fee + carried * e->delta * 15 / 1000000000 + 1;
      if (cost >= g->cost[e->from]) continue;
      g->cost[e->from] = cost;
      g->amount[e->from] = carried + fee;
      size_t at = count++;
      while (at) {
        size_t parent = (at - 1) / 2;
        if (g->heap[parent].cost <= cost) break;
        g->heap[at] = g->heap[parent];
        at = parent;
      }
      g->heap[at] = (struct entry){cost, e->from};
      if (count > g->edges) return 0;
    }
  }
  return 0;
}

uint64_t floor_paths(size_t n, floor_graph *g, const uint32_t *pairs, size_t count, uint64_t amount) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += search(g, pairs[2 * (i % count)], pairs[2 * (i % count) + 1], amount);
  return sum;
}

// MARK: Storage

uint64_t floor_write(size_t n, const char *path, size_t pages) {
  static uint8_t page[4120];
  int file = open(path, O_RDWR | O_CREAT, 0600);
  MUST(file >= 0);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < pages; j++) MUST(pwrite(file, page, sizeof page, (off_t)((i * pages + j) % 4000 * sizeof page)) == sizeof page);
    MUST(fdatasync(file) == 0);
  }
  close(file);
  return n;
}

// MARK: Taproot outputs

// `bound`: a key in the first leaf is made for this output alone.
uint64_t floor_taproot_outputs(size_t n, size_t outputs, size_t leaves, int bound, const uint8_t *key33) {
  SHA256_CTX start, state;
  uint8_t hash[32], both[64], script[80], tweak[32], serialized[32];
  secp256k1_xonly_pubkey key, made;
  secp256k1_pubkey point, output;
  uint64_t sum = 0;
  MUST(secp256k1_ec_pubkey_parse(floor_context, &point, key33, 33));
  MUST(secp256k1_xonly_pubkey_from_pubkey(floor_context, &key, NULL, &point));
  SHA256_Init(&start);
  SHA256_Update(&start, key33, 32);
  SHA256_Update(&start, key33, 32);
  memset(script, 7, sizeof script);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < outputs; j++) {
      memcpy(script, &j, 8);
      memcpy(script + 8, &i, 8);
      if (bound) {
        state = start;
        SHA256_Update(&state, script, 33);
        SHA256_Final(tweak, &state);
        output = point;
        MUST(secp256k1_ec_pubkey_tweak_add(floor_context, &output, tweak));
        MUST(secp256k1_xonly_pubkey_from_pubkey(floor_context, &made, NULL, &output));
        MUST(secp256k1_xonly_pubkey_serialize(floor_context, script + 40, &made));
      }
      for (size_t leaf = 0; leaf < leaves; leaf++) {
        state = start;
        SHA256_Update(&state, script, sizeof script);
        SHA256_Final(both + 32 * (leaf & 1), &state);
      }
      // The branch, if there are two leaves, and the tweak.
      state = start;
      SHA256_Update(&state, both, leaves > 1 ? 64 : 32);
      SHA256_Final(hash, &state);
      state = start;
      SHA256_Update(&state, key33 + 1, 32);
      SHA256_Update(&state, hash, 32);
      SHA256_Final(tweak, &state);
      MUST(secp256k1_xonly_pubkey_tweak_add(floor_context, &output, &key, tweak));
      MUST(secp256k1_xonly_pubkey_from_pubkey(floor_context, &made, NULL, &output));
      MUST(secp256k1_xonly_pubkey_serialize(floor_context, serialized, &made));
      sum += word(serialized);
    }
  }
  return sum;
}
