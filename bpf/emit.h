/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Building and sending a record: take a buffer, fill it in, send as much as was filled. Every record that was tried is
 * counted, and every one that was not sent is counted with the reason.
 */
#ifndef WEIR_EMIT_H
#define WEIR_EMIT_H

/* Global functions take numbers, and a pointer that the verifier follows is none to it: this one is. */
static __always_inline u64 as_number(const void *pointer)
{
	u64 number = 0;
	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

enum ring { CRITICAL = 0, BULK = 1 };

static __always_inline struct weir_counters *counters_of(u32 type)
{
	return bpf_map_lookup_elem(&counters, &type);
}

#define COUNT(type, what)                                          \
	do {                                                       \
		struct weir_counters *counted = counters_of(type); \
		if (counted)                                       \
			counted->what++;                           \
	} while (0)

/* A buffer of this CPU that nobody uses, or NULL. */
static __always_inline struct slot *take_slot(void)
{
#pragma unroll
	for (u32 i = 0; i < SLOTS; i++) {
		u32 key = i;
		struct slot *slot = bpf_map_lookup_elem(&slots, &key);
		if (slot && __sync_val_compare_and_swap(&slot->busy, 0, 1) == 0)
			return slot;
	}
	return NULL;
}

static __always_inline void give_slot(struct slot *slot)
{
	__sync_lock_test_and_set(&slot->busy, 0);
}

static __always_inline u64 next_sequence(u32 ring)
{
	u64 *next = bpf_map_lookup_elem(&sequences, &ring);
	return next ? ++*next : 0;
}

/* Counts an attempt and gives the record its place in the stream, whatever becomes of it. */
static __always_inline void number_record(struct weir_header *h, u32 ring)
{
	h->cpu = bpf_get_smp_processor_id();
	h->seq = next_sequence(ring);
}

static __always_inline bool is_to_be_lost(void)
{
	return config.simulate_drop && bpf_get_prandom_u32() % 100 < config.simulate_drop;
}

/*
 * Bulk records wait for the reader's timer, and wake it once whenever another `wake_bytes` wait: a wake-up interrupts
 * the processor, which costs more than the record.
 */
static __always_inline u64 bulk_flags(u32 size)
{
	u64 waiting = bpf_ringbuf_query(&bulk, BPF_RB_AVAIL_DATA);
	u64 step = config.wake_bytes;

	return step && waiting / step != (waiting + size) / step ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Sends the first `size` bytes of the slot's record, and gives the slot back. */
__noinline int send(struct slot *slot, u32 type, u32 ring, u32 size)
{
	struct weir_counters *count = counters_of(type);

	if (!slot)
		return 0;
	struct weir_header *h = (struct weir_header *)slot->record;
	if (!count) {
		give_slot(slot);
		return 0;
	}
	count->attempted++;
	size = (size + 7) & ~7u;
	h->type = type;
	h->size = size;
	number_record(h, ring);
	if (h->flags & WEIR_F_TRUNC)
		count->truncated++;
	if (h->flags & WEIR_F_READ_FAULT)
		count->read_fault++;
	if (is_to_be_lost()) {
		count->drop_simulated++;
	} else if (size > RECORD_MAX) {
		count->drop_toobig++;
	} else {
		long failed;
		if (ring == CRITICAL) {
			/* Wakes a reader that has caught up; one that is behind comes by itself. */
			failed = bpf_ringbuf_output(&critical, slot->record, size, 0);
		} else {
			failed = bpf_ringbuf_output(&bulk, slot->record, size, bulk_flags(size));
		}
		if (failed)
			count->drop_ring++;
		else
			count->emitted++;
	}
	give_slot(slot);
	return 0;
}

/* What cannot be told, since what it is about cannot be read; it has its number all the same. */
static __noinline int send_unread(u32 type, u32 ring)
{
	struct weir_counters *count = counters_of(type);
	if (!count)
		return 0;
	count->attempted++;
	count->drop_unread++;
	next_sequence(ring);
	return 0;
}

/* An attempt that found no buffer: it still has its number. */
static __noinline int send_nothing(u32 type, u32 ring)
{
	struct weir_counters *count = counters_of(type);
	if (!count)
		return 0;
	count->attempted++;
	count->drop_scratch++;
	next_sequence(ring);
	return 0;
}

/*
 * What is let go while the bulk ring fills, from the least important to the most. In percent of the ring; exec, exit
 * and whatever else is critical have a ring of their own.
 */
enum pressure { KEEP_ABOVE_PAYLOAD = 50, KEEP_ABOVE_READS = 65, KEEP_ABOVE_CLOSES = 80, KEEP_ABOVE_CONNECTS = 95 };

__noinline int is_under_pressure(u32 type, u32 percent)
{
	u64 waiting = bpf_ringbuf_query(&bulk, BPF_RB_AVAIL_DATA);
	u64 size = bpf_ringbuf_query(&bulk, BPF_RB_RING_SIZE);

	if (waiting * 100 <= size * percent)
		return false;
	struct weir_counters *count = counters_of(type);
	if (count) {
		count->attempted++;
		count->drop_pressure++;
	}
	next_sequence(BULK);
	return true;
}

#endif
