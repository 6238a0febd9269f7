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

policies '{ name = "p"; group = [ "2000-2010", "!2005" ]; via = "eth2"; }'
for gid in 2000 2010; do wire eth2 "group ranges: $gid" tcp -g $gid; done
for gid in 1999 2011 2005; do by eth0 "group ranges: $gid" tcp -g $gid; done

policies '{ name = "p"; protocol = "tcp"; via = "eth2"; }'
by eth2 "protocol: tcp" tcp
by eth0 "protocol: udp is another" udp

policies '{ name = "p"; protocol = [ "!tcp", "!icmp" ]; via = "eth2"; }'
by eth0 "protocol negated: tcp" tcp
wire eth2 "protocol negated: udp" udp

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

policies "{ name = \"p\"; dport = [ \"1-100\", \"!$OTHER_PORT\" ]; via = \"eth2\"; }"
by eth2 "dport negated: another" tcp -- $PORT
by eth0 "dport negated: this one" udp -- $OTHER_PORT

policies '{ name = "p"; dport = "lab-port"; via = "eth2"; }'
by eth2 "dport by service name" tcp -- $PORT
by eth0 "dport by service name: another" tcp -- $OTHER_PORT

policies '{ name = "p"; protocol = "udp"; sport = "40000-40010"; via = "eth2"; }'
wire eth2 "sport" udp -s 40005
by eth0 "sport: another" udp -s 40011
by eth0 "sport: another protocol" tcp -s 40005

policies '{ name = "p"; sport = [ "40000-40010", "!40005" ]; via = "eth2"; }'
wire eth2 "sport alone: tcp" tcp -s 40000
wire eth2 "sport alone: udp" udp -s 40010
by eth0 "sport negated: this one" tcp -s 40005

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

ip -n h addr add 10.200.0.3/24 dev eth0
ip -n h addr add fd00:e0::3/64 dev eth0 nodad
policies '{ name = "p"; from = [ "10.200.0.2-10.200.0.9", "!10.200.0.3", "fd00:e0::/64", "!fd00:e0::3" ]; via = "eth2"; }'
expect "from, a range" "local=10.200.0.2 name=gw seen=172.31.70.5" tcp -b 10.200.0.2 198.51.100.10
expect "from, a prefix" "local=fd00:e0::2 name=gw seen=fd00:e2::5" tcp -b fd00:e0::2 2001:db8::10
expect "from, negated" "local=10.200.0.3 name=gw seen=10.200.0.3" tcp -b 10.200.0.3 198.51.100.10
expect "from, negated" "local=fd00:e0::3 name=gw seen=fd00:e0::3" tcp -b fd00:e0::3 2001:db8::10
ip -n h addr del 10.200.0.3/24 dev eth0
ip -n h addr del fd00:e0::3/64 dev eth0

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

# Protocols that the probe does not speak: a raw packet of each family, counted where it arrives.
at gw nft -f - <<-'END'
	table inet raw {
		counter eth0 { }
		counter eth2 { }
		chain in {
			type filter hook prerouting priority -390
			ip daddr 198.51.100.77 iifname "to_h" counter name eth0 drop
			ip6 daddr 2001:db8::77 iifname "to_h" counter name eth0 drop
			ip daddr 198.51.100.77 iifname "to_vpc" counter name eth2 drop
			ip6 daddr 2001:db8::77 iifname "to_vpc" counter name eth2 drop
		}
	}
END
raw() {	# NAME NUMBER PACKETS-BY-ETH0 PACKETS-BY-ETH2
	local address interface arrived=
	for address in 198.51.100.77 2001:db8::77; do
		# shellcheck disable=SC2016
		at h perl -MSocket=:all -e 'my ($to, $protocol) = @ARGV; my ($e, @a) = getaddrinfo($to, "", { flags => AI_NUMERICHOST });
			socket(my $s, $a[0]{family}, SOCK_RAW, $protocol) or die $!; send($s, "\x11\4" . "\0" x 30, 0, $a[0]{addr}) or die $!;' $address "$2"
	done
	for interface in eth0 eth2; do
		arrived+="$(at gw nft reset counter inet raw $interface | grep -o 'packets [0-9]*' | cut -c 9-) "
	done
	is "$1" "$arrived" "$3 $4 "
}
for protocol in sctp=132 dccp=33 esp=50 ah=51 gre=47 200=200; do
	policies "{ name = \"p\"; protocol = \"${protocol%=*}\"; via = \"eth2\"; }"
	raw "protocol ${protocol%=*}" ${protocol#*=} 0 2
	raw "protocol ${protocol%=*}: another" 201 2 0
done

nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
