# SPDX-License-Identifier: GPL-2.0-or-later
#
# A flood under a kill switch, and what gw sees of it: what comes in from h's eth0 for these addresses is astray. Sourced after
# lib.sh, with the topology of lab_host.
# shellcheck shell=bash disable=SC2034

SECRET4=198.51.100.77
SECRET6=2001:db8::77

flood_watch() {
	ip -n gw addr add $SECRET6/128 dev lo
	at gw nft -f - <<-END
		table inet astray {
			counter astray { }
			counter right { }
			chain astray {
				type filter hook prerouting priority -390
				iifname "to_h" ip daddr $SECRET4 counter name astray
				iifname "to_h" ip6 daddr $SECRET6 counter name astray
				iifname "to_vpc" ip daddr $SECRET4 counter name right
				iifname "to_vpc" ip6 daddr $SECRET6 counter name right
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

# tight NAME: waits; says how much was sent, and that nothing went astray.
tight() {
	flood_over
	note "$1: $(grep -o 'sent=[0-9]*' /tmp/flood | awk -F= '{ n += $2 } END { print n + 0 }') sent, $(counted right) by eth2"
	: >/tmp/flood
	is "$1: nothing astray" "$(counted astray)" 0
	forget
}

# kill_policy VALUE [more policies ahead]: of $KILLED, by eth2 or not at all.
kill_policy() {
	policy <<<"$S2 policies = ( ${2-} { name = \"vpn\"; $KILLED via = \"eth2\"; otherwise = \"$1\"; } );"
}
