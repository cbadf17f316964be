/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Strings of a record: each is appended behind the last one, and a span in the fixed part points at it. What copies is
 * a global function, which the verifier looks at once, and not at every call.
 */
#ifndef WEIR_TEXT_H
#define WEIR_TEXT_H

/* Tells the verifier again what is known, in a form that the compiler leaves alone; `mask` is one less than 2^n. */
#define BOUND(value, mask) asm volatile("%0 &= %1" : "+r"(value) : "i"(mask))

/* Where the next string goes. */
struct writer {
	struct slot *slot;
	u32 at;
};

#define HEADER_OF(slot) ((struct weir_header *)(slot)->record)
#define HEADER(w) HEADER_OF((w)->slot)

/* Each copies to `at` and returns how many bytes count, at most TEXT_MAX; 0 when there is nothing or no room. */
__noinline u32 copy_kernel_text(struct slot *slot, u32 at, u64 from, u32 most)
{
	if (!slot || !from || at > RECORD_TEXT)
		return 0;
	if (most > TEXT_MAX)
		most = TEXT_MAX;
	long len = bpf_probe_read_kernel_str(slot->record + at, most, (void *)from);
	if (len < 0)
		HEADER_OF(slot)->flags |= WEIR_F_READ_FAULT;
	if (len <= 1 || len > TEXT_MAX)
		return 0;
	if (len == most)
		HEADER_OF(slot)->flags |= WEIR_F_TRUNC;
	return len - 1;
}

__noinline u32 copy_user_text(struct slot *slot, u32 at, u64 from, u32 most)
{
	if (!slot || !from || at > RECORD_TEXT)
		return 0;
	if (most > TEXT_MAX)
		most = TEXT_MAX;
	long len = bpf_probe_read_user_str(slot->record + at, most, (void *)from);
	if (len < 0)
		HEADER_OF(slot)->flags |= WEIR_F_READ_FAULT;
	if (len <= 1 || len > TEXT_MAX)
		return 0;
	if (len == most)
		HEADER_OF(slot)->flags |= WEIR_F_TRUNC;
	return len - 1;
}

__noinline u32 copy_user_bytes(struct slot *slot, u32 at, u64 from, u64 len)
{
	if (!slot || !len || at > RECORD_TEXT)
		return 0;
	if (len > TEXT_MAX) {
		len = TEXT_MAX;
		HEADER_OF(slot)->flags |= WEIR_F_TRUNC;
	}
	if (bpf_probe_read_user(slot->record + at, len, (void *)from)) {
		HEADER_OF(slot)->flags |= WEIR_F_READ_FAULT;
		return 0;
	}
	return len;
}

__noinline u32 copy_kernel_bytes(struct slot *slot, u32 at, u64 from, u64 len)
{
	if (!slot || !len || at > RECORD_TEXT)
		return 0;
	if (len > TEXT_MAX) {
		len = TEXT_MAX;
		HEADER_OF(slot)->flags |= WEIR_F_TRUNC;
	}
	if (bpf_probe_read_kernel(slot->record + at, len, (void *)from)) {
		HEADER_OF(slot)->flags |= WEIR_F_READ_FAULT;
		return 0;
	}
	return len;
}

static __always_inline void wrote(struct writer *w, struct span *span, u32 len)
{
	len &= 2 * TEXT_MAX - 1;
	span->off = w->at;
	span->len = len;
	w->at += len;
}

/* Appends a string that ends with NUL; without the NUL. */
#define put_kernel_text(w, span, from, most) wrote(w, span, copy_kernel_text((w)->slot, (w)->at, (u64)(from), most))
#define put_user_text(w, span, from, most) wrote(w, span, copy_user_text((w)->slot, (w)->at, (u64)(from), most))
/* Appends bytes as they are. */
#define put_user_bytes(w, span, from, len) wrote(w, span, copy_user_bytes((w)->slot, (w)->at, (u64)(from), len))
#define put_kernel_bytes(w, span, from, len) wrote(w, span, copy_kernel_bytes((w)->slot, (w)->at, (u64)(from), len))

#endif
