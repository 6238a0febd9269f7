#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S1: one interface, no private network. The policy for the absent eth2 sleeps, until eth2 appears.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_routers
plug eth0
up eth0
serve h

policy <<<"$S4"
apply
by eth0 "internet" tcp
by eth0 "internet" udp
AT=gw inbound "inbound" 10.200.0.2
AT=gw inbound "inbound" fd00:e0::2
answered "on-premises, as main says" gw 10.200.0.2 10.0.1.9
answered "on-premises, as main says" gw fd00:e0::2 fd00:10::9
like "status says that eth2 is absent" "$(ifsteer status)" "eth2"
like "status --json: the policy yields to main" "$(ifsteer status --json | tr -d ' \n')" \
	'"name":"on-premises".*"wanted":\["eth2"\],"active":\[\],"outcome":"main"'
quiet "diff is clean" ifsteer diff

plug eth2
up eth2
apply "apply once eth2 is there"
answered "on-premises" op 172.31.70.5 10.0.1.9
answered "on-premises" op fd00:e2::5 fd00:10::9

ip -n h link del eth2
apply "apply once eth2 has gone"
by eth0 "internet again" tcp
answered "on-premises again as main says" gw 10.200.0.2 10.0.1.9
quiet "diff is clean again" ifsteer diff
nothing_spoofed
done_testing
