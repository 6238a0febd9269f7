#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S4: internet by eth0, on-premises by eth2's router.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

expect "before: the decoy answers" "local=10.200.0.2 name=gw *" tcp 10.0.1.9
policy <<<"$S4"
apply
forget_spoofed
for family in "172.31.70.5 10.0.1.9 10.200.0.2 198.51.100.10" "fd00:e2::5 fd00:10::9 fd00:e0::2 2001:db8::10"; do
	read -r eth2 on_premises eth0 internet <<<"$family"
	answered "on-premises $on_premises" op "$eth2" "$on_premises"
	answered "internet $internet" gw "$eth0" "$internet"
	AT=op inbound "inbound from on-premises $eth2" "$eth2"
	AT=gw inbound "inbound from internet $eth0" "$eth0"
	AT=gw inbound "inbound from the internet by eth2 $eth2" "$eth2"
done
nothing_spoofed
done_testing
