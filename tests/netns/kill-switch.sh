#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kill switch under flood: while interfaces, policies and main's routes change, not one packet of its user leaves by another
# interface. What gw sees come in from h's eth0 for these addresses is astray.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flood.sh"
lab_enter
lab_host

nobody=$(id -u nobody)
FLOOD_AS=(-u "$nobody")
KILLED='user = "nobody";'
flood_watch

# The count is one that can fail.
flood 100
flood_over
[ "$(counted astray)" -gt 0 ]
ok $? "without a policy the flood is seen by eth0"
forget

ip -n h link del eth2
kill_policy unreachable
apply "apply, eth2 absent"
flood 1500
sleep 0.2
plug eth2
sleep 0.2
ifsteer hook networkmanager eth2 up
up eth2
sleep 0.2
ifsteer hook networkmanager eth2 up
sleep 0.3
tight "before eth2 first exists, and while it comes up"
by eth2 "it lets pass by eth2" tcp -u "$nobody"
by eth0 "others are not concerned" tcp

flood 3000
edited 15
tight "thirty edits"

# The range that the addresses are in is replaced by another one in which they are, at once with its neighbours.
policy <<<"$S2"' sets = ( { name = "secret"; file = "secret.txt"; } );
	policies = ( { name = "vpn"; to = "@secret"; via = "eth2"; otherwise = "unreachable"; } );'
secret() { printf '%s\n' "$@" >/etc/ifsteer/secret.txt; }
secret 198.51.100.64/26 2001:db8::/64
apply "apply, a set"
flood 3000
for i in {1..15}; do
	secret 198.51.100.0/24 2001:db8::/48 198.18.$i.0/24
	ifsteer apply
	secret 198.51.100.{0..76} 198.51.100.77-198.51.100.78 2001:db8::77 2001:db8::78
	ifsteer apply
	secret 198.51.100.64/26 2001:db8::/64 192.0.2.0/24
	ifsteer apply
done
tight "45 edits of a set"

kill_policy unreachable
apply "apply"
flood 3000
flapped 6 up eth2
tight "down and up, offline and online, without carrier"

flood 2500
made_anew 4 up eth2
tight "made anew with another index"

flood 1200
ip -n h addr flush dev eth2 scope global
ifsteer apply
sleep 0.2
ip -n h addr add 172.31.70.5/20 dev eth2
ifsteer apply
sleep 0.4
tight "only one family there"
expect "only IPv4 there: IPv6 is refused" "error=E@(HOSTUNREACH|ACCES|NETUNREACH) at=connect" tcp -t 3000 -u "$nobody" 2001:db8::10
up eth2
apply "apply"

flood 800
ip -n h route add 0.0.0.0/1 via 10.200.0.1
ip -n h route add 128.0.0.0/1 via 10.200.0.1
ip -n h route add 2000::/3 via fd00:e0::1
sleep 0.2
ifsteer apply
sleep 0.3
tight "0.0.0.0/1 in main"
by eth2 "it still goes by eth2" tcp -u "$nobody"
ip -n h route del 0.0.0.0/1
ip -n h route del 128.0.0.0/1
ip -n h route del 2000::/3
apply "apply"

flood 500 -d eth0
tight "a socket bound to another interface"
flood 500 -d eth0 -m 0
ip -n h link set eth2 down
ifsteer apply
sleep 0.2
flood 500 -b 10.200.0.2
tight "a socket bound to another interface or address, eth2 down"
up eth2
apply "apply"
by eth2 "up again" tcp -u "$nobody"

# Connections: one older than the policy is cut, also when conntrack does not know it (before us it may have been off); one that
# it took is never released.
for known in "" ", and conntrack forgot it"; do
	policies ''
	open others 198.51.100.10
	open old -u "$nobody" $SECRET4
	like "a connection from before the policy$known" "$said" 'name=gw'
	kill_policy unreachable
	apply "apply"
	forget
	[ -z "$known" ] || at h conntrack -F 2>/dev/null
	again old
	like "it is cut$known" "$said" 'error=E(CONNRESET|PIPE|HOSTUNREACH)'
	is "it is cut$known: nothing astray" "$(counted astray)" 0
	close old
	again others
	is "somebody else's goes on$known" "$said" again
	close others
done

policies ''
PROTO=udp open old -u "$nobody" $SECRET4
like "a UDP flow from before the policy" "$said" 'name=gw'
kill_policy unreachable
apply "apply"
forget
again old
is "it is cut: nothing astray" "$(counted astray)" 0
close old

