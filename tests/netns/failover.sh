#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A list in `via`: the first interface that is usable now, for each family on its own.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

nobody=$(id -u nobody)
forget_spoofed
policies '{ name = "p"; user = "nobody"; via = [ "eth2", "eth0" ]; }'

goes_by() {	# INTERFACE NAME
	by "$1" "$2" tcp -u "$nobody"
	by "$1" "$2" udp -u "$nobody"
	by eth0 "$2: others" tcp
}

goes_by eth2 "both usable"
like "status names the active one" "$(ifsteer status --json | tr -d ' \n')" '"wanted":\["eth2","eth0"\],"active":\["eth2"\]'

ip -n h link set eth2 down
apply "apply, eth2 down"
goes_by eth0 "eth2 down"
like "status names the active one" "$(ifsteer status --json | tr -d ' \n')" '"wanted":\["eth2","eth0"\],"active":\["eth0"\]'

ip -n h link set eth2 up
ip -n h addr replace fd00:e2::5/64 dev eth2 nodad
apply "apply, eth2 up again"
goes_by eth2 "eth2 up again"

ip -n h addr del 172.31.70.5/20 dev eth2
apply "apply, eth2 without IPv4"
expect "one family fails over: IPv4" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -u "$nobody" 198.51.100.10
expect "one family fails over: not IPv6" "local=fd00:e2::5 name=gw seen=fd00:e2::5" tcp -u "$nobody" 2001:db8::10
ip -n h addr add 172.31.70.5/20 dev eth2
apply "apply, eth2 with IPv4 again"
goes_by eth2 "eth2 with IPv4 again"

quiet "offline eth2" ifsteer offline eth2
goes_by eth0 "eth2 offline"
AT=op inbound "eth2 offline: who comes in by it is answered" 172.31.70.5
expect "eth2 offline: a socket bound to it uses it" "local=172.31.70.5 name=gw seen=172.31.70.5" tcp -d eth2 198.51.100.10
quiet "online eth2" ifsteer online eth2
goes_by eth2 "eth2 online"

quiet "a manager says that eth2 is down" ifsteer hook networkmanager eth2 down
goes_by eth0 "announced down, whatever the kernel shows"
quiet "a manager says that eth2 is up" ifsteer hook networkmanager eth2 up
goes_by eth2 "announced up"

ip -n h link del eth2
apply "apply, eth2 absent"
goes_by eth0 "eth2 absent"
ip -n h link set eth0 down
apply "apply, nothing usable"
expect "nothing usable: as main says" "error=E@(NETUNREACH|HOSTUNREACH) at=connect" tcp -t 1500 -u "$nobody" 198.51.100.10
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
