/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random tables on a real kernel: what planning wants is what is listed afterwards, whatever stood before,
 * and whatever somebody else did to it in between. `test-nft-roundtrip SEED ROUNDS` looks for more.
 */
#include "tests/netns/own-netns.h"

#include <nftables/libnftables.h>

#include "base/strbuf.h"
#include "kernel/kernel.h"

#define CHAINS 7
#define BASE_CHAINS 3
#define COUNTERS 4

static struct nft_ctx *nft;
static uint64_t state;

/* xorshift: the same rounds on every machine. */
static unsigned int dice(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % n;
}

static int run(const char *text)
{
	int err;

	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	err = nft_run_cmd_from_buffer(nft, text);
	if (err)
		tap_show("nft says", nft_ctx_get_error_buffer(nft));
	return err;
}

static struct nft_table listed(void)
{
	struct nft_table t = { 0 };

	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	if (nft_run_cmd_from_buffer(nft, "list table inet ifsteer") == 0 &&
	    nft_parse(nft_ctx_get_output_buffer(nft), NULL, &t) < 0)
		tap_show("not understood", nft_ctx_get_output_buffer(nft));
	return t;
}

/* ---- random tables ---- */

static const char *const hooks[BASE_CHAINS][3] = {
	{ "type route hook output priority -90; policy accept;", "type route hook output priority -150; policy accept;",
	  "type filter hook output priority 0; policy accept;" },
	{ "type filter hook prerouting priority -90; policy accept;",
	  "type filter hook prerouting priority -150; policy accept;",
	  "type filter hook prerouting priority -300; policy drop;" },
	{ "type nat hook postrouting priority 95; policy accept;",
	  "type filter hook postrouting priority 200; policy accept;",
	  "type filter hook postrouting priority 90; policy accept;" },
};

/* What planning writes; # is a small number, $ a chain further on. */
static const char *const rules[] = {
	"ip daddr { 10.#.0.0/16, 10.9.0.0/16 } goto $",
	"ip daddr { 10.#.0.1-10.#.0.9, 10.7.0.0/16, 10.6.0.0/16 } counter name \"c0\" goto $",
	"ip6 daddr { fd00:#::/64, fe80::/10 } accept",
	"ip daddr @s0 goto $",
	"ip saddr != @s0 accept",
	"ip6 daddr @s1 counter name \"c0\" accept",
	"oifname @s2 drop",
	"oifname { \"lo\", \"eth#\", \"e\\*\" } return",
	"iifname \"eth#\" goto $",
	"ip saddr . oifname @s3 accept",
	"meta mark & 0xff000000 vmap @m0",
	"ct mark & 0xff000000 vmap { 0x0#000000 : goto $ }",
	"iifname vmap @m1",
	"meta mark set meta mark & 0x0#ffffff | 0x0#000000",
	"meta mark set meta mark | 0xff000000",
	"ct mark set ct mark & 0x0#ffffff | 0x0#000000",
	"meta mark & 0xff000000 == 0x0#000000 drop",
	"meta mark & 0x00ffffff != 0x00000000 accept",
	"ct mark & 0xff000000 != 0xf#000000 jump $",
	"ct direction reply goto $",
	"ct state new,untracked goto $",
	"ct state != new ct mark & 0xff000000 == 0x0#000000 jump $",
	"ct state new tcp flags & (syn | rst) == 0 goto $",
	"tcp flags & (fin | syn | rst | ack) == syn accept",
	"meta l4proto { 6, 17 } th dport { #, 80, 8000-8100 } accept",
	"meta l4proto tcp th dport # accept",
	"udp sport # ip daddr 10.0.0.0/8 accept",
	"meta l4proto { icmp, ipv6-icmp } accept",
	"icmpv6 type { nd-router-solicit, nd-neighbor-advert } accept",
	"meta skuid { #, 1000-2000 } counter name \"c0\" drop",
	"meta skgid # accept",
	"meta nfproto ipv4 meta skuid # accept",
	"fib daddr type { local, broadcast, multicast } return",
	"fib saddr . oif type != local accept",
	"reject with icmpx host-unreachable",
	"meta l4proto tcp reject with tcp reset",
	"jhash ip saddr . ip daddr . meta l4proto . th sport mod 10 seed 0x1# vmap { 0-4 : goto $, 5-9 : accept }",
	"ip dscp { af41, cs1, # } accept",
	"ether saddr 0#:11:22:33:44:55 accept",
	"meta day { \"Monday\", \"Friday\" } accept",
	"return",
};

