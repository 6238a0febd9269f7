#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a local program sees of main, unreachable, prohibit and blackhole, and of every `otherwise`.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

TO='to = [ "10.0.0.0/16", "fd00:10::/64" ];'
ON_PREMISES="10.0.1.9 fd00:10::9"

# refused NAME ERRORS: connect() to on-premises fails with one of them, within about a second; a UDP
# send fails or is lost.
refused() {
	local address
	for address in $ON_PREMISES; do
		expect "$1: tcp to $address" "error=E@($2) at=connect" tcp -t 1500 "$address"
		expect "$1: udp to $address" "*error=E@($2|PERM|TIMEDOUT) at=*" udp -t 200 "$address"
	done
}
silent() {
	local address
	for address in $ON_PREMISES; do
		expect "$1: tcp to $address" "error=ETIMEDOUT at=connect" tcp -t 500 "$address"
		expect "$1: udp to $address" "*error=E@(PERM|TIMEDOUT) at=*" udp -t 200 "$address"
	done
}
as_main_says() {
	answered "$1" gw 10.200.0.2 10.0.1.9
	answered "$1" gw fd00:e0::2 fd00:10::9
}
by_eth2() {
	answered "$1" op 172.31.70.5 10.0.1.9
	answered "$1" op fd00:e2::5 fd00:10::9
}

forget_spoofed
policies "{ name = \"p\"; $TO action = \"main\"; }, { name = \"q\"; $TO via = \"eth2\"; }"
as_main_says "main"
policies "{ name = \"p\"; $TO action = \"unreachable\"; }"
refused "unreachable" HOSTUNREACH
policies "{ name = \"p\"; $TO action = \"prohibit\"; }"
refused "prohibit" "HOSTUNREACH|ACCES"
policies "{ name = \"p\"; $TO action = \"blackhole\"; }"
silent "blackhole"
by eth0 "the rest is not concerned" tcp
policies '{ name = "p"; user = "nobody"; action = "unreachable"; }'
expect "an error without \"to\" doesn't yield to main's routes" "error=EHOSTUNREACH at=connect" tcp -t 1500 -u "$(id -u nobody)" 10.200.0.1
by eth0 "others are not concerned" tcp

# Somebody else's table: its routes as they are now, main where it has none.
nobody=$(id -u nobody)
ip -n h route add default via 172.31.64.1 dev eth2 table 52
ip -n h -6 route add default via fd00:e2::1 dev eth2 table 52
policies "{ name = \"p\"; $TO table = 52; }, { name = \"q\"; user = \"nobody\"; table = 52; }"
by_eth2 "table"
wire eth2 "table, without \"to\"" tcp -u "$nobody"
wire eth2 "table, without \"to\"" udp -u "$nobody"
expect "table, without \"to\": main's own routes stay" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -u "$nobody" 10.200.0.1
by eth0 "table: the rest is not concerned" tcp
ip -n h route del default table 52
expect "a table without a route: main" "* name=gw seen=10.200.0.2" tcp -u "$nobody" 198.51.100.10
expect "a table without a route: its other family" "* name=gw seen=fd00:e2::5" tcp -u "$nobody" 2001:db8::10
ip -n h route add unreachable default table 52
expect "a table that refuses" "error=E@(HOSTUNREACH|NETUNREACH) at=connect" tcp -t 1500 -u "$nobody" 198.51.100.10
for f in -4 -6; do ip -n h $f route flush table 52; done

# Each family on its own.
ip -n h addr del fd00:e2::5/64 dev eth2
policies '{ name = "p"; user = "nobody"; via = "eth2"; otherwise = "next"; }, { name = "q"; user = "nobody"; action = "unreachable"; }'
expect "otherwise next, IPv4 only: IPv4" "local=172.31.70.5 name=gw *" tcp -u "$nobody" 198.51.100.10
expect "otherwise next, IPv4 only: IPv6 is the next one's" "error=EHOSTUNREACH at=connect" tcp -t 1500 -u "$nobody" 2001:db8::10
policies '{ name = "p"; user = "nobody"; via = "eth2"; }, { name = "q"; user = "nobody"; action = "unreachable"; }'
expect "otherwise main, IPv4 only: IPv6 is main's" "local=fd00:e0::2 name=gw *" tcp -u "$nobody" 2001:db8::10
ip -n h addr add fd00:e2::5/64 dev eth2 nodad

# absent, down, without an address: each otherwise with eth2 unusable, and eth2 itself once it is
# usable.
take_away() {
	case $1 in
	absent) ip -n h link del eth2 ;;
	down) ip -n h link set eth2 down ;;
	bare) ip -n h addr flush dev eth2 ;;
	carrier) ip -n vpc link set to_h down ;;
	esac
}
give_back() {
	case $1 in
	absent) plug eth2 && up eth2 ;;
	down)
		ip -n h link set eth2 up
		ip -n h addr replace fd00:e2::5/64 dev eth2 nodad
		;;
	bare)
		ip -n h addr add 172.31.70.5/20 dev eth2
		ip -n h addr add fd00:e2::5/64 dev eth2 nodad
		;;
	carrier)
		ip -n vpc link set to_h up
		ip -n vpc addr add fd00:e2::1/64 dev to_h nodad
		;;
	esac
}
for how in absent down bare carrier; do
	for otherwise in main next unreachable prohibit blackhole; do
		name="otherwise $otherwise, eth2 $how"
		policies "{ name = \"p\"; $TO via = \"eth2\"; otherwise = \"$otherwise\"; },
			{ name = \"q\"; $TO action = \"prohibit\"; enabled = $([ $otherwise = next ] && echo true || echo false); }"
		by_eth2 "$name, before"
		take_away $how
		apply "$name: apply"
		case $otherwise in
		main) as_main_says "$name" ;;
		next | prohibit) refused "$name" "HOSTUNREACH|ACCES" ;;
		unreachable) refused "$name" HOSTUNREACH ;;
		blackhole) silent "$name" ;;
		esac
		by eth0 "$name: internet" tcp
		give_back $how
		eventually 30 eval 'ip -n h link show eth2 | grep -q "state UP"'
		apply "$name: apply again"
		by_eth2 "$name, after"
	done
done
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
