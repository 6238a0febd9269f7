/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Policies of chance, out of few values, so that they meet each other and the flows.
 */
#include "tests/netns/random/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/load.h"

const uint32_t protocols[5] = { 6, 17, 1, 58, 47 };
const char *const macs[3] = { "02:aa:00:00:00:01", "02:aa:00:00:00:02", "02:bb:00:00:00:03" };

static const char *const destinations[] = {
	"10.0.0.0/16",
	"10.0.2.0/24",
	"10.0.1.9",
	"172.30.0.0/16",
	"198.51.100.0/24",
	"198.51.100.64/26",
	"203.0.113.0/24",
	"10.0.0.0/8",
	"0.0.0.0/0",
	"172.31.64.0/20",
	"192.168.77.0/24",
	"10.200.0.0/24",
	"10.0.1.5-10.0.2.20",
	"198.51.100.10-198.51.100.99",
	"@office",
	"@dyn",
	"fd00:10::/64",
	"fd00:10::9",
	"fd00:10::1:0/112",
	"2001:db8::/64",
	"2001:db8::/32",
	"::/0",
	"fd00:30::/64",
	"fd00:e2::/64",
	"2001:db8::50-2001:db8::a99",
};
static const char *const sources[] = {
	"10.200.0.2",
	"172.31.70.5",
	"192.168.3.0/24",
	"192.168.77.0/24",
	"172.17.0.0/16",
	"0.0.0.0/0",
	"fd00:e0::2",
	"fd00:e2::/64",
	"fd00:77::/64",
	"::/0",
	"192.168.77.5-192.168.77.7",
	"10.200.0.0/16",
};
static const char *const protocol_names[] = { "tcp", "udp", "icmp", "icmpv6", "gre", "sctp" };
static const char *const ports[] = { "53", "80", "8000-8100", "1-1024", "443", "8050" };
static const char *const sports[] = { "1024-30000", "20000-40000", "40000-65000" };
static const char *const users[] = { "0", "1000", "1001-1005", "2000", "0-1000" };
static const char *const dscps[] = { "af41", "ef", "0", "cs1", "46" };
static const char *const marks[] = { "0x4000/0xff00", "0x1", "0x80/0x80", "0x2000/0x3000" };
static const char *const names[] = { "eth0", "eth2", "eth3", "wg0", "tun9" };

/* ---- what flows are drawn from ---- */

static const char *const hosts[FAMILY_COUNT][14] = {
	{ "10.0.1.0", "10.0.2.0", "10.0.3.0", "10.0.4.0", "172.30.5.0", "198.51.100.0",
	  "198.51.100.64", "198.51.100.128", "203.0.113.0", "203.0.113.64", "10.9.1.0", "8.8.8.0",
	  "10.0.1.0", "172.31.65.0" },
	{ "fd00:10::", "fd00:10::1:0", "2001:db8::", "2001:db8::1:0", "fd00:30::", "fd00:30::8000",
	  "fd00:e2::100", "2001:db8:dead::", "fd00:e3::100", "fd00:10::", "2600::", "2001:db8::a00",
	  "fd00:10::", "2001:db8::" },
};
static const char *const specials[FAMILY_COUNT][12] = {
	{ "10.200.0.1", "10.200.0.2", "172.31.64.1", "172.31.70.5", "169.254.169.254",
	  "192.168.77.5", "172.17.0.2", "10.200.0.255", "224.0.0.251", "127.0.0.1", "10.99.0.2",
	  "10.0.1.9" },
	{ "fd00:e0::1", "fd00:e0::2", "fd00:e2::1", "fd00:e2::5", "fd00:77::5", "fd00:17::2", "::1",
	  "fd00:99::2", "fd00:10::9", "fd00:e3::1", "fd00:10::9", "fd00:10::9" },
};

struct addr an_address(enum family f)
{
	bool is_special = one_in(8);
	const char *text = is_special ? specials[f][below(12)] : hosts[f][below(14)];
	struct addr a;

	if (addr_parse(text, &a))
		abort();
	if (is_special)
		return a;
	if (f == FAMILY_IPV4) {
		a.bytes[3] = (uint8_t)(a.bytes[3] + 1 + below(62));
		return a;
	}
	a.bytes[14] = (uint8_t)(a.bytes[14] | below(2));
	a.bytes[15] = (uint8_t)(1 + below(254));
	return a;
}

uint32_t a_port(void)
{
	static const uint32_t some[] = { 53, 80, 443, 8000, 8050, 8100, 8101, 9999 };

	return PICK(some);
}

uint32_t a_user(void)
{
	static const uint32_t some[] = { 0, 0, 1000, 1001, 1003, 2000, 3000 };

	return PICK(some);
}

uint32_t a_dscp(void)
{
	static const uint32_t some[] = { 34, 46, 8, 63 };

	return one_in(5) ? PICK(some) : 0;
}

