/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a hook's command line to one event: find the manager, and what all managers have in common.
 */
#include "events/manager.h"

#include <errno.h>
#include <string.h>

const char *environment_get(const struct environment *env, const char *variable)
{
	const char *value = env->get(env->ctx, variable);

	return value && *value ? value : NULL;
}

/* The kernel's own rule (dev_valid_name), except that bytes above 0x7f are no white space here; and
 * `lo`, which NetworkManager announces too, is never managed. */
static bool name_is_valid(const char *name)
{
	if (!*name || strlen(name) >= NAME_SIZE)
		return false;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lo") == 0)
		return false;
	return !strpbrk(name, "/: \t\n\v\f\r");
}

bool event_set_name(struct event *ev, const char *name)
{
	if (!name_is_valid(name))
		return false;
	memcpy(ev->name, name, strlen(name) + 1);
	return true;
}

/* Addresses that a routing table can't send anything to: the unspecified one (managers write it for
 * "none"), loopback, multicast, broadcast. */
static bool is_way_out(const struct addr *a)
{
	static const uint8_t localhost6[16] = { [15] = 1 };
	static const uint8_t broadcast4[4] = { 255, 255, 255, 255 };

	if (addr_is_zero(a))
		return false;
	if (a->family == FAMILY_IPV6)
		return a->bytes[0] != 0xff && memcmp(a->bytes, localhost6, sizeof(localhost6)) != 0;
	return a->bytes[0] != 0 && a->bytes[0] != 127 && (a->bytes[0] & 0xf0) != 0xe0 &&
	       memcmp(a->bytes, broadcast4, sizeof(broadcast4)) != 0;
}

bool way_out_parse(const char *text, enum family family, struct addr *ret)
{
	struct addr a;

	if (addr_parse(text, &a) || a.family != family || !is_way_out(&a))
		return false;
	*ret = a;
	return true;
}

bool event_note_gateway(struct event *ev, enum family family, const char *text)
{
	if (!text || !way_out_parse(text, family, &ev->gateway[family]))
		return false;
	ev->has_gateway[family] = true;
	return true;
}

bool next_word(const char **text, const char *separators, char *buf, size_t size)
{
	const char *word = *text + strspn(*text, separators);
	size_t len = strcspn(word, separators);

	*text = word + len;
	if (len == 0 || len >= size)
		return false;
	memcpy(buf, word, len);
	buf[len] = '\0';
	return true;
}

static const struct manager {
	const char *name;
	int (*parse)(int argc, const char *const *argv, const struct environment *env,
		     struct event *ret, const char **ret_why);
} managers[] = {
	{ "networkmanager", networkmanager_parse },
	{ "ifupdown", ifupdown_parse },
	{ "systemd", systemd_parse },
};

int event_parse(int argc, const char *const *argv, event_getenv env, void *ctx, struct event *ret,
		const char **ret_why)
{
	const struct environment environment = { env, ctx };
	const char *wanted = argc > 0 ? argv[0] : "";

	for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
		struct event ev = { 0 };
		int r;

		if (strcmp(wanted, managers[i].name) != 0)
			continue;
		r = managers[i].parse(argc, argv, &environment, &ev, ret_why);
		if (r == 0)
			*ret = ev;
		return r;
	}
	*ret_why = "hook: the manager is networkmanager, ifupdown or systemd";
	return -EINVAL;
}
