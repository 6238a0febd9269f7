#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ports published as Docker does it, on both uplinks: a reply leaves by the interface its request came in by, whatever the
# policies say of the container's own traffic, and somebody else's tables stay as they are.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_docker
at h nft -f - <<-'END'
	table ip nat {
		chain PREROUTING {
			type nat hook prerouting priority dstnat
			fib daddr type local tcp dport 8080 dnat to 172.17.0.2:7
			fib daddr type local udp dport 8080 dnat to 172.17.0.2:7
		}
		chain OUTPUT {
			type nat hook output priority -100
			ip daddr != 127.0.0.0/8 fib daddr type local tcp dport 8080 dnat to 172.17.0.2:7
		}
	}
	table ip6 nat {
		chain PREROUTING {
			type nat hook prerouting priority dstnat
			fib daddr type local tcp dport 8080 dnat to [fd00:17::2]:7
			fib daddr type local udp dport 8080 dnat to [fd00:17::2]:7
		}
		chain OUTPUT {
			type nat hook output priority -100
			ip6 daddr != ::1 fib daddr type local tcp dport 8080 dnat to [fd00:17::2]:7
		}
	}
	table ip filter {
		chain FORWARD {
			oifname "docker0" ct status dnat accept
		}
	}
END
foreign=$(at h nft -s list ruleset)
forget_spoofed

published() {	# NAME
	local proto address
	for proto in tcp udp; do
		for address in 172.31.70.5 10.200.0.2 fd00:e2::5 fd00:e0::2; do
			AT=gw expect "$1: from the internet to $address: $proto" "* name=ct seen=*" $proto $address 8080
		done
		AT=op expect "$1: from on-premises: $proto" "* name=ct seen=172.30.255.2" $proto 172.31.70.5 8080
		AT=op expect "$1: from on-premises, IPv6: $proto" "* name=ct seen=fd00:ff::2" $proto fd00:e2::5 8080
	done
	expect "$1: from the host itself" "* name=ct *" tcp 172.31.70.5 8080
	expect "$1: from the host itself, IPv6" "* name=ct *" tcp fd00:e2::5 8080
}

for filter in 0 1 2; do
	set_sysctl h ipv4/conf/eth0/rp_filter $filter ipv4/conf/eth2/rp_filter $filter ipv4/conf/docker0/rp_filter $filter
	for policy in '' \
		'{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }' \
		'{ name = "containers"; in = "docker0"; via = "eth2"; }' \
		'{ name = "containers"; from = [ "172.17.0.0/16", "fd00:17::/64" ]; via = "eth0"; }' \
		'{ name = "all"; via = "eth2"; }'; do
		policies "$policy"
		forget_spoofed	# what came late of connections of before, while nothing stood in its way
		published "rp_filter $filter, ${policy:-no policy}"
		nothing_spoofed
		ifsteer flush
	done
done

# IPv6, to a LAN behind h.
lab_lan
at h nft -f - <<-'END'
	table ip6 lan {
		chain PREROUTING {
			type nat hook prerouting priority dstnat
			fib daddr type local tcp dport 8081 dnat to [fd00:77::5]:7
			fib daddr type local udp dport 8081 dnat to [fd00:77::5]:7
		}
	}
END
for policy in '' \
	'{ name = "lan"; in = "eth1"; via = "eth2"; }' \
	'{ name = "lan"; in = "eth1"; via = "eth0"; otherwise = "unreachable"; }' \
	'{ name = "lan"; in = "eth1"; action = "unreachable"; }'; do
	policies "$policy"
	forget_spoofed
	for proto in tcp udp; do
		AT=op expect "a LAN, from on-premises, ${policy:-no policy}: $proto" "* name=lan seen=fd00:ff::2" $proto fd00:e2::5 8081
		for address in fd00:e2::5 fd00:e0::2; do
			AT=gw expect "a LAN, from the internet to $address, ${policy:-no policy}: $proto" "* name=lan *" $proto $address 8081
		done
	done
	nothing_spoofed
	ifsteer flush
done
at h nft delete table ip6 lan

# What the container sends is too big for eth2, and it is told.
# shellcheck disable=SC2016
transfer() {	# how many bytes come back of a hundred lines, sent at once
	at op perl -MIO::Socket::IP -e '$SIG{ALRM} = sub { print "$got\n"; exit }; alarm 3;
		my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 8080) or die; sysread $s, my $hello, 1000;
		syswrite $s, ("x" x 599 . "\n") x 100; $got = 0;
		while ($got < 60000) { $got += sysread($s, my $b, 65536) || last } print "$got\n"' "$1"
}
ip -n h link set eth2 mtu 1300
for policy in '' '{ name = "containers"; in = "docker0"; via = "eth2"; otherwise = "unreachable"; }'; do
	policies "$policy"
	is "a small uplink, ${policy:-no policy}" "$(transfer 172.31.70.5)" 60000
	is "a small uplink, IPv6, ${policy:-no policy}" "$(transfer fd00:e2::5)" 60000
	ip -n ct route flush cache
	ip -n ct -6 route flush cache
done
ip -n h link set eth2 mtu 1500

policies ''
AT=op PORT=8080 open older 172.31.70.5
AT=op PORT=8080 open older6 fd00:e2::5
policy <<<"interfaces = ( { name = \"eth0\"; }, { name = \"eth2\"; gateway = [ \"172.31.64.1\", \"fd00:e2::1\" ]; symmetric = false; } );"
apply "eth2 is symmetric no more"
for name in older older6; do
	again $name
	is "$name, from on-premises: it was before, and stays" "$said" again
	close $name
done

policies '{ name = "containers"; in = "docker0"; via = "eth2"; }'
AT=ct expect "the container's own traffic goes by its policy" "* name=gw seen=172.31.70.5" tcp 198.51.100.10
AT=ct expect "the container's own traffic goes by its policy" "* name=gw seen=172.31.70.5" udp 198.51.100.10
AT=ct expect "the container's own traffic goes by its policy, IPv6" "* name=gw seen=fd00:e2::5" tcp 2001:db8::10
expect "the host still reaches the container" "local=172.17.0.1 name=ct seen=172.17.0.1" tcp 172.17.0.2
expect "the host still reaches the container, IPv6" "local=fd00:17::1 name=ct seen=fd00:17::1" tcp fd00:17::2
quiet "flush" ifsteer flush
same "somebody else's tables are as they were" "$(at h nft -s list ruleset)" "$foreign"
done_testing
