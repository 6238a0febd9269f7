#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Selectors of the host's own traffic, each with a packet that it takes and one that it leaves.
# Where a routing rule can say it, the socket knows the address that the wire shows; elsewhere the
# packet is rewritten.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

nobody=$(id -u nobody)
daemon=$(id -g daemon)
printf 'lab-port\t%s/tcp\nlab-port\t%s/udp\n' $PORT $PORT >>/etc/services
forget_spoofed

policies "{ name = \"p\"; user = \"nobody\"; via = \"eth2\"; }"
by eth2 "user: nobody" tcp -u "$nobody"
by eth2 "user: nobody" udp -u "$nobody"
by eth0 "user: root" tcp

policies '{ name = "p"; user = [ "1000-1010", "2000", "!1005" ]; via = "eth2"; }'
for uid in 1000 1010 2000; do by eth2 "user ranges: $uid" tcp -u $uid; done
for uid in 999 1011 1005 0; do by eth0 "user ranges: $uid" tcp -u $uid; done

policies '{ name = "p"; user = "!root"; via = "eth2"; }'
by eth2 "user negated: nobody" tcp -u "$nobody"
by eth0 "user negated: root" tcp

policies "{ name = \"p\"; group = \"daemon\"; via = \"eth2\"; }"
wire eth2 "group: daemon" tcp -g "$daemon"
wire eth2 "group: daemon" udp -g "$daemon"
by eth0 "group: root" tcp

policies '{ name = "p"; protocol = "tcp"; via = "eth2"; }'
by eth2 "protocol: tcp" tcp
by eth0 "protocol: udp is another" udp

policies '{ name = "p"; protocol = [ "udp", "icmp", "icmpv6" ]; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
expect "protocols: udp" "* name=op seen=172.31.70.5" udp 10.0.1.9
expect "protocols: udp" "* name=op seen=fd00:e2::5" udp fd00:10::9
is "protocols: icmp" "$(who_pings 10.0.1.9)" op
is "protocols: icmpv6" "$(who_pings fd00:10::9)" op
expect "protocols: not tcp" "* name=gw seen=10.200.0.2" tcp 10.0.1.9

policies "{ name = \"p\"; protocol = \"tcp\"; dport = $OTHER_PORT; via = \"eth2\"; }"
by eth2 "dport with protocol: tcp $OTHER_PORT" tcp -- $OTHER_PORT
by eth0 "dport with protocol: tcp $PORT" tcp -- $PORT
by eth0 "dport with protocol: udp $OTHER_PORT" udp -- $OTHER_PORT

policies "{ name = \"p\"; dport = [ \"$OTHER_PORT-100\", \"8080\" ]; via = \"eth2\"; }"
by eth2 "dport alone: tcp" tcp -- $OTHER_PORT
by eth2 "dport alone: udp" udp -- $OTHER_PORT
by eth0 "dport alone: another" udp -- $PORT
is "dport alone: not a ping" "$(who_pings 198.51.100.10)" gw

policies '{ name = "p"; dport = "lab-port"; via = "eth2"; }'
by eth2 "dport by service name" tcp -- $PORT
by eth0 "dport by service name: another" tcp -- $OTHER_PORT

policies '{ name = "p"; protocol = "udp"; sport = "40000-40010"; via = "eth2"; }'
wire eth2 "sport" udp -s 40005
by eth0 "sport: another" udp -s 40011
by eth0 "sport: another protocol" tcp -s 40005

policies '{ name = "p"; dscp = ( "af41", 46 ); via = "eth2"; }'
for dscp in 34 46; do
	wire eth2 "dscp $dscp" tcp -q $dscp
	wire eth2 "dscp $dscp" udp -q $dscp
done
by eth0 "dscp: another" tcp -q 10
by eth0 "dscp: none" udp

policies '{ name = "p"; dscp = "!cs0"; via = "eth2"; }'
wire eth2 "dscp negated: another" udp -q 10
by eth0 "dscp negated: this one" udp

policies '{ name = "p"; from = [ "10.200.0.2", "fd00:e0::2" ]; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
expect "from" "local=10.200.0.2 name=op seen=172.31.70.5" tcp -b 10.200.0.2 10.0.1.9
expect "from" "local=fd00:e0::2 name=op seen=fd00:e2::5" udp -b fd00:e0::2 fd00:10::9

policies '{ name = "p"; to = [ "10.0.0.5-10.0.0.20", "10.0.1.0/24", "!10.0.1.9", "fd00:10::5-fd00:10::9", "!fd00:10::7" ]; via = "eth2"; }'
for address in 10.0.0.5 10.0.0.20 10.0.1.8 10.0.1.10; do
	answered "to: $address" op 172.31.70.5 $address
done
for address in 10.0.0.4 10.0.0.21 10.0.1.9 10.0.2.1; do
	answered "to: not $address" gw 10.200.0.2 $address
done
answered "to: fd00:10::9" op fd00:e2::5 fd00:10::9
answered "to: not fd00:10::7" gw fd00:e0::2 fd00:10::7

policies '{ name = "p"; family = "ipv6"; user = "nobody"; via = "eth2"; }'
expect "family: ipv6" "local=fd00:e2::5 name=gw seen=fd00:e2::5" tcp -u "$nobody" 2001:db8::10
expect "family: not ipv4" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -u "$nobody" 198.51.100.10

policies '{ name = "exempt"; to = [ "10.0.1.0/24", "fd00:10::9" ]; action = "main"; },
	{ name = "off"; enabled = false; to = "198.51.100.0/24"; via = "eth2"; },
	{ name = "wide"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
answered "the first match wins: exempt" gw 10.200.0.2 10.0.1.9
answered "the first match wins: exempt" gw fd00:e0::2 fd00:10::9
answered "the first match wins: the rest" op 172.31.70.5 10.0.2.9
answered "the first match wins: the rest" op fd00:e2::5 fd00:10::1:9
by eth0 "a disabled policy" tcp

policies "{ name = \"all-selectors\"; to = \"10.0.0.0/16\"; user = \"nobody\"; protocol = \"tcp\"; dport = $PORT; via = \"eth2\"; }"
expect "all selectors match" "local=172.31.70.5 name=op seen=172.31.70.5" tcp -u "$nobody" 10.0.1.9
expect "not the user" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp 10.0.1.9
expect "not the protocol" "local=10.200.0.2 name=gw seen=10.200.0.2" udp -u "$nobody" 10.0.1.9
expect "not the port" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -u "$nobody" 10.0.1.9 $OTHER_PORT

nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
