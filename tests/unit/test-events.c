/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What network managers announce: environments as their real programs set them (NetworkManager
 * 1.42, ifupdown 0.8.41), and as a hostile DHCP server would like them to be.
 */
#include <errno.h>

#include "events/event.h"
#include "tests/tap.h"

/* One case: arguments and environment, one a line; the event as text. */
struct example {
	const char *name;
	const char *args;
	const char *env;
	const char *want;
};

/* "NAME=VALUE\n" lines. Returns the value, NUL-terminated, in a buffer of its own for each call
 * in a row. */
static const char *lines_getenv(void *ctx, const char *name)
{
	static char values[8][512];
	static unsigned int next;
	const struct example *e = ctx;
	const char *line = e ? e->env : "";
	size_t len = strlen(name);

	while (line && *line) {
		if (strncmp(line, name, len) == 0 && line[len] == '=') {
			char *value = values[next++ % 8];

			snprintf(value, sizeof(values[0]), "%.*s",
				 (int)strcspn(line + len + 1, "\n"), line + len + 1);
			return value;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* "up eth2 172.31.64.1 fe80::1", "down eth2", "apply", "boot", "none", "usage" */
static const char *event_text(struct example e)
{
	static const char *const kinds[] = { "none", "apply", "up", "down" };
	static char text[200];
	char args[200], *save = NULL;
	const char *argv[8], *why = NULL;
	struct event ev;
	int argc = 0, n;

	snprintf(args, sizeof(args), "%s", e.args);
	for (char *s = args; s && argc < 8; s = save) {
		save = strchr(s, '\n');
		if (save)
			*save++ = '\0';
		argv[argc++] = s;
	}
	if (event_parse(argc, argv, lines_getenv, &e, &ev, &why) == -EINVAL)
		return why ? "usage" : "usage, without a reason";
	n = snprintf(text, sizeof(text), "%s%s%s", ev.from_boot ? "boot" : kinds[ev.kind],
		     *ev.name ? " " : "", ev.name);
	for (int f = 0; f < FAMILY_COUNT; f++) {
		char buf[ADDR_TEXT_SIZE];

		if (ev.has_gateway[f])
			n += snprintf(text + n, sizeof(text) - n, " %s",
				      addr_print(&ev.gateway[f], buf));
	}
	return text;
}

/* A device that is not activated (any more): nothing but the connection. */
#define NM_CONNECTION                                                                    \
	"CONNECTION_DBUS_PATH=/org/freedesktop/NetworkManager/Settings/1\n"              \
	"CONNECTION_FILENAME=/etc/NetworkManager/system-connections/eth2.nmconnection\n" \
	"CONNECTION_ID=eth2\n"                                                           \
	"CONNECTION_UUID=11111111-2222-3333-4444-555555555555\n"                         \
	"DEVICE_IFACE=eth2\n"                                                            \
	"DEVICE_IP_IFACE=eth2\n"

/* DHCP with a router and classless routes, and a router's advertisement. */
#define NM_UP                                                                                   \
	NM_CONNECTION                                                                           \
	"DHCP4_BROADCAST_ADDRESS=172.31.79.255\n"                                               \
	"DHCP4_DHCP_SERVER_IDENTIFIER=172.31.64.1\n"                                            \
	"DHCP4_REQUESTED_ROUTERS=1\n"                                                           \
	"DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES=0.0.0.0/0 172.31.64.1 10.0.0.0/16 172.31.64.9\n" \
	"DHCP4_ROUTERS=172.31.64.1\n"                                                           \
	"DHCP6_IAID=04:86:6b:80\n"                                                              \
	"IP4_ADDRESS_0=172.31.70.6/20 172.31.64.1\n"                                            \
	"IP4_GATEWAY=172.31.64.1\n"                                                             \
	"IP4_NUM_ADDRESSES=1\n"                                                                 \
	"IP4_NUM_ROUTES=2\n"                                                                    \
	"IP4_ROUTE_0=10.0.0.0/16 172.31.64.9 100\n"                                             \
	"IP4_ROUTE_1=172.31.64.0/20 0.0.0.0 100\n"                                              \
	"IP6_ADDRESS_0=fd00:e2::440b:44ff:fe01:22eb/64 fe80::f433:47ff:fed9:ddf2\n"             \
	"IP6_GATEWAY=fe80::f433:47ff:fed9:ddf2\n"                                               \
	"IP6_NUM_ADDRESSES=2\n"                                                                 \
	"IP6_ROUTE_0=fd00:e2::/64 :: 100\n"

/* The same with never-default: NetworkManager writes its gateway as 0.0.0.0, for IPv6 too. */
#define NM_NEVER_DEFAULT                           \
	NM_CONNECTION                              \
	"IP4_ADDRESS_0=172.31.70.9/20 0.0.0.0\n"   \
	"IP4_GATEWAY=0.0.0.0\n"                    \
	"IP4_NUM_ROUTES=1\n"                       \
	"IP4_ROUTE_0=172.31.64.0/20 0.0.0.0 100\n" \
	"IP6_GATEWAY=0.0.0.0\n"

/* A VPN on top of eth0. */
#define NM_VPN_DEVICE                \
	"CONNECTION_ID=office\n"     \
	"DEVICE_IFACE=eth0\n"        \
	"DEVICE_IP_IFACE=eth0\n"     \
	"DHCP4_ROUTERS=10.200.0.1\n" \
	"IP4_GATEWAY=10.200.0.1\n"   \
	"IP4_NUM_ROUTES=0\n"

static const struct example networkmanager[] = {
	{ "up with DHCP and RA", "networkmanager\neth2\nup", NM_UP,
	  "up eth2 172.31.64.1 fe80::f433:47ff:fed9:ddf2" },
	{ "reapply", "networkmanager\neth2\nreapply", NM_UP,
	  "up eth2 172.31.64.1 fe80::f433:47ff:fed9:ddf2" },
	{ "a lease that was renewed", "networkmanager\neth2\ndhcp4-change", NM_UP,
	  "up eth2 172.31.64.1 fe80::f433:47ff:fed9:ddf2" },
	{ "dhcp4-change ahead of up", "networkmanager\neth2\ndhcp4-change", NM_CONNECTION,
	  "up eth2" },
	{ "dhcp6-change ahead of up", "networkmanager\neth2\ndhcp6-change", NM_CONNECTION,
	  "up eth2" },
	{ "down", "networkmanager\neth2\ndown", NM_CONNECTION, "down eth2" },
	{ "down names no gateway", "networkmanager\neth2\ndown", NM_UP, "down eth2" },
	{ "pre-down", "networkmanager\neth2\npre-down", NM_CONNECTION, "down eth2" },
	{ "connectivity-change", "networkmanager\n\nconnectivity-change",
	  "CONNECTIVITY_STATE=NONE\n", "apply" },
	{ "hostname", "networkmanager\nnone\nhostname", "", "none" },
	{ "dns-change", "networkmanager\n\ndns-change", "", "none" },
	{ "pre-up", "networkmanager\neth2\npre-up", NM_CONNECTION, "none" },
	{ "an action of the future", "networkmanager\neth2\nrelocated-to-mars", NM_UP, "none" },
	{ "no action", "networkmanager\neth2\n", NM_UP, "none" },
	{ "no interface", "networkmanager\n\nup", NM_UP, "none" },
	{ "loopback", "networkmanager\nlo\nup", "CONNECTION_EXTERNAL=1\nDEVICE_IFACE=lo\n",
	  "none" },
	{ "an interface called none", "networkmanager\nnone\nup", "", "up none" },

	{ "never-default: the lease's router", "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT "DHCP4_ROUTERS=172.31.64.1\n", "up eth2 172.31.64.1" },
	{ "of several routers the first", "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT "DHCP4_ROUTERS=172.31.64.3 172.31.64.4\n", "up eth2 172.31.64.3" },
	{ "classless routes beat the routers", "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT
	  "DHCP4_ROUTERS=172.31.64.7\n"
	  "DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES=10.0.0.0/16 172.31.64.9 0.0.0.0/0 172.31.64.1\n",
	  "up eth2 172.31.64.1" },
	{ "RFC 3442: classless routes without a default, routers ignored",
	  "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT "DHCP4_ROUTERS=172.31.64.7\n"
			   "DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES=10.0.0.0/16 172.31.64.9\n",
	  "up eth2" },
	{ "classless routes as dhclient writes them", "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT "DHCP4_ROUTERS=172.31.64.7\n"
			   "DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES=16 10 0 172 31 64 9 12 172 16 "
			   "172 31 64 9 0 172 31 64 1\n",
	  "up eth2 172.31.64.1" },
	{ "the same with dots", "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT
	  "DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES=32.10.0.0.1.172.31.64.9.0.172.31.64.1\n",
	  "up eth2 172.31.64.1" },
	{ "option 249", "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT "DHCP4_MS_CLASSLESS_STATIC_ROUTES=0.0.0.0/0 172.31.64.1\n",
	  "up eth2 172.31.64.1" },
	{ "an on-link default", "networkmanager\neth2\nup",
	  NM_NEVER_DEFAULT "DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES=0.0.0.0/0 0.0.0.0\n", "up eth2" },
	{ "default among the routes", "networkmanager\neth2\nup",
	  "IP4_GATEWAY=0.0.0.0\nIP4_ROUTE_0=10.0.0.0/16 172.31.64.9 100\nIP4_ROUTE_1=0.0.0.0/0 "
	  "172.31.64.1 100\n"
	  "IP6_ROUTE_0=::/0 fe80::1 1024\nDHCP4_ROUTERS=172.31.64.7\n",
	  "up eth2 172.31.64.1 fe80::1" },

	{ "vpn-up", "networkmanager\ntun0\nvpn-up",
	  NM_VPN_DEVICE "VPN_IP_IFACE=tun0\nVPN_IP4_GATEWAY=10.8.0.1\nVPN_IP6_GATEWAY=fd00:8::1\n",
	  "up tun0 10.8.0.1 fd00:8::1" },
	{ "vpn-up names its own gateway or none", "networkmanager\ntun0\nvpn-up",
	  NM_VPN_DEVICE "VPN_IP_IFACE=tun0\nVPN_IP4_GATEWAY=0.0.0.0\n", "up tun0" },
	{ "the environment says which interface is the VPN's", "networkmanager\neth0\nvpn-up",
	  NM_VPN_DEVICE "VPN_IP_IFACE=tun0\n", "up tun0" },
	{ "vpn-down", "networkmanager\ntun0\nvpn-down", NM_VPN_DEVICE "VPN_IP_IFACE=tun0\n",
	  "down tun0" },
	{ "vpn-down with nothing but arguments", "networkmanager\ntun0\nvpn-down", "",
	  "down tun0" },
	{ "IPsec ends: the device under it stays", "networkmanager\neth0\nvpn-down", NM_VPN_DEVICE,
	  "apply" },
	{ "IPsec begins: its device's gateway is not its own", "networkmanager\neth0\nvpn-up",
	  NM_VPN_DEVICE, "apply" },
	{ "VPN_IP_IFACE belongs to VPN events", "networkmanager\neth0\nup",
	  NM_VPN_DEVICE "VPN_IP_IFACE=tun0\n", "up eth0 10.200.0.1" },

	{ "one argument too few", "networkmanager\neth2", "", "usage" },
	{ "one argument too many", "networkmanager\neth2\nup\nnow", "", "usage" },
};

#define HOSTILE(value)              \
	"networkmanager\neth2\nup", \
		"IP4_GATEWAY=" value "\nDHCP4_ROUTERS=" value "\nIP6_GATEWAY=" value "\n"
#define ROUTES(value) \
	"networkmanager\neth2\nup", "DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES=" value "\n"

static const struct example hostile[] = {
	{ "a command", HOSTILE("$(reboot)"), "up eth2" },
	{ "an address and a command", HOSTILE("172.31.64.1; reboot"), "up eth2" },
	{ "loopback as gateway", HOSTILE("127.0.0.1"), "up eth2" },
	{ "loopback of IPv6", HOSTILE("::1"), "up eth2" },
	{ "multicast", HOSTILE("224.0.0.1"), "up eth2" },
	{ "multicast of IPv6", HOSTILE("ff02::1"), "up eth2" },
	{ "broadcast", HOSTILE("255.255.255.255"), "up eth2" },
	{ "nothing in particular", HOSTILE("::"), "up eth2" },
	{ "an octal number", HOSTILE("0172.31.64.1"), "up eth2" },
	{ "a short address", HOSTILE("172.1"), "up eth2" },
	{ "a prefix", HOSTILE("172.31.64.1/20"), "up eth2" },
	{ "a zone", HOSTILE("fe80::1%eth2"), "up eth2" },
	{ "a long word",
	  HOSTILE("1111111111111111111111111111111111111111111111111111111111111111111.1.1.1"),
	  "up eth2" },
	{ "the wrong family is right in its own place", HOSTILE("fe80::1"), "up eth2 fe80::1" },
	{ "routes without end", ROUTES("0.0.0.0/0"), "up eth2" },
	{ "routes of IPv6", ROUTES("::/0 fe80::1"), "up eth2" },
	{ "a bad route ahead of a good one", ROUTES("0.0.0.0/0 x 0.0.0.0/0 172.31.64.1"),
	  "up eth2 172.31.64.1" },
	{ "octets that end early", ROUTES("0 172 31 64"), "up eth2" },
	{ "octets that are none", ROUTES("0 172 31 64 256"), "up eth2" },
	{ "a prefix length that is none", ROUTES("33 1 2 3 4 5 6 7 8 9 0 172 31 64 1"), "up eth2" },
	{ "nothing but separators", ROUTES(" . . "), "up eth2" },
	{ "a path for a name", "networkmanager\n../../etc\nup", "", "none" },
	{ "a directory for a name", "networkmanager\n..\nup", "", "none" },
	{ "a name of 16 bytes", "networkmanager\nabcdefghijklmnop\nup", "", "none" },
	{ "a name of 15 bytes", "networkmanager\nabcdefghijklmno\nup", "", "up abcdefghijklmno" },
	{ "a name with a blank", "networkmanager\neth 2\nup", "", "none" },
	{ "a name that is not polite", "networkmanager\n\"};\ndown", "", "down \"};" },
	{ "a VPN's name that is too long", "networkmanager\ntun0\nvpn-up",
	  "VPN_IP_IFACE=abcdefghijklmnop\n", "none" },
};

#define IFUP(family, method)                                                            \
	"ADDRFAM=" family                                                               \
	"\nCLASS=auto\nIFACE=eth2\nIFUPDOWN_eth2=post-up\nLOGICAL=eth2\nMETHOD=" method \
	"\nMODE=start\nPHASE=post-up\nVERBOSITY=0\n"
#define IFDOWN(phase)                                                                          \
	"ADDRFAM=inet\nIFACE=eth2\nIF_GATEWAY=172.31.64.1\nLOGICAL=eth2\nMETHOD=static\nMODE=" \
	"stop\nPHASE=" phase "\n"
#define IFALL(mode, phase)                                                             \
	"ADDRFAM=meta\nCLASS=auto\nIFACE=--all\nLOGICAL=auto\nMETHOD=none\nMODE=" mode \
	"\nPHASE=" phase "\nVERBOSITY=0\n"

static const struct example ifupdown[] = {
	{ "static", "ifupdown",
	  IFUP("inet", "static") "IF_ADDRESS=172.31.70.5\nIF_GATEWAY=172.31.64.1\n",
	  "up eth2 172.31.64.1" },
	{ "static, IPv6", "ifupdown",
	  IFUP("inet6", "static") "IF_ADDRESS=fd00:e2::5\nIF_GATEWAY=fd00:e2::1\n",
	  "up eth2 fd00:e2::1" },
	{ "no gateway", "ifupdown", IFUP("inet", "static") "IF_STEER_TABLE=102\n", "up eth2" },
	{ "DHCP", "ifupdown", IFUP("inet", "dhcp"), "up eth2" },
	{ "a gateway of the other family", "ifupdown",
	  IFUP("inet6", "static") "IF_GATEWAY=172.31.64.1\n", "up eth2" },
	{ "a gateway that is none", "ifupdown", IFUP("inet", "static") "IF_GATEWAY=none\n",
	  "up eth2" },
	{ "eth2=work: the physical name counts", "ifupdown",
	  "ADDRFAM=inet\nIFACE=eth2\nLOGICAL=work\nMETHOD=static\n"
	  "MODE=start\nPHASE=post-up\n",
	  "up eth2" },
	{ "before it is up", "ifupdown",
	  "ADDRFAM=inet\nIFACE=eth2\nMETHOD=static\nMODE=start\nPHASE=pre-up\n", "none" },
	{ "ifdown", "ifupdown", IFDOWN("post-down"), "down eth2" },
	{ "about to go", "ifupdown", IFDOWN("pre-down"), "down eth2" },
	{ "no more than what is needed", "ifupdown", "IFACE=eth2\nMODE=start\n", "up eth2" },
	{ "an alias comes", "ifupdown",
	  "ADDRFAM=inet\nIFACE=eth2:1\nMETHOD=static\nMODE=start\nPHASE=post-up\n", "apply" },
	{ "an alias goes, its interface stays", "ifupdown",
	  "ADDRFAM=inet\nIFACE=eth2:1\nMODE=stop\nPHASE=post-down\n", "apply" },
	{ "ifup -a", "ifupdown", IFALL("start", "post-up"), "none" },
	{ "ifdown -a", "ifupdown", IFALL("stop", "post-down"), "none" },
	{ "loopback", "ifupdown",
	  "ADDRFAM=inet\nIFACE=lo\nMETHOD=loopback\nMODE=start\nPHASE=post-up\n", "none" },
	{ "loopback by another method", "ifupdown", "IFACE=lo\nMETHOD=static\nMODE=start\n",
	  "none" },
	{ "NetworkManager's echo of up", "ifupdown", IFUP("inet", "NetworkManager") NM_UP, "none" },
	{ "NetworkManager's echo of down", "ifupdown",
	  "ADDRFAM=inet\nIFACE=eth2\nLOGICAL=eth2\nMETHOD=NetworkManager\n"
	  "MODE=stop\nPHASE=post-down\n",
	  "none" },
	{ "a mode of the future", "ifupdown", "IFACE=eth2\nMODE=pause\n", "none" },
	{ "a path for a name", "ifupdown", "IFACE=../eth2\nMODE=start\n", "none" },
	{ "not called by ifup", "ifupdown", "", "usage" },
	{ "no mode", "ifupdown", "IFACE=eth2\n", "usage" },
	{ "an argument", "ifupdown\neth2", IFUP("inet", "static"), "usage" },
};

static const struct example others[] = {
	{ "systemd", "systemd", "INVOCATION_ID=1\n", "boot" },
	{ "systemd is about no interface", "systemd", IFUP("inet", "static") NM_UP, "boot" },
	{ "systemd with an argument", "systemd\neth2", "", "usage" },
	{ "a manager that nobody knows", "wicked\neth2\nup", "", "usage" },
	{ "a manager without a name", "", "", "usage" },
};

static void test_examples(const char *group, const struct example *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		is(event_text(v[i]), v[i].want, "%s: %s", group, v[i].name);
}

static void test_untouched(void)
{
	static const char *const argv[] = { "networkmanager" };
	struct event ev = { .kind = EVENT_DOWN, .name = "eth9" };
	const char *why = NULL;

	ok(event_parse(0, argv, lines_getenv, NULL, &ev, &why) == -EINVAL && why,
	   "no manager at all is wrong usage");
	ok(ev.kind == EVENT_DOWN && strcmp(ev.name, "eth9") == 0,
	   "a failure leaves the event as it was");
}

int main(void)
{
	test_examples("networkmanager", networkmanager, ARRAY_SIZE(networkmanager));
	test_examples("hostile", hostile, ARRAY_SIZE(hostile));
	test_examples("ifupdown", ifupdown, ARRAY_SIZE(ifupdown));
	test_examples("others", others, ARRAY_SIZE(others));
	test_untouched();
	return tap_done();
}
