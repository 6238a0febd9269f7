# SPDX-License-Identifier: GPL-2.0-or-later
#
# A flood under a kill switch, and what gw sees of it: what comes in from h's eth0 for these addresses is astray. Sourced after
# lib.sh, with the topology of lab_host.
# shellcheck shell=bash disable=SC2034

SECRET4=198.51.100.77
SECRET6=2001:db8::77

# flood_watch [VERDICT]: what becomes of it when it was counted.
flood_watch() {
	ip -n gw addr add $SECRET6/128 dev lo
	at gw nft -f - <<-END
		table inet astray {
			counter astray { }
			counter right { }
			chain astray {
				type filter hook prerouting priority -390
				iifname "to_h" ip daddr $SECRET4 counter name astray ${1-}
				iifname "to_h" ip6 daddr $SECRET6 counter name astray ${1-}
				iifname "to_vpc" ip daddr $SECRET4 counter name right ${1-}
				iifname "to_vpc" ip6 daddr $SECRET6 counter name right ${1-}
			}
		}
	END
}

counted() { at gw nft list counter inet astray "$1" | grep -o 'packets [0-9]*' | grep -o '[0-9]*'; }
forget() { at gw nft reset counters table inet astray >/dev/null; }

# flood MS [option]…: from $AT, as ${FLOOD_AS[@]}.
FLOOD_AS=()
floods=()
flood() {
	local ms=$1 address
	shift
	for address in $SECRET4 $SECRET6; do
		at $AT "$PROBE" flood -t "$ms" -r 4000 "${FLOOD_AS[@]}" "$@" $address 9 >>/tmp/flood 2>&1 &
		floods+=($!)
	done
}

# flood_over: waits; whether anything went astray is yet to be asked.
flood_over() {
	wait "${floods[@]}"
	floods=()
}

flood_sent() { grep -o 'sent=[0-9]*' /tmp/flood | awk -F= '{ n += $2 } END { print n + 0 }'; }

# tight NAME: waits; says how much was sent, and that nothing went astray.
tight() {
	flood_over
	note "$1: $(flood_sent) sent, $(counted right) by eth2"
	: >/tmp/flood
	is "$1: nothing astray" "$(counted astray)" 0
	forget
}

# kill_policy VALUE [more policies ahead]: of $KILLED, by eth2 or not at all.
kill_policy() {
	policy <<<"$S2 policies = ( ${2-} { name = \"vpn\"; $KILLED via = \"eth2\"; otherwise = \"$1\"; } );"
}

# ---- what happens under it; UP brings eth2 up with all that goes with it ----

# edited TIMES: two edits each.
edited() {
	local i
	for ((i = 1; i <= $1; i++)); do
		kill_policy unreachable "{ name = \"edit$i\"; to = \"10.$i.0.0/16\"; via = \"eth0\"; },"
		ifsteer apply
		kill_policy blackhole
		ifsteer apply
	done
}

# flapped TIMES UP: eth2 goes and comes, by its manager and by hand; then without carrier.
flapped() {
	local i
	for ((i = 0; i < $1; i++)); do
		ip -n h link set eth2 down
		ifsteer hook networkmanager eth2 down
		sleep 0.05
		"${@:2}"
		ifsteer hook networkmanager eth2 up
		ifsteer offline eth2
		sleep 0.05
		ifsteer online eth2
	done
	ip -n vpc link set to_h down
	ifsteer apply
	sleep 0.1
	ip -n vpc link set to_h up
	ifsteer apply
}

# made_anew TIMES UP: eth2 is deleted and comes with another index.
made_anew() {
	local i
	for ((i = 0; i < $1; i++)); do
		ip -n h link del eth2
		sleep 0.05
		plug eth2
		"${@:2}"
		ifsteer hook networkmanager eth2 up
		sleep 0.05
	done
}
