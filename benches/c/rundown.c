// What a C driver calls in other images: the executive's rundown protection, and a function of its provider.
//
// A file of its own, so that the compiler knows nothing of it where it is called.

#include "rundown.h"

#include <stdlib.h>

bool ExAcquireRundownProtection(EX_RUNDOWN_REF *reference)
{
    return acquire_inline(reference);
}

void ExReleaseRundownProtection(EX_RUNDOWN_REF *reference)
{
    release_inline(reference);
}

// Nobody runs down here.
void release_last(EX_RUNDOWN_REF *reference)
{
    (void)reference;
    abort();
}

uint32_t provider_step(void *context, uint32_t value)
{
    (void)context;
    return value + 1;
}