static bool is_common(const char *rule)
{
	return !strstr(rule, "@s") && !strstr(rule, "@m") && !strstr(rule, "c0");
}

static const char *fill(const char *pattern, unsigned int number, const char *target)
{
	static char text[512];
	size_t n = 0;

	for (; *pattern && n < sizeof(text) - 16; pattern++)
		if (*pattern == '#')
			n += (size_t)sprintf(text + n, "%u", number);
		else if (*pattern == '$')
			n += (size_t)sprintf(text + n, "%s", target);
		else
			text[n++] = *pattern;
	text[n] = '\0';
	return text;
}

static int add_rules(struct nft_chain *c, unsigned int number, unsigned int types)
{
	char target[16], comment[32];
	int err = 0;

	for (unsigned int n = dice(7); n && !err; n--) {
		const char *rule = rules[dice(ARRAY_SIZE(rules))];

		/* Sets are there only in one shape; chains lead forward only, to a plain one. */
		if (types && !is_common(rule))
			continue;
		snprintf(target, sizeof(target), "c%u", number < BASE_CHAINS ? BASE_CHAINS + dice(2) : number + 1);
		if (number + 1 >= CHAINS && strstr(rule, "$"))
			continue;
		snprintf(comment, sizeof(comment), "policy-%u \xc3\xa4 a.conf:%u", dice(3), dice(3));
		/* What not every hook takes stands in the first alone. */
		if (number && (strstr(rule, "reject") || strstr(rule, ". oif type")))
			continue;
		/* Maps lead to c5. */
		if (number >= 5 && strstr(rule, "@m"))
			continue;
		err = nft_add_rule(c, dice(2) ? comment : NULL, "%s", fill(rule, dice(9) + 1, target));
	}
	return err;
}

static int add_ranges(struct nft_set *s, enum family f)
{
	int err = 0;

	s->has_ranges = true;
	s->family = f;
	for (unsigned int n = dice(12); n && !err; n--) {
		/* Neighbours, and the first and the last address there is. */
		static const uint8_t bytes[] = { 0, 1, 10, 255 };
		struct addr_range r = {
			{ f, { bytes[dice(4)], bytes[dice(4)], bytes[dice(2) ? 0 : 3] } },
			{ f, { 0 } }
		};

		r.to = r.from;
		if (f == FAMILY_IPV6)
			r.to.bytes[15] = (uint8_t)dice(256);
		else
			r.to.bytes[3] = dice(2) ? 255 : (uint8_t)dice(256);
		err = addr_ranges_add(&s->ranges, &r);
	}
	return err;
}

static int add_elements(struct nft_set *s, const char *fmt)
{
	int err = 0;

	for (unsigned int i = 1; i < 6 && !err; i++)
		if (dice(2))
			err = nft_add_element(s, "%s", fill(fmt, i, dice(2) ? "goto c5" : "drop"));
	return err;
}

