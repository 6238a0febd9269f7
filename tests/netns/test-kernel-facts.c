/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * facts_gather on a real kernel: what stands there is what is said, and no more than is needed is
 * read.
 */
#include "tests/netns/own-netns.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/wait.h>

#include "base/strbuf.h"
#include "kernel/kernel.h"
#include "kernel/netlink.h"
#include "kernel/rtnl-codec.h"

static struct interface declared[3];
static struct config config = { .interfaces = declared, .settings.mark_mask = 0xff000000 };
static struct facts facts;

static void declare(const char *name, uint32_t table)
{
	struct interface *i = &declared[config.interface_count++];

	snprintf(i->name, sizeof(i->name), "%s", name);
	i->is_glob = strchr(name, '*');
	i->table = table;
}

static void gather_with(struct facts_want want)
{
	struct diag d = { 0 };
	int err;

	want.config = &config;
	facts_done(&facts);
	err = facts_gather(&want, &facts, &d);
	for (size_t i = 0; i < d.count; i++)
		printf("# %s\n", d.items[i].text);
	if (err)
		ok(false, "facts_gather: %s", strerror(-err));
	diag_done(&d);
}

static void gather(void)
{
	gather_with((struct facts_want){ .nft = true });
}

/* The routes as `ip` would take them, the ones of one table and family, one a line. */
static const char *routes(enum family f, uint32_t table)
{
	static char text[1 << 20];
	struct strbuf b = { 0 };

	for (size_t i = 0; i < facts.route_count; i++) {
		if (facts.routes[i].table != table || facts.routes[i].family != f)
			continue;
		if (facts.routes[i].dead)
			strbuf_add(&b, "dead ");
		route_print(&facts.routes[i], &facts.links, &b);
		strbuf_add(&b, "\n");
	}
	snprintf(text, sizeof(text), "%s", b.text ? b.text : "");
	strbuf_done(&b);
	return text;
}

static const struct link *link_of(const char *name)
{
	static const struct link none;
	const struct link *l = links_by_name(&facts.links, name);

	return l ? l : &none;
}

static void set_up(void)
{
	sh("ip link set lo up");
	sh("ip link add eth0 type veth peer name p0; ip link add eth2 type veth peer name p2;"
	   "ip link add other type veth peer name p3");
	sh("for i in eth0 p0 eth2 p2 other p3; do sysctl -qw net.ipv6.conf.$i.addr_gen_mode=1; ip "
	   "link set $i up; done");
	sh("ip address add 10.200.0.2/24 dev eth0; ip address add 172.31.70.5/20 dev eth2;"
	   "ip address add 192.168.7.1 peer 192.168.7.2 dev other");
	sh("ip address add fd00:e0::2/64 dev eth0 nodad; ip address add fd00:e2::5/64 dev eth2 "
	   "nodad preferred_lft 0");
	declare("eth2", 102);
	declare("eth*", 0);
}

static void test_links(void)
{
	sh("sysctl -qw net.ipv4.conf.eth2.rp_filter=1 net.ipv4.conf.eth2.src_valid_mark=1 "
	   "net.ipv4.ip_forward=1"
	   " net.ipv4.conf.all.rp_filter=2 net.ipv6.conf.all.forwarding=0");
	sh("ip link set p0 down; ip link set eth2 mtu 1400");
	gather();
	ok(facts.has_family[FAMILY_IPV4] && facts.has_family[FAMILY_IPV6], "both families");
	ok(facts.forwarding[FAMILY_IPV4] && !facts.forwarding[FAMILY_IPV6], "forwarding");
	ok(facts.rp_filter_all == 2, "conf.all.rp_filter");
	ok(link_of("eth2")->up && link_of("eth2")->carrier, "eth2: up");
	ok(link_of("eth2")->rp_filter == 1 && link_of("eth2")->src_valid_mark == 1,
	   "eth2: settings");
	ok(link_of("eth2")->mtu == 1400 && link_of("eth2")->index == if_nametoindex("eth2"),
	   "eth2: mtu and index");
	ok(link_of("eth0")->up && !link_of("eth0")->carrier, "eth0: without carrier");
	ok(link_of("lo")->loopback, "lo");
	for (size_t i = 1; i < facts.links.count; i++)
		if (facts.links.v[i - 1].index >= facts.links.v[i].index)
			ok(false, "links are in order");
	sh("ip link set p0 up; ip link set eth2 mtu 1500");
}

