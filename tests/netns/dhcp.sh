#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer watch beside real DHCP clients, which ifupdown starts and no hook tells of: their scripts
# flush addresses, and with them routes of all tables, and set others. Two routers stand behind eth2;
# the server names one or the other, and takes addresses back.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/managers.sh"
lab_enter
needs ifup dhclient dhcpcd
lab_routers
plug eth0
plug eth2
lab_second
up eth0
serve h
policy <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "eth2"; } );
	policies = ( { name = "on-premises"; to = "10.0.0.0/16"; via = "eth2"; } );
END
nsenter --net=/run/netns/h -- "$IFSTEER" watch 2>/run/said &
watch=$!
eventually 30 at h nft list table inet ifsteer

# serve_lease ADDRESS ROUTER: from now on, also to who has another; every few seconds it is asked.
serve_lease() {
	dhcp_serve "$1" dhcp-option=option:T1,3 dhcp-option=option:T2,5 ${2:+dhcp-option=3,"$2"}
}

# leaves NAME WHO SOURCE: sooner or later, and then reliably.
leaves() {
	eventually 60 eval "at h '$PROBE' tcp -t 500 10.0.1.9 $PORT | grep -q 'name=$2 seen=$3'"
	eventually 30 ifsteer diff
	answered "$1" "$2" "$3" 10.0.1.9
	answered "$1: internet" gw 10.200.0.2 198.51.100.10
}
by_eth2() {
	leaves "$@"
	AT=op inbound "$1: inbound" "$3"
}
# What the server knows of it: when it ends.
lease_end() { cut -d ' ' -f 1 /run/leases; }
renewed() { [ "$(lease_end)" -gt "$1" ]; }

# comes_and_goes CLIENT [LINE of interfaces]…
comes_and_goes() {
	local client=$1
	printf '%s\n' "iface eth2 inet dhcp" "${@:2}" | interfaces
	serve_lease 172.31.70.5 172.31.64.1
	quiet "$client: ifup" if_up eth2
	by_eth2 "$client: a lease" op 172.31.70.5
	quiet "$client: a renewal" eventually 60 renewed "$(lease_end)"
	by_eth2 "$client: renewed" op 172.31.70.5
	serve_lease 172.31.70.6 172.31.64.1
	by_eth2 "$client: another address" op 172.31.70.6
	serve_lease 172.31.70.7 172.31.64.9
	leaves "$client: another address and router" second 172.31.70.7
	quiet "$client: ifdown" if_down eth2
	leaves "$client: released: main decides" gw 10.200.0.2
}

# ifupdown takes the first client that is there.
dhcpcd=$(command -v dhcpcd)
mv "$dhcpcd" /run/dhcpcd
comes_and_goes "dhclient, which sets a default route" "metric 700"
# That of eth0 stands in the way: the router is in the lease alone, and that is written last.
comes_and_goes "dhclient, which can set none"
mv /run/dhcpcd "$dhcpcd"
rm "$(command -v dhclient)"
comes_and_goes dhcpcd
kill $watch
wait $watch
is "watch: exit status" $? 0
unlike "watch: nothing went wrong" "$(cat /run/said)" 'error'
nothing_spoofed
done_testing