uint32_t a_mark(void)
{
	static const uint32_t some[] = { 0x4000, 0x1, 0x80, 0x2000, 0x81, 0x8000, 0xca6c };

	return one_in(6) ? PICK(some) : 0;
}

/* ---- writing ---- */

static void put_values(struct strbuf *b, const char *key, const char *const *list, size_t count)
{
	uint32_t n = 1 + (one_in(2) ? below(3) : 0);

	strbuf_printf(b, " %s = [", key);
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(b, "%s\"%s%s\"", i ? ", " : " ", one_in(6) ? "!" : "",
			      list[below((uint32_t)count)]);
	strbuf_add(b, " ];");
}

#define MAYBE(n, key, list)                                         \
	do {                                                        \
		if (one_in(n))                                      \
			put_values(b, key, list, ARRAY_SIZE(list)); \
	} while (0)

static const char *const arrivals[] = { "lan0", "dk0", "eth2" };
static const char *const spans[] = { "00:00-12:00", "12:00-24:00", "18:00-06:00", "06:00-18:00" };

static void put_selectors(struct strbuf *b)
{
	if (one_in(2))
		put_values(b, "to", destinations, ARRAY_SIZE(destinations));
	MAYBE(9, "from", sources);
	if (one_in(10))
		strbuf_printf(b, " family = \"%s\";", one_in(2) ? "ipv4" : "ipv6");
	MAYBE(5, "protocol", protocol_names);
	MAYBE(6, "dport", ports);
	MAYBE(12, "sport", sports);
	MAYBE(5, "user", users);
	MAYBE(12, "group", users);
	MAYBE(10, "mark", marks);
	MAYBE(12, "dscp", dscps);
	MAYBE(9, "in", arrivals);
	MAYBE(20, "mac", macs);
	if (one_in(12))
		strbuf_printf(b, " origin = \"%s\";", one_in(2) ? "local" : "forwarded");
	if (one_in(25))
		strbuf_printf(b, " hours = \"%s\";", PICK(spans));
	if (one_in(25))
		strbuf_add(b, " enabled = false;");
}

/* Of a long list of policies that ask for the same. */
enum { RUN_FROM = 1, RUN_TO = 2, RUN_PORT = 4, RUN_USER = 8, RUN_SHAPES = 16 };

static void put_run_selectors(struct strbuf *b, uint32_t shape)
{
	if (shape & RUN_FROM)
		strbuf_printf(b, " from = [ \"%s\", \"%s\" ];", PICK(sources), PICK(sources));
	if (shape & RUN_TO)
		strbuf_printf(b, " to = [ \"%s\", \"%s\" ];", PICK(destinations),
			      PICK(destinations));
	if (shape & RUN_PORT)
		strbuf_printf(b, " dport = [ \"%s\", \"%s\" ];", PICK(ports), PICK(ports));
	if (shape & RUN_USER)
		strbuf_printf(b, " user = [ \"%s\", \"%s\" ];", PICK(users), PICK(users));
}

static void put_members(struct strbuf *b)
{
	uint32_t first = below(ARRAY_SIZE(names)), count = 1 + (one_in(3) ? 1 + below(2) : 0);
	bool is_balance = one_in(4);

	strbuf_add(b, is_balance ? " balance = (" : " via = [");
	for (uint32_t i = 0; i < count + is_balance; i++) {
		const char *name = names[(first + i) % ARRAY_SIZE(names)];

		if (is_balance)
			strbuf_printf(b, "%s{ interface = \"%s\"; weight = %u; }", i ? ", " : " ",
				      name, 1 + below(3));
		else
			strbuf_printf(b, "%s\"%s\"", i ? ", " : " ", name);
	}
	strbuf_add(b, is_balance ? " );" : " ];");
	if (one_in(2)) {
		static const char *const otherwise[] = { "main", "next", "unreachable", "prohibit",
							 "blackhole" };

		strbuf_printf(b, " otherwise = \"%s\";", PICK(otherwise));
	}
}

static void put_action(struct strbuf *b)
{
	static const char *const actions[] = { "main", "main", "unreachable", "prohibit",
					       "blackhole" };

	switch (below(8)) {
	case 0: strbuf_printf(b, " table = %u;", one_in(2) ? 52 : 100); break;
	case 1:
	case 2: strbuf_printf(b, " action = \"%s\";", PICK(actions)); break;
	default: put_members(b); break;
	}
}

static void put_settings(struct strbuf *b)
{
	static const char *const masks[] = { "0xff000000", "0xff000000", "0x00ff0000", "0xffff0000",
					     "0x03f00000" };

	strbuf_printf(
		b, "settings = { mark_mask = \"%s\"; rp_filter = \"%s\"; rule_priority = %u; };\n",
		PICK(masks), one_in(4) ? "keep" : "loose", one_in(4) ? 1000u : 21000u);
}

