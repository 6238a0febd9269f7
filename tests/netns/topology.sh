# SPDX-License-Identifier: GPL-2.0-or-later
#
# The topology of S1 to S6 in network namespaces, and what some tests add to it. Sourced by lib.sh.
# shellcheck shell=bash disable=SC2034
#
#   gw (internet) ──eth0── h ──eth2── vpc ── op (on-premises)
#    └───────────────────────────────┘
#
# Whoever answers says its name. On-premises and a peered network (10.0.0.0/16, fd00:10::/64;
# 172.30.0.0/16, fd00:30::/64, each address of them) stand on op and, as decoys, on gw. The
# internet, 198.51.100.0/24 and 2001:db8::/64, is gw's, and can be reached by vpc too: there h is
# seen with the address of the interface it used. A packet that leaves h by one interface with the
# other's address is dropped, as clouds do, and counted.

PORT=7		# where everybody answers
OTHER_PORT=8	# there, too
DEAD_PORT=9	# where nobody does

at() {	# NS COMMAND…
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# set_sysctl NS KEY VALUE…, with dots in the way of sysctl(8), but written directly: it is done a
# hundred times.
set_sysctl() {
	local ns=$1
	shift
	# shellcheck disable=SC2016
	at "$ns" sh -c 'while [ $# -gt 0 ]; do echo "$2" >"/proc/sys/net/$1" || exit; shift 2; done' sh "$@"
}

# lab_netns NS…: without reverse-path filter, duplicate address detection (a second for each
# address) and limits for ICMP errors.
lab_netns() {
	local ns
	for ns in "$@"; do
		ip netns add "$ns"
		set_sysctl "$ns" ipv4/conf/all/rp_filter 0 ipv4/conf/default/rp_filter 0 \
			ipv6/conf/default/accept_dad 0 ipv6/conf/all/accept_dad 0 ipv4/icmp_ratelimit 0 ipv6/icmp/ratelimit 0
		ip -n "$ns" link set lo up
	done
}

# lab_ttl NS TTL: by which it is known who answers a ping.
lab_ttl() {
	set_sysctl "$1" ipv4/ip_default_ttl "$2" ipv6/conf/all/hop_limit "$2" ipv6/conf/default/hop_limit "$2"
}

# serve NS: a server that answers with the name of its namespace, until the test ends.
serve() {
	local fd line port
	for port in $PORT $OTHER_PORT; do
		exec {fd}< <(exec nsenter --net="/run/netns/$1" -- "$PROBE" serve "$1" $port)
		read -r -t 30 -u "$fd" line && [ "$line" = ready ] || { echo "Bail out! no server in $1"; exit 1; }
	done
}

# drop_spoofed NS FROM4 FROM6: what comes from h with an address that belongs to its other
# interface.
drop_spoofed() {
	at "$1" nft -f - <<-END
		table inet lab {
			counter spoofed { }
			chain spoofed {
				type filter hook prerouting priority -400
				iifname "to_h" ip saddr $2 counter name spoofed drop
				iifname "to_h" ip6 saddr $3 counter name spoofed drop
			}
		}
	END
}

# lab_routers: everything but h's own interfaces, which are called eth0 and eth2 and lie ready in gw
# and vpc.
lab_routers() {
	lab_netns h gw vpc op
	lab_ttl gw 100
	lab_ttl vpc 150
	lab_ttl op 200
	set_sysctl gw ipv4/ip_forward 1 ipv6/conf/all/forwarding 1
	set_sysctl vpc ipv4/ip_forward 1 ipv6/conf/all/forwarding 1
	ip -batch - <<-END
		link add to_vpc netns op type veth peer name to_op netns vpc
		link add to_gw netns vpc type veth peer name to_vpc netns gw
	END
	ip -n gw -batch - <<-END
		addr add 198.51.100.10/32 dev lo
		addr add 2001:db8::10/128 dev lo
		addr add 169.254.169.254/32 dev lo
		route add local 198.51.100.0/24 dev lo
		route add local 2001:db8::/64 dev lo
		route add local 10.0.0.0/16 dev lo
		route add local fd00:10::/64 dev lo
		route add local 172.30.0.0/16 dev lo
		route add local fd00:30::/64 dev lo
		link set to_vpc up
		addr add 192.0.2.1/30 dev to_vpc
		addr add 2001:db8:ff::1/64 dev to_vpc nodad
		route add 172.31.64.0/20 via 192.0.2.2
		route add fd00:e2::/64 via 2001:db8:ff::2
	END
	ip -n vpc -batch - <<-END
		addr add 169.254.169.254/32 dev lo
		link set to_gw up
		addr add 192.0.2.2/30 dev to_gw
		addr add 2001:db8:ff::2/64 dev to_gw nodad
		route add default via 192.0.2.1
		route add default via 2001:db8:ff::1
		link set to_op up
		addr add 172.30.255.1/30 dev to_op
		addr add fd00:ff::1/64 dev to_op nodad
		route add 10.0.0.0/16 via 172.30.255.2
		route add 172.30.0.0/16 via 172.30.255.2
		route add fd00:10::/64 via fd00:ff::2
		route add fd00:30::/64 via fd00:ff::2
	END
	ip -n op -batch - <<-END
		link set to_vpc up
		addr add 172.30.255.2/30 dev to_vpc
		addr add fd00:ff::2/64 dev to_vpc nodad
		addr add 10.0.1.9/32 dev lo
		addr add fd00:10::9/128 dev lo
		route add local 10.0.0.0/16 dev lo
		route add local fd00:10::/64 dev lo
		route add local 172.30.0.0/16 dev lo
		route add local fd00:30::/64 dev lo
		route add default via 172.30.255.1
		route add default via fd00:ff::1
	END
	drop_spoofed gw 172.31.64.0/20 fd00:e2::/64
	drop_spoofed vpc 10.200.0.0/24 fd00:e0::/64
	serve gw
	serve vpc
	serve op
}

# plug eth0|eth2: h gets the interface, down and without an address, its far side ready.
plug() {
	case $1 in
	eth0) set -- eth0 gw 10.200.0.1/24 fd00:e0::1/64 ;;
	eth2) set -- eth2 vpc 172.31.64.1/20 fd00:e2::1/64 ;;
	esac
	ip link add "$1" netns h type veth peer name to_h netns "$2"
	ip -n "$2" -batch - <<-END
		link set to_h up
		addr add $3 dev to_h
		addr add $4 dev to_h nodad
	END
}

