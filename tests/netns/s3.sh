#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S3: the private network alone leads to the internet: eth2 carries everything.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_routers
plug eth2
up eth2
serve h

everything() {
	by eth2 "$1" tcp
	by eth2 "$1" udp
	is "$1: ping" "$(who_pings 198.51.100.10)" gw
	answered "$1: on-premises" op 172.31.70.5 10.0.1.9
	answered "$1: on-premises" op fd00:e2::5 fd00:10::9
	AT=gw inbound "$1: inbound" 172.31.70.5
	AT=op inbound "$1: inbound" fd00:e2::5
	nothing_spoofed
}

expect "before: main has no way out" "error=ENETUNREACH*" tcp 198.51.100.10
policies '{ name = "everything"; via = "eth2"; }'
everything "eth2 alone, main without a default route"

# The image's main insists on an eth0 that leads nowhere: all that gw does for it is to count.
plug eth0
up eth0
at gw nft add rule inet lab spoofed iifname to_h ct state new counter name spoofed drop
apply "apply once there is an eth0"
everything "main's default by eth0"

# A cloud's NAT behind eth2.
at vpc nft -f - <<-END
	table inet nat {
		chain post {
			type nat hook postrouting priority srcnat
			oifname "to_gw" masquerade
		}
	}
END
SEEN[eth2,h]="192.0.2.2 2001:db8:ff::2"
wire eth2 "through the cloud's NAT" tcp
nothing_spoofed
done_testing
