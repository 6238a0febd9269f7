#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kill switch for guests behind the host, under flood: while interfaces, policies and main's routes change, not one of
# their packets leaves by another interface.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flood.sh"
lab_enter
lab_host
lab_lan

KILLED='in = "eth1";'
flood_watch
# The way back to the guests, which goes with eth2.
home() {
	up eth2
	ip -n vpc route replace 192.168.77.0/24 via 172.31.70.5
	ip -n vpc route replace fd00:77::/64 via fd00:e2::5
}

AT=lan
flood 100
flood_over
[ "$(counted astray)" -gt 0 ]
ok $? "without a policy the flood is seen by eth0"
open unknown $SECRET4
like "a connection from before the first apply" "$said" 'name=gw'
ip -n h link del eth2
policies ''
open known $SECRET4
like "one from before the policy" "$said" 'name=gw'
kill_policy unreachable
apply "apply, eth2 absent"
forget
again known
like "it is cut" "$said" 'error=E(CONNRESET|PIPE)'
again unknown
like "what conntrack took no notice of gets nothing out" "$said" 'error='
close known
close unknown
is "they are cut: nothing astray" "$(counted astray)" 0
flood 1500
sleep 0.2
plug eth2
sleep 0.2
ifsteer hook networkmanager eth2 up
home
sleep 0.2
ifsteer hook networkmanager eth2 up
sleep 0.3
tight "before eth2 first exists, and while it comes up"
by eth2 "it lets pass by eth2" tcp
AT=h by eth0 "the host is not concerned" tcp
answered "the guests reach the host" h 192.168.77.5 192.168.77.1

flood 2000
edited 10
tight "twenty edits"

flood 2500
flapped 5 home
tight "down and up, offline and online, without carrier"

flood 2000
made_anew 3 home
tight "made anew with another index"

flood 1000
for route in 0.0.0.0/1 128.0.0.0/1; do ip -n h route add $route via 10.200.0.1; done
ip -n h route add 2000::/3 via fd00:e0::1
sleep 0.2
ifsteer apply
ip -n h link set eth2 down
sleep 0.2
ifsteer apply
tight "0.0.0.0/1 in main"
for value in unreachable prohibit; do
	kill_policy $value
	apply "apply, $value"
	expect "$value: refused" "error=E@(HOSTUNREACH|ACCES) at=connect" tcp -t 3000 198.51.100.10
	expect "$value: refused" "error=E@(HOSTUNREACH|ACCES) at=connect" tcp -t 3000 2001:db8::10
done
AT=h nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
