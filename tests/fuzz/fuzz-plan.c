/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzz target: planning for whatever the kernel, managers and other programs say of a host, as a
 * file of facts; what earlier plans gave out is read from it too. A fixed policy is met or refused,
 * and nothing that is not ours is made or removed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/plan.h"
#include "plan/steps.h"
#include "policy/load.h"
#include "tests/fuzz/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char policy[] =
	"interfaces = ( { name = \"eth0\"; },"
	"  { name = \"eth2\"; gateway = [ \"172.31.64.1\", \"fd00:e2::1\" ]; routes = \"192.168.0.0/16\"; },"
	"  { name = \"wg*\"; gateway = \"none\"; snat = \"always\"; } );"
	"sets = ( { name = \"names\"; dynamic = true; } );"
	"policies = ("
	"  { name = \"exempt\"; to = [ \"10.0.9.0/24\", \"!10.0.9.9\" ]; action = \"main\"; },"
	"  { name = \"on-premises\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\"; },"
	"  { name = \"names\"; to = \"@names\"; user = 1000; via = [ \"eth2\", \"eth0\" ]; },"
	"  { name = \"switch\"; user = \"2000-3000\"; via = \"wg0\"; otherwise = \"unreachable\"; },"
	"  { name = \"other\"; dport = 25; table = 52; },"
	"  { name = \"share\"; origin = \"forwarded\";"
	"    balance = ( { interface = \"eth0\"; weight = 2; }, { interface = \"eth2\"; } ); } );";

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static const struct config *fixed_config(void)
{
	static const struct names none;
	static struct config config;
	static bool is_read;
	const struct source source = { .path = (char[]){ "policy" },
				       .text = policy,
				       .len = sizeof(policy) - 1 };
	struct diag d = { 0 };

	if (!is_read)
		expect(config_parse(&source, 1, &none, NULL, NULL, &config, &d) == 0);
	is_read = true;
	diag_done(&d);
	return &config;
}

static void check_step(const struct step *s)
{
	switch (s->kind) {
	case STEP_ADD_ROUTE:
	case STEP_REPLACE_ROUTE:
	case STEP_DELETE_ROUTE:
		expect(s->of.route.protocol == OUR_PROTOCOL);
		break;
	case STEP_ADD_RULE:
	case STEP_DELETE_RULE:
		expect(s->of.rule.protocol == OUR_PROTOCOL);
		break;
	case STEP_SYSCTL:
	case STEP_RESTORE_SYSCTL:
	case STEP_NFT_EDITS:
	case STEP_NFT:
	case STEP_FORGET_CONNECTIONS:
	case STEP_CLOSE_SOCKETS:
		break;
	}
}

static void check_steps(struct steps *s)
{
	for (size_t i = 0; i < s->count; i++)
		check_step(&s->v[i]);
	steps_done(s);
}

static void plan_for(const struct facts *f)
{
	struct plan plan = { 0 };
	struct steps steps = { 0 };
	struct strbuf lines = { 0 };
	struct diag d = { 0 };
	int r = plan_change(fixed_config(), f, &plan, &steps, &d);

	expect(r == 0 || (r == -EINVAL && d.errors));
	if (r == 0)
		expect(plan_diff(&plan, &steps, &lines) == 0);
	check_steps(&steps);
	plan_done(&plan);
	expect(plan_flush(f, &steps) == 0);
	check_steps(&steps);
	strbuf_done(&lines);
	diag_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_facts(data, size, plan_for);
	return 0;
}
