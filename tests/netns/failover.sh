#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A list in `via`: the first interface that is usable now, for each family on its own, whatever it is that makes one unusable:
# what is new follows at once, what was under way ends with its path, and stays where it is when the first one returns.

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
# opened INTERFACE NAME, go_on NAME, have_ended NAME: a connection of each family.
opened() {
	local address
	for address in $INTERNET; do
		open "on_$1_${address//[.:]/_}" -u "$nobody" "$address"
		like "$2: a connection to $address by $1" "$said" "seen=(${SEEN[$1,h]// /|})$"
	done
}
speak() {	# PATTERN INTERFACE NAME
	local address
	for address in $INTERNET; do
		again "on_$2_${address//[.:]/_}"
		like "$3" "$said" "$1"
		close "on_$2_${address//[.:]/_}"
	done
}
active() {	# INTERFACE NAME
	like "$2: status names it" "$(ifsteer status --json | tr -d ' \n')" "\"wanted\":\[\"eth2\",\"eth0\"\],\"active\":\[\"$1\"\]"
}

# Both ends of eth2: the far one learns of its carrier in its own time, too.
has_returned() {
	has_come_up eth2
	eventually 10 eval '! ip -n vpc route show dev to_h | grep -q linkdown'
}

lose() {
	case $1 in
	"its link") ip -n h link set eth2 down ;;
	"its carrier") ip -n vpc link set to_h down ;;
	"its addresses") ip -n h addr flush dev eth2 scope global ;;
	"its gateways") eth2_has 172.31.70.5/24 fd00:e2::5/126 ;;
	"its manager's word") quiet "a manager says that eth2 is down" ifsteer hook networkmanager eth2 down ;;
	"its user's word") quiet "offline eth2" ifsteer offline eth2 ;;
	"its existence") ip -n h link del eth2 ;;
	esac
}
give_back() {
	case $1 in
	"its link" | "its addresses")
		up eth2
		has_returned
		;;
	"its carrier")
		ip -n vpc link set to_h up
		ip -n vpc addr replace fd00:e2::1/64 dev to_h nodad
		has_returned
		;;
	"its gateways") eth2_has 172.31.70.5/20 fd00:e2::5/64 ;;
	"its manager's word") quiet "a manager says that eth2 is up" ifsteer hook networkmanager eth2 up ;;
	"its user's word") quiet "online eth2" ifsteer online eth2 ;;
	"its existence")
		plug eth2
		up eth2
		has_returned
		;;
	esac
}
# The same addresses, of a network of another size: in a small one there is no gateway.
eth2_has() {
	ip -n h addr flush dev eth2 scope global
	ip -n h addr add "$1" dev eth2
	ip -n h addr add "$2" dev eth2 nodad
}

goes_by eth2 "both usable"
active eth2 "both usable"
for what in "its link" "its carrier" "its addresses" "its gateways" "its manager's word" "its user's word" "its existence"; do
	opened eth2 "eth2 has $what"
	lose "$what"
	apply "apply, eth2 without $what"
	goes_by eth0 "eth2 without $what"
	active eth0 "eth2 without $what"
	speak 'error=E(CONNRESET|CONNABORTED|PIPE)' eth2 "eth2 without $what: what was under way ends"
	opened eth0 "eth2 without $what"
	give_back "$what"
	apply "apply, eth2 has $what again"
	goes_by eth2 "eth2 has $what again"
	active eth2 "eth2 has $what again"
	speak '^again$' eth0 "eth2 has $what again: what was under way stays where it is"
	quiet "eth2 has $what again: diff is clean" ifsteer diff
done

ip -n h addr del 172.31.70.5/20 dev eth2
apply "apply, eth2 without IPv4"
expect "one family fails over: IPv4" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -u "$nobody" 198.51.100.10
expect "one family fails over: not IPv6" "local=fd00:e2::5 name=gw seen=fd00:e2::5" tcp -u "$nobody" 2001:db8::10
ip -n h addr add 172.31.70.5/20 dev eth2
apply "apply, eth2 with IPv4 again"
goes_by eth2 "eth2 with IPv4 again"

quiet "offline eth2" ifsteer offline eth2
AT=op inbound "eth2 offline: who comes in by it is answered" 172.31.70.5
expect "eth2 offline: a socket bound to it uses it" "local=172.31.70.5 name=gw seen=172.31.70.5" tcp -d eth2 198.51.100.10
quiet "online eth2" ifsteer online eth2

# What was said of an interface that goes: offline holds when it returns, down does not.
anew() {
	ip -n h link del eth2
	apply "apply, eth2 gone"
	plug eth2
	up eth2
	has_returned
	apply "apply, eth2 made anew"
}
quiet "offline eth2" ifsteer offline eth2
anew
goes_by eth0 "eth2 made anew: still offline"
active eth0 "eth2 made anew: still offline"
quiet "online eth2" ifsteer online eth2
goes_by eth2 "eth2 made anew, and online"
quiet "a manager says that eth2 is down" ifsteer hook networkmanager eth2 down
anew
goes_by eth2 "eth2 made anew: down was another one"

# Until somebody is told, what was to leave by eth2 leaves by nothing else.
policies '{ name = "to"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }, { name = "out"; user = "nobody"; via = "eth2"; }'
ip -n h link set eth2 down
for address in 10.0.1.9 fd00:10::9 $INTERNET; do
	expect "eth2 went down, nobody was told: $address" "error=*" tcp -t 1000 -u "$nobody" $address
done
apply "apply, eth2 down"
answered "eth2 down: main decides" gw 10.200.0.2 10.0.1.9
by eth0 "eth2 down: main decides" tcp -u "$nobody"

policies '{ name = "p"; user = "nobody"; via = [ "eth2", "eth0" ]; }'
ip -n h link del eth2
ip -n h link set eth0 down
apply "apply, nothing usable"
expect "nothing usable: as main says" "error=E@(NETUNREACH|HOSTUNREACH) at=connect" tcp -t 1500 -u "$nobody" 198.51.100.10
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
