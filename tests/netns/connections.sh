#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a connection remembers: it keeps its path for its lifetime, and ends quickly with it.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

nobody=$(id -u nobody)
forget_spoofed

S4P='{ name = "p"; user = "nobody"; via = [ "eth2", "eth0" ]; }'
policies "$S4P"
for address in $INTERNET; do
	open a -u "$nobody" "$address"
	like "$address: opened by eth2" "$said" 'seen=(172.31.70.5|fd00:e2::5)'

	policies '{ name = "other"; user = "nobody"; via = "eth0"; }'
	again a
	is "$address: an edit leaves it where it is" "$said" again
	by eth0 "$address: an edit moves new ones" tcp -u "$nobody"
	policies ''
	again a
	is "$address: without any policy it is where it was" "$said" again
	policies "$S4P"

	quiet "$address: offline eth2" ifsteer offline eth2
	again a
	like "$address: it ends with its path" "$said" 'error=E(CONNRESET|PIPE|HOSTUNREACH|NETUNREACH)'
	by eth0 "$address: new ones go by eth0" tcp -u "$nobody"
	close a

	open b -u "$nobody" "$address"
	like "$address: opened by eth0 meanwhile" "$said" 'seen=(10.200.0.2|fd00:e0::2)'
	quiet "$address: online eth2" ifsteer online eth2
	again b
	is "$address: the fail-back leaves it where it is" "$said" again
	by eth2 "$address: new ones go by eth2 again" tcp -u "$nobody"
	close b

	open c -u "$nobody" "$address"
	like "$address: opened by eth2 again" "$said" 'seen=(172.31.70.5|fd00:e2::5)'
	ip -n h link set eth2 down
	apply "$address: apply, eth2 down"
	again c
	like "$address: it ends when eth2 goes down" "$said" 'error=E(CONNRESET|CONNABORTED|PIPE)'
	close c
	up eth2
	apply "$address: apply, eth2 up"

	open d -u "$nobody" "$address"
	like "$address: opened by eth2 once more" "$said" 'seen=(172.31.70.5|fd00:e2::5)'
	ip -n h addr flush dev eth2 scope global
	apply "$address: apply, eth2 without addresses"
	again d
	like "$address: it ends when its address goes" "$said" 'error=E(CONNRESET|CONNABORTED|PIPE)'
	close d
	up eth2
	apply "$address: apply, eth2 with its addresses"
	by eth2 "$address: as ever" tcp -u "$nobody"
done

# UDP has no end: the next packet of an unconnected socket is judged afresh.
for _ in 1 2; do
	expect "UDP from one port" "* seen=172.31.70.5" udp -u "$nobody" -s 5555 198.51.100.10
done
quiet "offline eth2" ifsteer offline eth2
expect "UDP from the same port, offline" "* seen=10.200.0.2" udp -u "$nobody" -s 5555 198.51.100.10
quiet "online eth2" ifsteer online eth2

# What came in by an interface that is taken offline is answered by it while it lives.
AT=op
open in 172.31.70.5
like "inbound" "$said" 'name=h'
AT=h
quiet "offline eth2" ifsteer offline eth2
again in
is "inbound, offline" "$said" again
quiet "online eth2" ifsteer online eth2
again in
is "inbound, online" "$said" again
close in

# Older than the first apply: it stays with the interface of its source, or where main has it.
quiet "flush" ifsteer flush
open old 10.0.1.9
like "older than the first apply" "$said" 'name=gw seen=10.200.0.2'
open bound -b 172.31.70.5 172.31.64.1
policies '{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
again old
is "older than the first apply: it stays" "$said" again
again bound
is "older, from eth2's address: it stays" "$said" again
answered "new ones are steered" op 172.31.70.5 10.0.1.9
close old
close bound
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
