#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Clients that h routes for: in, origin, from; their replies find the way back; source rewritten
# only where asked.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_lan

forget_spoofed
AT=lan by eth0 "before: the lan goes by main" tcp

policies '{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
AT=lan answered "to: the lan is steered as h is, with its own address" op 192.168.77.5 10.0.1.9
AT=lan answered "to: the lan is steered as h is, with its own address" op fd00:77::5 fd00:10::9
AT=lan by eth0 "to: the rest of the lan's traffic" tcp
AT=op expect "the way in to the lan" "* name=lan seen=172.30.255.2" tcp 192.168.77.5
AT=gw expect "the way in to the lan" "* name=lan seen=*" tcp fd00:77::5
AT=lan answered "the lan reaches h" h 192.168.77.5 192.168.77.1
AT=lan answered "the lan reaches h by eth2's address" h 192.168.77.5 172.31.70.5
expect "h reaches the lan" "local=192.168.77.1 name=lan seen=192.168.77.1" tcp 192.168.77.5

# What h has to say of packets that came in by eth2 goes back by it, with its address; of steered ones, home.
errors() { at "$1" ping -n -c 1 -W 2 "${@:2}" 2>&1 | grep From; }
like "time exceeded" "$(errors op -t 2 192.168.77.5)" 'From 172.31.70.5 .*Time to live exceeded'
like "time exceeded" "$(errors op -t 2 fd00:77::5)" 'From fd00:e2::5 .*Time exceeded'
ip -n h link set eth1 mtu 1300
like "too big" "$(errors op -M "do" -s 1400 192.168.77.5)" 'From 172.31.70.5 .*Frag needed.*1300'
like "too big" "$(errors op -M "do" -s 1400 fd00:77::5)" 'From fd00:e2::5 .*too big.*1300'
# told ADDRESS SEEN: the internet, which answers the lan's short packet with a long one, by another way than main's.
# shellcheck disable=SC2016
told() {
	at gw perl -MSocket=:all -e 'my ($e, $a) = getaddrinfo($ARGV[0], 5001, { flags => AI_NUMERICHOST });
		my $s; socket($s, $a->{family}, SOCK_DGRAM, 0) && bind($s, $a->{addr}) or die $!; alarm 10;
		my $peer = recv($s, my $b, 100, 0) or die $!; send($s, "x" x 1400, 0, $peer)' "$1" &
	eventually 10 eval 'at gw ss -Hlun sport = :5001 | grep -q 5001'
	at lan bash -c "echo >/dev/udp/$1/5001"
	wait $!
	eventually 5 eval "ip -n gw route get $2 | grep -q 'mtu 1300'"
}
# Main's way is by an interface that remembers arrivals, or by one that the policy does not declare.
for eth0 in '{ name = "eth0"; },' ''; do
	policy <<<"interfaces = ( $eth0 { name = \"eth2\"; gateway = [ \"172.31.64.1\", \"fd00:e2::1\" ]; } );
		policies = ( { name = \"lan\"; in = \"eth1\"; via = \"eth2\"; } );"
	apply "apply, $eth0 eth2"
	ip -n gw route flush cache
	ip -n gw -6 route flush cache
	told 198.51.100.10 192.0.2.2
	ok $? "too big, the reply of a steered one, with $eth0 eth2"
	told 2001:db8::10 2001:db8:ff::2
	ok $? "too big, the reply of a steered one, IPv6, with $eth0 eth2"
done
policies '{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
ip -n h link set eth1 mtu 1500
ip -n op route flush cache
ip -n op -6 route flush cache
like "time exceeded, by eth0" "$(errors gw -t 1 192.168.77.5)" 'From 10.200.0.2 .*Time to live exceeded'
like "time exceeded, of a steered one" "$(errors lan -t 1 10.0.1.9)" 'From 192.168.77.1 .*Time to live exceeded'
like "time exceeded, of a steered one" "$(errors lan -t 1 fd00:10::9)" 'From fd00:77::1 .*Time exceeded'
ip -n h link set eth2 mtu 1300
for how in '' ' otherwise = "unreachable";'; do
	policies "{ name = \"on-premises\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\";$how }"
	like "too big, of a steered one$how" "$(errors lan -M "do" -s 1400 10.0.1.9)" 'From 192.168.77.1 .*Frag needed.*1300'
	like "too big, of a steered one$how" "$(errors lan -M "do" -s 1400 fd00:10::9)" 'From fd00:77::1 .*too big.*1300'
	ip -n lan route flush cache
	ip -n lan -6 route flush cache
done
ip -n h link set eth2 mtu 1500

policies '{ name = "lan"; in = "eth1"; via = "eth2"; }'
for proto in tcp udp; do
	AT=lan by eth2 "in: the lan" $proto
	by eth0 "in: not h" $proto
done
AT=lan answered "in: the lan reaches h" h 192.168.77.5 192.168.77.1
AT=lan expect "in: main's own routes stay" "* name=gw seen=192.168.77.5" tcp 10.200.0.1
AT=gw expect "in: the way in to the lan" "* name=lan *" tcp 192.168.77.5

policies '{ name = "lan"; in = [ "eth7", "eth1" ]; via = "eth2"; }'
AT=lan by eth2 "in: the second of two" tcp
policies '{ name = "lan"; in = "eth7"; via = "eth2"; }'
AT=lan by eth0 "in: another, which there is not" tcp
policies '{ name = "lan"; in = "!eth7"; via = "eth2"; }'
AT=lan by eth2 "in, negated: another" tcp
by eth0 "in, negated: not h" tcp
policies '{ name = "lan"; in = "!eth1"; via = "eth2"; }'
AT=lan by eth0 "in, negated: this one" tcp

policies '{ name = "fwd"; origin = "forwarded"; via = "eth2"; }'
AT=lan by eth2 "origin forwarded: the lan" tcp
by eth0 "origin forwarded: not h" tcp

policies '{ name = "own"; origin = "local"; via = "eth2"; }'
AT=lan by eth0 "origin local: not the lan" tcp
by eth2 "origin local: h" tcp

policies '{ name = "from"; from = [ "192.168.77.0/24", "fd00:77::/64" ]; via = "eth2"; }'
AT=lan by eth2 "from: the lan" tcp
by eth0 "from: not h" tcp

policies '{ name = "from"; from = [ "192.168.77.0-192.168.77.4", "!192.168.77.4", "fd00:77::/65", "!fd00:77::5" ]; via = "eth2"; }'
AT=lan by eth0 "from, beside a range" tcp
policies '{ name = "from"; from = [ "192.168.77.5-192.168.77.9", "!192.168.77.6", "fd00:77::/65", "!fd00:77::6" ]; via = "eth2"; }'
AT=lan by eth2 "from, a range, and another negated" tcp
policies '{ name = "from"; from = [ "192.168.77.0/24", "!192.168.77.5", "fd00:77::/64", "!fd00:77::5" ]; via = "eth2"; }'
AT=lan by eth0 "from, negated" tcp

mac=$(ip -n lan -o link show dev eth0 | grep -o 'ether [0-9a-f:]*' | cut -c 7-)
for mac in "\"${mac^^}\"" "[ \"02:00:00:00:00:01\", \"$mac\" ]" "\"!02:00:00:00:00:01\""; do
	policies "{ name = \"mac\"; in = \"eth1\"; mac = $mac; via = \"eth2\"; }"
	AT=lan by eth2 "mac $mac" tcp
done
policies "{ name = \"mac\"; mac = \"02:00:00:00:00:01\"; via = \"eth2\"; }"
AT=lan by eth0 "mac, another" tcp
by eth0 "mac: not h" tcp

policies '{ name = "dscp"; in = [ "eth1", "eth7" ]; dscp = "af41"; via = "eth2"; }'
AT=lan by eth2 "dscp" tcp -q 34
AT=lan by eth2 "dscp" udp -q 34
AT=lan by eth0 "dscp, another" udp -q 36
AT=lan by eth0 "dscp, none" tcp

policies '{ name = "both"; in = "eth1"; balance = ( { interface = "eth0"; }, { interface = "eth2"; weight = 3; } ); }'
for address in $INTERNET; do
	seen=$(for _ in {1..60}; do at lan "$PROBE" tcp "$address" $PORT; done | grep -cE 'seen=(192.0.2.2|2001:db8:ff::2)')
	# 45 of 60, and five times the standard deviation of 3.4.
	[ "$seen" -gt 28 ] && [ "$seen" -lt 60 ]
	ok $? "balance: $seen of 60 by eth2"
done

# A connection ends with its path, and stays where it is at the fail-back.
policies '{ name = "lan"; in = "eth1"; via = [ "eth2", "eth0" ]; }'
for address in $INTERNET; do
	AT=lan open kept "$address"
	like "failover, $address: by eth2" "$said" 'seen=(192.0.2.2|2001:db8:ff::2)'
	quiet "offline eth2" ifsteer offline eth2
	again kept
	like "failover, $address: it ends with its path" "$said" 'error=E(CONNRESET|PIPE|HOSTUNREACH|NETUNREACH)'
	close kept
	AT=lan by eth0 "failover: new ones go by eth0" tcp
	AT=lan open kept "$address"
	like "failover, $address: by eth0" "$said" 'seen=(192.168.77.5|fd00:77::5)'
	quiet "online eth2" ifsteer online eth2
	again kept
	is "fail-back, $address: it stays where it is" "$said" again
	close kept
	AT=lan by eth2 "fail-back: new ones go by eth2" tcp
done
for where in eth2 eth0; do
	[ $where = eth2 ] || ifsteer offline eth2
	AT=lan by $where "UDP from one port, by $where" udp -s 5555
done
quiet "online eth2" ifsteer online eth2

policy <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; snat = "always"; } );
	policies = ( { name = "lan"; in = "eth1"; via = "eth2"; } );
