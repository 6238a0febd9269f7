#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rows 12 and 13: what a packet pays for paths that it does not take, and a new connection for symmetry
# with many interfaces.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bursts.sh"
bench_enter

# crowded_host NAME N: with N interfaces, v1 to vN, the other ends of which are in NAME_far; the default
# route is by v1.
crowded_host() {
	local i
	ip netns add "$1"
	ip netns add "$1_far"
	ip netns add "$1_lan"
	set_sysctl "$1" ipv4/ip_forward 1
	for ((i = 1; i <= $2; i++)); do
		echo "link add v$i netns $1 type veth peer name v$i netns $1_far"
	done | ip -batch -
	ip link add eth1 netns "$1" type veth peer name eth0 netns "$1_lan"
	{
		echo "link set lo up"
		for ((i = 1; i <= $2; i++)); do
			echo "link set v$i up"
			echo "addr add 10.$((64 + i / 250)).$((i % 250)).1/24 dev v$i"
		done
		echo "route add local 20.0.0.0/8 dev lo"
		echo "route add local 198.51.100.0/24 dev lo"
		echo "route add 192.168.77.0/24 via 10.64.1.2"
		echo "route add 192.168.77.0/24 via 10.$((64 + $2 / 250)).$(($2 % 250)).2 table 2"
		echo "rule add from 20.0.0.0/8 lookup 2"
	} | ip -n "$1_far" -batch -
	{
		echo "link set lo up"
		echo "link set eth1 up"
		echo "addr add 192.168.77.1/24 dev eth1"
		for ((i = 1; i <= $2; i++)); do up_again $i | grep -v :; done
	} | ip -n "$1" -batch -
	ip -n "$1_lan" -batch - <<-END
		link set lo up
		link set eth0 up
		addr add 192.168.77.5/24 dev eth0
		route add default via 192.168.77.1
	END
	# shellcheck disable=SC2046
	drop_at_ingress "$1_far" $(seq -f v%.0f "$2")
}

# With conntrack and nothing else.
for n in 2 250; do
	crowded_host bare$n $n
	track bare$n
done
sizes=${SIZES:-2 16 64 250}
hosts=
for n in $sizes again; do
	host=paths$n
	n=${n/again/2}
	crowded_host $host $n
	# A policy takes what goes to the last interface.
	steer $host <<-END
		settings = { mark_mask = "0xffff0000"; };
		interfaces = ( { name = "v*"; gateway = "first"; } );
		policies = ( { name = "a"; to = "20.39.15.0/25"; via = "v$n"; } );
	END
	hosts+=" $host"
done

# shellcheck disable=SC2086
{
	burst "own, unmarked" "" $UNSTEERED $hosts
	burst "own, marked" "" $STEERED $hosts
	burst "forwarded, unmarked" _lan $UNSTEERED $hosts
	burst "forwarded, marked" _lan $STEERED $hosts
	options=-s
	burst "own, each looked up" "" $UNSTEERED $hosts
}
# Connections come in by the first interface and the last, and are answered there.
lanes=()
for host in $hosts bare2 bare250; do
	last=${host//[a-z]/}
	last=${last:-2}
	lanes+=("new connections: $host=${host}_far,${host}_far,$host,10.64.1.2+10.$((64 + last / 250)).$((last % 250)).2")
done
"$BENCH/traffic" -n -b 512 -r $((ROUNDS * 8)) "$samples" "${lanes[@]}" || exit

for kind in "own, unmarked" "own, marked" "forwarded, unmarked" "forwarded, marked" "own, each looked up" "new connections"; do
	aim=-
	row=12
	[[ $kind != *unmarked ]] || aim=">= 0.98"
	[[ $kind != new* ]] || { row=13; aim=">= 0.95"; }
	compare noise - "$kind" pathsagain paths2 "2 paths on two hosts"
	compare $row "$aim" "$kind" paths250 paths2 "250 paths, against 2"
	for n in $sizes; do point_rate paths "$n" "$kind" "$kind: paths$n"; done
done
# What of it is the kernel's own, and what is left to us. perf, for a connection: 250 interfaces cost it 73 ns
# more without us (deeper tries of routes, a longer hash of addresses) and 200 ns with us, 100 of those for
# 24 more routing rules in three look-ups.
compare 13 - "new connections" bare250 bare2 "250 interfaces without ifsteer, against 2"
for n in 2 250; do share "new connections" paths$n bare$n; done
result_share 13 - "new connections: paths250 of bare250" "new connections: paths2 of bare2" \
	"new connections: 250 paths against 2, each against bare"
