#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A host without any default route in main: everything that leaves it does so by a policy, and comes back past the reverse-path
# filter.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_lan
nobody=$(id -u nobody)
ip -n h route del default
ip -n h -6 route del default
forget_spoofed

for filter in 0 1 2; do
	set_sysctl h ipv4/conf/eth0/rp_filter $filter ipv4/conf/eth1/rp_filter $filter ipv4/conf/eth2/rp_filter $filter
	before=$(host_state)
	policy <<-'END'
		interfaces = (
			{ name = "eth0"; gateway = [ "10.200.0.1", "fd00:e0::1" ]; },
			{ name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; }
		);
		policies = (
			{ name = "lan"; in = "eth1"; via = "eth2"; },
			{ name = "somebody"; user = "nobody"; via = "eth2"; },
			{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; },
			{ name = "rest"; via = "eth0"; }
		);
	END
	apply "rp_filter $filter: apply"
	for proto in tcp udp; do
		AT=lan by eth2 "rp_filter $filter: the lan" $proto
		by eth2 "rp_filter $filter: a user" $proto -u "$nobody"
		by eth0 "rp_filter $filter: the rest" $proto
	done
	answered "rp_filter $filter: on-premises" op 172.31.70.5 10.0.1.9
	AT=lan expect "rp_filter $filter: the lan, on-premises" "* name=op seen=192.168.77.5" tcp 10.0.1.9
	for address in 172.31.70.5 10.200.0.2 fd00:e2::5; do
		AT=gw inbound "rp_filter $filter: inbound to $address" $address
	done
	expect "rp_filter $filter: rewritten" "* name=gw seen=172.31.70.5" tcp -u "$nobody" -b 10.200.0.2 198.51.100.10
	quiet "rp_filter $filter: diff is clean" ifsteer diff
	nothing_spoofed
	quiet "rp_filter $filter: flush" ifsteer flush
	same "rp_filter $filter: flush leaves what was before" "$(host_state)" "$before"
done
done_testing
