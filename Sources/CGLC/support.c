#define _GNU_SOURCE
#include "glc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void glc_wipe(void *bytes, size_t count) { explicit_bzero(bytes, count); }

void glc_random(void *bytes, size_t count) {
  uint8_t *next = bytes;
  while (count > 0) {
    ssize_t got = getrandom(next, count, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      fputs("glc: the operating system gives no randomness\n", stderr);
      abort();
    }
    next += got;
    count -= (size_t)got;
  }
}

static _Thread_local uint64_t illegal_arguments;

void glc_secp256k1_illegal_argument(const char *message, void *data) {
  (void)message;
  (void)data;
  illegal_arguments++;
}

void glc_secp256k1_internal_error(const char *message, void *data) {
  (void)data;
  fprintf(stderr, "glc: libsecp256k1 found its own state corrupted: %s\n", message ? message : "");
  abort();
}

uint64_t glc_secp256k1_illegal_argument_count(void) { return illegal_arguments; }
