#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S5 with a whole host under real systemd and NetworkManager with udev: it is restarted, the host is
# shut down and boots again, and nobody types anything.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/managers.sh"
. "$(dirname "$0")/boot.sh"
boot_enter
needs NetworkManager dnsmasq
lab_routers
set_sysctl h ipv6/conf/default/accept_dad 1
plug eth0
plug eth2
serve h
boot_install NetworkManager.service NetworkManager-dispatcher.service nftables.service ifsteer.service
nm_conf >$boot_root/etc/NetworkManager/NetworkManager.conf
ROOT=$boot_root nm_profile eth0 "${NM_ETH0[@]}"
# As for eth0: not even an advertisement that comes after "up" is announced.
ROOT=$boot_root nm_profile eth2 "[ipv4]" method=auto may-fail=false "[ipv6]" method=auto may-fail=false
mkdir -p $boot_root/etc/ifsteer/policy.d
cat >$boot_root/etc/ifsteer/policy.d/10-aws.conf <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "eth2"; } );
	policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );
END
dhcp_serve 172.31.70.5 dhcp-option=3,172.31.64.1 "${DHCP_RA[@]}"

eth2_address6() {
	at h ip -6 -o addr show dev eth2 scope global -tentative | sed -n 's/.* \(fd00:e2:[^/]*\).*/\1/p'
}

# settled: NetworkManager has done all it had to do, and the dispatcher, which is started when it is
# needed and ends by itself, has worked it off.
settled() {
	eventually 30 eval 'at h ip -o addr show dev eth2 | grep -q 172.31.70.5/ && [ -n "$(eth2_address6)" ] &&
		! ip -n h -6 addr | grep -q tentative'
	# shellcheck disable=SC2016
	boot_in sh -c 'n=0; while [ $n -lt 5 ]; do sleep 0.03; p=$(pgrep -d, nm-dispatcher) && pgrep -P "$p" >/dev/null && n=0 || n=$((n + 1)); done'
}

s4_holds() {
	settled
	answered "$1: on-premises" op 172.31.70.5 10.0.1.9
	answered "$1: on-premises" op "$(eth2_address6)" fd00:10::9
	by eth0 "$1: internet" tcp
	AT=op inbound "$1: inbound" 172.31.70.5
	AT=op inbound "$1: inbound" "$(eth2_address6)"
	quiet "$1: diff is clean" boot_in ifsteer diff
}

boot "the host is up"
s4_holds "first boot"
for unit in NetworkManager nftables NetworkManager-dispatcher; do
	quiet "systemctl restart $unit" boot_in systemctl restart $unit
	s4_holds "after restart of $unit"
done
quiet "nmcli device disconnect" boot_in nmcli --wait 30 device disconnect eth2
quiet "nmcli connection up" boot_in nmcli --wait 30 connection up eth2
s4_holds "after disconnect and up"
nothing_spoofed

shut_down
boot "the host is up again"
s4_holds "second boot"
is "no unit has failed" "$(boot_in systemctl --failed --no-legend)" ""
shut_down
done_testing