open taken -u "$nobody" $SECRET4
like "a connection that it took" "$said" 'name=gw'
ip -n h link set eth2 down
apply "apply, eth2 down"
again taken
like "it ends with its path" "$said" 'error=E(CONNRESET|PIPE|HOSTUNREACH)'
is "it ends with its path: nothing astray" "$(counted astray)" 0
close taken
up eth2
apply "apply"

# What a process that has exited left in the queue of its socket; NS is where it is stopped meanwhile.
# shellcheck disable=SC2016
left_in_queue() {	# NS
	coproc WRITER { at h setpriv --reuid nobody --clear-groups perl -MIO::Socket::INET -e '$| = 1;
		my $s = IO::Socket::INET->new("$ARGV[0]:7") or exit 1; sysread($s, my $answer, 1000);
		print "up\n"; <STDIN>;
		$s->blocking(0); syswrite($s, "x" x 300000)' $SECRET4; }
	writer=$WRITER_PID
	read -r -t 30 -u "${WRITER[0]}" line
	at "$1" nft "add table inet stop
		add chain inet stop stop { type filter hook prerouting priority 0; }; add rule inet stop stop ip daddr $SECRET4 drop"
	echo go >&"${WRITER[1]}"
	wait "$writer"
	quiet "a process has exited and left data in its queue" eventually 10 queued
}
queued() { at h ss -Hton dst $SECRET4 | grep -Eq '^[A-Z0-9-]+ +[0-9]+ +[1-9]'; }
left_in_queue vpc
forget
ip -n h link set eth2 down
ifsteer apply
sleep 1
is "the queue of a process that has exited: nothing astray" "$(counted astray)" 0
at vpc nft delete table inet stop
up eth2
policies ''
left_in_queue gw
kill_policy unreachable
apply "apply"
at h conntrack -F 2>/dev/null
forget
sleep 1
is "the queue of one that was there before the policy, unknown to conntrack: nothing astray" "$(counted astray)" 0
at gw nft delete table inet stop

for value in unreachable prohibit blackhole; do
	kill_policy $value
	ip -n h link set eth2 down
	apply "apply, $value"
	flood 300
	tight "otherwise $value"
	up eth2
	apply "apply, $value, up again"
	by eth2 "$value, up again" tcp -u "$nobody"
done

kill_policy unreachable "{ name = \"lan\"; to = [ \"$SECRET4\", \"$SECRET6\" ]; action = \"main\"; },"
ip -n h link set eth2 down
apply "an exemption ahead of it"
expect "what is exempt goes by main" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -u "$nobody" $SECRET4

# Of everything: what comes in is answered all the same, and the host speaks with itself.
policies '{ name = "all"; via = "eth2"; otherwise = "unreachable"; }'
# Nobody knows anybody's hardware address.
for ns in h gw; do ip -n $ns -6 neigh flush all; done
AT=gw inbound "everything is held: what comes in" 10.200.0.2
AT=gw inbound "everything is held: what comes in" fd00:e0::2
expect "everything is held: another one's network" "error=EHOSTUNREACH at=connect" tcp -t 1500 10.200.0.1
expect "everything is held: loopback" "* name=h *" tcp ::1
expect "everything is held: an address of its own" "* name=h *" tcp 10.200.0.2
expect "everything is held: never steered" "* name=gw *" tcp 169.254.169.254
link_local=$(ip -n gw -o -6 addr show dev to_h scope link | grep -o 'fe80[^/]*')
is "everything is held: link-local" "$(who_pings "$link_local%eth0")" gw
forget
# shellcheck disable=SC2016
for address in $SECRET4 $SECRET6; do
	at h perl -MSocket=:all -e 'my ($e, $a) = getaddrinfo($ARGV[0], "", { flags => AI_NUMERICHOST });
		socket(my $s, $a->{family}, SOCK_RAW, IPPROTO_TCP) or die $!;
		send($s, pack("nnNNCCnnn", 1024, 7, 1, 0, 0x50, 0, 1024, 0, 0), 0, $a->{addr})' $address
done
is "everything is held: TCP without flags, which conntrack calls invalid" "$(counted astray)" 0
up eth2
apply "apply, eth2 up"
by eth2 "everything goes by eth2" tcp
nothing_spoofed
done_testing
