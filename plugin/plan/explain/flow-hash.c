/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Foreseeing `balance`: the hash of nft's jhash expression, whose input is each field padded to
 * four bytes.
 */
#include "plan/explain/flow.h"

#include <string.h>

#include "plan/ways.h"

struct hash {
	uint32_t a, b, c;
};

static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

static void mix(struct hash *h)
{
	h->a -= h->c, h->a ^= rotate(h->c, 4), h->c += h->b;
	h->b -= h->a, h->b ^= rotate(h->a, 6), h->a += h->c;
	h->c -= h->b, h->c ^= rotate(h->b, 8), h->b += h->a;
	h->a -= h->c, h->a ^= rotate(h->c, 16), h->c += h->b;
	h->b -= h->a, h->b ^= rotate(h->a, 19), h->a += h->c;
	h->c -= h->b, h->c ^= rotate(h->b, 4), h->b += h->a;
}

static void final(struct hash *h)
{
	h->c ^= h->b, h->c -= rotate(h->b, 14);
	h->a ^= h->c, h->a -= rotate(h->c, 11);
	h->b ^= h->a, h->b -= rotate(h->a, 25);
	h->c ^= h->b, h->c -= rotate(h->b, 16);
	h->a ^= h->c, h->a -= rotate(h->c, 4);
	h->b ^= h->a, h->b -= rotate(h->a, 14);
	h->c ^= h->b, h->c -= rotate(h->b, 24);
}

/* Bob Jenkins' lookup3 as Linux has it, over whole words. */
static uint32_t hash_words(const uint32_t *k, size_t count, uint32_t seed)
{
	uint32_t start = 0xdeadbeef + (uint32_t)(4 * count) + seed;
	struct hash h = { start, start, start };

	for (; count > 3; count -= 3, k += 3) {
		h.a += k[0], h.b += k[1], h.c += k[2];
		mix(&h);
	}
	h.a += count > 0 ? k[0] : 0;
	h.b += count > 1 ? k[1] : 0;
	h.c += count > 2 ? k[2] : 0;
	final(&h);
	return h.c;
}

/* The fields in one buffer of bytes, as nft's registers hold them. */
struct fields {
	uint8_t bytes[44];
	size_t len;
};

static void put(struct fields *f, const uint8_t *bytes, size_t n)
{
	memcpy(f->bytes + f->len, bytes, n);
	f->len += (n + 3) / 4 * 4;
}

static void put_port(struct fields *f, uint32_t port)
{
	put(f, (uint8_t[]){ (uint8_t)(port >> 8), (uint8_t)port }, 2);
}

static bool has_ports(uint32_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132;
}

static uint32_t hash_flow(const struct flow *f, uint32_t seed)
{
	size_t n = family_bits(f->family) / 8;
	struct fields fields = { .len = 0 };
	uint32_t words[ARRAY_SIZE(fields.bytes) / 4];

	put(&fields, f->src.bytes, n);
	put(&fields, f->dst.bytes, n);
	put(&fields, (uint8_t[]){ (uint8_t)f->protocol }, 1);
	if (has_ports(f->protocol)) {
		put_port(&fields, f->sport);
		put_port(&fields, f->dport);
	}
	memcpy(words, fields.bytes, sizeof(words));
	return hash_words(words, fields.len / 4, seed);
}

size_t flow_balance(const struct plan *p, const struct policy_plan *pp, const struct flow *f,
		    bool *ret_sure)
{
	const struct verdict *v = &pp->verdict[f->family];
	uint32_t total = 0, at, upto = 0;

	for (size_t i = 0; i < v->active_count; i++)
		total += balance_weight(p, pp, v->active[i]);
	at = (uint32_t)((uint64_t)hash_flow(f, plan_hash_seed(p)) * total >> 32);
	*ret_sure = !has_ports(f->protocol) || (f->sport && f->dport);
	for (size_t i = 0; i + 1 < v->active_count; i++) {
		upto += balance_weight(p, pp, v->active[i]);
		if (at < upto)
			return i;
	}
	return v->active_count - 1;
}
