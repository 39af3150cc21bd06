// The executive's rundown protection: a count in steps of two, whose lowest bit says that it has run down.
//
// Acquiring is a compare-and-exchange that is tried again when somebody else was faster, releasing a subtraction. The slow
// path of a release, which wakes the one who waits, is not taken in these benchmarks.

#ifndef RUNDOWN_H
#define RUNDOWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    _Atomic uintptr_t count;
} EX_RUNDOWN_REF;

static inline bool acquire_inline(EX_RUNDOWN_REF *reference)
{
    uintptr_t count = atomic_load_explicit(&reference->count, memory_order_relaxed);
    while ((count & 1) == 0) {
        if (atomic_compare_exchange_weak_explicit(&reference->count, &count, count + 2,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void release_last(EX_RUNDOWN_REF *reference);

static inline void release_inline(EX_RUNDOWN_REF *reference)
{
    uintptr_t before = atomic_fetch_sub_explicit(&reference->count, 2, memory_order_release);
    if (before & 1) {
        release_last(reference);
    }
}

// As a driver calls them: functions of another image.
bool ExAcquireRundownProtection(EX_RUNDOWN_REF *reference);
void ExReleaseRundownProtection(EX_RUNDOWN_REF *reference);

#endif
