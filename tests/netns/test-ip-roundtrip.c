/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random routes and rules, written down as `diff` prints them, taken by the real `ip`, read back from the kernel:
 * the same objects. `test-ip-roundtrip SEED COUNT` looks for more.
 */
#include "tests/netns/own-netns.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "base/strbuf.h"
#include "kernel/kernel.h"

static uint64_t state;
static bool has_users;		/* in a user namespace of one's own there is none but root */

static unsigned int dice(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % n;
}

static struct facts gathered(void)
{
	static struct interface every = { .name = "*", .is_glob = true };
	static struct config config = { .interfaces = &every, .interface_count = 1, .settings.mark_mask = 0xff000000 };
	struct facts_want want = { .config = &config };
	struct facts f = { 0 };
	struct diag d = { 0 };

	if (facts_gather(&want, &f, &d))
		ok(false, "facts are gathered");
	for (size_t i = 0; i < d.count; i++)
		printf("# %s\n", d.items[i].text);
	diag_done(&d);
	return f;
}

/* ---- random objects ---- */

static struct prefix random_prefix(enum family f, unsigned int i)
{
	struct addr a = { .family = f, .bytes = { f == FAMILY_IPV6 ? 0xfd : 10, (uint8_t)(i >> 8), (uint8_t)i } };

	return prefix_of(&a, f == FAMILY_IPV6 ? 24 + 8 * dice(14) : 24 + dice(9));
}

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a))
		printf("Bail out! %s\n", text);
	return a;
}

static struct route random_route(unsigned int i, const struct links *links)
{
	static const uint8_t types[] = { RTN_UNREACHABLE, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW };
	enum family f = dice(2);
	struct route r = { .family = f, .protocol = OUR_PROTOCOL, .table = 1000 + dice(3), .type = RTN_UNICAST };

	r.dst = random_prefix(f, i);
	r.metric = f == FAMILY_IPV6 ? 1024 : 0;
	if (dice(2))
		r.metric = dice(1000) + 1;
	if (dice(6) == 0) {
		r.type = types[dice(4)];
		return r;
	}
	r.oif = links_by_name(links, dice(2) ? "eth0" : "it's\\a\"b")->index;
	r.scope = f == FAMILY_IPV4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	if (dice(2)) {
		r.gateway = address(f == FAMILY_IPV6 || dice(3) == 0 ? "fe80::1" : "192.0.2.1");
		r.has_gateway = r.onlink = true;
		r.scope = RT_SCOPE_UNIVERSE;
	} else if (f == FAMILY_IPV4 && dice(4) == 0) {
		r.scope = RT_SCOPE_UNIVERSE;
	}
	if (dice(3) == 0) {
		r.src = address(f == FAMILY_IPV6 ? "fd77::1" : "10.77.0.1");
		r.has_src = true;
	}
	if (dice(4) == 0)
		r.mtu = 1280 + dice(200);
	return r;
}

static struct rule random_rule(unsigned int i)
{
	static const enum rule_action actions[] = { RULE_LOOKUP, RULE_LOOKUP, RULE_LOOKUP, RULE_UNREACHABLE,
						    RULE_PROHIBIT, RULE_BLACKHOLE, RULE_NOP, RULE_GOTO };
	enum family f = dice(2);
	struct rule r = { .family = f, .protocol = OUR_PROTOCOL, .priority = 1000 + i, .action = actions[dice(8)] };

	r.src.addr.family = r.dst.addr.family = f;
	if (r.action == RULE_LOOKUP) {
		r.table = 1000 + dice(100);
		r.has_suppress = dice(3) == 0;
		r.suppress = r.has_suppress ? dice(33) : 0;
	} else if (r.action == RULE_GOTO) {
		r.target = 30000;
	}
	r.invert = dice(6) == 0;
	if (dice(2)) {
		r.fwmask = dice(2) ? 0xff000000 : UINT32_MAX;
		r.fwmark = dice(4) << 24;
	}
	if (dice(4) == 0)
		strcpy(r.iif, dice(2) ? "lo" : "gone");
	if (dice(4) == 0)
		strcpy(r.oif, "it's\\a\"b");
	if (dice(3) == 0)
		r.src = random_prefix(f, i);
	if (dice(3) == 0)
		r.dst = random_prefix(f, i);
	if (dice(3) == 0) {
		r.has_uids = true;
		if (has_users)
			r.uids = (struct number_range){ dice(3) ? dice(1000) : 0, 1000 + dice(1000) };
	}
	if (dice(3) == 0)
		r.ip_protocol = dice(2) ? 6 : 17;
	if (r.ip_protocol && dice(2))
		r.dport = (struct number_range){ 80, 80 + dice(2) * 10 };
	if (r.ip_protocol && dice(3) == 0)
		r.sport = (struct number_range){ 1024, 65534 }; /* the kernel has it that 65535 is no port */
	return r;
}