static const char *some_gateway(enum family f, uint32_t link)
{
	static const char *const gateways[4][FAMILY_COUNT] = {
		{ "10.200.0.1", "fd00:e0::1" },
		{ "172.31.64.1", "fd00:e2::1" },
		{ "192.168.3.1", "fd00:e3::1" },
		{ "10.99.0.1", "fd00:99::1" },
	};

	return gateways[link][f];
}

static void put_interface(struct strbuf *b, uint32_t link, const char *name)
{
	static const char *const snats[] = { "auto", "auto", "auto", "always", "never" };

	strbuf_printf(b, "\t{ name = \"%s\";", name);
	if (link == 1 ? !one_in(5) : link < 3 && one_in(3))
		strbuf_printf(b, " gateway = [ \"%s\", \"%s\" ];", some_gateway(FAMILY_IPV4, link),
			      some_gateway(FAMILY_IPV6, link));
	else if (one_in(5))
		strbuf_printf(b, " gateway = \"%s\";",
			      link == 3	  ? "none"
			      : one_in(2) ? "first"
					  : "auto");
	if (one_in(4))
		strbuf_printf(b, " symmetric = %s;", one_in(2) ? "true" : "false");
	if (one_in(5))
		strbuf_printf(b, " snat = \"%s\";", PICK(snats));
	if (link == 1 && one_in(5))
		strbuf_add(b, " routes = [ \"192.168.0.0/16 via 172.31.64.9\", \"10.9.0.0/16\" ];");
	if (one_in(12) && !strchr(name, '*'))
		strbuf_printf(b, " table = %u;", 5000 + link);
	strbuf_add(b, " }");
}

static void put_interfaces(struct strbuf *b)
{
	bool is_glob = one_in(8);

	strbuf_add(b, "interfaces = (\n");
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
		strbuf_add(b, i ? ",\n" : "");
		put_interface(b, i, names[i]);
	}
	if (is_glob)
		strbuf_printf(b, ",\n\t{ name = \"%s\"; }", one_in(2) ? "lan*" : "*");
	strbuf_add(b, "\n);\n");
}

static const char sets[] = "sets = ( { name = \"office\"; elements = [ \"10.0.1.0/24\", "
			   "\"198.51.100.7-198.51.100.40\", \"fd00:10::/112\" ]; },\n"
			   "\t{ name = \"dyn\"; dynamic = true; } );\n";

static int nobody(void *ctx, const char *name, uint32_t *ret)
{
	(void)ctx, (void)name, (void)ret;
	return -ENOENT;
}

static int no_service(void *ctx, const char *name, const char *protocol, uint16_t *ret)
{
	(void)ctx, (void)name, (void)protocol, (void)ret;
	return -ENOENT;
}

int policy_read(char *text, struct config *ret)
{
	static const struct names no_names = { nobody, nobody, no_service, NULL };
	static char path[] = "/run/policy.conf";
	struct source file = { .path = path, .text = text, .len = strlen(text) };
	struct diag d = { 0 };
	int r = config_parse(&file, 1, &no_names, NULL, NULL, ret, &d);

	diag_done(&d);
	return r;
}

/* One that holds no contradiction; of a run when `shape` is given. */
static char *one_policy(uint32_t number, uint32_t shape)
{
	static const char around[] = "interfaces = ( { name = \"*\"; }, { name = \"eth0\"; }, { "
				     "name = \"eth2\"; }, { name = \"eth3\"; }, "
				     "{ name = \"wg0\"; }, { name = \"tun9\"; } );\n";

	for (;;) {
		struct strbuf b = { 0 }, whole = { 0 };
		struct config c = { 0 };
		int r;

		strbuf_printf(&b, "\t{ name = \"p%u\";", number);
		if (shape)
			put_run_selectors(&b, shape);
		else
			put_selectors(&b);
		put_action(&b);
		strbuf_add(&b, " }");
		strbuf_printf(&whole, "%s%spolicies = (\n%s\n);\n", around, sets, b.text);
		r = policy_read(whole.text, &c);
		config_done(&c);
		strbuf_done(&whole);
		if (r == 0)
			return strbuf_take(&b);
		strbuf_done(&b);
	}
}

char *policy_text(void)
{
	bool is_long = one_in(4);
	uint32_t count = is_long ? 10 + below(20) : below(7), run = 0, shape = 0;
	struct strbuf b = { 0 };

	put_settings(&b);
	put_interfaces(&b);
	strbuf_add(&b, sets);
	strbuf_add(&b, "policies = (\n");
	for (uint32_t i = 0; i < count; i++) {
		char *one;

		if (is_long && !run--) {
			run = below(14);
			shape = below(RUN_SHAPES);
		}
		one = one_policy(i + 1, shape);
		strbuf_printf(&b, "%s%s", i ? ",\n" : "", one);
		free(one);
	}
	strbuf_add(&b, "\n);\n");
	return strbuf_take(&b);
}

void policy_write(const char *text)
{
	FILE *f = fopen("/run/policy.conf", "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}
