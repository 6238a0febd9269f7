/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses and prefixes: parse, make canonical, compare, print.
 */
#include "base/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

unsigned int family_bits(enum family f)
{
	return f == FAMILY_IPV4 ? 32 : 128;
}

const char *family_name(enum family f)
{
	return f == FAMILY_IPV4 ? "ipv4" : "ipv6";
}

int family_to_af(enum family f)
{
	return f == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

int family_from_af(int af, enum family *ret)
{
	if (af != AF_INET && af != AF_INET6)
		return -EAFNOSUPPORT;
	*ret = af == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
	return 0;
}

int addr_parse(const char *text, struct addr *ret)
{
	struct addr a = { .family = strchr(text, ':') ? FAMILY_IPV6 : FAMILY_IPV4 };

	if (inet_pton(family_to_af(a.family), text, a.bytes) != 1)
		return -EINVAL;
	*ret = a;
	return 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	int c = CMP(a->family, b->family);

	return c ? c : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_is_zero(const struct addr *a)
{
	static const uint8_t zero[sizeof(a->bytes)];

	return memcmp(a->bytes, zero, sizeof(zero)) == 0;
}

bool addr_next(struct addr *a)
{
	unsigned int n = family_bits(a->family) / 8, i = n;

	while (i > 0 && a->bytes[i - 1] == 0xff)
		i--;
	if (i == 0)
		return false;
	a->bytes[i - 1]++;
	memset(a->bytes + i, 0, n - i);
	return true;
}

bool addr_previous(struct addr *a)
{
	unsigned int n = family_bits(a->family) / 8, i = n;

	while (i > 0 && a->bytes[i - 1] == 0)
		i--;
	if (i == 0)
		return false;
	a->bytes[i - 1]--;
	memset(a->bytes + i, 0xff, n - i);
	return true;
}

void addr_mask(struct addr *a, unsigned int len)
{
	for (unsigned int i = 0; i < family_bits(a->family) / 8; i++) {
		if (len >= 8 * (i + 1))
			continue;
		a->bytes[i] &= len > 8 * i ? (uint8_t)(0xff00 >> (len - 8 * i)) : 0;
	}
}

bool addr_is_link_local(const struct addr *a)
{
	if (a->family == FAMILY_IPV4)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

const char *addr_print(const struct addr *a, char buf[static ADDR_TEXT_SIZE])
{
	return inet_ntop(family_to_af(a->family), a->bytes, buf, ADDR_TEXT_SIZE);
}

int prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	char head[ADDR_TEXT_SIZE];
	struct prefix p;
	struct addr a;
	uint32_t len;

	if (!slash) {
		if (addr_parse(text, &a) < 0)
			return -EINVAL;
		*ret = prefix_of(&a, family_bits(a.family));
		return 0;
	}
	if ((size_t)(slash - text) >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, slash - text);
	head[slash - text] = '\0';
	/* Digits only: number_parse knows hexadecimal, which nobody means here. */
	if (slash[1 + strspn(slash + 1, "0123456789")] || addr_parse(head, &a) < 0 ||
	    number_parse(slash + 1, family_bits(a.family), &len) < 0)
		return -EINVAL;
	p = prefix_of(&a, len);
	*ret = p;
	return addr_compare(&p.addr, &a) == 0 ? 0 : -EDOM;
}

struct prefix prefix_of(const struct addr *a, unsigned int len)
{
	struct prefix p = { .addr = *a, .len = len };

	addr_mask(&p.addr, len);
	return p;
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int c = addr_compare(&a->addr, &b->addr);

	return c ? c : CMP(a->len, b->len);
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct addr masked = *a;

	addr_mask(&masked, p->len);
	return addr_compare(&masked, &p->addr) == 0;
}

const char *prefix_print(const struct prefix *p, char buf[static PREFIX_TEXT_SIZE])
{
	size_t n;

	if (!addr_print(&p->addr, buf))
		return NULL;
	n = strlen(buf);
	if (p->len < family_bits(p->addr.family))
		snprintf(buf + n, PREFIX_TEXT_SIZE - n, "/%u", (unsigned int)p->len);
	return buf;
}

struct addr_range prefix_range(const struct prefix *p)
{
	struct addr_range r = { .from = p->addr, .to = p->addr };

	for (unsigned int i = p->len; i < family_bits(p->addr.family); i++)
		r.to.bytes[i / 8] |= 0x80 >> i % 8;
	return r;
}