/* ---- written by ip, read from the kernel ---- */

static bool by_ip(enum family f, const char *object, const char *verb, const struct strbuf *text)
{
	struct strbuf command = { 0 };
	bool good;

	strbuf_printf(&command, "ip %s %s %s %s", f == FAMILY_IPV6 ? "-6" : "-4", object, verb, text->text);
	good = system(command.text) == 0;
	if (!good)
		printf("# ip refuses: %s\n", command.text);
	strbuf_done(&command);
	return good;
}

static bool route_by_ip(const char *verb, const struct route *r, const struct links *links)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	route_print(r, links, &text);
	return by_ip(r->family, "route", verb, &text);
}

static bool rule_by_ip(const char *verb, const struct rule *r)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	rule_print(r, &text);
	return by_ip(r->family, "rule", verb, &text);
}

static bool stands_route(const struct facts *f, const struct route *r)
{
	for (size_t i = 0; i < f->route_count; i++)
		if (route_compare(&f->routes[i], r) == 0)
			return true;
	return false;
}

static bool stands_rule(const struct facts *f, const struct rule *r)
{
	for (size_t i = 0; i < f->rule_count; i++)
		if (rule_compare(&f->rules[i], r) == 0)
			return true;
	return false;
}

static size_t count_ours(const struct facts *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->route_count; i++)
		n += f->routes[i].protocol == OUR_PROTOCOL;
	for (size_t i = 0; i < f->rule_count; i++)
		n += f->rules[i].protocol == OUR_PROTOCOL;
	return n;
}

static void test_routes(unsigned int count)
{
	struct facts before = gathered(), after;
	struct route *routes = calloc(count, sizeof(*routes));
	unsigned int taken = 0, found = 0, gone = 0;

	for (unsigned int i = 0; i < count; i++) {
		routes[i] = random_route(i, &before.links);
		taken += route_by_ip("add", &routes[i], &before.links);
	}
	after = gathered();
	for (unsigned int i = 0; i < count; i++)
		found += stands_route(&after, &routes[i]);
	ok(taken == count, "ip takes %u of %u routes", taken, count);
	ok(found == count && count_ours(&after) == count, "%u of %u stand as they were meant", found, count);
	facts_done(&after);
	for (unsigned int i = 0; i < count; i++)
		gone += route_by_ip("del", &routes[i], &before.links);
	after = gathered();
	ok(gone == count && count_ours(&after) == 0, "ip deletes %u of %u", gone, count);
	facts_done(&after);
	facts_done(&before);
	free(routes);
}

static void test_rules(unsigned int count)
{
	struct rule *rules = calloc(count, sizeof(*rules));
	unsigned int taken = 0, found = 0, gone = 0;
	struct facts after;

	sh("ip -4 rule add nop priority 30000; ip -6 rule add nop priority 30000");
	for (unsigned int i = 0; i < count; i++) {
		rules[i] = random_rule(i);
		taken += rule_by_ip("add", &rules[i]);
	}
	after = gathered();
	for (unsigned int i = 0; i < count; i++)
		found += stands_rule(&after, &rules[i]);
	ok(taken == count, "ip takes %u of %u rules", taken, count);
	ok(found == count && count_ours(&after) == count, "%u of %u stand as they were meant", found, count);
	facts_done(&after);
	for (unsigned int i = 0; i < count; i++)
		gone += rule_by_ip("del", &rules[i]);
	after = gathered();
	ok(gone == count && count_ours(&after) == 0, "ip deletes %u of %u", gone, count);
	facts_done(&after);
	free(rules);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : 60;

	has_users = geteuid() == 0;
	own_netns();
	state = (argc > 1 ? strtoull(argv[1], NULL, 0) : 1) * 0x9e3779b97f4a7c15u + 1;
	sh("ip link set lo up; ip address add 10.77.0.1/32 dev lo; ip address add fd77::1/128 dev lo");
	sh("ip link add eth0 type veth peer name p0; ip link add \"it's\\\\a\\\"b\" type veth peer name p1");
	sh("for i in eth0 p0 \"it's\\\\a\\\"b\" p1; do ip link set \"$i\" up; done");
	test_routes(count);
	test_rules(count);
	return tap_done();
}
