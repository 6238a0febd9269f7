/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What two versions of nft print for one rule reads alike, and nothing else does.
 */
#include "plan/nft/nft.h"
#include "tests/tap.h"

/* What nft 1.0.6 and 1.1.3 printed for one rule, or what planning may write and nft prints. */
static const struct {
	const char *a, *b;
} same[] = {
	{ "meta mark set meta mark & 0x00ffffff | 0x02000000", "meta mark set meta mark & 0x02ffffff | 0x02000000" },
	{ "meta mark set meta mark & 0x00ffffff | 0xff000000", "meta mark set meta mark | 0xff000000" },
	{ "ct mark set ct mark & 0xfff00fff | 0x1000", "ct mark set ct mark & 0xfff01fff | 0x00001000" },
	{ "meta mark 0xfe000000/8 drop", "meta mark & 0xff000000 == 0xfe000000 drop" },
	{ "ct mark != 0xfe000000/8 jump a", "ct mark & 0xff000000 != 0xfe000000 jump a" },
	{ "meta mark & 0x00ffffff != 0 accept", "meta mark & 0x00ffffff != 0x00000000 accept" },
	{ "mark 0x1 drop", "meta mark 0x00000001 drop" },
	{ "ip daddr { 10.1.0.0/16, 10.0.0.0/16 } accept", "ip daddr { 10.0.0.0/15 } accept" },
	{ "ip daddr { 10.0.0.1 } accept", "ip daddr 10.0.0.1 accept" },
	{ "ip daddr { 11.0.0.0/16,\n\t\t 10.0.0.0/16 } accept", "ip daddr { 10.0.0.0/16, 11.0.0.0/16 } accept" },
	{ "ip6 daddr { 2001:db8::-2001:db8::ff } accept", "ip6 daddr 2001:DB8::/120 accept" },
	{ "meta l4proto { 6, 17 } th dport { 443, 80-81 } accept",
	  "meta l4proto { tcp, udp } th dport { 80, 81, 443 } accept" },
	{ "meta l4proto 6 th dport 80 accept", "tcp dport 80 accept" },
	{ "meta l4proto udp ip daddr 1.2.3.4 th dport 53 accept", "ip daddr 1.2.3.4 udp dport 53 accept" },
	{ "meta l4proto tcp tcp flags ! syn,rst drop", "tcp flags & (syn|rst) == 0 drop" },
	{ "tcp flags syn / fin,syn,rst,ack drop", "tcp flags & (fin | syn | rst | ack) == syn drop" },
	{ "tcp flags != syn / fin,syn drop", "tcp flags & (fin | syn) != syn drop" },
	{ "tcp flags & (syn|rst) != 0 drop", "tcp flags rst,syn drop" },
	{ "ct state untracked,new accept", "ct state new,untracked accept" },
	{ "ct status & (dnat|snat) != 0 accept", "ct status snat,dnat accept" },
	{ "meta nfproto ipv4 ip daddr 1.2.3.4 accept", "ip daddr 1.2.3.4 accept" },
	{ "meta nfproto ipv6 icmpv6 type nd-router-solicit accept", "icmpv6 type nd-router-solicit accept" },
	{ "meta nfproto ipv6 meta l4proto icmpv6 accept", "meta l4proto ipv6-icmp accept" },
	{ "icmpv6 type { nd-redirect, nd-router-solicit } accept", "icmpv6 type { nd-router-solicit, nd-redirect } accept" },
	{ "counter name lost drop", "counter name \"lost\" drop" },
	{ "counter packets 5 bytes 60 drop", "counter drop" },
	{ "oifname { \"lo\", \"eth2\" } return", "oifname { \"eth2\", \"lo\" } return" },
	{ "iif lo return", "iif \"lo\" return" },
	{ "reject with icmpx type host-unreachable", "reject with icmpx host-unreachable" },
	{ "reject with icmpx port-unreachable", "reject" },
	{ "ip dscp 0x22 accept", "ip dscp af41 accept" },
	{ "ip dscp { 8, 46, 13 } accept", "ip dscp { cs1, 0x0d, ef } accept" },
	{ "ct mark & 0xff000000 vmap { 0x2000000 : goto b, 0x01000000 : accept }",
	  "ct mark & 0xff000000 vmap { 0x01000000 : accept, 0x02000000 : goto b }" },
	{ "type route hook output priority dstnat + 10; policy accept;",
	  "type route hook output priority -90; policy accept;" },
	{ "type filter hook output priority mangle; policy accept;",
	  "type filter hook output priority -150; policy accept;" },
	{ "type nat hook postrouting priority srcnat - 5; policy accept;",
	  "type nat hook postrouting priority 95; policy accept;" },
};

