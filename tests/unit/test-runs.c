/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Policies as maps against policies one by one: the planned table is carried out here, look-up by
 * look-up, for packets of a small world and thousands of policies of chance, and what it says is
 * compared with which policy takes the packet first. It links tests/netns/every-run.c: all that can
 * be a map is one.
 */
#include <stdlib.h>

#include "base/strbuf.h"
#include "plan/explain/flow.h"
#include "plan/internal.h"
#include "policy/load.h"
#include "tests/tap.h"

#define WORLDS 1500
#define PACKETS 150

static uint64_t state = 4711;

static uint32_t below(uint32_t n)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((state >> 32) * n >> 32);
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* ---- a host with two usable interfaces, and one that is not there ---- */

static const char facts_text[] =
	"ifsteer-facts 1\n"
	"host ipv4 ipv6 forwarding-ipv4 forwarding-ipv6 now 1700000000\n"
	"link index 1 name lo up carrier loopback\n"
	"link index 2 name eth0 up carrier\n"
	"link index 3 name eth2 up carrier\n"
	"address link 2 addr 10.200.0.2 len 24\n"
	"address link 2 addr fd00:e0::2 len 64\n"
	"address link 3 addr 172.31.70.5 len 20\n"
	"route family ipv4 dst 0.0.0.0/0 via 10.200.0.1 oif 2 table 254 type 1\n"
	"route family ipv6 dst ::/0 via fd00:e0::1 oif 2 table 254 type 1 metric 1024\n";

static const char interfaces[] =
	"interfaces = ( { name = \"eth0\"; }, { name = \"eth2\"; gateway = \"172.31.64.1\"; },\n"
	"               { name = \"wg0\"; } );\n";

/* ---- policies of chance ---- */

/* Eight addresses of each family, in all manners of writing. */
static void put_addresses(struct strbuf *b, const char *key)
{
	uint32_t n = 1 + below(3);

	strbuf_printf(b, " %s = [", key);
	for (uint32_t i = 0; i < n; i++) {
		const char *net = one_in(2) ? "10.0.0." : "fd00::";
		uint32_t from = below(8), to = from + below(8 - from);

		strbuf_printf(b, "%s \"%s%u-%s%u\"", i ? "," : "", net, from, net, to);
	}
	if (one_in(12))
		strbuf_add(b, one_in(2) ? ", \"0.0.0.0/0\"" : ", \"::/0\"");
	strbuf_add(b, " ];");
}

static void put_numbers(struct strbuf *b, const char *key, uint32_t first, uint32_t count)
{
	uint32_t n = 1 + below(2);

	strbuf_printf(b, " %s = [", key);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t from = below(count);

		strbuf_printf(b, "%s \"%u-%u\"", i ? "," : "", first + from,
			      first + from + below(count - from));
	}
	strbuf_add(b, " ];");
}

/* `shape` has a bit for each selector. */
static void put_policy(struct strbuf *b, uint32_t number, uint32_t shape)
{
	static const char *const actions[] = {
		"via = \"eth0\"",
		"via = \"eth2\"",
		"via = \"wg0\"; otherwise = \"next\"",
		"action = \"main\"",
		"action = \"prohibit\"",
		"via = [ \"eth2\", \"eth0\" ]",
		"via = \"wg0\"",
		"action = \"blackhole\"",
		"balance = ( { interface = \"eth0\"; }, { interface = \"eth2\"; } )",
	};

	strbuf_printf(b, "%s{ name = \"p%u\";", number ? ", " : "", number);
	if (shape & 1)
		put_addresses(b, "from");
	if (shape & 2)
		put_addresses(b, "to");
	if (shape & 4)
		strbuf_printf(b, " protocol = \"%s\";", one_in(2) ? "tcp" : "udp");
	if (shape & 8)
		put_numbers(b, "sport", 1, 3);
	if (shape & 16)
		put_numbers(b, "dport", 1, 3);
	if (shape & 32)
		put_numbers(b, "user", 0, 3);
	if (shape & 64)
		put_numbers(b, "group", 0, 3);
	if (one_in(10))
		strbuf_printf(b, " family = \"%s\";", one_in(2) ? "ipv4" : "ipv6");
	if (one_in(10))
		strbuf_add(b, " enabled = false;");
	if (one_in(10) && !(shape & 96))
		strbuf_printf(b, " origin = \"%s\";", one_in(2) ? "local" : "forwarded");
	strbuf_printf(b, " %s; }\n", actions[below(sizeof(actions) / sizeof(actions[0]))]);
}

/* ---- worlds ---- */

struct world {
	struct facts facts;
	struct config config;
	struct plan plan;
};

static void world_done(struct world *w)
{
	plan_done(&w->plan);
	config_done(&w->config);
	facts_done(&w->facts);
}

