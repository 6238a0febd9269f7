#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Make before break: while everything about the policy changes that does not concern them, streams
# of packets lose nothing, and nothing of them leaves by another interface or with another source.
# One is steered by a policy that stays, one is not steered, one comes in by eth2; in both families,
# with UDP (a new connection every hundred packets), ping and TCP.
#
# CHANGES=n makes more of them or fewer, SEED=n repeats a run, KINDS="table edit" picks, RATE is packets a
# second of each flood.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

CHANGES=${CHANGES:-1000}
RATE=${RATE:-1000}
RANDOM=${SEED:=$RANDOM}
KINDS=${KINDS:-edit order interface list table own_table priority set failover offline group kill \
	exempt replies rp_filter hook}

# What arrives, and as whose: at op what was steered, at gw what was not. Their decoys count as astray.
for ns in gw op; do
	at $ns nft -f - <<-END
		table inet streams {
			counter steered { }
			counter unsteered { }
			counter astray { }
			chain astray { counter name astray drop; }
			chain streams {
				type filter hook prerouting priority -390
				meta l4proto != udp accept
				udp dport != 9 accept
				iifname "to_vpc" ip saddr 172.31.70.5 ip daddr 10.0.1.0/24 counter name steered drop
				iifname "to_vpc" ip6 saddr fd00:e2::5 ip6 daddr fd00:10::/64 counter name steered drop
				iifname "to_h" ip saddr 10.200.0.2 ip daddr 198.51.100.0/24 counter name unsteered drop
				iifname "to_h" ip6 saddr fd00:e0::2 ip6 daddr 2001:db8::/64 counter name unsteered drop
				goto astray
			}
		}
	END
done
# An interface and its line, about which the changes are.
lab_netns line
ip link add eth5 netns h type veth peer name to_h netns line
ip -n line link set to_h up
eth5_up() { ip -n h -batch - <<-END
		link set eth5 up
		addr replace 10.55.0.2/24 dev eth5
		addr replace fd00:55::2/64 dev eth5 nodad
	END
}
eth5_up

counted() {	# COUNTER: on both
	local ns
	for ns in gw op; do at $ns nft list counter inet streams "$1"; done |
		awk '/packets/ { n += $2 } END { print n }'
}
# Segments that were sent twice.
retransmitted() {
	local ns
	for ns in h op gw; do at $ns awk '/^Tcp: [0-9]/ { print $13 }' /proc/net/snmp; done | paste -sd ' '
}

# ---- the policy, piece by piece ----

declare -A on=()
toggle() { on[$1]=$((1 - ${on[$1]-0})); }

write_policy() {
	local eth0='{ name = "eth0"; }' eth2='gateway = [ "172.31.64.1", "fd00:e2::1" ];' eth5= list
	local kept='{ name = "stays"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
	local edit="{ name = \"edit\"; to = [ \"203.0.113.$((RANDOM % 250))\", \"2001:db8:$((RANDOM % 999))::/48\" ]; via = \"eth0\"; }"
	local set='{ name = "set"; to = "@far"; via = "eth0"; }' more= ahead behind settings=

	[ "${on[table]-0}" = 0 ] || eth2+=' table = 777;'
	[ "${on[replies]-0}" = 0 ] || eth0='{ name = "eth0"; snat = "always"; }'
	eth2="{ name = \"eth2\"; $eth2 }"
	[ "${on[interface]-0}" = 1 ] || eth5='{ name = "eth5"; gateway = [ "10.55.0.1", "fd00:55::1" ];'
	[ -z "$eth5" ] || [ "${on[own_table]-0}" = 0 ] || eth5+=' table = 555;'
	[ -z "$eth5" ] || [ "${on[replies]-0}" = 0 ] || eth5+=' symmetric = false;'
	list="$eth0, $eth2${eth5:+, $eth5 \}}"
	[ "${on[list]-0}" = 0 ] || list="${eth5:+$eth5 \}, }$eth2, $eth0"
	if [ -n "$eth5" ]; then
		more='{ name = "failover"; to = [ "203.0.114.0/24", "2001:db8:114::/48" ]; via = [ "eth5", "eth0" ]; }'
		[ "${on[group]-0}" = 0 ] || more+=', { name = "group"; user = "nobody"; to = "203.0.115.0/24";
			balance = ( { interface = "eth5"; weight = 2; }, { interface = "eth0"; } ); }'
	fi
	[ "${on[kill]-0}" = 0 ] || more+="${more:+, }"'{ name = "kill"; user = "daemon"; via = "eth2"; otherwise = "unreachable"; }'
	[ "${on[exempt]-0}" = 0 ] || more+="${more:+, }"'{ name = "exempt"; to = [ "10.0.9.0/24", "fd00:10::9:0/112" ]; action = "main"; }'
	ahead="$edit, $set${more:+, $more}"
	behind='{ name = "last"; to = "203.0.116.0/24"; action = "unreachable"; }'
	[ "${on[order]-0}" = 0 ] || { ahead="$behind${more:+, $more}"; behind="$set, $edit"; }
	[ "${on[rp_filter]-0}" = 0 ] || settings+=' rp_filter = "keep";'
	settings+=" rule_priority = ${priority-21000};"
	policy <<-END
		settings = { $settings };
		interfaces = ( $list );
		sets = ( { name = "far"; elements = [ "198.18.$((RANDOM % 256)).0/24", "198.19.${set_element-0}.0/24", "fd00:19::/64" ]; } );
		policies = ( $ahead, $kept, $behind );
	END
}