static const struct {
	const char *a, *b;
} different[] = {
	{ "meta mark set meta mark & 0x00ffffff | 0x02000000", "meta mark set meta mark & 0x00ffffff | 0x03000000" },
	{ "meta mark set meta mark & 0x00ffffff | 0x02000000", "meta mark set meta mark & 0x01ffffff | 0x02000000" },
	{ "ct mark 0xfe000000/8 drop", "ct mark != 0xfe000000/8 drop" },
	{ "ct mark 0xfe000000/8 drop", "meta mark 0xfe000000/8 drop" },
	{ "ip daddr { 10.0.0.0/16, 10.2.0.0/16 } accept", "ip daddr { 10.0.0.0/16 } accept" },
	{ "ip daddr 10.0.0.1 accept", "ip daddr != 10.0.0.1 accept" },
	{ "ip daddr 10.0.0.1 accept", "ip saddr 10.0.0.1 accept" },
	{ "ip daddr 10.0.0.1 accept", "ip daddr 10.0.0.1 drop" },
	{ "ip daddr 10.0.0.1 accept", "accept" },
	{ "iifname \"eth0\" accept", "oifname \"eth0\" accept" },
	{ "iifname \"e*\" accept", "iifname \"e\\*\" accept" },
	{ "iifname \"accept\" drop", "iifname \"accept drop\" drop" },
	{ "iifname \"};\" drop", "iifname } ; drop" },
	{ "meta l4proto tcp accept", "meta l4proto udp accept" },
	{ "meta nfproto ipv4 accept", "accept" },
	{ "meta nfproto ipv4 meta skuid 1 accept", "meta skuid 1 accept" },
	{ "meta nfproto ipv4 meta l4proto { icmp, ipv6-icmp } accept", "meta l4proto { icmp, ipv6-icmp } accept" },
	{ "tcp flags syn drop", "tcp flags ! syn drop" },
	{ "tcp flags syn / fin,syn drop", "tcp flags syn / syn,rst drop" },
	{ "ct direction reply accept", "ct direction original accept" },
	{ "meta skuid 1000 accept", "meta skuid != 1000 accept" },
	{ "meta skuid { 1000-1001 } accept", "meta skuid { 1000-1002 } accept" },
	{ "ip dscp af41 accept", "ip dscp af42 accept" },
	{ "jhash ip saddr . ip daddr mod 10 seed 0x1 vmap { 0-4 : goto a, 5-9 : goto b }",
	  "jhash ip saddr . ip daddr mod 10 seed 0x2 vmap { 0-4 : goto a, 5-9 : goto b }" },
	{ "type route hook output priority -90; policy accept;", "type filter hook output priority -90; policy accept;" },
	{ "type route hook output priority -90; policy accept;", "type route hook output priority -91; policy accept;" },
	{ "type route hook output priority -90; policy accept;", "type route hook output priority -90; policy drop;" },
	{ "", "accept" },
};

static void test_text_equal(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		ok(nft_text_equal(same[i].a, same[i].b) && nft_text_equal(same[i].b, same[i].a), "%s: %s", same[i].a,
		   same[i].b);
	for (size_t i = 0; i < ARRAY_SIZE(different); i++)
		ok(!nft_text_equal(different[i].a, different[i].b), "not: %s: %s", different[i].a, different[i].b);
}

int main(void)
{
	test_text_equal();
	return tap_done();
}
