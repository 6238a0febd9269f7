#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kill switch under flood while others act: its interface is renamed, sent to another namespace, put into a bridge; somebody
# has a rule ahead of ours, removes ours, flushes our routes, forgets all connections; and the administrator moves our band,
# tables and mask.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flood.sh"
lab_enter
needs conntrack
lab_host

nobody=$(id -u nobody)
FLOOD_AS=(-u "$nobody")
KILLED='user = "nobody";'
flood_watch

# ready: eth2 is as it should be, and its manager says so.
ready() {
	up eth2
	quiet "hook" ifsteer -q hook networkmanager eth2 up
}

# meanwhile NAME COMMAND…: what happens, then an apply, and all is as before.
meanwhile() {
	local name=$1
	shift
	flood 800
	sleep 0.1
	"$@"
	sleep 0.2
	ifsteer apply
	tight "$name"
	ready
	by eth2 "$name: then it goes by eth2 again" tcp -u "$nobody"
}

both() { ip -n h -4 "$@" && ip -n h -6 "$@"; }

# By a glob that matches nothing yet.
ip -n h link del eth2
policy <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "e*"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } );
	policies = ( { name = "vpn"; user = "nobody"; via = "eth2"; otherwise = "unreachable"; } );
END
apply "apply, nothing that the glob matches"
flood 800
flood 800 -d eth0
sleep 0.2
plug eth2
sleep 0.2
ready
tight "before what a glob matches exists"
by eth2 "it goes by eth2" tcp -u "$nobody"

rename() {
	ip -n h link set eth2 down
	ip -n h link set eth2 name eth9
	ip -n h link set eth9 up
	sleep 0.1
	ifsteer apply
	ip -n h link set eth9 down
	ip -n h link set eth9 name eth2
}
meanwhile "renamed and back" rename
policy <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "e*"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } );
	policies = ( { name = "vpn"; user = "nobody"; via = "eth2"; } );
END
apply "apply, no kill switch"
flood 800
sleep 0.1
rename
sleep 0.2
ifsteer apply
flood_over
forget
nothing_spoofed "renamed and back, no kill switch: nothing with the address of another"
ready

kill_policy unreachable
apply "apply, no glob"
away() {
	ip -n h link set eth2 netns op
	sleep 0.1
	ifsteer apply
	ip -n op link set eth2 netns h
}
meanwhile "in another namespace and back" away
enslave() {
	ip -n h link add br0 type bridge
	ip -n h link set br0 up
	ip -n h link set eth2 master br0
	sleep 0.1
	ifsteer apply
	ip -n h link del br0
}
meanwhile "in a bridge" enslave
ahead() {
	both rule add priority 100 lookup main
	sleep 0.2
	ifsteer apply
	both rule del priority 100 lookup main
}
meanwhile "somebody's rule ahead of all" ahead
meanwhile "our rules are gone" both rule flush protocol 77
meanwhile "our routes are gone" both route flush table 21002
meanwhile "all connections are forgotten" at h conntrack -F 2>/dev/null
move() {
	local i
	for i in {1..5}; do
		policy <<<"settings = { rule_priority = $((5000 * i)); table_base = $((30000 + 1000 * i)); mark_mask = \"0x0000ff00\"; };
			$S2 policies = ( { name = \"vpn\"; user = \"nobody\"; via = \"eth2\"; otherwise = \"unreachable\"; } );"
		ifsteer apply
		policy <<<"settings = { mark_mask = \"0xfff00000\"; };
			$S2 policies = ( { name = \"new\"; user = [ \"nobody\", \"1000\" ]; via = \"eth2\"; otherwise = \"prohibit\"; } );"
		ifsteer apply
	done
}
meanwhile "band, tables and mask move" move
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
