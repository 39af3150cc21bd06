// What both sides of the comparison share: netdma.h's layouts, as far as they are used.

#ifndef BENCH_NETDMA_H
#define BENCH_NETDMA_H

#include <stdint.h>

typedef struct {
    uint32_t transfer_size;
    uint32_t control;
    uint64_t source;
    uint64_t destination;
    uint64_t next;
    uint64_t next_source;
    uint64_t next_destination;
    uint64_t user_context[2];
} NET_DMA_DESCRIPTOR;

typedef int32_t NTSTATUS;
#define STATUS_SUCCESS ((NTSTATUS)0)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)

typedef NTSTATUS RUN(void *channel, NET_DMA_DESCRIPTOR *descriptor, uint64_t physical, uint32_t count);

#endif
