#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What an interface's keys say of the way out: a gateway of each kind that names one, routes, snat. Two routers stand behind eth2;
# the second one is on-premises itself, and on the link for whoever asks there.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_second
ip -n second addr add fd00:10::9/128 dev to_second nodad
forget_spoofed

# eth2 KEYS [POLICIES]: in force.
eth2() {
	policy <<<"interfaces = ( { name = \"eth0\"; }, { name = \"eth2\"; $1 } );
		policies = ( ${2:-{ name = \"on-premises\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\"; \}} );"
	apply "apply, $1"
}
leads_to() {	# NAME WHO [ADDRESS4 ADDRESS6]
	answered "$1" "$2" 172.31.70.5 "${3-10.0.1.9}"
	answered "$1" "$2" fd00:e2::5 "${4-fd00:10::9}"
}

eth2 'gateway = [ "172.31.64.1", "fd00:e2::1" ];'
leads_to "the first router" op
eth2 'gateway = [ "172.31.64.9", "fd00:e2::9" ];'
leads_to "the second one" second
link_local=$(ip -n vpc -o -6 addr show dev to_h scope link | grep -o 'fe80[^/]*')
eth2 "gateway = [ \"172.31.64.1\", \"$link_local\" ];"
leads_to "by its link-local address" op
quiet "flush, and with it what is remembered" ifsteer flush
eth2 'gateway = "first";'
answered "first" op 172.31.70.5 10.0.1.9
answered "first is about IPv4: main decides" gw fd00:e0::2 fd00:10::9
eth2 'gateway = "none";'
leads_to "none: whoever answers on the link" second
eth2 'gateway = [ "172.31.64.1", "fd00:e2::1" ];
	routes = [ "10.0.5.0/24 via 172.31.64.9", "10.0.5.128/25", "fd00:10::5:0/112 via fd00:e2::9", "fd00:10::5:8000/113" ];'
leads_to "routes: elsewhere the gateway" op
leads_to "routes, by another router" second 10.0.5.1 fd00:10::5:1
leads_to "routes, within them by the gateway" op 10.0.5.129 fd00:10::5:8001

# As some clouds have it: the address is alone, and its router outside.
ip -n h addr flush dev eth2 scope global
ip -n h addr add 172.31.70.5/32 dev eth2
ip -n h addr add fd00:e2::5/128 dev eth2 nodad
eth2 'gateway = [ "172.31.64.1", "fd00:e2::1" ];'
leads_to "an address without a network" op
ip -n h addr flush dev eth2 scope global
up eth2
nothing_spoofed

# No companion speaks for code points: the socket believes in eth0's address.
coded='{ name = "coded"; dscp = 10; via = "eth2"; }'
eth2 'gateway = [ "172.31.64.1", "fd00:e2::1" ]; snat = "auto";' "$coded"
wire eth2 "snat auto" udp -q 10
nothing_spoofed
at h nft "table inet others { chain out { type filter hook output priority raw; udp dport $OTHER_PORT notrack; }; }"
for address in $INTERNET; do
	expect "untracked: nothing is sent" "*error=EPERM at=send" udp -q 10 -t 300 "$address" $OTHER_PORT
done
nothing_spoofed "untracked: what can't be rewritten does not leave"
unlike "and is counted" "$(at h nft list counter inet ifsteer strays)" "packets 0"
eth2 'gateway = [ "172.31.64.1", "fd00:e2::1" ]; snat = "never";' "$coded"
for address in $INTERNET; do
	expect "snat never: no answer" "error=ETIMEDOUT*" tcp -q 10 -t 300 "$address"
done
unlike "snat never: since nothing was rewritten" "$(at vpc nft list counter inet lab spoofed)" "packets 0"
quiet "diff is clean" ifsteer diff
done_testing
