// What the files of the floor share.
#ifndef FLOOR_INTERNAL_H
#define FLOOR_INTERNAL_H

#include <secp256k1.h>
#include <stdint.h>
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

extern secp256k1_context *floor_context;

static inline uint64_t word(const void *bytes) {
  uint64_t value;
  memcpy(&value, bytes, 8);
  return value;
}

#endif
