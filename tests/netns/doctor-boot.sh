#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer doctor on a host that real systemd has booted: which services are enabled and which are
# running is seen without asking it.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
. "$(dirname "$0")/managers.sh"
needs NetworkManager
[ -e /lib/systemd/system/systemd-networkd.service ] && [ -e /lib/systemd/system/nftables.service ] || skip_all "no networkd or no nftables"
boot_enter
lab_routers
plug eth0
plug eth2
up eth0
up eth2
boot_install ifsteer.service
# Which would enable the dispatcher.
rm -f $boot_root/etc/systemd/system/dbus-org.freedesktop.nm-dispatcher.service
mkdir -p $boot_root/etc/ifsteer
echo "$S4" >$boot_root/etc/ifsteer/ifsteer.conf
printf 'flush ruleset\n' >$boot_root/etc/nftables.conf
nm_conf | sed 's/^managed=1/managed=0/' >$boot_root/etc/NetworkManager/NetworkManager.conf

control() { quiet "systemctl $*" boot_in systemctl "$@"; }
doctor() { boot_in ifsteer doctor 2>&1; }
# found NAME [PATTERN…]: just these, in this order.
found() {
	local name=$1 said want=0
	shift
	[ $# = 0 ] || want=1
	said=$(doctor)
	is "$name: exit status" $? $want
	is "$name: findings" "$(grep -c '^warning:' <<<"$said")" $# || note "$said"
	while [ $# -gt 0 ]; do
		like "$name: $1" "$said" "^warning: .*$1"
		shift
	done
}

boot "the host boots"
found "nothing is enabled"
is "and there is nothing to note" "$(doctor)" ""

control start nftables.service
found "nftables.service is started" 'nftables.conf has .flush ruleset'
control stop nftables.service
found "and stopped"
control enable nftables.service
found "and enabled" 'nftables.conf has .flush ruleset'
control disable nftables.service

control start systemd-networkd.service
boot_in ifsteer apply
found "systemd-networkd is started" 'systemd-networkd removes routing rules and routes'
control stop systemd-networkd.service systemd-networkd.socket
found "and stopped"
control enable systemd-networkd.service
found "and enabled" 'systemd-networkd removes routing rules and routes'
control mask systemd-networkd.service
found "and masked"
control unmask systemd-networkd.service
control disable systemd-networkd.service

control start NetworkManager.service
found "NetworkManager is started, its dispatcher neither enabled nor running" 'without its dispatcher service'
control enable NetworkManager-dispatcher.service
found "and its dispatcher is enabled"
control mask NetworkManager-dispatcher.service
control stop NetworkManager-dispatcher.service
found "and masked" 'without its dispatcher service'
control unmask NetworkManager-dispatcher.service
control stop NetworkManager.service
found "and stopped"

control disable ifsteer.service
found "ifsteer.service is disabled"
like "a note says so" "$(doctor)" '^note: ifsteer.service is not enabled'
done_testing
