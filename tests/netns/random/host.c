/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A host with uplinks, a tunnel, a LAN and a bridge of containers, in a network namespace; what is
 * at the other end of each is a socket of ours. And what happens to hosts: links that go and come,
 * routes and rules of other people's, DHCP servers with ideas.
 */
#include "tests/netns/random/random.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

struct wire wires[LINK_COUNT] = {
	[ETH0] = { .name = "eth0" }, [ETH2] = { .name = "eth2" }, [ETH3] = { .name = "eth3" },
	[WG0] = { .name = "wg0" },   [LAN0] = { .name = "lan0" }, [DK0] = { .name = "dk0" },
};
int tap;
static int far_ns, host_ns;

int run(char **ret, const char *fmt, ...)
{
	struct strbuf out = { 0 }, command = { 0 };
	char block[4096];
	va_list args;
	size_t n;
	FILE *f;
	int status;

	strbuf_add(&command, "{ ");
	va_start(args, fmt);
	strbuf_vprintf(&command, fmt, args);
	va_end(args);
	strbuf_add(&command, "\n} 2>&1");
	f = command.failed ? NULL : popen(command.text, "re");
	if (!f)
		abort();
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		strbuf_add_bytes(&out, block, n);
	status = pclose(f);
	strbuf_done(&command);
	if (ret)
		*ret = strbuf_take(&out);
	strbuf_done(&out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* ---- making one ---- */

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s\n", what);
	exit(1);
}

static int new_namespace(void)
{
	int fd;

	must(unshare(CLONE_NEWNET) == 0, "no network namespace");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	must(fd >= 0, "no network namespace");
	return fd;
}

static int packet_socket(const char *link)
{
	int one = 1, room = 4 << 20, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll at = { .sll_family = AF_PACKET };

	must(fd >= 0, "no packet socket");
	if (link) {
		at.sll_ifindex = (int)if_nametoindex(link);
	} else {
		/* The other end hears nothing: it only speaks. */
		at.sll_protocol = htons(ETH_P_ALL);
		setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	}
	must(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0, "a packet socket can't be bound");
	return fd;
}

static const char sysctls[] =
	"cd /proc/sys/net; set_sysctl() { while [ $# -gt 0 ]; do echo $2 >$1; shift 2; done; }\n"
	"set_sysctl ipv4/ip_forward 1 ipv6/conf/all/forwarding 1 ipv4/icmp_ratelimit 0 "
	"ipv4/icmp_msgs_per_sec 100000 ipv4/icmp_msgs_burst 100000 ipv6/icmp/ratelimit 0 "
	"ipv4/conf/all/rp_filter 0 ipv4/conf/default/rp_filter %u "
	"ipv6/conf/all/accept_dad 0 ipv6/conf/default/accept_dad 0 "
	"ipv6/conf/default/router_solicitations 0 "
	"ipv4/neigh/default/base_reachable_time_ms 3600000 "
	"ipv6/neigh/default/base_reachable_time_ms 3600000 "
	"ipv4/neigh/default/delay_first_probe_time 3600 ipv6/neigh/default/delay_first_probe_time "
	"3600 "
	"ipv4/neigh/default/gc_thresh1 8192 ipv6/neigh/default/gc_thresh1 8192 2>/dev/null; :";

static const char links[] = "ip -batch - <<E\n"
			    "link set lo up\n"
			    "link add eth0 type veth peer name eth0 netns /proc/%d/fd/%d\n"
			    "link add eth2 type veth peer name eth2 netns /proc/%d/fd/%d\n"
			    "link add eth3 type veth peer name eth3 netns /proc/%d/fd/%d\n"
			    "link add wg0 type veth peer name wg0 netns /proc/%d/fd/%d\n"
			    "link add lan0 type veth peer name lan0 netns /proc/%d/fd/%d\n"
			    "link add dk0 type veth peer name dk0 netns /proc/%d/fd/%d\n"
			    "link set wg0 arp off\n"
			    "E\n";

static const char *const addresses[LINK_COUNT] = {
	[ETH0] = "addr replace 10.200.0.2/24 dev eth0\naddr replace fd00:e0::2/64 dev eth0 nodad\n",
	[ETH2] =
		"addr replace 172.31.70.5/20 dev eth2\naddr replace fd00:e2::5/64 dev eth2 nodad\n",
	[ETH3] =
		"addr replace 192.168.3.2/24 dev eth3\naddr replace fd00:e3::2/64 dev eth3 nodad\n",
	[WG0] = "addr replace 10.99.0.2/32 dev wg0\naddr replace fd00:99::2/128 dev wg0 nodad\n",
	[LAN0] = ("addr replace 192.168.77.1/24 dev lan0\n"
		  "addr replace fd00:77::1/64 dev lan0 nodad\n"),
	[DK0] = "addr replace 172.17.0.1/16 dev dk0\naddr replace fd00:17::1/64 dev dk0 nodad\n",
};

static const char defaults[] = "route replace default via 10.200.0.1 dev eth0\nroute replace "
			       "default via fd00:e0::1 dev eth0\n";

static void learn_wire(struct wire *w)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(r.ifr_name, w->name);
	must(ioctl(fd, SIOCGIFHWADDR, &r) == 0, "a link without an address");
	memcpy(w->mac, r.ifr_hwaddr.sa_data, 6);
	w->index = if_nametoindex(w->name);
	close(fd);
}

