#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Marks of others: their bits pass in packet and connection, and a packet that carries one is steered only by a policy that
# names it. The bits that are ours may lie anywhere.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

nobody=$(id -u nobody)
forget_spoofed
at h nft -f - <<-'END'
	table inet seen {
		counter packet_10000 { }
		counter conn_4000 { }
		chain before { type filter hook output priority -140; ct mark set ct mark | 0x00004000; }
		chain after {
			type filter hook postrouting priority 250
			meta mark & 0x00ffffff == 0x00010000 counter name packet_10000
			ct mark & 0x00ffffff == 0x00004000 counter name conn_4000
		}
	}
END
count() { at h nft reset counter inet seen "$1" | grep -o 'packets [0-9]*' | grep -o '[0-9]*'; }

policies '{ name = "all"; to = [ "198.51.100.0/24", "2001:db8::/64" ]; via = "eth2"; }'
by eth2 "without a mark" tcp
[ "$(count conn_4000)" -gt 0 ]
ok $? "the connection's mark has the other's bit, too"
# tailscale, WireGuard, Kubernetes, Calico's upper byte apart
for mark in 0x80000 0xca6c 0x4000 0x8000 0x10000 0xff0000; do
	wire eth0 "mark $mark is left alone" tcp -m $mark
	wire eth0 "mark $mark is left alone" udp -m $mark
done
[ "$(count packet_10000)" -gt 0 ]
ok $? "a packet's mark is unchanged behind us"

policies '{ name = "marked"; mark = "0x10000/0xff0000"; via = "eth2"; }'
wire eth2 "a policy that names it" tcp -m 0x10000
wire eth2 "a policy that names it" udp -m 0x10000
[ "$(count packet_10000)" -gt 0 ]
ok $? "its bits stay when it is steered"
wire eth0 "another mark" tcp -m 0x20000
by eth0 "no mark" tcp
policies '{ name = "marked"; mark = [ "0x10000/0xff0000", "0x20000/0xff0000" ]; to = [ "198.51.100.0/24", "2001:db8::/64" ]; via = "eth2"; }'
wire eth2 "either of two" tcp -m 0x20000
policies '{ name = "marked"; mark = [ "0x10000/0x10000", "!0x30000/0x30000" ]; to = [ "198.51.100.0/24", "2001:db8::/64" ]; via = "eth2"; }'
wire eth2 "one bit of two" tcp -m 0x10000
wire eth0 "both bits, which is negated" tcp -m 0x30000

# The same of forwarded packets, which somebody marks ahead of us.
lab_lan
at h nft -f - <<-END
	table inet seen {
		chain forwarded { type filter hook prerouting priority -150; iifname "eth1" th dport $OTHER_PORT meta mark set 0x10000; }
	}
END
policies '{ name = "lan"; in = "eth1"; via = "eth2"; }'
for proto in tcp udp; do
	AT=lan by eth2 "forwarded, without a mark" $proto
	AT=lan by eth0 "forwarded, a mark is left alone" $proto -- $OTHER_PORT
done
[ "$(count packet_10000)" -gt 0 ]
ok $? "a forwarded packet's mark is unchanged behind us"
policies '{ name = "marked"; in = "eth1"; mark = "0x10000/0xff0000"; via = "eth2"; }'
for proto in tcp udp; do
	AT=lan by eth0 "forwarded, no mark" $proto
	AT=lan by eth2 "forwarded, a policy that names it" $proto -- $OTHER_PORT
done
[ "$(count packet_10000)" -gt 0 ]
ok $? "its bits stay when it is forwarded and steered"

# Somebody's own rule for his mark goes on working beside ours.
ip -n h route add 198.51.100.0/24 via 172.31.64.1 dev eth2 table 52
ip -n h rule add fwmark 0x80000/0xff0000 lookup 52 priority 5210
policies '{ name = "p"; to = "198.51.100.0/24"; via = "eth0"; }'
expect "another's rule for his mark" "* name=gw seen=172.31.70.5" tcp -m 0x80000 198.51.100.10
ip -n h rule del fwmark 0x80000/0xff0000 lookup 52 priority 5210

# Each width, at the ends and in between.
for mask in 0xf0000000 0x0000000f 0x001f0000 0x000001f8 0x7f000000 0x000ff000 0x01ff0000 0x000003ff 0x0007ff00 \
	0x0fff0000 0x0003ffe0 0xfffc0000 0x00fffe00 0x00ffff00 0xffff0000 0x0000ffff; do
	policy <<<"settings = { mark_mask = \"$mask\"; }; $S2 policies = (
		{ name = \"vpn\"; user = \"nobody\"; via = \"eth2\"; otherwise = \"unreachable\"; },
		{ name = \"on-premises\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\"; } );"
	apply "apply, mark_mask $mask"
	by eth2 "mark_mask $mask" tcp -u "$nobody"
	by eth0 "mark_mask $mask, others" tcp
	answered "mark_mask $mask, on-premises" op 172.31.70.5 10.0.1.9
	AT=gw inbound "mark_mask $mask, inbound" 172.31.70.5
	quiet "mark_mask $mask: diff is clean" ifsteer diff
done

many=
for i in {1..15}; do many+="{ name = \"t$i\"; },"; done
policy <<<"settings = { mark_mask = \"0xf0000000\"; }; interfaces = ( ${many%,} );
	policies = ( { name = \"p\"; via = \"t1\"; } );"
before=$(host_state)
said=$(ifsteer apply 2>&1)
is "too few marks: exit status" $? 3
like "too few marks: says how many bits it needs" "$said" '5 bits|needs 5'
same "too few marks: the kernel is as it was" "$(host_state)" "$before"
nothing_spoofed
done_testing
