#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# apply --confirm under real systemd: the unit or the scope that it runs in is stopped or killed, and the host goes down.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
boot_enter
lab_host
boot_install ifsteer.service
etc=$boot_root/etc

edit() { echo "$S2 policies = ( { name = \"edit-$1\"; to = \"10.$1.0.0/16\"; via = \"eth2\"; } );" >"$etc/ifsteer/ifsteer.conf"; }
kernel() { at h sh -c 'ip -4 rule; ip -6 rule; ip route show table all proto 77; nft -s list table inet ifsteer' | sort; }
in_force() { kernel | grep -q "edit-$1"; }
trial_is() { boot_in sh -c 'cut -d" " -f1 /run/ifsteer/*/trial' | grep -q "$1"; }
put_back() {
	eventually 30 trial_is reverted
	same "$1: put back" "$(kernel)" "$first"
}

# begin UNIT OPTION…: a trial in a unit of its own.
begin() {
	local unit=$1
	shift
	boot_in systemd-run --quiet --collect "--unit=$unit" "$@" ifsteer apply --confirm "${N-600}" >/dev/null 2>&1 &
	eventually 30 trial_is waiting
	in_force 2
	ok $? "$unit: in force"
}

edit 1
boot "the host is up"
quiet "apply" boot_in ifsteer apply
first=$(kernel)
edit 2

begin trial.service
quiet "systemctl stop of its unit" boot_in systemctl stop trial.service
put_back "systemctl stop of its unit"

begin main.service
quiet "KILL to its main process" boot_in systemctl kill -s KILL --kill-who=main main.service
put_back "KILL to its main process"

begin scope.scope --scope
quiet "systemctl stop of its scope" boot_in systemctl stop scope.scope
put_back "systemctl stop of its scope"

# As logind does it for a session that ends, with KillUserProcesses=yes.
begin session.scope --scope --property=SendSIGHUP=yes
quiet "the session ends" boot_in systemctl stop session.scope
put_back "the session ends"

# Nobody is left who could put it back but the one who watches.
quiet "systemctl start ifsteer-watch" boot_in systemctl start ifsteer-watch.service
N=3 begin killed.scope --scope
quiet "KILL to all" boot_in systemctl kill -s KILL killed.scope
put_back "KILL to all"
quiet "systemctl stop ifsteer-watch" boot_in systemctl stop ifsteer-watch.service

begin reboot.scope --scope
shut_down
up eth0
up eth2
boot "the host is up again"
eventually 30 in_force 1
ok $? "a reboot: what was accepted is in force"
like "and the journal says so" "$(boot_in journalctl -b -t ifsteer)" 'tried with --confirm and not confirmed'
shut_down
done_testing
