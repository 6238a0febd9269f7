#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rows 8 and 9: an event costs what ifsteer's own things cost, whatever else the kernel holds: a
# routing daemon's million routes, a firewall's set of 100,000 addresses.

. "$(dirname "$0")/lib.sh"
bench_enter
cd "$(mktemp -d)" || exit
policy <<<"$S4"

for host in plain routes set; do
	host_of $host
	at $host "$IFSTEER" apply || exit
done
# By an interface that is managed: its routes have to be found among them.
awk 'BEGIN { for (i = 0; i < 1000000; i++)
	printf "route add %d.%d.%d.%d/32 via 10.200.0.1 proto bird\n", 20 + i / 16777216, i / 65536 % 256, i / 256 % 256, i % 256 }' |
	ip -n routes -batch -
{
	echo "table ip somebody { set blocked { type ipv4_addr; elements = {"
	awk 'BEGIN { for (i = 0; i < 100000; i++) printf "%s30.%d.%d.%d", i ? "," : "", i / 65536, i / 256 % 256, i % 256 }'
	printf '}\n}\n}\n'
} >set.nft
at set nft -f set.nft || exit

# event NAME HOST: eth2 comes up, and comes up again.
event() {
	ip -n "$2" link set eth2 down
	at "$2" "$IFSTEER" hook networkmanager eth2 down 2>/dev/null
	ip -n "$2" link set eth2 up
	sample_at "$2" "$1" "$IFSTEER" hook networkmanager eth2 up
	sample_at "$2" "$1, nothing new" "$IFSTEER" hook networkmanager eth2 dhcp4-change
}

for ((i = 0; i < ROUNDS * 3; i++)); do
	event "no set" plain
	event "a set" set
done
for ((i = 0; i < ROUNDS; i++)); do
	event "ten routes" plain
	event "a million routes" routes
	sample_at routes "one dump, filtered" ip -4 route show table main dev eth2
	value "ten routes, and one dump" $(($(last "ten routes") + $(last "one dump, filtered")))
	((i % 5)) || sample_at routes "one dump, all" ip -4 route show table main
done

# The kernel walks all of them to hand out one interface's: that is the floor.
result 8 - "a million routes" "ten routes" "an event with 1,000,000 routes in main, against ten"
result 8 "<= 1.1" "a million routes" "ten routes, and one dump" "the same, against ten and one dump filtered by the kernel"
result 8 - "a million routes, nothing new" "ten routes, nothing new" "nothing to change with 1,000,000 routes in main"
result 8 - "one dump, all" "one dump, filtered" "a dump of all, against one filtered by the kernel"
result 9 "<= 1.1" "a set" "no set" "an event with somebody's set of 100,000"
result 9 "<= 1.1" "a set, nothing new" "no set, nothing new" "nothing to change with somebody's set of 100,000"
