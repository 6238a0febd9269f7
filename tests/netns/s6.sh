#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S6: on-premises and a peered network behind it, in both families.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

policies '{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; },
	{ name = "peered"; to = [ "172.30.0.0/16", "fd00:30::/64" ]; via = "eth2"; }'
forget_spoofed
for address in 10.0.1.9 10.0.200.1 172.30.1.9 172.30.7.1; do
	answered "$address" op 172.31.70.5 $address
done
for address in fd00:10::9 fd00:10::ffff:1 fd00:30::9 fd00:30::1:2:3; do
	answered "$address" op fd00:e2::5 $address
done
for proto in tcp udp; do
	by eth0 "internet" $proto
done
for address in 172.31.70.5 fd00:e2::5; do
	AT=op inbound "inbound to $address" $address
	AT=gw inbound "inbound to $address" $address
done
answered "metadata" gw 10.200.0.2 169.254.169.254
nothing_spoofed
like "each policy counts for itself" "$(at h nft list table inet ifsteer)" 'peered ifsteer\.conf:[0-9]+'
done_testing
