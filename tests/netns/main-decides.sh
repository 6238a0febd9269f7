#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What main still decides: a policy without `to` is about the way out, one with `to` means what it
# says.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_lan
lab_docker

nobody=$(id -u nobody)
# A VPN's prefix behind eth1, which main has a route for, in both families.
ip -n lan route add local 203.0.113.0/24 dev lo
ip -n lan route add local 2001:db8:113::/64 dev lo
ip -n h route add 203.0.113.0/24 via 192.168.77.5
ip -n h route add 2001:db8:113::/64 via fd00:77::5
for ns in gw vpc; do
	ip -n $ns route add local 203.0.113.0/24 dev lo
	ip -n $ns route add local 2001:db8:113::/64 dev lo
done
ip -n h route add unreachable 198.18.0.0/15

stays() {	# NAME
	local as=(-u "$nobody")
	expect "$1: a connected network" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp "${as[@]}" 10.200.0.1
	expect "$1: a connected network" "local=fd00:e0::2 name=gw seen=fd00:e0::2" udp "${as[@]}" fd00:e0::1
	expect "$1: a container" "local=172.17.0.1 name=ct seen=172.17.0.1" tcp "${as[@]}" 172.17.0.2
	expect "$1: a container" "local=fd00:17::1 name=ct seen=fd00:17::1" udp "${as[@]}" fd00:17::2
	expect "$1: a VPN's prefix" "local=192.168.77.1 name=lan seen=192.168.77.1" tcp "${as[@]}" 203.0.113.1
	expect "$1: a VPN's prefix" "local=fd00:77::1 name=lan seen=fd00:77::1" udp "${as[@]}" 2001:db8:113::1
	expect "$1: an unreachable route" "error=EHOSTUNREACH at=connect" tcp "${as[@]}" 198.18.0.1
	expect "$1: metadata" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp "${as[@]}" 169.254.169.254
	expect "$1: loopback" "local=127.0.0.1 name=h seen=127.0.0.1" tcp "${as[@]}" 127.0.0.1
	expect "$1: loopback" "local=::1 name=h seen=::1" udp "${as[@]}" ::1
	expect "$1: an address of its own" "local=172.31.70.5 name=h seen=172.31.70.5" tcp "${as[@]}" 172.31.70.5
	expect "$1: an address of its own" "local=10.200.0.2 name=h seen=10.200.0.2" udp "${as[@]}" 10.200.0.2
	by eth2 "$1: the way out" tcp "${as[@]}"
	by eth2 "$1: the way out" udp "${as[@]}"
	by eth0 "$1: others" tcp
}

forget_spoofed
policies '{ name = "p"; user = "nobody"; via = "eth2"; }'
stays "without to"
policies '{ name = "p"; user = "nobody"; to = [ "0.0.0.0/0", "::/0" ]; via = "eth2"; }'
stays "zero-length prefixes in to"
policies '{ name = "p"; user = "nobody"; to = [ "!192.0.2.0/24", "!2001:db8:77::/48" ]; via = "eth2"; }'
stays "negations alone in to"

# Multicast and broadcast are never steered: they leave by main's way, or by the interface that the
# socket names.
for ns in gw vpc; do
	at $ns nft -f - <<-'END'
		table inet seen {
			counter many { }
			chain in {
				type filter hook prerouting priority -350
				udp dport 5353 counter name many
			}
		}
	END
done
at h "$PROBE" flood -u "$nobody" -t 20 -r 500 224.0.0.251 5353 >/dev/null
at h "$PROBE" flood -u "$nobody" -t 20 -r 500 10.200.0.255 5353 >/dev/null
is "multicast and broadcast: nothing by eth2" "$(at vpc nft list counter inet seen many | grep -o 'packets [0-9]*')" "packets 0"
unlike "multicast: by main's way" "$(at gw nft list counter inet seen many)" "packets 0 "

policies '{ name = "p"; to = [ "203.0.113.0/24", "2001:db8:113::/64" ]; via = "eth2"; }'
answered "with to: it beats main's own route" vpc 172.31.70.5 203.0.113.1
answered "with to: it beats main's own route" vpc fd00:e2::5 2001:db8:113::1
policies '{ name = "p"; user = "nobody"; via = "eth2"; otherwise = "unreachable"; }'
expect "a kill switch doesn't yield to main's routes" "local=172.31.70.5 name=vpc seen=172.31.70.5" tcp -u "$nobody" 203.0.113.1
expect "a kill switch doesn't yield to main's routes" "local=fd00:e2::5 name=vpc seen=fd00:e2::5" udp -u "$nobody" 2001:db8:113::1
by eth0 "a kill switch: others" tcp
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
