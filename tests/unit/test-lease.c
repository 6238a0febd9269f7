/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lease files, as systemd-networkd, NetworkManager 1.42 and dhclient 4.4 write them, and as a hostile
 * DHCP server would like them to be.
 */
#include "events/lease.h"

#include "tests/tap.h"

/* The file was written ten minutes ago. */
static const struct lease_clock now = { 1704164645, "2024/01/02 03:04:05" };
#define WRITTEN (1704164645 - 600)

struct example {
	const char *name;
	const char *text;
	const char *want;		/* the router; NULL: none */
};

static const struct example variables[] = {
	{ "networkd",
	  "# This is private data. Do not parse.\nADDRESS=172.31.70.5\nNETMASK=255.255.240.0\n"
	  "ROUTER=172.31.64.1\nSERVER_ADDRESS=172.31.64.1\nLIFETIME=3600\n",
	  "172.31.64.1" },
	{ "two routers", "ROUTER=172.31.64.7 172.31.64.8\nLIFETIME=601\n", "172.31.64.7" },
	{ "just not over", "ROUTER=172.31.64.7\nLIFETIME=600\n", "172.31.64.7" },
	{ "over", "ROUTER=172.31.64.7\nLIFETIME=599\n", NULL },
	{ "over, said before", "LIFETIME=599\nROUTER=172.31.64.7\n", NULL },
	{ "without end", "ROUTER=172.31.64.7\nLIFETIME=4294967295", "172.31.64.7" },
	{ "a lifetime that is none", "ROUTER=172.31.64.7\nLIFETIME=-1\n", "172.31.64.7" },
	{ "no router", "ADDRESS=172.31.70.5\nLIFETIME=3600\n", NULL },
	{ "an empty router", "ROUTER=\nLIFETIME=3600\n", NULL },
	{ "the last counts", "ROUTER=172.31.64.7\nROUTER=172.31.64.8\n", "172.31.64.8" },
	{ "the last is none", "ROUTER=172.31.64.7\nROUTER=`reboot`\n", NULL },
	{ "not at the line's start", " ROUTER=172.31.64.7\nXROUTER=172.31.64.8\n", NULL },
	{ "IPv6 in IPv4's place", "ROUTER=fe80::1\n", NULL },
	{ "a router that can't be one: nowhere", "ROUTER=0.0.0.0\n", NULL },
	{ "a router that can't be one: this host", "ROUTER=127.0.0.1\n", NULL },
	{ "a router that can't be one: many", "ROUTER=224.0.0.1\n", NULL },
	{ "a router that can't be one: all", "ROUTER=255.255.255.255\n", NULL },
	{ "a word that does not end", "ROUTER=1111111111111111111111111111111111111111111111111111111\n",
	  NULL },
	{ "nothing", "", NULL },
};

#define LEASE(of, routers, expire)                                                             \
	"lease {\n  interface \"" of "\";\n  fixed-address 172.31.70.5;\n  option subnet-mask " \
	"255.255.240.0;\n  option routers " routers ";\n  expire " expire ";\n}\n"

static const struct example dhclient[] = {
	{ "one", LEASE("eth2", "172.31.64.1", "4 2024/01/02 03:04:06"), "172.31.64.1" },
	{ "two routers", LEASE("eth2", "172.31.64.4,172.31.64.5", "never"), "172.31.64.4" },
	{ "just not over", LEASE("eth2", "172.31.64.1", "2 2024/01/02 03:04:05"), "172.31.64.1" },
	{ "over", LEASE("eth2", "172.31.64.1", "2 2024/01/02 03:04:04"), NULL },
	{ "over long since", LEASE("eth2", "172.31.64.1", "0 1999/12/31 23:59:59"), NULL },
	{ "local time: not over", LEASE("eth2", "172.31.64.1", "epoch 1704164645; # Tue Jan 2"),
	  "172.31.64.1" },
	{ "local time: over", LEASE("eth2", "172.31.64.1", "epoch 1704164644; # Tue Jan 2"), NULL },
	{ "a time that is none", LEASE("eth2", "172.31.64.1", "soon"), "172.31.64.1" },
	{ "half a time", LEASE("eth2", "172.31.64.1", "4 2023"), "172.31.64.1" },
	{ "an epoch that is none", LEASE("eth2", "172.31.64.1", "epoch"), "172.31.64.1" },
	{ "the newest",
	  LEASE("eth2", "172.31.64.1", "never") LEASE("eth2", "172.31.64.2", "never"),
	  "172.31.64.2" },
	{ "the newest is over",
	  LEASE("eth2", "172.31.64.1", "never") LEASE("eth2", "172.31.64.2", "0 2001/01/01 00:00:00"),
	  "172.31.64.1" },
	{ "another interface's", LEASE("eth0", "10.200.0.1", "never"), NULL },
	{ "one of a longer name", LEASE("eth22", "10.200.0.1", "never"), NULL },
	{ "another's before it",
	  LEASE("eth2", "172.31.64.1", "never") LEASE("eth0", "10.200.0.1", "never"),
	  "172.31.64.1" },
	{ "another's routers before an IPv6 lease of its own",
	  LEASE("eth0", "10.200.0.1", "never")
	  "lease6 {\n  interface \"eth2\";\n  ia-na 1:2:3:4 {\n    starts 1;\n  }\n}\n",
	  NULL },
	{ "the beginning is cut off", "ers 10.200.0.1;\n  expire never;\n}\n"
	  LEASE("eth2", "172.31.64.1", "never"), "172.31.64.1" },
	{ "the end is cut off", "lease {\n  interface \"eth2\";\n  option routers 172.31.64.1;\n",
	  NULL },
	{ "a router that can't be one", LEASE("eth2", "127.0.0.1", "never"), NULL },
	{ "nonsense", "lease {\n}\n}\n;interface \"eth2\"\noption routers ;\nexpire ;\n}", NULL },
};

static void expect(const char *client, const struct example *e, bool found,
		   const struct addr *router)
{
	char buf[ADDR_TEXT_SIZE];

	is(found ? addr_print(router, buf) : "none", e->want ? e->want : "none", "%s: %s", client,
	   e->name);
}

int main(void)
{
	char text[4096];
	struct addr router;

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		snprintf(text, sizeof(text), "%s", variables[i].text);
		expect("variables", &variables[i],
		       lease_read_variables(text, WRITTEN, &now, &router), &router);
	}
	for (size_t i = 0; i < ARRAY_SIZE(dhclient); i++) {
		snprintf(text, sizeof(text), "%s", dhclient[i].text);
		expect("dhclient", &dhclient[i], lease_read_dhclient(text, "eth2", &now, &router),
		       &router);
	}
	return tap_done();
}
