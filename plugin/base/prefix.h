/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses, prefixes and ranges of both families: parse, make canonical, compare, print.
 */
#pragma once

#include "base/base.h"

/* Array index as well as tag. */
enum family { FAMILY_IPV4, FAMILY_IPV6 };
#define FAMILY_COUNT 2

/* Network byte order. IPv4 uses the first four bytes, the others are zero, so that two
 * addresses are equal exactly when their bytes and families are. */
struct addr {
	enum family family;
	uint8_t bytes[16];
};

/* Canonical: host bits are zero. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

/* Inclusive; both ends of one family, from <= to. */
struct addr_range {
	struct addr from;
	struct addr to;
};

/* Ranges of one family. Canonical after addr_ranges_normalise: sorted, disjoint, not adjacent. */
struct addr_ranges {
	struct addr_range *v;
	size_t count;
	bool is_borrowed;		/* from a canonical list that lives longer: not to be changed */
};

#define ADDR_TEXT_SIZE 46	/* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_SIZE 50
#define RANGE_TEXT_SIZE 92

unsigned int family_bits(enum family f);	/* 32, 128 */
const char *family_name(enum family f);		/* "ipv4", "ipv6" */
int family_to_af(enum family f);		/* AF_INET, AF_INET6 */
MUST_CHECK int family_from_af(int af, enum family *ret);	/* -EAFNOSUPPORT for any other */

MUST_CHECK int addr_parse(const char *text, struct addr *ret);	/* -EINVAL */
int addr_compare(const struct addr *a, const struct addr *b);	/* total order, IPv4 first */
bool addr_is_zero(const struct addr *a);
/* Both directions return false, the value unchanged, at the end of the address space. */
bool addr_next(struct addr *a);
bool addr_previous(struct addr *a);
void addr_mask(struct addr *a, unsigned int len);		/* clears the bits behind len */
bool addr_is_link_local(const struct addr *a);			/* 169.254.0.0/16, fe80::/10 */
const char *addr_print(const struct addr *a, char buf[static ADDR_TEXT_SIZE]);

/* "ADDR" or "ADDR/LEN". -EINVAL: neither; -EDOM: host bits are set, and *ret holds the prefix
 * that was probably meant. */
MUST_CHECK int prefix_parse(const char *text, struct prefix *ret);
struct prefix prefix_of(const struct addr *a, unsigned int len);
int prefix_compare(const struct prefix *a, const struct prefix *b);
bool prefix_contains(const struct prefix *p, const struct addr *a);
/* A full-length prefix prints as an address, as ip and nft do. */
const char *prefix_print(const struct prefix *p, char buf[static PREFIX_TEXT_SIZE]);
struct addr_range prefix_range(const struct prefix *p);

/* Address, prefix or "a-b". -EINVAL, -EDOM (host bits; *ret is the range of the prefix meant, for
 * the message), -ERANGE (runs downwards), -EAFNOSUPPORT (ends of two families). */
MUST_CHECK int addr_range_parse(const char *text, struct addr_range *ret);
/* The IPv4 address or prefix that `text` begins with, and what is behind it; NULL: there is none
 * without host bits. For long lists. */
MUST_CHECK const char *addr_range_read_ipv4(const char *text, struct addr_range *ret);
int addr_range_compare(const struct addr_range *a, const struct addr_range *b);
/* The prefix that is exactly this range; false where there is none. */
bool addr_range_is_prefix(const struct addr_range *r, struct prefix *ret);
/* As nft prints it: address, prefix, else "a-b". */
const char *addr_range_print(const struct addr_range *r, char buf[static RANGE_TEXT_SIZE]);

MUST_CHECK int addr_ranges_add(struct addr_ranges *list, const struct addr_range *r);
/* `more` is canonical and lives longer: where it is all that there is it is borrowed. An event with
 * 100,000 prefixes and nothing to change has 2,700 page faults for 5,400 since they are not copied
 * nor what is kept of them read whole, and takes half the time. */
MUST_CHECK int addr_ranges_join(struct addr_ranges *list, const struct addr_ranges *more);
void addr_ranges_sort(struct addr_ranges *list);
void addr_ranges_normalise(struct addr_ranges *list);
/* Both need a canonical list. */
bool addr_ranges_contain(const struct addr_ranges *list, const struct addr *a);
bool addr_ranges_overlap(const struct addr_ranges *a, const struct addr_ranges *b);
/* The fewest prefixes that cover the canonical list exactly, in order; the caller frees *ret. */
MUST_CHECK int addr_ranges_prefixes(const struct addr_ranges *list, struct prefix **ret,
				    size_t *ret_count);
void addr_ranges_done(struct addr_ranges *list);
