/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzz target: a hook's arguments and environment. The input is text: arguments one a line, an
 * empty line, NAME=VALUE one a line.
 */
#include <stdlib.h>
#include <string.h>

#include "events/event.h"
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *ctx, const char *name)
{
	char *const *env = ctx;
	size_t len = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* Cuts *text into its lines, up to an empty one or the end; the last pointer is NULL. */
static int lines(char **text, char **ret, int max)
{
	int n = 0;

	while (**text && n < max - 1) {
		char *end = *text + strcspn(*text, "\n");
		char *line = *text;

		*text = *end ? end + 1 : end;
		*end = '\0';
		if (!*line)
			break;
		ret[n++] = line;
	}
	ret[n] = NULL;
	return n;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What everybody behind the parser relies on. */
static void check_event(const struct event *ev)
{
	bool about_interface = ev->kind == EVENT_UP || ev->kind == EVENT_DOWN;

	check(memchr(ev->name, '\0', sizeof(ev->name)) != NULL);
	check(about_interface == (*ev->name != '\0'));
	check(!strpbrk(ev->name, "/: \n") && strcmp(ev->name, "..") != 0);
	for (int f = 0; f < FAMILY_COUNT; f++) {
		check(!ev->has_gateway[f] || ev->kind == EVENT_UP);
		check(!ev->has_gateway[f] ||
		      ((int)ev->gateway[f].family == f && !addr_is_zero(&ev->gateway[f])));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text;
	char *args[8], *env[2000];
	const char *argv[8], *why = NULL;
	struct event ev;
	int argc, r;

	argc = lines(&rest, args, (int)ARRAY_SIZE(args));
	for (int i = 0; i <= argc; i++)
		argv[i] = args[i];
	lines(&rest, env, (int)ARRAY_SIZE(env));
	r = event_parse(argc, argv, get, env, &ev, &why);
	if (r == 0)
		check_event(&ev);
	else
		check(why != NULL);
	free(text);
	return 0;
}
