/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RANDOM_SEED=… (the first world's), N=… (how many worlds; 12): each is a host that is edited some
 * times, with packets after each edit, and at last while another policy comes and goes, SWAPS=… times. A world that went wrong is had again by its own seed and
 * N=1. RANDOM_STOP=… is a command to run in it at its first difference: bash, for instance.
 */
#include "tests/netns/random/random.h"
#include "tests/netns/own-netns.h"

#define EDITS 4
#define FLOWS 40
#define BOUND_FLOWS 8

/* ---- chance ---- */

static uint64_t state;

void seed_chance(uint64_t seed)
{
	state = seed;
}

uint32_t below(uint32_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(((z ^ z >> 31) >> 32) * n >> 32);
}

bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* ---- the story so far ---- */

static struct strbuf story;
static bool is_told;
static struct {
	unsigned int differences, flows, refusals, applies, streamed;
} counted;

void tell(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&story, fmt, args);
	va_end(args);
	strbuf_add(&story, "\n");
}

__attribute__((format(printf, 1, 2))) static void differ(const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&b, fmt, args);
	va_end(args);
	counted.differences++;
	if (!is_told)
		tap_show("the world:\n", story.text);
	tap_show("DIFFERENCE:", b.text);
	fflush(stdout);
	if (!is_told && getenv("RANDOM_STOP") && system(getenv("RANDOM_STOP")))
		printf("# RANDOM_STOP failed\n");
	is_told = true;
	strbuf_done(&b);
}

/* ---- one edit ---- */

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

struct known {
	struct facts facts;
	struct plan plan;
	struct steps steps;
	bool is_planned;
};

static void forget(struct known *k)
{
	steps_done(&k->steps);
	plan_done(&k->plan);
	facts_done(&k->facts);
	*k = (struct known){ 0 };
}

static void learn(const struct config *c, struct known *k)
{
	struct diag d = { 0 };
	char *text;
	int r;

	if (run(&text, "\"$IFSTEER\" -c /run/policy.conf facts") ||
	    facts_parse("facts", text, strlen(text), &k->facts, &d))
		differ("facts: %s", text);
	r = plan_change(c, &k->facts, &k->plan, &k->steps, &d);
	k->is_planned = r == 0;
	if (r && r != -EINVAL)
		differ("planning: %d", r);
	for (size_t i = 0; i < d.count && r; i++)
		tell("# %s", d.items[i].text);
	diag_done(&d);
	free(text);
}

static bool apply(bool is_good)
{
	char *said;
	int code = run(&said, "\"$IFSTEER\" -c /run/policy.conf apply");

	counted.applies++;
	if (code != (is_good ? 0 : 3))
		differ("apply: exit %d: %s", code, said);
	free(said);
	return code == 0;
}

static void expect_sync(const struct known *k)
{
	CLEANUP(strbuf_done) struct strbuf left = { 0 };

	if (!k->is_planned || (k->steps.count && plan_diff(&k->plan, &k->steps, &left)))
		strbuf_add(&left, "no plan");
	if (left.len)
		differ("diff after apply:\n%s", left.text);
}

static uint32_t minute_now(const struct facts *f)
{
	return (uint32_t)(((f->now + f->utc_offset) / 60 + 3 * MINUTES_OF_DAY) % MINUTES_OF_WEEK);
}

/* Dynamic sets are others' to fill. */
static void fill_sets(void)
{
	static const char *const fill[] = {
		"nft add element inet ifsteer dyn_4 '{ 10.0.1.9, 198.51.100.65, 203.0.113.70 }'",
		"nft add element inet ifsteer dyn_6 '{ fd00:10::9, 2001:db8::a01 }'",
	};

	for (size_t i = 0; i < ARRAY_SIZE(fill); i++)
		if (!run(NULL, "%s", fill[i]))
			tell("%s", fill[i]);
}

/* As they will be once the policy is in force. */
static bool are_sets_filled(const struct facts *f)
{
	return f->nft && strstr(f->nft, "2001:db8::a01");
}

static void try_flow(struct trial *t, const struct known *k, const struct known *before)
{
	struct explanation e, was;
	char *wrong = NULL, *now, *then;

	if (explain_flow(&k->plan, &t->flow, &e))
		abort();
	counted.flows++;
	counted.refusals += !e.link;
	if (before && are_sets_filled(&before->facts) &&
	    explain_flow(&before->plan, &t->flow, &was) == 0) {
		now = foretell(&e);
		then = foretell(&was);
		if (strcmp(now, then) != 0 && (!e.policy || e.policy->action != ACTION_BALANCE))
			differ("explain %s: before apply %s; after it %s", t->text, then, now);
		free(now);
		free(then);
		explanation_done(&was);
	}
	if (!trial_run(t, &k->plan, &e, &wrong))
		differ("explain %s: policy %s, outcome %d, note %s: %s", t->text,
		       e.policy ? e.policy->name : "none", (int)e.outcome, e.note ? e.note : "none",
		       wrong);
	free(wrong);
	explanation_done(&e);
}