# up eth0|eth2: as the cloud's image configures it: only the default route of eth0.
up() {
	case $1 in
	eth0)
		ip -n h -batch - <<-END
			link set eth0 up
			addr add 10.200.0.2/24 dev eth0
			addr add fd00:e0::2/64 dev eth0 nodad
			route add default via 10.200.0.1
			route add default via fd00:e0::1
		END
		;;
	eth2)
		ip -n h -batch - <<-END
			link set eth2 up
			addr replace 172.31.70.5/20 dev eth2
			addr replace fd00:e2::5/64 dev eth2 nodad
		END
		;;
	esac
}

# has_come_up IF…: h's interface has what the kernel adds to one with a carrier, in its own time: a worker does it, which on a busy
# machine comes later than the next command.
has_come_up() {
	local interface
	for interface; do eventually 10 is_up "$interface"; done
}
is_up() { ip -n h -6 route show dev "$1" | grep -q ^fe80 && ! ip -n h route show dev "$1" | grep -q linkdown; }

# lab_host: h with both interfaces up, and a server.
lab_host() {
	lab_routers
	plug eth0
	plug eth2
	up eth0
	up eth2
	has_come_up eth0 eth2
	serve h
}

# lab_second: a second router on eth2's link, which answers for everything on-premises itself.
lab_second() {
	lab_netns second
	lab_ttl second 250
	ip -n vpc link add link to_h name to_second type macvlan mode bridge
	ip -n vpc link set to_second netns second
	ip -n second -batch - <<-END
		link set to_second up
		addr add 172.31.64.9/20 dev to_second
		addr add fd00:e2::9/64 dev to_second nodad
		route add local 10.0.0.0/16 dev lo
		route add local fd00:10::/64 dev lo
	END
	serve second
}

# lab_lan: behind h's eth1 a client, lan, that h routes for; gw and vpc know the way back. vpc shows
# what it sends on to the internet under its own address, so that gw sees which way it came.
lab_lan() {
	lab_netns lan
	set_sysctl h ipv4/ip_forward 1 ipv6/conf/all/forwarding 1
	ip -batch - <<-END
		link add eth1 netns h type veth peer name eth0 netns lan
	END
	ip -n h -batch - <<-END
		link set eth1 up
		addr add 192.168.77.1/24 dev eth1
		addr add fd00:77::1/64 dev eth1 nodad
	END
	ip -n lan -batch - <<-END
		link set eth0 up
		addr add 192.168.77.5/24 dev eth0
		addr add fd00:77::5/64 dev eth0 nodad
		route add default via 192.168.77.1
		route add default via fd00:77::1
	END
	ip -n gw -batch - <<-END
		route add 192.168.77.0/24 via 10.200.0.2
		route add fd00:77::/64 via fd00:e0::2
	END
	ip -n vpc -batch - <<-END
		route add 192.168.77.0/24 via 172.31.70.5
		route add fd00:77::/64 via fd00:e2::5
	END
	at vpc nft -f - <<-END
		table inet nat {
			chain post {
				type nat hook postrouting priority srcnat
				oifname "to_gw" ip saddr 192.168.77.0/24 masquerade
				oifname "to_gw" ip6 saddr fd00:77::/64 masquerade
			}
		}
	END
	has_come_up eth1
	serve lan
}

# lab_docker: a bridge with a container, ct, and the rules that Docker makes for it, in both families. The
# rest of 172.17.0.0/16 and fd00:17::/64 answers elsewhere.
lab_docker() {
	local ns
	lab_netns ct
	set_sysctl h ipv4/ip_forward 1 ipv6/conf/all/forwarding 1
	ip -n h -batch - <<-END
		link add docker0 type bridge
		link set docker0 up
		addr add 172.17.0.1/16 dev docker0
		addr add fd00:17::1/64 dev docker0 nodad
	END
	ip -batch - <<-END
		link add veth_ct netns h type veth peer name eth0 netns ct
	END
	ip -n h link set veth_ct master docker0 up
	ip -n ct -batch - <<-END
		link set eth0 up
		addr add 172.17.0.2/16 dev eth0
		addr add fd00:17::2/64 dev eth0 nodad
		route add default via 172.17.0.1
		route add default via fd00:17::1
	END
	has_come_up docker0
	for ns in gw vpc; do
		ip -n $ns route add local 172.17.0.0/16 dev lo
		ip -n $ns route add local fd00:17::/64 dev lo
	done
	at h nft -f - <<-END
		table ip nat {
			chain POSTROUTING {
				type nat hook postrouting priority srcnat
				oifname != "docker0" ip saddr 172.17.0.0/16 masquerade
			}
		}
		table ip6 nat {
			chain POSTROUTING {
				type nat hook postrouting priority srcnat
				oifname != "docker0" ip6 saddr fd00:17::/64 masquerade
			}
		}
		table ip filter {
			chain FORWARD {
				type filter hook forward priority filter; policy drop
				oifname "docker0" ct state established,related accept
				iifname "docker0" accept
			}
		}
	END
	serve ct
}
