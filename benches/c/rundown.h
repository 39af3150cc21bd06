// The executive's rundown protection: a count in steps of two, whose lowest bit says that it has run down.
//
// Acquiring is an addition and releasing a subtraction, the same atomics as on the other side. The executive itself acquires by
// compare-and-exchange, which costs more. The slow paths, which wake the one who waits, are not taken in these benchmarks.

#ifndef RUNDOWN_H
#define RUNDOWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    _Atomic uintptr_t count;
} EX_RUNDOWN_REF;

void release_last(EX_RUNDOWN_REF *reference);

static inline void release_inline(EX_RUNDOWN_REF *reference)
{
    uintptr_t before = atomic_fetch_sub_explicit(&reference->count, 2, memory_order_release);
    if (before & 1) {
        release_last(reference);
    }
}

static inline bool acquire_inline(EX_RUNDOWN_REF *reference)
{
    uintptr_t before = atomic_fetch_add_explicit(&reference->count, 2, memory_order_acquire);
    if (before & 1) {
        release_inline(reference);
        return false;
    }
    return true;
}

// As a driver calls them: functions of another image.
bool ExAcquireRundownProtection(EX_RUNDOWN_REF *reference);
void ExReleaseRundownProtection(EX_RUNDOWN_REF *reference);

#endif
