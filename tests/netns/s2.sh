#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S2: two interfaces, no policy: main decides as ever, and replies leave by the interface they came
# in on.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_docker

AT=op expect "before: nobody answers to on-premises" "error=ETIMEDOUT*" tcp -t 300 172.31.70.5
before=$(host_state)
policy <<<"$S2"
apply
forget_spoofed
for proto in tcp udp; do
	by eth0 "internet" $proto
done
answered "on-premises, as main says" gw 10.200.0.2 10.0.1.9
answered "on-premises, as main says" gw fd00:e0::2 fd00:10::9
answered "metadata" gw 10.200.0.2 169.254.169.254
expect "the private network" "local=172.31.70.5 name=vpc seen=172.31.70.5" tcp 172.31.64.1
expect "the private network" "local=fd00:e2::5 name=vpc seen=fd00:e2::5" tcp fd00:e2::1
expect "a container" "local=172.17.0.1 name=ct seen=172.17.0.1" tcp 172.17.0.2
AT=ct expect "from a container to the internet" "* name=gw seen=10.200.0.2" tcp 198.51.100.10
AT=ct expect "from a container to the private network" "* name=vpc seen=172.31.70.5" tcp 172.31.64.1
AT=ct expect "from a container to the host" "* name=h seen=172.17.0.2" tcp 172.31.70.5
for address in 172.31.70.5 fd00:e2::5; do
	AT=op inbound "inbound from on-premises to $address" $address
	AT=gw inbound "inbound from the internet to $address" $address
	AT=vpc inbound "inbound from the private network to $address" $address
done
for address in 10.200.0.2 fd00:e0::2; do
	AT=gw inbound "inbound from the internet to $address" $address
done
nothing_spoofed

quiet "flush" ifsteer flush
same "flush leaves what was before" "$(host_state)" "$before"
done_testing