/* False: the text holds a contradiction. */
static bool parse(const char *policies, struct config *ret)
{
	static const struct names nobody = { 0 };
	char path[] = "t.conf", *text;
	struct diag d = { 0 };
	int r;

	if (asprintf(&text, "%spolicies = ( %s );\n", interfaces, policies) < 0)
		abort();
	r = config_parse(&(struct source){ .path = path, .text = text, .len = strlen(text) }, 1,
			 &nobody, NULL, NULL, ret, &d);
	diag_done(&d);
	free(text);
	return r == 0;
}

/* One policy that holds no contradiction, behind those that there are. */
static void add_policy(struct strbuf *policies, uint32_t number, uint32_t shape)
{
	for (;;) {
		CLEANUP(config_done) struct config c = { 0 };
		CLEANUP(strbuf_done) struct strbuf one = { 0 };

		put_policy(&one, number, shape);
		if (!parse(one.text + (number ? 2 : 0), &c))
			continue;
		strbuf_add(policies, one.text);
		return;
	}
}

/* One selector; ports never are alone. */
static uint32_t a_shape(void)
{
	static const uint32_t shapes[] = { 1, 2, 4, 32, 64 };

	return shapes[below(5)];
}

static char *draw_policies(void)
{
	struct strbuf b = { 0 };
	uint32_t shape = a_shape();

	for (uint32_t i = 0, n = 1 + below(14); i < n; i++) {
		if (one_in(5))
			shape = a_shape();
		add_policy(&b, i, shape);
	}
	return strbuf_take(&b);
}

static void make_world(const char *policies, struct world *w)
{
	struct diag d = { 0 };

	if (!parse(policies, &w->config) ||
	    facts_parse("facts", facts_text, sizeof(facts_text) - 1, &w->facts, &d) ||
	    plan_make(&w->config, &w->facts, &w->plan, &d))
		abort();
	diag_done(&d);
}

static struct flow draw_flow(void)
{
	struct flow f = {
		.family = below(2),
		.has_src = true,
		.forwarded = one_in(2),
		.uid = below(4),
		.gid = below(4),
		.protocol = one_in(8)	? 47
			    : one_in(2) ? 6
					: 17,
		.in = "eth0",
	};
	char text[16];

	snprintf(text, sizeof(text), "%s%u", f.family ? "fd00::" : "10.0.0.", below(9));
	if (addr_parse(text, &f.src))
		abort();
	snprintf(text, sizeof(text), "%s%u", f.family ? "fd00::" : "10.0.0.", below(9));
	if (addr_parse(text, &f.dst))
		abort();
	if (f.protocol != 47) {
		f.sport = 1 + below(4);
		f.dport = 1 + below(4);
	}
	return f;
}

/* ---- the table, carried out ---- */

static const struct nft_chain *find_chain(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->nft.chain_count; i++)
		if (strcmp(p->nft.chains[i].name, name) == 0)
			return &p->nft.chains[i];
	return NULL;
}

static const struct nft_set *find_map(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->nft.set_count; i++)
		if (p->nft.sets[i].is_map && strcmp(p->nft.sets[i].name, name) == 0)
			return &p->nft.sets[i];
	return NULL;
}

/* Cuts the text in front of `separator`; what is behind that, NULL when it isn't there. */
static char *cut(char *text, const char *separator)
{
	char *at = strstr(text, separator);

	if (!at)
		return NULL;
	*at = '\0';
	return at + strlen(separator);
}

static bool number_in(uint32_t n, const char *range)
{
	struct number_range r;

	return number_range_parse(range, UINT32_MAX, &r) == 0 && r.from <= n && n <= r.to;
}

static bool address_in(const struct addr *a, const char *range)
{
	struct addr_range r;

	return addr_range_parse(range, &r) == 0 && r.from.family == a->family &&
	       addr_compare(&r.from, a) <= 0 && addr_compare(a, &r.to) <= 0;
}

/* -1: this packet has no such thing, which ends a rule. */
static int holds(const char *expression, const char *range, const struct flow *f)
{
	const char *ip = f->family == FAMILY_IPV4 ? "ip " : "ip6 ";
	const char *field = strchr(expression, ' ') + 1;

	if (strncmp(expression, "ip", 2) == 0) {
		if (strncmp(expression, ip, strlen(ip)) != 0)
			return -1;
		return address_in(strcmp(field, "saddr") == 0 ? &f->src : &f->dst, range);
	}
	if (strncmp(expression, "th ", 3) == 0)
		return f->protocol == 47
			       ? -1
			       : number_in(strcmp(field, "sport") == 0 ? f->sport : f->dport,
					   range);
	if (strcmp(field, "l4proto") == 0)
		return number_in(f->protocol, range);
	if (f->forwarded)
		return -1;
	return number_in(strcmp(field, "skuid") == 0 ? f->uid : f->gid, range);
}

