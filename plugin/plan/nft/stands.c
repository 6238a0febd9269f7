/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads along what is wanted, as plan/nft/script.c writes it.
 */
#include "plan/nft/stands.h"

#include <string.h>

/* Takes `text` off what is at *at. */
static bool take(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

/* A line that there is only with a value. */
static bool take_line(const char **at, const char *key, const char *value)
{
	return !value || (take(at, key) && take(at, value) && take(at, "\n"));
}

static bool take_rule(const char **at, const struct nft_rule *r)
{
	if (!take(at, "\t\t") || !take(at, r->text))
		return false;
	if (r->comment && !(take(at, " comment \"") && take(at, r->comment) && take(at, "\"")))
		return false;
	return take(at, "\n");
}

const char *nft_chain_stands(const char *at, const struct nft_chain *c)
{
	bool same = take(&at, "\n") && take_line(&at, "\t\t", c->hook);

	for (size_t i = 0; i < c->rule_count && same; i++)
		same = take_rule(&at, &c->rules[i]);
	return same && take(&at, "\t}\n") ? at : NULL;
}

const char *nft_set_stands(const char *at, const struct nft_set *s)
{
	bool same = !s->ranges.count && take(&at, "\n") && take_line(&at, "\t\ttype ", s->type) &&
		    take_line(&at, "\t\tflags ", s->flags) &&
		    take_line(&at, "\t\ttimeout ", s->timeout);

	for (size_t i = 0; i < s->element_count && same; i++)
		same = take(&at, i ? ", " : "\t\telements = { ") && take(&at, s->elements[i]);
	return same && take(&at, s->element_count ? " }\n\t}\n" : "\t}\n") ? at : NULL;
}