/* `types`: sets of other types under the same names. */
static int add_sets(struct nft_table *t, unsigned int types)
{
	struct nft_set *s = nft_add_set(t, "s0", false, types ? "ipv6_addr" : "ipv4_addr", "interval");
	int err = s ? add_ranges(s, types ? FAMILY_IPV6 : FAMILY_IPV4) : -ENOMEM;

	s = nft_add_set(t, "s1", false, "ipv6_addr", "interval");
	err = err ?: s ? add_ranges(s, FAMILY_IPV6) : -ENOMEM;
	s = nft_add_set(t, "s2", false, types ? "inet_service" : "ifname", NULL);
	err = err ?: s ? add_elements(s, types ? "#" : "\"eth#\"") : -ENOMEM;
	s = nft_add_set(t, "s3", false, "ipv4_addr . ifname", NULL);
	err = err ?: s ? add_elements(s, "10.0.0.# . \"eth#\"") : -ENOMEM;
	s = nft_add_set(t, "m0", true, "mark : verdict", NULL);
	err = err ?: s ? add_elements(s, "0x0#000000 : $") : -ENOMEM;
	s = nft_add_set(t, "m1", true, types ? "inet_service : verdict" : "ifname : verdict", NULL);
	err = err ?: s ? add_elements(s, types ? "# : $" : "\"eth#\" : $") : -ENOMEM;
	s = nft_add_set(t, "names_4", false, "ipv4_addr", "interval,timeout");
	if (s) {
		s->is_dynamic = true;
		s->timeout = strdup("1h");
	}
	return err ?: s && s->timeout ? 0 : -ENOMEM;
}

static struct nft_table random_table(void)
{
	unsigned int types = dice(4) == 0;
	struct nft_table t = { 0 };
	int err = nft_add_counter(&t, "c0") ?: add_sets(&t, types);
	char name[8];

	for (unsigned int i = 1; i < COUNTERS && !err; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		if (dice(2))
			err = nft_add_counter(&t, name);
	}
	for (unsigned int i = 0; i < CHAINS && !err; i++) {
		struct nft_chain *c;

		snprintf(name, sizeof(name), "%c%u", i < BASE_CHAINS ? 'b' : 'c', i);
		if (i < BASE_CHAINS && dice(4) == 0)
			continue;
		c = nft_add_chain(&t, name, i < BASE_CHAINS ? hooks[i][dice(4) ? 0 : dice(3)] : NULL);
		err = c ? add_rules(c, i, types) : -ENOMEM;
	}
	/* One that comes and goes. */
	if (!err && dice(2))
		err = nft_add_chain(&t, "extra", NULL) ? 0 : -ENOMEM;
	nft_sort(&t);
	if (err)
		printf("Bail out! no memory\n");
	return t;
}

/* ---- what somebody else may do ---- */

static const char *const edits[] = {
	"add rule inet ifsteer c3 accept",
	"insert rule inet ifsteer c4 ip daddr 1.2.3.4 drop comment \"mine\"",
	"flush chain inet ifsteer c3",
	"add chain inet ifsteer foreign; add rule inet ifsteer c3 jump foreign",
	"add chain inet ifsteer based { type filter hook input priority 5; policy drop; }",
	"flush set inet ifsteer s0",
	"add element inet ifsteer s1 { fd77::/64 }",
	"flush map inet ifsteer m0",
	"add element inet ifsteer m0 { 0x99000000 : drop }",
	"add counter inet ifsteer theirs; add rule inet ifsteer c4 counter name theirs",
	"add set inet ifsteer theirs { type ipv4_addr; }; add rule inet ifsteer c5 ip daddr @theirs drop",
	"add quota inet ifsteer q { over 100 mbytes }; add rule inet ifsteer c4 quota name q drop",
	"add table inet ifsteer { flags dormant; }",
	"delete table inet ifsteer",
	"add element inet ifsteer names_4 { 10.1.2.3 }",
};

/* ---- rounds ---- */

static char *script_of(const struct nft_table *have, const struct nft_table *want,
		       struct nft_edits *ret_edits)
{
	struct strbuf script = { 0 };

	return nft_script(have, want, ret_edits, &script) ? NULL : strbuf_take(&script);
}