static void test_addresses(void)
{
	uint32_t eth2 = if_nametoindex("eth2"), other = if_nametoindex("other");
	bool deprecated = false, peer = false;

	gather();
	for (size_t i = 0; i < facts.address_count; i++) {
		const struct address *a = &facts.addresses[i];
		char text[ADDR_TEXT_SIZE], end[ADDR_TEXT_SIZE];

		addr_print(&a->addr, text);
		addr_print(&a->peer, end);
		deprecated |= a->link == eth2 && !strcmp(text, "fd00:e2::5") && a->len == 64 &&
			      a->deprecated && !a->tentative;
		peer |= a->link == other && !strcmp(text, "192.168.7.1") &&
			!strcmp(end, "192.168.7.2");
	}
	ok(deprecated, "a deprecated IPv6 address");
	ok(peer, "the two ends of a point-to-point address");
}

static void test_routes(void)
{
	sh("ip route add default via 192.168.7.2 dev other");
	sh("ip route add 10.50.0.0/16 nexthop via 10.200.0.9 dev eth0 nexthop via 192.168.7.2 dev "
	   "other");
	sh("ip route add 10.60.0.0/16 dev other");
	sh("ip route add default via 172.31.64.1 dev eth2 table 102 proto 77; ip route add default "
	   "dev other table 102 metric 9");
	sh("ip route add 10.61.0.0/16 dev other table 102; ip route add 10.62.0.0/16 dev other "
	   "table 9999");
	sh("ip route add blackhole default table 103 proto 77");
	sh("ip -6 route add fd50::/64 nexthop via fd00:e0::9 dev eth0 nexthop via fd00:e2::9 dev "
	   "eth2");
	sh("ip -6 route add default via fe80::1 dev eth2 metric 100 mtu 1300");
	gather();
	is(routes(FAMILY_IPV4, 254),
	   "default via 192.168.7.2 dev other proto 3 table main\n"
	   "10.50.0.0/16 via 10.200.0.9 dev eth0 proto 3 table main\n"
	   "10.200.0.0/24 dev eth0 proto 2 scope link src 10.200.0.2 table main\n"
	   "172.31.64.0/20 dev eth2 proto 2 scope link src 172.31.70.5 table main\n",
	   "main: by managed interfaces, each nexthop apart, and the default by whatever");
	is(routes(FAMILY_IPV4, 102),
	   "default via 172.31.64.1 dev eth2 proto 77 table 102\ndefault dev other proto 3 scope "
	   "link metric 9 table 102\n"
	   "10.61.0.0/16 dev other proto 3 scope link table 102\n",
	   "an interface's own table: all of it");
	is(routes(FAMILY_IPV4, 103), "blackhole default proto 77 table 103\n",
	   "ours, in whatever table");
	is(routes(FAMILY_IPV4, 9999), "", "nobody's table: nothing");
	is(routes(FAMILY_IPV4, 255), "", "the local table: nothing");
	is(routes(FAMILY_IPV6, 254),
	   "fd00:e0::/64 dev eth0 proto 2 metric 256 table main\n"
	   "fd00:e2::/64 dev eth2 proto 2 metric 256 table main\n"
	   "fd50::/64 via fd00:e0::9 dev eth0 proto 3 metric 1024 table main\n"
	   "fd50::/64 via fd00:e2::9 dev eth2 proto 3 metric 1024 table main\n"
	   "default via fe80::1 dev eth2 proto 3 metric 100 mtu 1300 table main\n",
	   "main, IPv6");
	gather_with((struct facts_want){ .all_routes = true });
	ok(strstr(routes(FAMILY_IPV4, 254), "10.60.0.0/16 dev other"),
	   "all routes where all are asked for");

	sh("ip link set p2 down");
	/* A worker of the kernel's tells the routes, in its own time. */
	for (int i = 0; i < 1000; i++) {
		gather();
		if (strstr(routes(FAMILY_IPV4, 254), "dead 172.31.64.0/20 dev eth2"))
			break;
		usleep(10000);
	}
	ok(strstr(routes(FAMILY_IPV4, 254), "dead 172.31.64.0/20 dev eth2"),
	   "without carrier a route is dead");
	sh("ip link set p2 up");
}

