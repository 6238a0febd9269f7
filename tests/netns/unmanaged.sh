#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packets that are steered carry an address of the interface they leave by, also where the one that main had chosen for
# them belongs to an interface that the policy does not declare. Addresses on lo are left alone, and who comes in by such an
# interface is answered by it, also where the policy sends connections of the host's own to him elsewhere.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

forget_spoofed
policy <<<'interfaces = ( { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } );
	policies = ( { name = "no-companion"; sport = 5000; via = "eth2"; } );'
apply
for proto in tcp udp; do
	wire eth2 "steered" $proto -s 5000
	by eth0 "not steered" $proto
done
nothing_spoofed

ip -n h addr add 203.0.113.9/32 dev lo
ip -n h addr add 2001:db8:9::9/128 dev lo
ip -n gw route add 203.0.113.9 via 192.0.2.2
ip -n gw route add 2001:db8:9::9 via 2001:db8:ff::2
ip -n vpc route add 203.0.113.9 via 172.31.70.5
ip -n vpc route add 2001:db8:9::9 via fd00:e2::5
apply "apply, lo with addresses"
expect "an address on lo" "local=203.0.113.9 name=gw seen=203.0.113.9" tcp -s 5000 -b 203.0.113.9 198.51.100.10
expect "an address on lo" "local=2001:db8:9::9 name=gw seen=2001:db8:9::9" tcp -s 5000 -b 2001:db8:9::9 2001:db8::10

lab_lan
ip -n lan addr add 10.0.5.5/32 dev lo
ip -n lan addr add fd00:10::5:5/128 dev lo
ip -n h route add 10.0.5.0/24 via 192.168.77.5
ip -n h route add fd00:10::5:0/112 via fd00:77::5
policies '{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
for proto in tcp udp; do
	AT=lan expect "a client in the prefix of a policy" "* name=h seen=10.0.5.5" $proto -b 10.0.5.5 192.168.77.1
	AT=lan expect "a client in the prefix of a policy" "* name=h seen=fd00:10::5:5" $proto -b fd00:10::5:5 fd00:77::1
	expect "the policy's own destinations" "local=172.31.70.5 name=op *" $proto 10.0.5.5
done
AT=lan
is "a client in the prefix of a policy: ping" "$(who_pings 192.168.77.1 -I 10.0.5.5)" h
is "a client in the prefix of a policy: ping" "$(who_pings fd00:77::1 -I fd00:10::5:5)" h
quiet "diff is clean" ifsteer diff
done_testing
