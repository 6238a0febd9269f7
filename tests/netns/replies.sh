#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Symmetry: whatever answers a packet that came in by an interface leaves by it, with rp_filter 0, 1
# and 2 as found, loosened or kept. Main's default is eth0.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

# A way in by each interface, from on-premises and from the internet.
answers() {
	local address
	for address in 172.31.70.5 fd00:e2::5; do
		AT=op inbound "$1: on-premises to $address" $address
		AT=gw inbound "$1: the internet to $address" $address
	done
	for address in 10.200.0.2 fd00:e0::2; do
		AT=gw inbound "$1: the internet to $address" $address
	done
	answered "$1: on-premises" op 172.31.70.5 10.0.1.9
	by eth0 "$1: internet" tcp
	nothing_spoofed "$1: no packet left with the address of the other interface"
}

for mode in loose keep; do
	for value in 0 1 2; do
		set_sysctl h ipv4/conf/eth0/rp_filter $value ipv4/conf/eth2/rp_filter $value
		before=$(host_state)
		policy <<<"settings = { rp_filter = \"$mode\"; }; $S4"
		apply "apply, rp_filter $value, $mode"
		answers "rp_filter $value, $mode"
		[ $mode = loose ] && want=2 || want=$value
		is "rp_filter of eth2, found $value, $mode" "$(at h cat /proc/sys/net/ipv4/conf/eth2/rp_filter)" $want
		is "conf.all is never written" "$(at h cat /proc/sys/net/ipv4/conf/all/rp_filter)" 0
		quiet "flush" ifsteer flush
		same "flush leaves what was before, rp_filter $value, $mode" "$(host_state)" "$before"
	done
done

# symmetric = false: no connection is remembered by the interface it came in on. Sockets leave by the
# interface of their address nevertheless, which those of a server have.
policy <<<'interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = "172.31.64.1"; symmetric = false; } );'
apply "apply, not symmetric"
forget_spoofed
at h conntrack -F 2>/dev/null
AT=op inbound "not symmetric" 172.31.70.5
unlike "not symmetric: no mark for what came in by eth2" "$(at h conntrack -L 2>/dev/null)" 'dst=172\.31\.70\.5 .*mark=[1-9]'
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
