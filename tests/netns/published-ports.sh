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
		for address in 172.31.70.5 10.200.0.2; do
			AT=gw expect "$1: from the internet to $address: $proto" "* name=ct seen=*" $proto $address 8080
		done
		AT=op expect "$1: from on-premises: $proto" "* name=ct seen=172.30.255.2" $proto 172.31.70.5 8080
	done
	expect "$1: from the host itself" "* name=ct *" tcp 172.31.70.5 8080
}

for filter in 0 1 2; do
	set_sysctl h ipv4/conf/eth0/rp_filter $filter ipv4/conf/eth2/rp_filter $filter ipv4/conf/docker0/rp_filter $filter
	for policy in '' \
		'{ name = "on-premises"; to = "10.0.0.0/16"; via = "eth2"; }' \
		'{ name = "containers"; in = "docker0"; via = "eth2"; }' \
		'{ name = "containers"; from = "172.17.0.0/16"; via = "eth0"; }' \
		'{ name = "all"; via = "eth2"; }'; do
		policies "$policy"
		published "rp_filter $filter, ${policy:-no policy}"
		nothing_spoofed
		ifsteer flush
	done
done

policies '{ name = "containers"; in = "docker0"; via = "eth2"; }'
AT=ct expect "the container's own traffic goes by its policy" "* name=gw seen=172.31.70.5" tcp 198.51.100.10
AT=ct expect "the container's own traffic goes by its policy" "* name=gw seen=172.31.70.5" udp 198.51.100.10
expect "the host still reaches the container" "local=172.17.0.1 name=ct seen=172.17.0.1" tcp 172.17.0.2
quiet "flush" ifsteer flush
same "somebody else's tables are as they were" "$(at h nft -s list ruleset)" "$foreign"
done_testing
