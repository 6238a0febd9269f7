#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# balance: connections are shared out by weight, each stays where it began, and who can't be used leaves his share to the others.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

N=3000
at gw nft -f - <<-'END'
	table inet share {
		counter eth0 { }
		counter eth2 { }
		chain share {
			type filter hook prerouting priority -390
			udp dport 9 iifname "to_h" counter name eth0 drop
			udp dport 9 iifname "to_vpc" counter name eth2 drop
		}
	}
END
forget_spoofed

# send ADDRESS TIMES: from N sockets, a packet each, TIMES over.
send() {
	# shellcheck disable=SC2016
	at h perl -MSocket=:all -e 'my ($address, $n, $times) = @ARGV; my ($e, @a) = getaddrinfo($address, 9, {
			socktype => SOCK_DGRAM, flags => AI_NUMERICHOST });
		my @s; for (1 .. $n) { socket(my $s, $a[0]{family}, SOCK_DGRAM, 0) or die; connect($s, $a[0]{addr}) or die; push @s, $s; }
		my $i; for (1 .. $times) { for (@s) { send($_, "x", 0); select(undef, undef, undef, 0.001) unless ++$i % 100; } }' "$1" "$N" "$2"
}

# shares: how many packets came by each.
shares() {
	sleep 0.05
	eth0=$(at gw nft reset counter inet share eth0 | grep -o 'packets [0-9]*' | grep -o '[0-9]*')
	eth2=$(at gw nft reset counter inet share eth2 | grep -o 'packets [0-9]*' | grep -o '[0-9]*')
}

ulimit -n 8192
for address in 198.51.100.10 2001:db8::10; do
	policies '{ name = "both"; balance = ( { interface = "eth0"; weight = 2; }, { interface = "eth2"; } ); }'
	send $address 1
	shares
	is "$address: all arrived" $((eth0 + eth2)) $N
	# Two thirds of 3000, and five times the standard deviation of 26.
	[ "$eth0" -gt 1870 ] && [ "$eth0" -lt 2130 ]
	ok $? "$address: weights 2 and 1: $eth0 and $eth2"

	send $address 3
	shares
	is "$address: each connection stays where it began" "$((eth0 + eth2)) $((eth0 % 3)) $((eth2 % 3))" "$((3 * N)) 0 0"

	quiet "$address: offline eth2" ifsteer offline eth2
	send $address 1
	shares
	is "$address: eth2 offline: eth0 has all" "$eth0 $eth2" "$N 0"
	quiet "$address: online eth2" ifsteer online eth2
	quiet "$address: offline eth0" ifsteer offline eth0
	send $address 1
	shares
	is "$address: eth0 offline: eth2 has all" "$eth0 $eth2" "0 $N"
	quiet "$address: online eth0" ifsteer online eth0
	ifsteer flush
done
like "status names both" "$(ifsteer status --json | tr -d ' \n')" '"wanted":\["eth0","eth2"\],"active":\["eth0","eth2"\]'

policies '{ name = "both"; balance = ( { interface = "eth0"; weight = 2; }, { interface = "eth2"; } ); }'
answered "main's own routes stay" gw 10.200.0.2 10.200.0.1
answered "main's own routes stay" vpc 172.31.70.5 172.31.64.1
expect "TCP" "* name=gw seen=@(10.200.0.2|172.31.70.5)" tcp 198.51.100.10

# Each family on its own.
ip -n h addr del fd00:e2::5/64 dev eth2
apply "apply, eth2 without IPv6"
send 2001:db8::10 1
shares
is "eth2 without IPv6: eth0 has all of it" "$eth0 $eth2" "$N 0"
send 198.51.100.10 1
shares
[ "$eth0" -gt 1870 ] && [ "$eth0" -lt 2130 ] && [ $((eth0 + eth2)) = $N ]
ok $? "eth2 without IPv6: IPv4 as ever: $eth0 and $eth2"
ip -n h addr add fd00:e2::5/64 dev eth2 nodad

# Nobody is left.
quiet "offline eth0" ifsteer offline eth0
quiet "offline eth2" ifsteer offline eth2
for otherwise in main next unreachable prohibit blackhole; do
	policies "{ name = \"both\"; balance = ( { interface = \"eth0\"; }, { interface = \"eth2\"; } ); otherwise = \"$otherwise\"; },
		{ name = \"next\"; to = [ \"198.51.100.0/24\", \"2001:db8::/64\" ]; action = \"prohibit\"; }"
	case $otherwise in
	main) by eth0 "otherwise main" tcp ;;
	*) for address in $INTERNET; do
		case $otherwise in
		unreachable) want=HOSTUNREACH patience=3000 ;;
		next | prohibit) want="@(HOSTUNREACH|ACCES)" patience=3000 ;;
		blackhole) want=TIMEDOUT patience=500 ;;
		esac
		expect "otherwise $otherwise: $address" "error=E$want at=connect" tcp -t $patience "$address"
	done ;;
	esac
done
quiet "online eth0" ifsteer online eth0
quiet "online eth2" ifsteer online eth2
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