static bool element_holds(const char *expressions, const char *key, const struct flow *f)
{
	char *left = strdup(expressions), *right = strdup(key);
	char *e = left, *k = right;
	bool all = true;

	while (e && k && all) {
		char *next_e = cut(e, " . "), *next_k = cut(k, " . ");

		all = holds(e, k, f) == 1;
		e = next_e;
		k = next_k;
	}
	all = all && !e == !k;
	free(left);
	free(right);
	return all;
}

/* What the map says, to be freed; NULL: nothing. *ret_many: several elements do. */
static char *look_up(const struct plan *p, char *rule, const struct flow *f, bool *ret_many)
{
	char *name = cut(rule, " vmap @"), *found = NULL;
	const struct nft_set *map = name ? find_map(p, name) : NULL;
	const char *family = f->family == FAMILY_IPV4 ? "meta nfproto ipv4 " : "meta nfproto ipv6 ";

	if (strncmp(rule, "meta nfproto ", 13) == 0) {
		if (strncmp(rule, family, strlen(family)) != 0)
			return NULL;
		rule += strlen(family);
	}
	for (size_t i = 0; map && i < map->element_count; i++) {
		char *key = strdup(map->elements[i]), *verdict = cut(key, " : ");

		if (element_holds(rule, key, f)) {
			*ret_many |= found != NULL;
			free(found);
			found = strdup(verdict);
		}
		free(key);
	}
	return found;
}

/* The verdict of the chain's look-ups, in order, to be freed; NULL: none. */
static char *walk(const struct plan *p, const char *chain, const struct flow *f, bool *ret_many)
{
	const struct nft_chain *c = find_chain(p, chain);
	char *verdict = NULL;

	for (size_t i = 0; c && i < c->rule_count && !verdict; i++) {
		char *rule = strdup(c->rules[i].text);

		if (strstr(rule, " vmap @"))
			verdict = look_up(p, rule, f, ret_many);
		free(rule);
	}
	return verdict;
}

/* ---- what it should be ---- */

static const struct policy_plan *first_policy(const struct plan *p, const struct flow *f,
					      size_t end)
{
	enum hook hook = f->forwarded ? HOOK_FORWARDED : HOOK_LOCAL;

	for (size_t i = 0; i < end; i++) {
		const struct policy_plan *pp = &p->policies[i];
		char *why = NULL;

		if (!policy_in_force(pp, hook) || policy_skipped(pp, f->family))
			continue;
		if (flow_match(p, pp, f, NULL, &why))
			abort();
		if (!why)
			return pp;
		free(why);
	}
	return NULL;
}

/* Whether the chain of a policy has one thing to say to this packet, and counts it. */
static bool counts(const struct plan *p, const char *verdict, const struct policy_plan *pp,
		   const struct flow *f)
{
	const struct nft_chain *c = find_chain(p, verdict + strlen("goto "));
	const char *other = f->family == FAMILY_IPV4 ? "meta nfproto ipv6 " : "meta nfproto ipv4 ";
	char counter[80];
	size_t n = 0;

	snprintf(counter, sizeof(counter), "counter name \"policy_%s\" ", pp->word);
	for (size_t i = 0; c && i < c->rule_count; i++)
		n += strncmp(c->rules[i].text, other, strlen(other)) != 0 &&
		     strstr(c->rules[i].text, counter) != NULL;
	return n == 1;
}

static bool goes_right(const struct plan *p, const struct flow *f)
{
	const struct policy_plan *pp = first_policy(p, f, p->policy_count);
	const char *chain = f->forwarded ? "judge_forwarded" : "judge_local";
	bool many = false, good;
	char *got = walk(p, chain, f, &many), *want = NULL;

	if (pp && asprintf(&want, "goto %s.%s", chain, pp->word) < 0)
		abort();
	good = !many && !got == !want && (!got || strcmp(got, want) == 0) &&
	       (!pp || counts(p, got, pp, f));
	if (!good)
		printf("# %s: got %s, want %s\n", chain, got, want);
	free(got);
	free(want);
	return good;
}

static unsigned int test_world(void)
{
	struct world w = { 0 };
	char *policies = draw_policies();
	unsigned int wrong = 0;

	make_world(policies, &w);
	for (int i = 0; i < PACKETS; i++) {
		struct flow f = draw_flow();

		wrong += !goes_right(&w.plan, &f);
	}
	if (wrong)
		tap_show("the policies:", policies);
	free(policies);
	world_done(&w);
	return wrong;
}

int main(void)
{
	unsigned int wrong = 0;

	for (int i = 0; i < WORLDS && !wrong; i++)
		wrong += test_world();
	ok(wrong == 0, "in %d worlds all packets go where the first policy that takes them says",
	   WORLDS);
	return tap_done();
}
