#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sockets that are bound: to an address of an interface, to the interface itself; and packets with
# somebody else's mark.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_lan

policy <<<"$S4"
apply
forget_spoofed

# each PROTO NAME WANT4 WANT6 ADDRESS4 ADDRESS6, with OPTIONS4 and OPTIONS6
each() {
	expect "$1: tcp" "$2" tcp $OPTIONS4 "$4"
	expect "$1: udp" "$2" udp $OPTIONS4 "$4"
	expect "$1: tcp" "$3" tcp $OPTIONS6 "$5"
	expect "$1: udp" "$3" udp $OPTIONS6 "$5"
}

OPTIONS4="-b 172.31.70.5" OPTIONS6="-b fd00:e2::5"
each "bound to eth2's address" "local=172.31.70.5 name=gw seen=172.31.70.5" "local=fd00:e2::5 name=gw seen=fd00:e2::5" $INTERNET
each "bound to eth2's address, main's own routes" "local=172.31.70.5 name=lan seen=172.31.70.5" \
	"local=fd00:e2::5 name=lan seen=fd00:e2::5" 192.168.77.5 fd00:77::5
OPTIONS4="-b 10.200.0.2" OPTIONS6="-b fd00:e0::2"
each "bound to eth0's address" "local=10.200.0.2 name=gw seen=10.200.0.2" "local=fd00:e0::2 name=gw seen=fd00:e0::2" $INTERNET
each "bound to eth0's address, taken by the policy" "local=10.200.0.2 name=op seen=172.31.70.5" \
	"local=fd00:e0::2 name=op seen=fd00:e2::5" 10.0.1.9 fd00:10::9

OPTIONS4="-d eth2" OPTIONS6="-d eth2"
each "bound to eth2" "local=172.31.70.5 name=gw seen=172.31.70.5" "local=fd00:e2::5 name=gw seen=fd00:e2::5" $INTERNET
OPTIONS4="-d eth0" OPTIONS6="-d eth0"
each "bound to eth0, whatever the policy says" "local=10.200.0.2 name=gw seen=10.200.0.2" \
	"local=fd00:e0::2 name=gw seen=fd00:e0::2" 10.0.1.9 fd00:10::9
for address in 198.51.100.10 2001:db8::10; do
	is "ping -I eth2 $address" "$(who_pings $address -I eth2)" gw
done
is "ping -I eth2 of on-premises" "$(who_pings 10.0.1.9 -I eth2)" op
is "ping -I eth0 of on-premises" "$(who_pings 10.0.1.9 -I eth0)" gw

# What is exempt goes by main, whatever it is bound to: with the address of the interface it leaves by.
policies '{ name = "exempt"; to = [ "198.51.100.0/24", "2001:db8::/64" ]; action = "main"; }'
OPTIONS4="-b 172.31.70.5" OPTIONS6="-b fd00:e2::5"
each "exempt, bound to eth2's address" "local=172.31.70.5 name=gw seen=10.200.0.2" "local=fd00:e2::5 name=gw seen=fd00:e0::2" $INTERNET
nothing_spoofed
policy <<<"$S4"
apply

# Outside of our mask, and in it: not ours, left alone.
at h nft -f - <<-'END'
	table inet foreign {
		counter seen { }
		chain out {
			type filter hook postrouting priority 300
			meta mark & 0x00ffffff == 0x4000 counter name seen
		}
	}
END
OPTIONS4="-m 0x4000" OPTIONS6="-m 0x4000"
each "a foreign mark" "local=10.200.0.2 name=gw seen=10.200.0.2" "local=fd00:e0::2 name=gw seen=fd00:e0::2" 10.0.1.9 fd00:10::9
unlike "a foreign mark is seen on the wire's side as it was set" "$(at h nft list counter inet foreign seen)" "packets 0"
OPTIONS4='' OPTIONS6=''
each "without a mark" "local=172.31.70.5 name=op seen=172.31.70.5" "local=fd00:e2::5 name=op seen=fd00:e2::5" 10.0.1.9 fd00:10::9
nothing_spoofed
done_testing
