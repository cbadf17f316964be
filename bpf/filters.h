/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What is not reported, from the cheapest question to the dearest: Weir's own doing, signals that are off for this
 * cgroup, binaries that are excluded, repeats, and what exceeds the budget of a cgroup. Each is counted.
 */
#ifndef WEIR_FILTERS_H
#define WEIR_FILTERS_H

static __always_inline bool is_self(u32 tgid)
{
	return bpf_map_lookup_elem(&self, &tgid) != NULL;
}

static __always_inline u32 scope_of(u64 cgroup)
{
	if (!config.has_scopes)
		return config.scope_default & config.signals;
	u32 *mask = bpf_map_lookup_elem(&scopes, &cgroup);
	return (mask ? *mask : config.scope_default) & config.signals;
}

/* Whether `signal` is wanted of what the task does. */
static __always_inline bool is_wanted(u32 process_flags, u64 cgroup, u32 type, u32 signal)
{
	if ((process_flags & (WEIR_P_SELF | WEIR_P_EXCLUDED)) || !(scope_of(cgroup) & signal)) {
		COUNT(type, filtered);
		return false;
	}
	return true;
}

static __noinline u32 path_rule(void *rules, const struct span *span, const struct writer *w)
{
	/* The key is built in the part of the slot that paths are walked in, which is free by now. */
	struct weir_path_key *key = (struct weir_path_key *)w->slot->path;
	u32 len = span->len, at = span->off;

	if (len > WEIR_RULE_TEXT)
		len = WEIR_RULE_TEXT;
	if (!len || at > RECORD_TEXT)
		return 0;
	key->prefix_len = len * 8;
	if (bpf_probe_read_kernel(key->text, len, w->slot->record + at))
		return 0;
	u32 *rule = bpf_map_lookup_elem(rules, key);
	return rule ? *rule : 0;
}

#define BILLION 1000000000ULL

static __noinline void send_throttle(u64 cgroup, u32 class, bool ended, u64 suppressed)
{
	struct slot *slot = begin_current(NULL, cgroup, WEIR_THROTTLE, CRITICAL);
	if (!slot)
		return;
	BODY(weir_throttle, throttle, slot);
	throttle->h.cgroup_id = cgroup;
	throttle->class = class;
	throttle->ended = ended;
	throttle->suppressed = suppressed;
	SEND(slot, WEIR_THROTTLE, CRITICAL);
}

/* A token bucket per cgroup and class, for the whole machine. Races may let a few more through, which does no harm. */
__noinline int is_over_budget(u64 cgroup, u32 class, u32 type)
{
	u64 per_second = config.rate[class & 3];
	struct rate_key key = { .cgroup = cgroup, .class = class };

	if (!per_second)
		return false;
	u64 now = bpf_ktime_get_boot_ns();
	u64 full = (u64)config.burst[class & 3] * BILLION;
	struct rate *rate = bpf_map_lookup_elem(&rates, &key);

	if (!rate) {
		struct rate fresh = { .tokens = full - BILLION, .at = now };
		bpf_map_update_elem(&rates, &key, &fresh, BPF_NOEXIST);
		return false;
	}
	u64 passed = now - rate->at;
	if (passed > 60 * BILLION)
		passed = 60 * BILLION;
	u64 tokens = rate->tokens + passed * per_second;
	if (tokens > full)
		tokens = full;
	rate->at = now;
	if (tokens >= BILLION) {
		rate->tokens = tokens - BILLION;
		/* Over only when there is room again, not at every token that drips in. */
		if (rate->suppressed && tokens * 2 >= full) {
			u64 suppressed = rate->suppressed;
			rate->suppressed = 0;
			send_throttle(cgroup, class, true, suppressed);
		}
		return false;
	}
	rate->tokens = tokens;
	COUNT(type, throttled);
	if (rate->suppressed++ == 0)
		send_throttle(cgroup, class, false, 0);
	return true;
}

/* True when the same was reported lately; it is counted, and the next report says how often. */
static __always_inline bool is_repeat(void *map, const void *key, u64 seconds, u32 type, u32 *count)
{
	u64 now = bpf_ktime_get_boot_ns();
	struct repeats *seen = bpf_map_lookup_elem(map, key);

	if (seen) {
		if (now - seen->reported < seconds * BILLION) {
			__sync_fetch_and_add(&seen->count, 1);
			COUNT(type, deduped);
			return true;
		}
		*count = seen->count;
		seen->count = 0;
		seen->reported = now;
		return false;
	}
	struct repeats fresh = { .reported = now };
	bpf_map_update_elem(map, key, &fresh, BPF_ANY);
	return false;
}

static __always_inline void mark_repeats(struct weir_header *h, u32 count)
{
	h->count = count;
	if (count)
		h->flags |= WEIR_F_AGGREGATED;
}

#endif
