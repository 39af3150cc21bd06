// The C side of the comparison: a provider of version 2.1 whose engine does its work in the call, as a C programmer would write
// it who trusts descriptors no more than the library does: each field is read once and everything is checked before anything is done.
//
// Not checked is what the library does not check either.

#include "netdma.h"
#include "rundown.h"

#include <stddef.h>
#include <string.h>

#define INTERRUPT 0x1u
#define STATUS 0x8u
#define NULL_TRANSFER 0x20u
#define SOURCE_BREAK 0x40u
#define DESTINATION_BREAK 0x80u
#define KNOWN 0x2FFu
#define OPERATION 0xFF000000u
#define CONTEXT_CHANGE 0xFF000000u
#define PAGE 4096u

#define IDLE 1u
#define ACTIVE 0u

typedef struct {
    uint64_t source;
    uint64_t destination;
    uint32_t length;
} PIECE;

typedef struct {
    uint64_t descriptor;
    uint64_t next;
    uint32_t flags;
    uint32_t count;
    PIECE pieces[3];
} TRANSFER;

// One channel. Only one thread calls it at a time, as on the other side.
typedef struct {
    unsigned char *memory;
    uint64_t physical;
    uint64_t length;
    uint32_t maximum_transfer_size;
    uint64_t maximum_address;
    // The list.
    int started;
    int ready;
    TRANSFER first;
    uint64_t next;
    uint32_t remaining;
    // What NetDMA gave.
    EX_RUNDOWN_REF protection;
    _Atomic uint64_t *completion;
    // What the descriptors asked for, so that nothing is left out.
    uint64_t sum;
} CHANNEL;

static int within(const CHANNEL *channel, uint64_t address, uint32_t length)
{
    return length == 0
        || (address <= UINT64_MAX - (length - 1) && address + (length - 1) <= channel->maximum_address);
}

static uint64_t part(uint64_t address, uint32_t first, uint64_t next, uint32_t offset)
{
    return offset < first ? address + offset : next + (offset - first);
}

static int parse(const CHANNEL *channel, uint64_t physical, const uint64_t *words, TRANSFER *transfer)
{
    uint32_t length = (uint32_t)words[0];
    uint32_t control = (uint32_t)(words[0] >> 32);
    uint32_t flags = control & ~OPERATION;

    if (physical % 64 != 0 || (flags & ~KNOWN) != 0) {
        return 0;
    }
    transfer->descriptor = physical;
    transfer->next = words[3];
    transfer->count = 0;
    if ((control & OPERATION) == CONTEXT_CHANGE && (flags & INTERRUPT) != 0) {
        transfer->flags = flags & ~INTERRUPT;
        return 1;
    }
    if ((control & OPERATION) != 0) {
        return 0;
    }
    transfer->flags = flags;
    if (flags & NULL_TRANSFER) {
        return 1;
    }
    if (length > channel->maximum_transfer_size) {
        return 0;
    }

    uint32_t cut[2] = { length, length };
    for (int side = 0; side < 2; side++) {
        uint64_t address = words[1 + side];
        uint64_t next = words[4 + side];
        if (flags & (side == 0 ? SOURCE_BREAK : DESTINATION_BREAK)) {
            uint32_t to_page_end = PAGE - (uint32_t)(address % PAGE);
            cut[side] = length < to_page_end ? length : to_page_end;
        }
        uint32_t rest = length - cut[side];
        if (!within(channel, address, cut[side])) {
            return 0;
        }
        if (rest != 0 && (next == 0 || next % PAGE != 0 || rest > PAGE || !within(channel, next, rest))) {
            return 0;
        }
    }
    for (uint32_t offset = 0; offset < length;) {
        uint32_t end = length;
        if (cut[0] > offset && cut[0] < end) {
            end = cut[0];
        }
        if (cut[1] > offset && cut[1] < end) {
            end = cut[1];
        }
        PIECE *piece = &transfer->pieces[transfer->count++];
        piece->source = part(words[1], cut[0], words[4], offset);
        piece->destination = part(words[2], cut[1], words[5], offset);
        piece->length = end - offset;
        offset = end;
    }
    return 1;
}

static void read_words(const volatile uint64_t *from, uint64_t *words)
{
    for (int index = 0; index < 6; index++) {
        words[index] = from[index];
    }
}

// The next transfer of the list: 1, 0 at its end, -1 if it is bad.
static int take(CHANNEL *channel, TRANSFER *transfer)
{
    if (channel->remaining == 0) {
        return 0;
    }
    if (channel->ready) {
        *transfer = channel->first;
        channel->ready = 0;
    } else {
        uint64_t words[6];
        uint64_t physical = channel->next;
        uint64_t offset = physical - channel->physical;
        if (physical == 0 || physical % 64 != 0 || offset > channel->length
            || channel->length - offset < sizeof(words)) {
            return -1;
        }
        read_words((const volatile uint64_t *)(channel->memory + offset), words);
        if (!parse(channel, physical, words, transfer)) {
            return -1;
        }
    }
    channel->next = transfer->next;
    channel->remaining--;
    return 1;
}

