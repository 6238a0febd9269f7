/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzz target: policy files. The input is the text of one; what stands behind a line "%%" is the
 * file that its sets name. What is accepted must be canonical, and name nothing that is not there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 loses a text when it gives up in the middle of a file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

static int find_id(void *ctx, const char *name, uint32_t *ret_id)
{
	(void)ctx;
	*ret_id = 1000;
	return strlen(name) % 2 ? 0 : -ENOENT;
}

static int find_service(void *ctx, const char *name, const char *protocol, uint16_t *ret_port)
{
	(void)ctx;
	*ret_port = strlen(protocol);
	return strlen(name) % 2 ? 0 : -ENOENT;
}

/* Exactly so many bytes: a byte read beyond them is found. */
static char *copy_of(const uint8_t *data, size_t size)
{
	char *copy = malloc(size);

	if (copy && size)
		memcpy(copy, data, size);
	return copy;
}

static int read_set(void *ctx, const char *policy_path, const char *name, struct where at,
		    const struct source **ret, struct diag *d)
{
	const struct source *rest = ctx;

	(void)policy_path;
	(void)name;
	if (!rest->text)
		return diag_error(d, at, "no file");
	*ret = rest;
	return 0;
}

static void check_numbers(const struct number_match *m, uint32_t max)
{
	const struct numbers *lists[] = { &m->yes, &m->no };

	require(!m->given || m->yes.count || m->no.count);
	require(!m->yes.count || !m->no.count);
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		for (size_t i = 0; i < lists[k]->count; i++) {
			const struct number_range *r = &lists[k]->v[i];

			require(r->from <= r->to && r->to <= max &&
				(i == 0 || r->from > r[-1].to + (uint64_t)1));
		}
}

static void check_ranges(const struct addr_ranges *list, enum family family)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct addr_range *r = &list->v[i];
		struct addr behind = i ? r[-1].to : r->from;

		require(r->from.family == family && r->to.family == family);
		require(addr_compare(&r->from, &r->to) <= 0);
		require(i == 0 || (addr_next(&behind) && addr_compare(&behind, &r->from) < 0));
	}
}

static void check_addresses(const struct config *c, const struct addr_match *m)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		check_ranges(&m->yes[f], f);
		check_ranges(&m->no[f], f);
	}
	for (size_t i = 0; i < m->set_count; i++)
		require(m->sets[i].set < c->set_count);
}

static void check_policy(const struct config *c, const struct policy *p)
{
	require(p->name && *p->name && p->at.file && p->at.line);
	require(p->family[FAMILY_IPV4] || p->family[FAMILY_IPV6]);
	check_addresses(c, &p->from);
	check_addresses(c, &p->to);
	check_numbers(&p->protocol, 255);
	check_numbers(&p->sport, 65535);
	check_numbers(&p->dport, 65535);
	check_numbers(&p->user, UINT32_MAX - 1);
	check_numbers(&p->group, UINT32_MAX - 1);
	check_numbers(&p->dscp, 63);
	require(!p->sport.given || p->protocol.yes.count);
	require((p->action == ACTION_VIA || p->action == ACTION_BALANCE) == (p->member_count > 0));
	for (size_t i = 0; i < p->member_count; i++)
		require(config_interface(c, p->members[i].name) && p->members[i].weight);
	require((p->action == ACTION_TABLE) == (p->table != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct names names = { .user = find_id,
					    .group = find_id,
					    .service = find_service };
	const uint8_t *split = size ? memmem(data, size, "\n%%\n", 4) : NULL;
	struct source file = { .path = (char[]){ "policy" },
			       .len = split ? (size_t)(split - data) : size };
	struct source rest = { .path = (char[]){ "set" } };
	struct config c = { 0 };
	struct diag d = { 0 };
	int err;

	file.text = copy_of(data, file.len);
	if (split) {
		rest.len = size - file.len - 4;
		rest.text = copy_of(split + 4, rest.len);
	}
	err = config_parse(&file, 1, &names, read_set, &rest, &c, &d);
	require(err == 0 || (err == -EINVAL && c.policy_count == 0));
	require((err == 0) == (d.errors == 0));
	for (size_t i = 0; i < c.set_count; i++)
		for (int f = 0; f < FAMILY_COUNT; f++)
			check_ranges(&c.sets[i].elements[f], f);
	for (size_t i = 0; i < c.policy_count; i++)
		check_policy(&c, &c.policies[i]);
	diag_finish(&d);
	diag_done(&d);
	config_done(&c);
	free(file.text);
	free(rest.text);
	return 0;
}
