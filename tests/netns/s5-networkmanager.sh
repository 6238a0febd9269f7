#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S5 with real NetworkManager, its real dispatcher and the installed hook: gateways from DHCP and
# from router advertisements, a restart of NetworkManager, an address that changes when the lease is
# renewed.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/managers.sh"
lab_enter
needs NetworkManager dnsmasq
lab_install
lab_routers
# Duplicate address detection as every host does it: NetworkManager announces an address before it
# may be used, and not again.
set_sysctl h ipv6/conf/default/accept_dad 1
plug eth0
plug eth2
serve h
policy policy.d/10-aws.conf <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "eth2"; } );
	policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );
END
nm_prepare
nm_profile eth0 "${NM_ETH0[@]}"
nm_profile eth2 "${NM_AUTO[@]}"
# The DHCP server says how to reach the peered network; on-premises it doesn't know. T1 and T2: it
# is renewed after seconds.
DHCP=(dhcp-option=option:T1,3 dhcp-option=option:T2,5 dhcp-option=3,172.31.64.1 dhcp-option=121,0.0.0.0/0,172.31.64.1,172.30.0.0/16,172.31.64.1 "${DHCP_RA[@]}")
dhcp_serve 172.31.70.5 "${DHCP[@]}"
nm_start

eth2_address6() {
	at h ip -6 -o addr show dev eth2 scope global -tentative | sed -n 's/.* \(fd00:e2:[^/]*\).*/\1/p'
}

# What NetworkManager announces in several events is in force once the dispatcher has worked them
# off.
s4_holds() {	# NAME IPv4-ADDRESS
	eventually 30 eval '[ -n "$(eth2_address6)" ] && ! ip -n h -6 addr | grep -q tentative'
	nm_settled
	answered "$1: on-premises" op "$2" 10.0.1.9
	answered "$1: on-premises" op "$(eth2_address6)" fd00:10::9
	by eth0 "$1: internet" tcp
	AT=op inbound "$1: inbound" "$2"
	AT=op inbound "$1: inbound" "$(eth2_address6)"
	quiet "$1: diff is clean" ifsteer diff
}

eventually 30 eval 'at h ip route | grep -q "^172.30.0.0/16"'
s4_holds "first up" 172.31.70.5
like "the gateway is DHCP's" "$(at h ip route show table 21002)" '^default via 172\.31\.64\.1 dev eth2'
like "the gateway is the router advertisement's" "$(at h ip -6 route show table 21002)" '^default via fe80:[0-9a-f:]* dev eth2'
like "the classless route is in eth2's table" "$(at h ip route show table 21002)" '^172\.30\.0\.0/16 via 172\.31\.64\.1'
nothing_spoofed

quiet "nmcli device disconnect" nmcli --wait 30 device disconnect eth2
nm_settled
answered "disconnected: main decides" gw 10.200.0.2 10.0.1.9
quiet "nmcli connection up" nmcli --wait 30 connection up eth2
s4_holds "up again" 172.31.70.5

quiet "nmcli device reapply" nmcli device reapply eth2
s4_holds "after reapply" 172.31.70.5

nm_stop
answered "NetworkManager stopped: on-premises" op 172.31.70.5 10.0.1.9
nm_start
s4_holds "NetworkManager started again" 172.31.70.5

at h nft flush ruleset
quiet "the boot unit repairs what nftables.service flushed" ifsteer hook systemd
s4_holds "after nft flush ruleset" 172.31.70.5

address_is() { at h ip -o addr show dev eth2 | grep -q " $1/"; }

dhcp_serve 172.31.70.6 "${DHCP[@]}"
quiet "nmcli connection up, while the server has another address" nmcli --wait 30 connection up eth2
s4_holds "another address" 172.31.70.6
unlike "nothing of the old address is left" "$(host_state)" '172\.31\.70\.5[^0-9]'

# An ifsteer that is killed is no failure of NetworkManager's, and the next event mends what was left.
mv /usr/sbin/ifsteer /usr/sbin/ifsteer.real
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$1 $2" >>/run/killed\nkill -KILL $$\n' >/usr/sbin/ifsteer
chmod 755 /usr/sbin/ifsteer
quiet "ifsteer is killed: down" nmcli --wait 30 device disconnect eth2
quiet "ifsteer is killed: up" nmcli --wait 30 connection up eth2
nm_settled
like "it was" "$(cat /run/killed)" '^eth2 up$'
like "ifsteer is killed: connected" "$(nmcli -f DEVICE,STATE device)" '^eth2 +connected'
mv /usr/sbin/ifsteer.real /usr/sbin/ifsteer
quiet "the next event" nmcli --wait 30 connection up eth2
s4_holds "ifsteer is back" 172.31.70.6

# A lease that is renewed with another address: NetworkManager 1.42 announces nothing of it (with any
# DHCP client), and the next event of whatever kind puts it right; 1.52 says dhcp4-change.
cat >/etc/NetworkManager/dispatcher.d/90-log <<-'END'
	#!/bin/sh
	echo "$1 $2" >>/run/announced
END
chmod 755 /etc/NetworkManager/dispatcher.d/90-log
announced() { grep -q '^eth2 dhcp4-change$' /run/announced; }
dhcp_serve 172.31.70.7 "${DHCP[@]}"
quiet "the lease is renewed with another address" eventually 40 address_is 172.31.70.7
want=1
eventually 3 announced && want=0
nm_settled
ifsteer diff >/dev/null
is "diff sees a renewal that nobody announced; an announced one is in force" $? $want
quiet "the next event" nmcli --wait 30 connection up eth0
s4_holds "renewed" 172.31.70.7
unlike "nothing of the old address is left" "$(host_state)" '172\.31\.70\.6[^0-9]'
nothing_spoofed
done_testing
