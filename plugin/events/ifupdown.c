/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifup and ifdown: everything stands in the environment, see interfaces(5). The hook runs once for
 * each address family of an interface; that costs an apply without changes, which is cheap.
 */
#include "events/manager.h"

#include <errno.h>
#include <string.h>

static bool is(const char *value, const char *wanted)
{
	return value && strcmp(value, wanted) == 0;
}

/* Not an interface of its own, or somebody else's: `ifup -a` around the whole (--all, family
 * meta), and what NetworkManager's 01-ifupdown echoes, which NetworkManager's own hook has told
 * us already. */
static bool is_nobodys(const struct environment *env, const char *iface)
{
	return strcmp(iface, "--all") == 0 || is(environment_get(env, "ADDRFAM"), "meta") ||
	       is(environment_get(env, "METHOD"), "loopback") ||
	       is(environment_get(env, "METHOD"), "NetworkManager");
}

/* In if-pre-up.d the interface is not up yet. Every phase of a stop says that it goes: if-down.d
 * is the chance to know it early. */
static enum event_kind kind_of(const char *mode, const char *phase)
{
	if (strcmp(mode, "start") == 0)
		return is(phase, "pre-up") ? EVENT_NONE : EVENT_UP;
	if (strcmp(mode, "stop") == 0)
		return EVENT_DOWN;
	return EVENT_NONE;
}

/* Only the static methods have an option `gateway`; a DHCP client names its router elsewhere. */
static void note_gateway(const struct environment *env, struct event *ev)
{
	const char *family = environment_get(env, "ADDRFAM");
	const char *gateway = environment_get(env, "IF_GATEWAY");

	if (is(family, "inet"))
		event_note_gateway(ev, FAMILY_IPV4, gateway);
	else if (is(family, "inet6"))
		event_note_gateway(ev, FAMILY_IPV6, gateway);
}

int ifupdown_parse(int argc, const char *const *argv, const struct environment *env,
		   struct event *ret, const char **ret_why)
{
	const char *iface = environment_get(env, "IFACE");
	const char *mode = environment_get(env, "MODE");
	enum event_kind kind;

	(void)argv;
	if (argc != 1 || !iface || !mode) {
		*ret_why = "hook ifupdown: needs IFACE and MODE in its environment";
		return -EINVAL;
	}
	kind = kind_of(mode, environment_get(env, "PHASE"));
	if (kind == EVENT_NONE || is_nobodys(env, iface))
		return 0;
	if (strchr(iface, ':')) {
		/* eth2:1 is an address of eth2: its end is not the end of the interface. */
		ret->kind = EVENT_APPLY;
		return 0;
	}
	if (!event_set_name(ret, iface))
		return 0;
	ret->kind = kind;
	if (kind == EVENT_UP)
		note_gateway(env, ret);
	return 0;
}
