/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Socket filters: what another process does with 100,000 routes of its own, or with its own table
 * of nftables, does not even wake us. Numbers in messages are in the order of this machine, a
 * filter loads them as if they came from the network.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/monitor.h"

#define PASS BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define DROP BPF_STMT(BPF_RET | BPF_K, 0)
#define LOAD(size, at) BPF_STMT(BPF_LD | (size) | BPF_ABS, (uint32_t)(at))
/* Passes over `yes` or `no` instructions. */
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
/* To the accumulator: where the attribute is, behind `from`; 0: it is missing. */
#define FIND_ATTRIBUTE(from, type)                                         \
	BPF_STMT(BPF_LD | BPF_IMM, (uint32_t)(from)),                      \
	BPF_STMT(BPF_LDX | BPF_IMM, (type)),                               \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR))
/* Its four bytes, of which the first is `at` bytes behind its head. */
#define LOAD_BEHIND(at) BPF_STMT(BPF_LD | BPF_W | BPF_IND, (uint32_t)(NLA_HDRLEN + (at)))
#define KEEP_PLACE BPF_STMT(BPF_MISC | BPF_TAX, 0)

#define RTM(field) (NLMSG_HDRLEN + offsetof(struct rtmsg, field))
#define RTM_ATTRIBUTES (NLMSG_HDRLEN + sizeof(struct rtmsg))
#define NFG_ATTRIBUTES (NLMSG_HDRLEN + sizeof(struct nfgenmsg))

/* The kernel has room for some 2,400 instructions by default. */
#define ENTRIES_MAX 1000

struct program {
	struct sock_filter v[2 * ENTRIES_MAX + 64];
	unsigned short count;
};

static void add(struct program *p, const struct sock_filter *v, size_t count)
{
	memcpy(p->v + p->count, v, count * sizeof(*v));
	p->count = (unsigned short)(p->count + count);
}

#define ADD(p, ...)                                               \
	do {                                                      \
		const struct sock_filter code[] = { __VA_ARGS__ }; \
		add(p, code, ARRAY_SIZE(code));                   \
	} while (0)

/* Passes when the accumulator is one of these. */
static void add_list(struct program *p, const struct number_range *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ADD(p, IF_EQUAL(htonl(v[i].from), 0, 1), PASS);
}

static void attach(int fd, struct program *p)
{
	struct sock_fprog filter = { .len = p->count, .filter = p->v };
	int unused = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)))
		(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
}

void monitor_filter_routes(int fd, const struct number_range *tables, size_t table_count,
			   const struct number_range *links, size_t link_count)
{
	struct program p = { .count = 0 };

	if (table_count + link_count > ENTRIES_MAX) {
		ADD(&p, PASS);
		attach(fd, &p);
		return;
	}
	ADD(&p, LOAD(BPF_H, offsetof(struct nlmsghdr, nlmsg_type)),
	    IF_EQUAL(htons(RTM_NEWROUTE), 2, 0), IF_EQUAL(htons(RTM_DELROUTE), 1, 0), PASS);
	ADD(&p, LOAD(BPF_B, RTM(rtm_protocol)), IF_EQUAL(OUR_PROTOCOL, 0, 1), PASS);
	ADD(&p, LOAD(BPF_B, RTM(rtm_dst_len)), IF_EQUAL(0, 0, 1), PASS);
	ADD(&p, FIND_ATTRIBUTE(RTM_ATTRIBUTES, RTA_TABLE), IF_EQUAL(0, 0, 1), PASS, KEEP_PLACE,
	    LOAD_BEHIND(0));
	add_list(&p, tables, table_count);
	ADD(&p, IF_EQUAL(htonl(RT_TABLE_MAIN), 1, 0), DROP);
	/* A route with several nexthops has no interface here. */
	ADD(&p, FIND_ATTRIBUTE(RTM_ATTRIBUTES, RTA_OIF), IF_EQUAL(0, 0, 1), PASS, KEEP_PLACE,
	    LOAD_BEHIND(0));
	add_list(&p, links, link_count);
	ADD(&p, DROP);
	attach(fd, &p);
}

/* Four bytes of the name as a filter loads them. */
static uint32_t name_word(const char *name, size_t at)
{
	uint32_t word;

	memcpy(&word, name + at, sizeof(word));
	return ntohl(word);
}

/* To X: the length that the first message has, which is one of sixteen bits. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LENGTH_LOW 0
#define LENGTH_HIGH 1
#else
#define LENGTH_LOW 3
#define LENGTH_HIGH 2
#endif
#define KEEP_LENGTH                                                                   \
	LOAD(BPF_B, LENGTH_HIGH), BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 8), KEEP_PLACE, \
	LOAD(BPF_B, LENGTH_LOW), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), KEEP_PLACE

void monitor_filter_nft(int fd)
{
	static const char name[8] = OUR_TABLE; /* with its NUL: no other name begins so */
	struct program p = { .count = 0 };

	_Static_assert(sizeof(OUR_TABLE) == sizeof(name), "two words hold the name");
	ADD(&p, KEEP_LENGTH, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), PASS);
	ADD(&p, LOAD(BPF_B, NLMSG_HDRLEN + offsetof(struct nfgenmsg, nfgen_family)),
	    IF_EQUAL(NFPROTO_INET, 1, 0), DROP);
	/* All kinds of objects have their table's name in the attribute of this number. */
	ADD(&p, FIND_ATTRIBUTE(NFG_ATTRIBUTES, NFTA_TABLE_NAME), IF_EQUAL(0, 0, 1), DROP,
	    KEEP_PLACE);
	ADD(&p, LOAD_BEHIND(0), IF_EQUAL(name_word(name, 0), 1, 0), DROP);
	ADD(&p, LOAD_BEHIND(4), IF_EQUAL(name_word(name, 4), 1, 0), DROP, PASS);
	attach(fd, &p);
}
