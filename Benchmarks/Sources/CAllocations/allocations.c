#define _GNU_SOURCE
#include "allocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

// glibc's own names for what is replaced here.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

// Each thread counts in a place of its own, so that counting costs next to nothing. Threads beyond the last place share it.
enum { PLACES = 64 };
static struct {
  _Alignas(64) _Atomic uint64_t count;
} counts[PLACES];
static _Atomic int threads;
static _Thread_local int place = -1;

static inline void count_one(void) {
  if (place < 0) {
    int taken = atomic_fetch_add(&threads, 1);
    place = taken < PLACES ? taken : PLACES - 1;
  }
  _Atomic uint64_t *own = &counts[place].count;
  atomic_store_explicit(own, atomic_load_explicit(own, memory_order_relaxed) + 1, memory_order_relaxed);
}

uint64_t allocations_count(void) {
  uint64_t sum = 0;
  for (int i = 0; i < PLACES; i++) sum += atomic_load_explicit(&counts[i].count, memory_order_relaxed);
  return sum;
}

uint64_t wall_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t thread_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void *malloc(size_t size) {
  count_one();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count_one();
  return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
  count_one();
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
  if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment % sizeof(void *) != 0) return EINVAL;
  count_one();
  void *made = __libc_memalign(alignment, size);
  if (!made) return ENOMEM;
  *out = made;
  return 0;
}