/* More routes than are read at once: what matters is found all the same, by walks that the kernel
 * filters. */
static void test_many_routes(void)
{
	size_t count;

	sh("for i in $(seq 0 5999); do echo route add 20.$((i / 256)).$((i %% 256)).0/24 dev other "
	   "proto 186; done |"
	   "ip -batch -");
	sh("ip route add blackhole default proto 77 table 105");
	gather();
	count = facts.route_count;
	ok(strstr(routes(FAMILY_IPV4, 254), "default via 192.168.7.2 dev other"),
	   "many routes: the default by whatever");
	ok(strstr(routes(FAMILY_IPV4, 254), "172.31.64.0/20 dev eth2") &&
		   strstr(routes(FAMILY_IPV4, 254), "10.50.0.0/16"),
	   "many routes: those by managed interfaces");
	ok(strstr(routes(FAMILY_IPV4, 102), "10.61.0.0/16"),
	   "many routes: an interface's own table");
	ok(count < 100, "many routes: and not the others (%zu)", count);
	for (size_t i = 1; i < count; i++)
		if (route_compare(&facts.routes[i - 1], &facts.routes[i]) == 0)
			ok(false, "many routes: each once");

	is(routes(FAMILY_IPV4, 105), "blackhole default proto 77 table 105\n",
	   "many routes: ours, in whatever table, while no rule of ours says where");

	sh("ip rule add pref 21020 fwmark 0x02000000/0xff000000 lookup 104 protocol 77");
	sh("for i in $(seq 0 4999); do echo route add throw 30.$((i / 256)).$((i %% 256)).0/24 "
	   "proto 77 table 104; done |"
	   "ip -batch -");
	gather();
	count = 0;
	for (size_t i = 0; i < facts.route_count; i++)
		count += facts.routes[i].table == 104;
	ok(count == 5000, "many routes: all of ours in a table of ours (%zu)", count);
	gather_with((struct facts_want){ .all_ours = true });
	is(routes(FAMILY_IPV4, 105), "blackhole default proto 77 table 105\n",
	   "many routes: ours where nobody looks, for who asks");
	sh("ip route flush table 104; ip route flush table 105; ip rule del pref 21020");

	sh("ip route flush proto 186");
	sh("for i in $(seq 0 5999); do echo route add 20.$((i / 256)).$((i %% 256)).0/24 dev eth2 "
	   "proto 186; done |"
	   "ip -batch -");
	gather();
	ok(strstr(routes(FAMILY_IPV4, 254), "172.31.64.0/20 dev eth2"),
	   "many of its own: the connected network is there");
	ok(facts.route_count < 5000, "many of its own: but not all (%zu)", facts.route_count);
	sh("ip route flush proto 186");
}

/* Where the first dump ends: main's second default route is found wherever that is, and an
 * interface is not known by what another table has of it. */
static void test_cut_off(void)
{
	size_t missing = 0;

	sh("ip route add default via 192.168.7.3 dev other onlink metric 7");
	sh("for i in $(seq 0 5999); do echo route add 20.$((i / 256)).$((i %% 256)).0/24 dev other "
	   "proto 186; done |"
	   "ip -batch -");
	sh("ip route add 220.0.0.0/8 via 172.31.64.1 dev eth2");
	sh("for i in $(seq 0 4039); do echo route add throw 30.$((i / 256)).$((i %% 256)).0/24 "
	   "proto 186 table 100; done |"
	   "ip -batch -");
	for (int i = 4040; i < 4100; i++) {
		sh("ip route add throw 30.%d.%d.0/24 proto 186 table 100", i / 256, i % 256);
		gather();
		missing += !strstr(routes(FAMILY_IPV4, 254), "default via 192.168.7.3 dev other");
	}
	ok(missing == 0, "cut off anywhere: main's default routes are there (%zu)", missing);
	sh("ip route flush table 100");
	sh("for i in $(seq 0 2999); do echo route add 30.$((i / 256)).$((i %% 256)).0/24 dev eth2 "
	   "proto 186 table 100; done |"
	   "ip -batch -");
	gather();
	ok(strstr(routes(FAMILY_IPV4, 254), "220.0.0.0/8 via 172.31.64.1 dev eth2"),
	   "cut off: much of its own in another table, and main's are there");
	sh("ip route flush table 100; ip route flush proto 186; ip route del 220.0.0.0/8");
	sh("ip route del default metric 7");
}