// The bytes at a physical address, if all of them are there.
static inline unsigned char *at(const CHANNEL *channel, uint64_t physical, uint64_t length)
{
    uint64_t offset = physical - channel->physical;
    if (offset > channel->length || channel->length - offset < length) {
        return NULL;
    }
    return channel->memory + offset;
}

// What the engine does with a piece: counts it, or copies.
typedef void EXECUTE(CHANNEL *channel, const PIECE *piece);

static inline void count_piece(CHANNEL *channel, const PIECE *piece)
{
    channel->sum += (piece->source ^ piece->destination) + piece->length;
}

static inline void copy_piece(CHANNEL *channel, const PIECE *piece)
{
    const unsigned char *source = at(channel, piece->source, piece->length);
    unsigned char *destination = at(channel, piece->destination, piece->length);
    if (source != NULL && destination != NULL) {
        memcpy(destination, source, piece->length);
    }
}

static inline NTSTATUS run(CHANNEL *channel, EXECUTE *execute)
{
    for (;;) {
        TRANSFER transfer;
        int taken = take(channel, &transfer);
        if (taken <= 0) {
            return taken == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
        }
        for (uint32_t index = 0; index < transfer.count; index++) {
            execute(channel, &transfer.pieces[index]);
        }
        if (transfer.flags & STATUS) {
            uint64_t status = channel->remaining != 0 ? ACTIVE : IDLE;
            atomic_store_explicit(channel->completion, (transfer.descriptor & ~(uint64_t)63) | status,
                                  memory_order_release);
        }
    }
}

static inline NTSTATUS hand_over(CHANNEL *channel, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical,
                                 uint32_t count, int start)
{
    uint64_t words[6];
    TRANSFER first;
    if (descriptor == NULL || (uintptr_t)descriptor % 64 != 0) {
        return STATUS_UNSUCCESSFUL;
    }
    if (count == 0) {
        return start ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
    }
    if (!start && !channel->started) {
        return STATUS_UNSUCCESSFUL;
    }
    read_words((const volatile uint64_t *)descriptor, words);
    if (!parse(channel, physical, words, &first)) {
        return STATUS_UNSUCCESSFUL;
    }
    if (start) {
        channel->remaining = 0;
    } else if (channel->remaining == 0 && channel->next != physical) {
        return STATUS_UNSUCCESSFUL;
    } else if (count > UINT32_MAX - channel->remaining) {
        return STATUS_UNSUCCESSFUL;
    }
    if (channel->remaining == 0) {
        channel->first = first;
        channel->ready = 1;
    }
    channel->remaining += count;
    channel->started = 1;
    return STATUS_SUCCESS;
}

NTSTATUS bench_c_start(void *context, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical, uint32_t count)
{
    NTSTATUS status = hand_over(context, descriptor, physical, count, 1);
    return status == STATUS_SUCCESS ? run(context, count_piece) : status;
}

// The work under rundown protection, which keeps the channel from being freed meanwhile.
static inline NTSTATUS append_guarded(CHANNEL *channel, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical,
                                      uint32_t count, EXECUTE *execute)
{
    NTSTATUS status = hand_over(channel, descriptor, physical, count, 0);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    if (!ExAcquireRundownProtection(&channel->protection)) {
        return STATUS_UNSUCCESSFUL;
    }
    status = run(channel, execute);
    ExReleaseRundownProtection(&channel->protection);
    return status;
}

NTSTATUS bench_c_append_guarded(void *context, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical, uint32_t count)
{
    return append_guarded(context, descriptor, physical, count, count_piece);
}

// The same, with the copies.
NTSTATUS bench_c_append_copying(void *context, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical, uint32_t count)
{
    return append_guarded(context, descriptor, physical, count, copy_piece);
}

// The same as the first, without the protection.
NTSTATUS bench_c_append_bare(void *context, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical, uint32_t count)
{
    NTSTATUS status = hand_over(context, descriptor, physical, count, 0);
    return status == STATUS_SUCCESS ? run(context, count_piece) : status;
}

// Nothing but the answer, to know what the caller costs.
NTSTATUS bench_c_append_empty(void *context, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical, uint32_t count)
{
    CHANNEL *channel = context;
    (void)descriptor;
    atomic_store_explicit(channel->completion, physical + (uint64_t)(count - 1) * sizeof(*descriptor) + IDLE,
                          memory_order_release);
    return STATUS_SUCCESS;
}

static CHANNEL only;

void *bench_c_channel(unsigned char *memory, uint64_t physical, uint64_t length,
                      uint32_t maximum_transfer_size, uint64_t maximum_address, uint64_t *completion)
{
    only = (CHANNEL){ .memory = memory,
                      .physical = physical,
                      .length = length,
                      .maximum_transfer_size = maximum_transfer_size,
                      .maximum_address = maximum_address,
                      .completion = (_Atomic uint64_t *)completion };
    return &only;
}

uint64_t bench_c_sum(const void *context)
{
    return ((const CHANNEL *)context)->sum;
}
