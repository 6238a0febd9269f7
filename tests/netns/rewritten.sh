#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Policies judge what destination NAT has made of a packet, of the host's own and of forwarded ones:
# somebody else's table sends 203.0.113.7 and 2001:db8:113::7 to on-premises.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_lan
for hook in prerouting output; do
	at h nft -f - <<-END
		table inet others {
			chain $hook {
				type nat hook $hook priority -100
				ip daddr 203.0.113.7 dnat ip to 10.0.1.9
				ip6 daddr 2001:db8:113::7 dnat ip6 to fd00:10::9
			}
		}
	END
done
forget_spoofed

# goes AT NAME WHO SEEN4 SEEN6: who answers, and whom he sees.
goes() {
	local AT=$1 proto
	for proto in tcp udp; do
		expect "$2: $1" "* name=$3 seen=$4" $proto 203.0.113.7
		expect "$2: $1" "* name=$3 seen=$5" $proto 2001:db8:113::7
	done
}

policies '{ name = "p"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
goes h "a policy for what it has become" op 172.31.70.5 fd00:e2::5
goes lan "a policy for what it has become" op 192.168.77.5 fd00:77::5
policies '{ name = "p"; via = "eth2"; }'
goes h "a policy without to" op 172.31.70.5 fd00:e2::5
goes lan "a policy without to" op 192.168.77.5 fd00:77::5
policies '{ name = "p"; to = [ "203.0.113.0/24", "2001:db8:113::/64" ]; via = "eth2"; }'
goes lan "a policy for what it was" gw 192.168.77.5 fd00:77::5
# By then a socket of the host's own has an address, and the way of that address.
goes h "a policy for what it was" op 172.31.70.5 fd00:e2::5
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