static void test_rules(void)
{
	struct strbuf b = { 0 };

	sh("ip rule add pref 21101 fwmark 0x02000000/0xff000000 lookup 102 protocol 77");
	sh("ip rule add pref 21300 fwmark 0/0xffffffff iif lo to 10.0.0.0/8 ipproto tcp dport 443 "
	   "lookup 102 protocol 77");
	sh("ip -6 rule add pref 21400 from fd00::1 goto 32766 protocol 77; ip rule add pref 5000 "
	   "tos 0x10 lookup 9");
	gather();
	for (size_t i = 0; i < facts.rule_count; i++) {
		strbuf_printf(&b, "%s ", family_name(facts.rules[i].family));
		rule_print(&facts.rules[i], &b);
		strbuf_add(&b, "\n");
	}
	is(b.text,
	   "ipv4 from all lookup local proto 2 priority 0\n"
	   "ipv4 from all lookup 9 (and more) proto 0 priority 5000\n"
	   "ipv4 from all fwmark 0x2000000/0xff000000 lookup 102 proto 77 priority 21101\n"
	   "ipv4 from all to 10.0.0.0/8 fwmark 0/0xffffffff iif lo ipproto 6 dport 443 lookup 102 "
	   "proto 77 priority 21300\n"
	   "ipv4 from all lookup main proto 2 priority 32766\n"
	   "ipv4 from all lookup default proto 2 priority 32767\n"
	   "ipv6 from all lookup local proto 2 priority 0\n"
	   "ipv6 from fd00::1 goto 32766 proto 77 priority 21400\n"
	   "ipv6 from all lookup main proto 2 priority 32766\n",
	   "rules of both families, in the kernel's order");
	strbuf_done(&b);
}

static void test_ipv6_disabled(void)
{
	sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	gather();
	ok(!facts.has_family[FAMILY_IPV6] && facts.has_family[FAMILY_IPV4], "IPv6 is disabled");
	sh("sysctl -qw net.ipv6.conf.eth2.disable_ipv6=0");
	gather();
	ok(facts.has_family[FAMILY_IPV6], "IPv6 is enabled again for one interface");
	sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=0");
}

static void test_nft(void)
{
	ok(facts.nft == NULL, "no table of ours");
	sh("nft 'add table inet ifsteer; add counter inet ifsteer c; add table inet other; add "
	   "chain inet other x'");
	gather();
	is(facts.nft, "table inet ifsteer {\n\tcounter c {\n\t}\n}\n",
	   "our table, without counters, and no other");
	sh("nft delete table inet ifsteer");
}

static void test_leases(void)
{
	sh("ip route del default");
	sh("mkdir -p /run/systemd/netif/leases");
	sh("printf '# private\\nADDRESS=172.31.70.5\\nROUTER=172.31.64.7 "
	   "172.31.64.8\\nLIFETIME=600\\n' >"
	   "/run/systemd/netif/leases/%u",
	   if_nametoindex("eth2"));
	gather();
	ok(link_of("eth2")->has_lease[FAMILY_IPV4] && !link_of("eth0")->has_lease[FAMILY_IPV4],
	   "a lease of networkd's");
	sh("touch -d '1 hour ago' /run/systemd/netif/leases/%u", if_nametoindex("eth2"));
	gather();
	ok(!link_of("eth2")->has_lease[FAMILY_IPV4], "one that is over");

	if (mount("lib", "/var/lib", "tmpfs", 0, NULL))
		own_skip("no /var/lib of one's own");
	sh("mkdir /var/lib/dhcp; cat >/var/lib/dhcp/dhclient.eth2.leases <<'END'\n"
	   "lease {\n  interface \"eth2\";\n  option routers 172.31.64.3;\n  expire 4 2001/01/04 "
	   "00:00:00;\n}\n"
	   "lease {\n  interface \"eth0\";\n  option routers 10.200.0.1;\n  expire never;\n}\n"
	   "lease {\n  interface \"eth2\";\n  option routers 172.31.64.4,172.31.64.5;\n  expire "
	   "epoch 4000000000; # x\n}\n"
	   "lease {\n  interface \"eth2\";\n  option routers nonsense;\n  expire never;\n}\nEND");
	gather();
	ok(link_of("eth2")->has_lease[FAMILY_IPV4] &&
		   link_of("eth2")->lease[FAMILY_IPV4].bytes[3] == 4,
	   "the newest lease of dhclient's that names a router");
	ok(link_of("eth0")->has_lease[FAMILY_IPV4] &&
		   link_of("eth0")->lease[FAMILY_IPV4].bytes[3] == 1,
	   "that of another interface in the same file");
}