static void bring_up(const struct wire *w)
{
	run(NULL, "ip -force -batch - <<E\nlink set %s up\n%sE", w->name, addresses[w - wires]);
}

/* A busy kernel takes note of a carrier later than of an address, and only then is an IPv6 address the host's. */
static void settle(void)
{
	run(NULL,
	    "for n in 1 2 3 4 5 6 7 8 9; do { ip -o link show up; ip -6 route show table local; "
	    "ip -6 -o addr show scope global; } | awk '"
	    "/LOWER_UP/ { sub(/[@:].*/, \"\", $2); up[$2] = 1 } $1 == \"local\" { there[$2] = 1 } "
	    "$3 == \"inet6\" { sub(/\\/.*/, \"\", $4); if (up[$2] && !there[$4]) exit 1 }' && "
	    "break; sleep 0.2; done");
}

void host_make(void)
{
	char *said;
	int pid = (int)getpid();

	far_ns = new_namespace();
	run(NULL, "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
	host_ns = new_namespace();
	run(NULL, sysctls, below(3));
	if (run(&said, links, pid, far_ns, pid, far_ns, pid, far_ns, pid, far_ns, pid, far_ns, pid,
		far_ns))
		must(false, said);
	free(said);
	must(setns(far_ns, CLONE_NEWNET) == 0, "no way back");
	run(NULL, "for i in eth0 eth2 eth3 wg0 lan0 dk0; do ip link set $i up; done");
	for (size_t i = 0; i < LINK_COUNT; i++)
		wires[i].far = packet_socket(wires[i].name);
	must(setns(host_ns, CLONE_NEWNET) == 0, "no way back");
	for (size_t i = 0; i < LINK_COUNT; i++) {
		learn_wire(&wires[i]);
		bring_up(&wires[i]);
	}
	/* A worker of the kernel's makes IPv6 addresses usable, on a busy machine some time later. */
	run(NULL,
	    "for i in $(seq 100); do [ $(ip -6 route show table local type local | grep -c ' fd') "
	    "-ge %d ] && break; sleep 0.05; done",
	    LINK_COUNT);
	run(NULL, "ip -batch - <<E\n%sE", defaults);
	settle();
	tap = packet_socket(NULL);
}

char *host_routing(void)
{
	char *text;

	run(&text, "for f in -4 -6; do ip $f rule; ip $f -d route show table all; done | "
		   "grep -v 'proto ifsteer\\|proto 77'; nft list tables | grep -v 'inet ifsteer'");
	return text;
}

char *host_sysctls(void)
{
	char *text;

	run(&text, "cd /proc/sys/net/ipv4; grep -H . conf/*/rp_filter conf/*/src_valid_mark");
	return text;
}

/* ---- what happens to it ---- */

/* As ip(8) takes it. */
static const char *const changes[] = {
	"link set eth0 down",
	"link set eth2 down",
	"link set eth3 down",
	"link set wg0 down",
	"addr flush dev eth2 scope global",
	"-6 addr flush dev eth2 scope global",
	"-4 addr flush dev eth2",
	"-4 addr flush dev eth3",
	"-6 addr flush dev eth0 scope global",
	"addr add 10.200.0.77/24 dev eth0",
	"addr add 172.31.99.1/24 dev eth2",
	"addr add fd00:e0::77/64 dev eth0 nodad",
	"addr add fd00:e2:1::5/64 dev eth2 nodad preferred_lft 0",
	"addr add 198.18.0.1/32 dev lo",
	"addr add 2001:db8:aa::1/128 dev lo",
	"route del default",
	"-6 route del default",
	"route replace default via 192.168.3.1 dev eth3",
	"-6 route replace default via fd00:e3::1 dev eth3",
	"route add default via 172.31.64.1 dev eth2 metric 50",
	"route add default via 192.168.3.1 dev eth3 metric 700",
	"-6 route add default via fd00:e2::1 dev eth2 metric 50",
	"-6 route add default via fd00:e3::1 dev eth3 metric 2000",
	"route add default dev wg0 metric 10",
	"-6 route add default dev wg0 metric 10",
	"route add 10.9.0.0/16 via 172.31.64.9 dev eth2",
	"route add 10.0.3.0/24 via 192.168.3.9 dev eth3",
	"route add 10.0.0.0/16 via 172.31.64.9 dev eth2",
	"-6 route add fd00:10::/64 via fd00:e2::9 dev eth2",
	"-6 route add fd00:30::/64 via fd00:e3::9 dev eth3",
	"route add 172.30.0.0/16 dev wg0",
	"route add 0.0.0.0/1 via 10.200.0.1",
	"route add 128.0.0.0/1 via 10.200.0.1",
	"-6 route add ::/1 via fd00:e0::1 dev eth0",
	"route add unreachable 198.51.100.128/26",
	"route add prohibit 203.0.113.64/26",
	"route add blackhole 10.0.4.0/24",
	"-6 route add unreachable 2001:db8::/80",
	"-6 route add prohibit fd00:30::8000/113",
	"route add throw 198.51.100.64/27",
	"rule add to 203.0.113.0/24 lookup 100 priority 30000",
	"rule add fwmark 0x4000/0xff00 lookup 100 priority 100",
	"rule add uidrange 1000-1001 lookup 100 priority 90",
	"-6 rule add uidrange 1000-1001 lookup 100 priority 90",
	"rule add from 192.168.77.0/24 lookup 100 priority 32000",
	"rule add iif lan0 lookup 100 priority 25000",
	"-6 rule add iif lan0 lookup 100 priority 25000",
	"rule add ipproto udp dport 53 lookup 100 priority 31000",
	"-6 rule add ipproto udp dport 53 lookup 100 priority 31000",
	"rule add not fwmark 0xca6c lookup 100 priority 32500",
	"rule add lookup main suppress_prefixlength 0 priority 32400",
	"-6 rule add to fd00:30::/64 prohibit priority 400",
	"rule add to 10.0.4.0/24 unreachable priority 401",
	"rule add to 172.30.0.0/16 blackhole priority 32300",
	"route replace default via 172.31.64.1 dev eth2 table 100",
	"-6 route replace default via fd00:e2::1 dev eth2 table 100",
	"route replace default via 192.168.3.1 dev eth3 table 52",
	"-6 route replace default via fd00:e3::1 dev eth3 table 52",
	"route replace 10.0.0.0/8 via 192.168.3.7 dev eth3 table 52",
	"route replace default dev wg0 table 52",
	"route flush table 100",
	"route flush table 52",
	"route replace default via 172.31.64.1 dev eth2 table 21001",
};

/* Only before the first apply: flush is to put back what was found. */
static const char *const first_changes[] = {
	"echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter",
	"echo 2 >/proc/sys/net/ipv4/conf/all/rp_filter",
	"echo 1 >/proc/sys/net/ipv4/conf/eth2/rp_filter",
	"echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter",
	"echo 1 >/proc/sys/net/ipv4/conf/lan0/src_valid_mark",
	"echo 0 >/proc/sys/net/ipv4/ip_forward",
	"echo 0 >/proc/sys/net/ipv6/conf/all/forwarding",
	"ip link set wg0 mtu 1400",
};

/* What managers, people and health checks say. */
static const char *const events[] = {
	"offline eth2",
	"offline eth0",
	"offline wg0",
	"online eth2",
	"online eth0",
	"online wg0",
	"hook networkmanager eth2 down",
	"hook networkmanager eth2 up",
	"hook networkmanager eth3 pre-down",
	"hook networkmanager eth3 up",
};

static void carrier(const struct wire *w, const char *state)
{
	if (setns(far_ns, CLONE_NEWNET))
		abort();
	run(NULL, "ip link set %s %s", w->name, state);
	if (setns(host_ns, CLONE_NEWNET))
		abort();
	/* The kernel takes note of it once a second; until then what is sent goes into the cable. */
	run(NULL,
	    "for i in 1 2 3 4 5 6 7 8 9; do ip link show %s | grep -q 'state %s' && break; sleep "
	    "0.2; done",
	    w->name, *state == 'u' ? "UP" : "LOWERLAYERDOWN\\|state DOWN");
	tell("# the other end of %s is %s", w->name, state);
}

static void repair(void)
{
	for (size_t i = 0; i < LINK_COUNT; i++)
		bring_up(&wires[i]);
	run(NULL, "ip -force -batch - <<E\n%sE", defaults);
	tell("# all interfaces are up again, with their addresses and the default route");
}

void host_change(bool is_first)
{
	const char *text;

	if (is_first && one_in(2)) {
		text = PICK(first_changes);
		run(NULL, "%s", text);
		tell("%s", text);
		return;
	}
	switch (below(10)) {
	case 0: repair(); break;
	case 1: carrier(&wires[below(4)], one_in(3) ? "down" : "up"); break;
	case 2:
		text = PICK(events);
		run(NULL, "\"$IFSTEER\" -c /run/policy.conf %s", text);
		tell("ifsteer %s", text);
		break;
	case 3:
		/* What one change added another one takes away. */
		text = strstr(PICK(changes), "add ");
		if (text) {
			const char *whole = changes[0];

			for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
				if (text >= changes[i] && text < changes[i] + strlen(changes[i]))
					whole = changes[i];
			run(NULL, "ip %.*sdel %s", (int)(text - whole), whole, text + 4);
			tell("ip %.*sdel %s", (int)(text - whole), whole, text + 4);
		}
		break;
	default:
		text = PICK(changes);
		run(NULL, "ip %s", text);
		tell("ip %s", text);
		break;
	}
	settle();
}