static bool edit(const struct nft_edits *e)
{
	struct diag d = { 0 };
	bool good = !e->count || nft_edit(e, &d) == 0;

	for (size_t i = 0; i < d.count; i++)
		tap_show("an edit", d.items[i].text);
	diag_done(&d);
	return good;
}

/* From what stands to `want`, which must then be what stands. */
static bool bring_about(const struct nft_table *want)
{
	struct nft_table have = listed();
	struct nft_edits ahead = { 0 };
	char *script = script_of(&have, want, &ahead), *left = NULL;
	struct strbuf diff = { 0 };
	bool good = script && edit(&ahead) && run(script) == 0;

	nft_table_done(&have);
	if (!good)
		tap_show("script", script);
	have = listed();
	left = script_of(&have, want, NULL);
	if (good && (!left || *left)) {
		good = false;
		tap_show("what remains", left);
		if (nft_diff(&have, want, &diff) == 0)
			tap_show("difference", diff.text);
	}
	free(script);
	free(left);
	strbuf_done(&diff);
	nft_edits_done(&ahead);
	nft_table_done(&have);
	return good;
}

/* Whether a listing, values of counters included, has this text. */
static bool holds(const char *command, const char *text)
{
	bool found;

	nft_ctx_buffer_output(nft);
	nft_ctx_output_set_flags(nft, 0);
	found = nft_run_cmd_from_buffer(nft, command) == 0 && strstr(nft_ctx_get_output_buffer(nft), text);
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS);
	return found;
}

/* Other ranges, and nothing else. */
static bool move_ranges(struct nft_table *t)
{
	int err = 0;

	for (size_t i = 0; i < t->set_count && !err; i++) {
		struct nft_set *s = &t->sets[i];

		if (!s->has_ranges)
			continue;
		addr_ranges_done(&s->ranges);
		err = add_ranges(s, s->family);
	}
	nft_sort(t);
	return !err;
}

static void test_random(unsigned int rounds)
{
	unsigned int good = 0, moved = 0, repaired = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		struct nft_table want = random_table();

		good += bring_about(&want);
		moved += move_ranges(&want) && bring_about(&want);
		if (run(edits[dice(ARRAY_SIZE(edits))]) == 0)
			repaired += bring_about(&want);
		nft_table_done(&want);
	}
	ok(good == rounds, "%u of %u random tables stand as wanted", good, rounds);
	ok(moved == rounds, "%u of %u stand with other ranges", moved, rounds);
	ok(repaired == rounds, "%u of %u are repaired after somebody's edit", repaired, rounds);
}

/* What others filled, and what was counted, lives through a change of everything else. */
static void test_survivors(void)
{
	struct nft_table want = random_table();

	ok(bring_about(&want), "a table");
	nft_table_done(&want);
	run("add element inet ifsteer names_4 { 192.0.2.9 timeout 30m }");
	run("add chain inet ifsteer first { type filter hook output priority -400; policy accept; }");
	run("add rule inet ifsteer first counter name c0");
	sh("ip link set lo up; ping -c 1 -W 1 127.0.0.1 >/dev/null; true");
	ok(!holds("list counter inet ifsteer c0", "packets 0"), "a packet is counted");
	for (int i = 0; i < 10; i++) {
		want = random_table();
		ok(bring_about(&want), "another table");
		nft_table_done(&want);
	}
	ok(holds("list set inet ifsteer names_4", "192.0.2.9"), "dynamic elements survive");
	ok(!holds("list counter inet ifsteer c0", "packets 0"), "counters survive");
}

int main(int argc, char **argv)
{
	struct nft_table none = { 0 };

	own_netns();
	state = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	state = state * 0x9e3779b97f4a7c15u + 1;
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS);
	test_random(argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : 40);
	test_survivors();
	ok(bring_about(&none) && !listed().exists, "no table is wanted, and none stands");
	nft_ctx_free(nft);
	nft_close();
	return tap_done();
}