static void test_cgroups(void)
{
	static char texts[][16] = { "there/below", "/there", "absent", "../../.." };
	static struct name names[] = {
		{ texts[0], false }, { texts[1], false }, { texts[2], true }, { texts[3], false }
	};
	static struct policy policy = { .cgroup = { names, 4 } };

	if (mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL)) {
		printf("ok %d - cgroups # SKIP no cgroup2 of one's own\n", ++tap_points);
		return;
	}
	sh("mkdir -p /sys/fs/cgroup/ifsteer-test/there/below");
	if (mount("/sys/fs/cgroup/ifsteer-test", "/sys/fs/cgroup", "none", MS_BIND, NULL)) {
		ok(false, "a cgroup in the place of the root");
		return;
	}
	config.policies = &policy;
	config.policy_count = 1;
	gather();
	ok(facts.cgroup_count == 2 && !strcmp(facts.cgroups[0], "there/below") &&
		   !strcmp(facts.cgroups[1], "/there"),
	   "cgroups that exist, and nothing outside");
	config.policy_count = 0;
	umount("/sys/fs/cgroup");
	sh("rmdir /sys/fs/cgroup/ifsteer-test/there/below /sys/fs/cgroup/ifsteer-test/there "
	   "/sys/fs/cgroup/ifsteer-test");
}

static int see_link(const struct nlmsghdr *nlh, void *ctx)
{
	(void)nlh, (void)ctx;
	return 0;
}

static void count_restart(void *ctx)
{
	++*(int *)ctx;
}

/* How often the list had to be read to have it whole. */
static int attempts(void)
{
	CLEANUP(netlink_close) struct netlink n = NETLINK_CLOSED;
	char buf[RTNL_MESSAGE_SIZE];
	int count = 0;
	const struct netlink_reader reader = { see_link, count_restart, &count };

	if (netlink_open(&n, NETLINK_ROUTE) ||
	    netlink_dump(&n, rtnl_request_links(buf), &reader))
		ok(false, "the list of interfaces");
	return count;
}

/* Interfaces that come and go while the list is read: never a part of it. */
static void test_churn(void)
{
	int whole = 0, all = 0, again = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(system("for round in 1 2 3; do"
			     " for i in $(seq 60); do echo link add c$i type veth peer name d$i; "
			     "done | ip -batch -;"
			     " for i in $(seq 60); do echo link del c$i; done | ip -batch -; "
			     "done") != 0);
	for (; waitpid(child, NULL, WNOHANG) == 0; all++) {
		gather_with((struct facts_want){ .nft = false });
		whole += link_of("eth0")->index && link_of("eth2")->index && link_of("p3")->index;
		again += attempts() - 1;
	}
	ok(all > 50 && whole == all,
	   "interfaces that come and go: all others are there each time (%d of %d)", whole, all);
	ok(again > 0, "a list that was interrupted is read again (%d times)", again);
}

int main(void)
{
	own_netns();
	set_up();
	test_links();
	test_addresses();
	test_routes();
	test_many_routes();
	test_cut_off();
	test_rules();
	test_ipv6_disabled();
	test_nft();
	test_leases();
	test_cgroups();
	test_churn();
	facts_done(&facts);
	nft_close();
	return tap_done();
}
