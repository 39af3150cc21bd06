// The C side of the comparison: a client that guards its calls with rundown protection, in loops of `count` rounds.

#include "rundown.h"

typedef struct {
    uint32_t (*step)(void *context, uint32_t value);
} PROVIDER_DISPATCH;

// What a client keeps of one binding.
typedef struct {
    EX_RUNDOWN_REF protection;
    const PROVIDER_DISPATCH *dispatch;
    void *provider_context;
} BINDING;

uint32_t provider_step(void *context, uint32_t value);

static const PROVIDER_DISPATCH table = { provider_step };

// The binding is reached through a pointer that the compiler cannot follow, as in a driver.
static BINDING only = { { 0 }, &table, &only };
BINDING *volatile binding = &only;

// Rounds done, so that no loop is left out. The barrier costs no instruction.
#if defined(_MSC_VER) && !defined(__clang__)
void _ReadWriteBarrier(void);
#define BARRIER() _ReadWriteBarrier()
#else
#define BARRIER() __asm__ volatile("" ::: "memory")
#endif

uint64_t bench_c_empty(uint64_t count)
{
    uint64_t done = 0;
    for (; done < count; done++) {
        BARRIER();
    }
    return done;
}

uint64_t bench_c_guard_called(uint64_t count)
{
    BINDING *way = binding;
    uint64_t done = 0;
    for (; done < count; done++) {
        if (!ExAcquireRundownProtection(&way->protection)) {
            break;
        }
        ExReleaseRundownProtection(&way->protection);
    }
    return done;
}

uint64_t bench_c_guard_inline(uint64_t count)
{
    BINDING *way = binding;
    uint64_t done = 0;
    for (; done < count; done++) {
        if (!acquire_inline(&way->protection)) {
            break;
        }
        release_inline(&way->protection);
    }
    return done;
}

uint64_t bench_c_call_bare(uint64_t count)
{
    BINDING *way = binding;
    uint64_t done = 0;
    for (; done < count; done++) {
        if (way->dispatch->step(way->provider_context, (uint32_t)done) != (uint32_t)done + 1) {
            break;
        }
    }
    return done;
}

uint64_t bench_c_call_guarded(uint64_t count)
{
    BINDING *way = binding;
    uint64_t done = 0;
    for (; done < count; done++) {
        if (!ExAcquireRundownProtection(&way->protection)) {
            break;
        }
        uint32_t answer = way->dispatch->step(way->provider_context, (uint32_t)done);
        ExReleaseRundownProtection(&way->protection);
        if (answer != (uint32_t)done + 1) {
            break;
        }
    }
    return done;
}
