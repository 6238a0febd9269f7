#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gateway = "auto": the way out follows main's default routes, and is remembered when they go; by an
# apply, by an event and by watch, for both families. Two routers stand behind eth2.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_second

FIRST=(172.31.64.1 fd00:e2::1)
SECOND=(172.31.64.9 fd00:e2::9)

# main VERB METRIC GATEWAY4 GATEWAY6: both families' default by eth2, which is not the one that main goes by.
main() {
	ip -n h -4 route "$1" default via "$3" dev eth2 metric "$2"
	ip -n h -6 route "$1" default via "$4" dev eth2 metric "$2"
}

policy <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "eth2"; } );
	policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );
END

# leaves NAME SERVER: who answers on-premises, of both families, once $look has looked.
leaves() {
	$look || true
	answered_soon "$1" "$2" 172.31.70.5 10.0.1.9
	answered_soon "$1" "$2" fd00:e2::5 fd00:10::9
	quiet "$1: in sync" ifsteer diff
}
# The same, where main decides.
main_decides() {
	$look || true
	answered_soon "$1" gw 10.200.0.2 10.0.1.9
	answered_soon "$1" gw fd00:e0::2 fd00:10::9
}
answered_soon() {
	eventually 20 eval "at h '$PROBE' tcp $4 $PORT | grep -q 'name=$2 '"
	answered "$look: $1" "${@:2}"
}
by_apply() { ifsteer apply >/dev/null 2>&1; }
by_event() { ifsteer hook networkmanager eth2 up >/dev/null 2>&1; }
by_watch() { true; }

for look in by_apply by_event by_watch; do
	ifsteer flush
	if [ $look = by_watch ]; then
		nsenter --net=/run/netns/h -- "$IFSTEER" watch 2>/run/said &
		watch=$!
		eventually 30 at h nft list table inet ifsteer
	fi
	main_decides "no gateway"
	main add 3000 "${FIRST[@]}"
	leaves "a default route" op
	main change 3000 "${SECOND[@]}"
	leaves "it names another router" second
	main add 2000 "${FIRST[@]}"
	leaves "a better one" op
	main del 2000 "${FIRST[@]}"
	leaves "which goes: the one that is left" second
	main del 3000 "${SECOND[@]}"
	leaves "all go: what our table remembers" second
	main add 3000 "${FIRST[@]}"
	leaves "one returns" op
	main del 3000 "${FIRST[@]}"
done
kill "$watch"
wait "$watch"
is "watch" $? 0

# Where nothing remembers it there is none.
ip -n h link set eth2 down
up eth2
by_apply
like "IPv4's went with the interface, and nobody names one" "$(ifsteer status)" 'no gateway'
nothing_spoofed
done_testing
