/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * NetworkManager's dispatcher: interface and action as arguments, the connection in the
 * environment, see NetworkManager-dispatcher(8). What the environment says came from a DHCP server
 * or a router's advertisement: a value that is not exactly what it should be is not there.
 */
#include "events/manager.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* Routes of a connection that are looked through for a default. */
#define ROUTES_MAX 1000

static const struct action {
	const char *name;
	enum event_kind kind;
	bool vpn;
} actions[] = {
	{ "up", EVENT_UP, false },
	{ "dhcp4-change", EVENT_UP, false },
	{ "dhcp6-change", EVENT_UP, false },
	{ "reapply", EVENT_UP, false },
	{ "vpn-up", EVENT_UP, true },
	{ "down", EVENT_DOWN, false },
	{ "pre-down", EVENT_DOWN, false },
	{ "vpn-down", EVENT_DOWN, true },
	/* About the host: it comes without an interface and without a connection. */
	{ "connectivity-change", EVENT_APPLY, false },
};

static const struct action *action_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static bool is_default(const char *text, enum family family)
{
	struct prefix p = { 0 };

	return prefix_parse(text, &p) == 0 && p.len == 0 && p.addr.family == family;
}

/* "PREFIX VIA PREFIX VIA …", as NetworkManager's own DHCP client writes option 121. */
static bool note_default_of_words(struct event *ev, const char *text)
{
	char to[PREFIX_TEXT_SIZE];
	char via[ADDR_TEXT_SIZE];

	while (next_word(&text, " ", to, sizeof(to)) && next_word(&text, " ", via, sizeof(via)))
		if (is_default(to, FAMILY_IPV4) && event_note_gateway(ev, FAMILY_IPV4, via))
			return true;
	return false;
}

static bool next_octet(const char **text, uint32_t max, uint32_t *ret)
{
	char word[sizeof("255")];

	return next_word(text, " .", word, sizeof(word)) && number_parse(word, max, ret) == 0;
}

/* "LEN PREFIX-OCTETS… VIA-OCTETS… LEN …", as dhclient writes it: the option's bytes, in decimal,
 * and of each prefix just the octets that its length needs. */
static bool note_default_of_octets(struct event *ev, const char *text)
{
	uint32_t len;

	while (next_octet(&text, 32, &len)) {
		uint32_t octet[4];
		char via[ADDR_TEXT_SIZE];

		for (uint32_t i = 0; i < (len + 7) / 8; i++)
			if (!next_octet(&text, 255, &octet[0]))
				return false;
		for (size_t i = 0; i < ARRAY_SIZE(octet); i++)
			if (!next_octet(&text, 255, &octet[i]))
				return false;
		snprintf(via, sizeof(via), "%u.%u.%u.%u", octet[0], octet[1], octet[2], octet[3]);
		if (len == 0 && event_note_gateway(ev, FAMILY_IPV4, via))
			return true;
	}
	return false;
}

/* The lease itself. It names a router that NetworkManager did not make a default route of where the
 * connection is `never-default`: the usual case of a second cloud interface. */
static void note_lease(const struct environment *env, struct event *ev)
{
	const char *routes = environment_get(env, "DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES");
	const char *routers = environment_get(env, "DHCP4_ROUTERS");
	char first[ADDR_TEXT_SIZE];

	if (!routes)
		routes = environment_get(env, "DHCP4_MS_CLASSLESS_STATIC_ROUTES");
	/* RFC 3442: with classless routes in the lease, its routers are ignored. */
	if (routes && strchr(routes, '/'))
		note_default_of_words(ev, routes);
	else if (routes)
		note_default_of_octets(ev, routes);
	else if (routers && next_word(&routers, " ", first, sizeof(first)))
		event_note_gateway(ev, FAMILY_IPV4, first);
}

/* "PREFIX VIA METRIC" in IP4_ROUTE_0, IP4_ROUTE_1, … */
static bool note_default_route(const struct environment *env, struct event *ev, enum family family,
			       const char *variable)
{
	for (unsigned int n = 0; n < ROUTES_MAX; n++) {
		char name[sizeof("VPN_IP4_ROUTE_") + 10];
		char to[PREFIX_TEXT_SIZE];
		char via[ADDR_TEXT_SIZE];
		const char *text;

		snprintf(name, sizeof(name), "%s%u", variable, n);
		text = environment_get(env, name);
		if (!text)
			return false;
		if (next_word(&text, " ", to, sizeof(to)) &&
		    next_word(&text, " ", via, sizeof(via)) && is_default(to, family) &&
		    event_note_gateway(ev, family, via))
			return true;
	}
	return false;
}

static void note_gateways(const struct environment *env, struct event *ev, bool vpn)
{
	static const struct {
		const char *gateway;
		const char *route;
	} names[2][FAMILY_COUNT] = {
		{ { "IP4_GATEWAY", "IP4_ROUTE_" }, { "IP6_GATEWAY", "IP6_ROUTE_" } },
		{ { "VPN_IP4_GATEWAY", "VPN_IP4_ROUTE_" },
		  { "VPN_IP6_GATEWAY", "VPN_IP6_ROUTE_" } },
	};

	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		if (event_note_gateway(ev, f, environment_get(env, names[vpn][f].gateway)))
			continue;
		if (note_default_route(env, ev, f, names[vpn][f].route))
			continue;
		/* The lease is the device's: a VPN on top of it has none. */
		if (f == FAMILY_IPV4 && !vpn)
			note_lease(env, ev);
	}
}

/* A VPN without an interface of its own (IPsec policies) is announced with the device under it,
 * which comes and goes for itself: nothing is said about it but that something changed. */
static bool is_device_under_vpn(const struct environment *env, const struct event *ev)
{
	const char *device = environment_get(env, "DEVICE_IFACE");

	return device && strcmp(device, ev->name) == 0;
}

int networkmanager_parse(int argc, const char *const *argv, const struct environment *env,
			 struct event *ret, const char **ret_why)
{
	const struct action *action;
	const char *vpn;

	if (argc != 3) {
		*ret_why = "hook networkmanager: takes the interface and the action";
		return -EINVAL;
	}
	action = action_find(argv[2]);
	if (!action)
		return 0;
	if (action->kind == EVENT_APPLY) {
		ret->kind = EVENT_APPLY;
		return 0;
	}
	vpn = action->vpn ? environment_get(env, "VPN_IP_IFACE") : NULL;
	if (!event_set_name(ret, vpn ? vpn : argv[1]))
		return 0;
	if (action->vpn && is_device_under_vpn(env, ret)) {
		*ret = (struct event){ .kind = EVENT_APPLY };
		return 0;
	}
	ret->kind = action->kind;
	if (action->kind == EVENT_UP)
		note_gateways(env, ret, action->vpn);
	return 0;
}
