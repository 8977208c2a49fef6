// Counts what this thread takes from the heap: the executable's own malloc, calloc, realloc, posix_memalign, aligned_alloc and
// memalign stand before the C library's, for every library in the process.
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stdint.h>

// Allocations of all threads so far; a realloc counts as one.
uint64_t allocations_count(void);
// Nanoseconds of processor time that the calling thread has used.
uint64_t thread_nanoseconds(void);
// Nanoseconds of a clock that only goes forward.
uint64_t wall_nanoseconds(void);

#endif