END
apply "apply, snat always"
SEEN[eth2,lan]=${SEEN[eth2,h]}
for proto in tcp udp; do
	AT=lan by eth2 "snat always: the lan leaves with h's address" $proto
done
by eth0 "snat always: h" tcp

policy <<<'interfaces = ( { name = "eth0"; snat = "always"; } );'
apply "apply, a NAT router without policies"
SEEN[eth0,lan]=${SEEN[eth0,h]}
for proto in tcp udp; do
	AT=lan by eth0 "a NAT router without policies" $proto
done

policies '{ name = "lan-stays"; in = "eth1"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; action = "unreachable"; }'
AT=lan expect "forwarded, unreachable" "error=EHOSTUNREACH at=connect" tcp -t 3000 10.0.1.9
AT=lan expect "forwarded, unreachable" "error=EHOSTUNREACH at=connect" tcp -t 3000 fd00:10::9
expect "forwarded, unreachable: not h" "* name=gw *" tcp 10.0.1.9
policies '{ name = "lan-stays"; in = "eth1"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; action = "prohibit"; }'
AT=lan expect "forwarded, prohibit" "error=E@(HOSTUNREACH|ACCES) at=connect" tcp -t 3000 10.0.1.9
AT=lan expect "forwarded, prohibit" "error=E@(HOSTUNREACH|ACCES) at=connect" tcp -t 3000 fd00:10::9
policies '{ name = "lan-stays"; in = "eth1"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; action = "blackhole"; }'
AT=lan expect "forwarded, blackhole" "error=ETIMEDOUT at=connect" tcp -t 400 10.0.1.9
AT=lan expect "forwarded, blackhole" "error=ETIMEDOUT at=connect" tcp -t 400 fd00:10::9

nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