static void try_bound(struct trial *t, const struct known *k)
{
	char *wrong = NULL;

	counted.flows++;
	if (!bound_run(t, &k->plan, minute_now(&k->facts), &wrong))
		differ("explain %s: %s", t->text, wrong);
	free(wrong);
}

/* Another policy comes and goes. */
static void try_edits(char *text, const struct known *now)
{
	CLEANUP(config_done) struct config c = { 0 };
	struct known then = { 0 };
	char *other = policy_text(), *wrong = NULL;

	if (policy_read(other, &c))
		abort();
	policy_write(other);
	learn(&c, &then);
	policy_write(text);
	/* With another mask, marks of one policy can be those of others for a moment. */
	if (then.is_planned && c.settings.mark_mask == now->plan.config->settings.mark_mask) {
		tell("cat >/run/policy.conf <<E\n%sE\nifsteer -c /run/policy.conf apply # and back", other);
		counted.streamed += edited_run((const struct plan *[]){ &now->plan, &then.plan },
					       (const char *[]){ text, other }, minute_now(&now->facts),
					       (int)number("SWAPS", 3), &wrong);
	}
	if (wrong)
		differ("while the policy was edited:%s", wrong);
	free(wrong);
	free(other);
	forget(&then);
}

static void edit(bool is_last)
{
	CLEANUP(config_done) struct config c = { 0 };
	struct known before = { 0 }, after = { 0 };
	char *text = policy_text(), *said;
	struct trial t;

	tell("cat >/run/policy.conf <<E\n%sE\nifsteer -c /run/policy.conf apply", text);
	policy_write(text);
	if (policy_read(text, &c))
		abort();
	learn(&c, &before);
	if (apply(before.is_planned)) {
		fill_sets();
		learn(&c, &after);
		expect_sync(&after);
		for (int i = 0; i < FLOWS; i++) {
			trial_draw(&t, &after.plan, minute_now(&after.facts));
			try_flow(&t, &after, i % 4 ? NULL : &before);
		}
		for (int i = 0; i < BOUND_FLOWS; i++)
			try_bound(&t, &after);
		said = refused_settle();
		if (said)
			differ("%s", said);
		free(said);
		/* What has been sent by then is carried still, as planning afterwards would find, or not. */
		if (is_last)
			try_edits(text, &after);
	}
	forget(&before);
	forget(&after);
	config_done(&c);
	c = (struct config){ 0 };
	free(text);
}

/* ---- one world ---- */

static void expect_same(const char *what, char *got, char *want)
{
	if (strcmp(got, want) != 0)
		differ("%s after flush:\n%s\nbefore:\n%s", what, got, want);
	free(got);
	free(want);
}

/* Takes the text of the sysctls over. */
static void expect_flush(char *sysctls)
{
	char *routing = host_routing(), *said;

	if (run(&said, "\"$IFSTEER\" -c /run/policy.conf flush"))
		differ("flush: %s", said);
	free(said);
	expect_same("others' rules and routes", host_routing(), routing);
	expect_same("sysctls", host_sysctls(), sysctls);
	run(&said, "{ ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; "
		   "nft list tables; } | "
		   "grep 'proto 77\\|ifsteer'");
	expect_same("what is ifsteer's", said, strdup(""));
}

static void live(uint64_t seed)
{
	char *sysctls;

	seed_chance(seed);
	tell("# RANDOM_SEED=%llu N=1", (unsigned long long)seed);
	/* What the world before has left: nobody may act on it. */
	unlink("/run/policy.conf");
	host_make();
	for (uint32_t i = 0, n = below(4); i < n; i++)
		host_change(true);
	sysctls = host_sysctls();
	for (int i = 0; i < EDITS; i++) {
		for (uint32_t k = 0, n = i ? below(4) : 0; k < n; k++)
			host_change(false);
		edit(i == EDITS - 1);
	}
	expect_flush(sysctls);
}

/* In a process of its own: the kernel takes its time, seconds where much is going on, to close what
 * saw packets, and nobody need wait for it. False: it died. */
static bool live_apart(uint64_t seed)
{
	int ends[2];
	bool good;

	if (pipe2(ends, O_CLOEXEC))
		abort();
	fflush(stdout);
	if (fork() == 0) {
		live(seed);
		fflush(stdout);
		_exit(write(ends[1], &counted, sizeof(counted)) < 0);
	}
	close(ends[1]);
	good = read(ends[0], &counted, sizeof(counted)) == sizeof(counted);
	close(ends[0]);
	return good;
}

int main(void)
{
	uint64_t seed = number("RANDOM_SEED", 4711), n = number("N", 12);

	if (!getenv("IFSTEER"))
		own_skip("no program: make check names it in IFSTEER");
	if (geteuid())
		own_skip("needs root");
	own_netns();
	for (uint64_t i = 0; i < n; i++) {
		unsigned int before = counted.differences;

		ok(live_apart(seed + i) && counted.differences == before, "world %llu",
		   (unsigned long long)(seed + i));
	}
	printf("# %u applies, %u flows, of which %u go nowhere, %u packets while policies were edited: %u differences\n",
	       counted.applies, counted.flows, counted.refusals, counted.streamed, counted.differences);
	return tap_done();
}
