#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S4: on-premises by eth2's router with eth2's address, internet still by eth0, Docker and metadata
# untouched.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_docker

before=$(host_state)
answered "before: the decoy answers" gw 10.200.0.2 10.0.1.9
policy <<<"$S4"
apply
forget_spoofed
answered "on-premises" op 172.31.70.5 10.0.1.9
answered "on-premises" op 172.31.70.5 10.0.255.254
answered "on-premises" op fd00:e2::5 fd00:10::9
for proto in tcp udp; do
	by eth0 "internet" $proto
done
answered "the peered network, which is in no policy" gw 10.200.0.2 172.30.1.9
answered "metadata" gw 10.200.0.2 169.254.169.254
expect "a container" "local=172.17.0.1 name=ct seen=172.17.0.1" tcp 172.17.0.2
AT=ct expect "from a container to the internet" "* name=gw seen=10.200.0.2" tcp 198.51.100.10
AT=ct expect "from a container to on-premises" "* name=op seen=172.31.70.5" tcp 10.0.1.9
AT=ct expect "from a container to on-premises" "* name=op seen=172.31.70.5" udp 10.0.1.9
for address in 172.31.70.5 fd00:e2::5; do
	AT=op inbound "inbound from on-premises to $address" $address
	AT=gw inbound "inbound from the internet to $address" $address
done
for address in 10.200.0.2 fd00:e0::2; do
	AT=gw inbound "inbound from the internet to $address" $address
done
nothing_spoofed

table=$(at h nft list table inet ifsteer)
like "the audit names the policy, its file and line" "$table" 'on-premises ifsteer\.conf:[0-9]+'
like "rules carry the protocol" "$(at h ip -d rule; at h ip -N rule)" 'proto (ifsteer|77)'
like "routes carry the protocol" "$(at h ip -N route show table 21002)" '^default via 172.31.64.1 dev eth2 proto 77'
like "routes carry the protocol" "$(at h ip -N -6 route show table 21002)" '^default via fd00:e2::1 dev eth2 proto 77'
quiet "diff is clean" ifsteer diff
json=$(ifsteer status --json | tr -d ' \n')
like "status --json: in sync" "$json" '"in_sync":true'
like "status --json: eth2" "$json" '"name":"eth2","slot":2,"mark":"0x02000000","table":21002,"usable":true'
like "status --json: the policy" "$json" '"wanted":\["eth2"\],"active":\["eth2"\],"outcome":"via"'
unlike "status --json: the policy counted" "$json" '"name":"on-premises".*"packets":0'

quiet "flush" ifsteer flush
same "flush leaves what was before" "$(host_state)" "$before"
answered "after flush: the decoy answers" gw 10.200.0.2 10.0.1.9
done_testing
