/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a path to a struct config: which files make the policy, and their order.
 */
#include "policy/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "policy/source.h"

struct loader {
	bool trust_owner;
	struct sources policies; /* one without text could not be read */
	struct sources sets;
	struct diag *diag;
};

static void free_text(char **text)
{
	free(*text);
}

static void loader_done(struct loader *l)
{
	sources_done(&l->policies);
	sources_done(&l->sets);
}

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->v[i].path);
		free(s->v[i].text);
	}
	free(s->v);
	*s = (struct sources){ 0 };
}

/* Takes over what `s` owns, whatever comes of it. */
static int sources_push(struct sources *list, struct source *s)
{
	struct source *slot = VEC_PUSH(list->v, list->count);

	if (!slot) {
		free(s->path);
		free(s->text);
		return -ENOMEM;
	}
	*slot = *s;
	return 0;
}

static int complain(struct loader *l, struct where at, const char *before, int err,
		    const struct strbuf *why)
{
	if (err == -ENOMEM || why->failed)
		return -ENOMEM;
	return diag_error(l->diag, at, "%s%s", before, why->text ? why->text : strerror(-err));
}

/* What can't be read is an error that does not keep the other files from being checked. */
static int load_failed(struct loader *l, const char *path, int err, const struct strbuf *why)
{
	struct source s = { 0 };

	if (complain(l, (struct where){ path, 0 }, "", err, why) == -ENOMEM)
		return -ENOMEM;
	s.path = strdup(path);
	return s.path ? sources_push(&l->policies, &s) : -ENOMEM;
}

static int load_policy(struct loader *l, const char *path, bool is_optional)
{
	CLEANUP(strbuf_done) struct strbuf why = { 0 };
	struct source s = { 0 };
	int err = source_read(path, l->trust_owner, &s, &why);

	if (err == -ENOENT && is_optional)
		return 0;
	return err < 0 ? load_failed(l, path, err, &why) : sources_push(&l->policies, &s);
}

static int load_part(struct loader *l, const char *directory, const char *name, bool is_optional)
{
	CLEANUP(free_text) char *path = source_join(directory, name);

	return path ? load_policy(l, path, is_optional) : -ENOMEM;
}

/* ifsteer.conf, then what is in policy.d. */
static int load_directory(struct loader *l, const char *directory)
{
	CLEANUP(strbuf_done) struct strbuf why = { 0 };
	CLEANUP(source_names_done) struct source_names names = { 0 };
	CLEANUP(free_text) char *parts = source_join(directory, "policy.d");
	int err;

	if (!parts)
		return -ENOMEM;
	err = load_part(l, directory, "ifsteer.conf", true);
	if (err < 0)
		return err;
	err = source_list(parts, l->trust_owner, &names, &why);
	if (err < 0 && err != -ENOENT)
		return load_failed(l, parts, err, &why);
	err = 0;
	for (size_t i = 0; i < names.count && err == 0; i++)
		err = load_part(l, parts, names.v[i], false);
	return err;
}

static int load_path(struct loader *l, const char *path)
{
	CLEANUP(free_text) char *clean = strdup(path ? path : POLICY_DEFAULT_DIR);
	struct stat st;
	size_t n;
	int err;

	if (!clean)
		return -ENOMEM;
	for (n = strlen(clean); n > 1 && clean[n - 1] == '/'; n--)
		clean[n - 1] = '\0';
	if (stat(clean, &st) < 0 || !S_ISDIR(st.st_mode))
		return load_policy(l, clean, !path);
	err = load_directory(l, clean);
	if (err == 0 && path && l->policies.count == 0)
		err = diag_error(l->diag, (struct where){ clean, 0 },
				 "has neither ifsteer.conf nor policy.d/*.conf");
	return err;
}

static int read_set(void *ctx, const char *policy_path, const char *name, struct where at,
		    const struct source **ret, struct diag *d)
{
	struct loader *l = ctx;
	const char *slash = strrchr(policy_path, '/');
	CLEANUP(free_text)
	char *directory = slash ? strndup(policy_path, slash - policy_path) : NULL;
	CLEANUP(free_text)
	char *path = directory ? source_join(directory, name) : slash ? NULL : strdup(name);
	CLEANUP(strbuf_done) struct strbuf before = { 0 }, why = { 0 };
	struct source s = { 0 };
	int err;

	(void)d; /* the loader's own */
	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < l->sets.count; i++) {
		*ret = &l->sets.v[i];
		if (strcmp((*ret)->path, path) == 0)
			return 0;
	}
	err = source_read(path, l->trust_owner, &s, &why);
	if (err < 0) {
		strbuf_printf(&before, "file: \"%s\" ", path);
		return complain(l, at, before.failed ? "" : before.text, err, &why);
	}
	err = sources_push(&l->sets, &s);
	if (err == 0)
		*ret = &l->sets.v[l->sets.count - 1];
	return err;
}

/* Policy files that could be read, in order, then the sets' files. */
static int join_sources(struct loader *l, struct sources *ret)
{
	CLEANUP(sources_done) struct sources all = { 0 };
	struct sources *parts[] = { &l->policies, &l->sets };
	int err = 0;

	for (size_t k = 0; k < ARRAY_SIZE(parts) && err == 0; k++) {
		for (size_t i = 0; i < parts[k]->count && err == 0; i++) {
			struct source *s = &parts[k]->v[i], taken = *s;

			if (!s->text)
				continue;
			*s = (struct source){ 0 };
			err = sources_push(&all, &taken);
			all.policy_count += k == 0 && err == 0;
		}
	}
	if (err == 0) {
		*ret = all;
		all = (struct sources){ 0 };
	}
	return err;
}

int config_load(const struct load_options *o, const struct names *names, struct config *ret,
		struct sources *ret_sources, struct diag *d)
{
	CLEANUP(loader_done) struct loader l = { .trust_owner = o->trust_owner, .diag = d };
	size_t errors = d->errors;
	int err;

	*ret = (struct config){ 0 };
	err = load_path(&l, o->path);
	if (err == -ENOMEM)
		return err;
	err = config_parse(l.policies.v, l.policies.count, names, read_set, &l, ret, d);
	if (err == 0 && d->errors > errors) {
		config_done(ret);
		err = -EINVAL;
	}
	if (err != -ENOMEM && ret_sources && join_sources(&l, ret_sources) < 0) {
		config_done(ret);
		err = -ENOMEM;
	}
	return err;
}