change() {	# KIND
	case $1 in
	edit) ;;
	set) set_element=$((RANDOM % 256)) ;;
	priority) priority=$((19000 + RANDOM % 5 * 1000)) ;;
	failover) ip -n h link set eth5 down; at h "$IFSTEER" apply || return; eth5_up; at h "$IFSTEER" apply; return ;;
	offline) [ "${on[interface]-0}" = 1 ] || { at h "$IFSTEER" offline eth5 && at h "$IFSTEER" online eth5; }; return ;;
	hook) at h "$IFSTEER" hook networkmanager eth5 down; at h "$IFSTEER" hook networkmanager eth5 up; return ;;
	*) toggle "$1" ;;
	esac
	write_policy
	at h "$IFSTEER" apply
}

# ---- the streams: they run until they are told to end ----

jobs=()
stream() {	# FILE NS COMMAND…
	nice nsenter --net="/run/netns/$2" -- "${@:3}" <&0 >"/tmp/$1" 2>&1 &
	jobs+=($!)
}
flood() { stream "$1" h "$PROBE" flood -t 3600000 -r "$RATE" "$2" 9; }
# Up to 10 ms ping spins instead of waiting: five of them leave nobody else a processor.
pings() { stream "ping.$1" "$2" ping -n -q -f -i 0.011 "$3"; }
# A line every five milliseconds to one TCP connection, each answered.
talk() {
	# shellcheck disable=SC2016
	exec {fd}< <(exec perl -e '$| = 1; while (1) { print "?\n"; select(undef, undef, undef, 0.005) }')
	jobs+=($!)
	stream "tcp.$1" "$2" "$PROBE" tcp -k -t 3000 "$3" $PORT <&"$fd"
}

run_streams() {
	flood steered.4 10.0.1.9
	flood steered.6 fd00:10::9
	flood unsteered.4 198.51.100.77
	flood unsteered.6 2001:db8::77
	pings steered h 10.0.1.9
	pings steered6 h fd00:10::9
	pings unsteered h 198.51.100.10
	pings inbound op 172.31.70.5
	pings inbound6 op fd00:e2::5
	talk steered h 10.0.1.9
	talk unsteered h 198.51.100.10
	talk inbound op 172.31.70.5
	sleep 0.3
}

end_streams() {
	kill -INT "${jobs[@]}" 2>/dev/null
	wait "${jobs[@]}"
	sleep 0.3
}

# sum FIELD FILE…: of FIELD=N in what the floods said.
sum() { grep -oh "$1=[0-9]*" "${@:2}" | awk -F= '{ n += $2 } END { print n + 0 }'; }

nothing_lost() {
	local what sent file
	for what in steered unsteered; do
		sent=$(sum sent /tmp/$what.?)
		is "$what: $sent packets, each arrived with the right source" "$(counted $what)" "$sent"
		is "$what: none was refused" "$(sum refused /tmp/$what.?)" 0
	done
	is "none went astray" "$(counted astray)" 0
	for file in /tmp/ping.*; do
		read -r sent what < <(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$file")
		is "${file#/tmp/}: $sent, each answered" "$what" "$sent"
	done
	for file in /tmp/tcp.*; do
		sent=$(wc -l <"$file")
		unlike "${file#/tmp/}: $sent answers on one connection" "$(cat "$file")" 'error'
		[ "$sent" -gt 100 ]
		ok $? "${file#/tmp/} was a stream"
	done
	is "no segment was sent twice" "$(retransmitted)" "$resent"
}

# ---- the changes ----

write_policy
apply "apply"
forget_spoofed
resent=$(retransmitted)
read -ra kinds <<<"$KINDS"
declare -A made=()
failed=
run_streams
start=${EPOCHREALTIME/./}
for ((i = 0; i < CHANGES; i++)); do
	kind=${kinds[RANDOM % ${#kinds[@]}]}
	made[$kind]=$((${made[$kind]-0} + 1))
	change "$kind" >/tmp/said 2>&1 || failed+=" change $i, $kind: $(</tmp/said);"
done
took=$(((${EPOCHREALTIME/./} - start) / 1000))
end_streams
note "$CHANGES changes in $took ms, seed $SEED:" \
	"$(for kind in "${!made[@]}"; do echo "${made[$kind]} $kind"; done | sort -rn | paste -sd ,)"
is "each change was made" "$failed" ""
nothing_lost
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
