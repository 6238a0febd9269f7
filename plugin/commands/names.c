/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Users, groups and services by name: from a list, else from the host, and every answer written
 * down.
 */
#include "commands/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static const struct fact_name *find(const struct fact_name *v, size_t count, char kind,
				    const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (v[i].kind == kind && !strcmp(v[i].name, name))
			return &v[i];
	return NULL;
}

static int note(struct name_book *book, char kind, const char *name, uint32_t id)
{
	char *copy = strdup(name);
	struct fact_name *n = copy ? VEC_PUSH(book->used, book->used_count) : NULL;

	if (!n) {
		free(copy);
		return -ENOMEM;
	}
	*n = (struct fact_name){ .kind = kind, .name = copy, .id = id };
	return 0;
}

/* 0: *ret is the answer. -ENOENT: nobody has been asked yet. */
static int look_up(struct name_book *book, char kind, const char *name, uint32_t *ret)
{
	const struct fact_name *n = find(book->used, book->used_count, kind, name);

	if (n) {
		*ret = n->id;
		return 0;
	}
	n = find(book->known, book->known_count, kind, name);
	if (!n)
		return -ENOENT;
	*ret = n->id;
	return note(book, kind, name, n->id);
}

static int book_id(struct name_book *book, char kind, const char *name, uint32_t *ret)
{
	uint32_t id;
	int r = look_up(book, kind, name, ret);

	if (r != -ENOENT || !book->ask)
		return r;
	r = kind == 'u' ? book->ask->user(book->ask->ctx, name, &id)
			: book->ask->group(book->ask->ctx, name, &id);
	if (r == 0)
		r = note(book, kind, name, id);
	if (r == 0)
		*ret = id;
	return r;
}

static int book_user(void *ctx, const char *name, uint32_t *ret)
{
	return book_id(ctx, 'u', name, ret);
}

static int book_group(void *ctx, const char *name, uint32_t *ret)
{
	return book_id(ctx, 'g', name, ret);
}

static int book_service(void *ctx, const char *name, const char *protocol, uint16_t *ret)
{
	struct name_book *book = ctx;
	uint32_t id = 0;
	uint16_t port;
	char *key;
	int r;

	if (asprintf(&key, "%s/%s", name, protocol) < 0)
		return -ENOMEM;
	r = look_up(book, 's', key, &id);
	port = (uint16_t)id;
	if (r == -ENOENT && book->ask) {
		r = book->ask->service(book->ask->ctx, name, protocol, &port);
		if (r == 0)
			r = note(book, 's', key, port);
	}
	free(key);
	if (r == 0)
		*ret = port;
	return r;
}

struct names name_book_names(struct name_book *book)
{
	return (struct names){ book_user, book_group, book_service, book };
}

void fact_names_done(struct fact_name *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(v[i].name);
	free(v);
}
