/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the text of policy files to a struct config, without touching a file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "policy/gate.h"
#include "policy/reader.h"

static const struct settings default_settings = {
	.mark_mask = 0xff000000,
	.rule_priority = 21000,
	.table_base = 21000,
	.rp_filter = RP_FILTER_LOOSE,
};

static void reader_done(struct reader *r)
{
	for (size_t i = 0; i < r->use_count; i++)
		free(r->uses[i].name);
	free(r->uses);
	free(r->interface_lines);
	free(r->policy_lines);
}

static int read_file(struct reader *r, const struct source *s)
{
	CLEANUP(gate_done) struct gate gate = { 0 };
	char **name = VEC_PUSH(r->config->files, r->config->file_count);
	int err;

	if (!name)
		return -ENOMEM;
	*name = strdup(s->path);
	if (!*name)
		return -ENOMEM;
	r->file = *name;
	if (!s->text) {
		/* Whoever could not read it has said so. */
		r->incomplete = true;
		return 0;
	}
	err = gate_check(r->file, s->text, s->len, &gate, r->diag);
	if (err == 0)
		err = schema_read(r, &file_schema, s->text, s->len, &gate);
	if (err == -EINVAL)
		r->incomplete = true;
	return err == -ENOMEM ? err : 0;
}

int config_parse(const struct source *files, size_t count, const struct names *names,
		 set_reader read_set, void *ctx, struct config *ret, struct diag *d)
{
	CLEANUP(config_done) struct config c = { .settings = default_settings };
	CLEANUP(reader_done)
	struct reader r = {
		.config = &c,
		.diag = d,
		.names = names,
		.read_set = read_set,
		.ctx = ctx,
	};
	size_t errors = d->errors;
	int err = 0;

	*ret = (struct config){ 0 };
	for (size_t i = 0; i < count && err == 0; i++)
		err = read_file(&r, &files[i]);
	if (err == 0)
		err = config_check(&r);
	if (err < 0)
		return err;
	if (d->errors > errors || r.incomplete)
		return -EINVAL;
	*ret = c;
	c = (struct config){ 0 };
	return 0;
}
