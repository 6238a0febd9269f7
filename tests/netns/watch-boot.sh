#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer-watch.service in a whole host under real systemd, with systemd-networkd, which has no hooks and
# which removes at each start the rules and routes that it did not make.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
boot_enter
[ -x /lib/systemd/systemd-networkd ] || skip_all "no systemd-networkd"
lab_routers
plug eth0
plug eth2
serve h
boot_install systemd-networkd.service nftables.service ifsteer.service ifsteer-watch.service
etc=$boot_root/etc
rm -rf "$etc"/systemd/network/*
: >"$etc/network/interfaces"

# network NAME LINE…: a file of networkd's for one interface.
network() {
	printf '%s\n' "[Match]" "Name=$1" "[Network]" IPv6AcceptRA=no "${@:2}" >"$etc/systemd/network/$1.network"
	chmod 644 "$etc/systemd/network/$1.network"
}
network eth0 Address=10.200.0.2/24 Gateway=10.200.0.1 Address=fd00:e0::2/64 Gateway=fd00:e0::1
network eth2 Address=172.31.70.5/20 Address=fd00:e2::5/64
mkdir -p "$etc/ifsteer/policy.d"
echo "$S4" >"$etc/ifsteer/policy.d/10-aws.conf"
echo 'policies = ( { name = "worker"; cgroup = "system.slice/worker.service"; via = "eth2"; } );' \
	>"$etc/ifsteer/policy.d/20-worker.conf"
cat >"$etc/systemd/system/worker.service" <<-END
	[Service]
	ExecStart=/bin/sleep 1000
END

watch_pid() { boot_in systemctl show -p MainPID --value ifsteer-watch.service; }
in_sync() { boot_in ifsteer diff; }
state() { boot_in systemctl is-active "$@"; }

# networkd has done its part, also as it says itself: what it has once configured it may take apart
# again after a restart.
configured() {
	boot_in /lib/systemd/systemd-networkd-wait-online --timeout=5 -i eth0 -i eth2 &&
		at h ip -4 route get 198.51.100.10 && at h ip -6 route get 2001:db8::10 &&
		at h ip -4 route get 172.31.64.1 from 172.31.70.5 && at h ip -6 route get fd00:e2::1 from fd00:e2::5
}

s4_holds() {
	eventually 10 configured
	eventually 10 in_sync
	ok $? "$1: in sync"
	answered "$1: on-premises" op 172.31.70.5 10.0.1.9
	answered "$1: on-premises" op fd00:e2::5 fd00:10::9
	by eth0 "$1: internet" tcp
	AT=op inbound "$1: inbound" 172.31.70.5
	AT=op inbound "$1: inbound" fd00:e2::5
}

# ours: rules and routes that carry our protocol.
ours() { at h sh -c 'for f in -4 -6; do ip $f rule; ip $f route show table all; done' | grep -c 'proto 77\|proto ifsteer'; }

boot "the host is up"
is "the unit is running, as it says itself" "$(state ifsteer-watch)" active
like "with its own status" "$(boot_in systemctl show -p StatusText ifsteer-watch)" '2 interfaces, 2 policies'
s4_holds "first boot"
pid=$(watch_pid)

# ---- who removes things ----

rules=$(ours)
quiet "systemctl restart systemd-networkd" boot_in systemctl restart systemd-networkd
s4_holds "after restart of systemd-networkd"
is "after restart of systemd-networkd: all rules and routes" "$(ours)" "$rules"
quiet "networkctl reload" boot_in networkctl reload
quiet "networkctl reconfigure eth2" boot_in networkctl reconfigure eth2
sleep 1
s4_holds "after reconfiguring eth2"
quiet "nft flush ruleset" boot_in nft flush ruleset
s4_holds "after somebody has flushed all tables"

# ---- what networkd does not announce ----

network eth2 Address=172.31.70.6/20 Address=fd00:e2::5/64
quiet "another address" boot_in networkctl reload
eventually 10 eval 'ip -n h -o addr show dev eth2 | grep -q 172.31.70.6'
eventually 10 in_sync
answered "another address" op 172.31.70.6 10.0.1.9
network eth2 Address=172.31.70.5/20 Address=fd00:e2::5/64
quiet "the first one again" boot_in networkctl reload
eventually 10 eval 'ip -n h -o addr show dev eth2 | grep -q 172.31.70.5'
eventually 10 in_sync
ip -n h link del eth2
eventually 10 in_sync
answered "the interface is gone: main decides" gw 10.200.0.2 10.0.1.9
plug eth2
eventually 10 eval 'ip -n h -o addr show dev eth2 | grep -q 172.31.70.5'
s4_holds "the interface is back"

# ---- a service's cgroup ----

# worker: whether a process in the service's cgroup is steered.
worker() {
	boot_in sh -c 'echo $$ >/sys/fs/cgroup/system.slice/worker.service/cgroup.procs && exec "$@"' \
		sh /usr/bin/probe tcp 198.51.100.10 $PORT | grep -q seen=172.31.70.5
}
cp "$PROBE" $boot_root/usr/bin/probe
like "a service that is not there is dormant" "$(boot_in ifsteer status)" "cgroup isn't there yet"
quiet "systemctl start worker" boot_in systemctl start worker
eventually 30 worker
ok $? "a service that starts is steered"
quiet "systemctl restart worker" boot_in systemctl restart worker
eventually 30 worker
ok $? "and one that starts again"
quiet "systemctl stop worker" boot_in systemctl stop worker

# ---- the unit ----

is "the process is still the first one" "$(watch_pid)" "$pid"
quiet "systemctl reload" boot_in systemctl reload ifsteer-watch
quiet "reloaded it is active" eventually 30 boot_in systemctl is-active ifsteer-watch
is "with no privilege but CAP_NET_ADMIN" "$(boot_in grep -h '^Cap[EPB]' "/proc/$pid/status" | cut -f 2 | sort -u)" \
	0000000000001000
is "and none to be had" "$(boot_in grep -h NoNewPrivs "/proc/$pid/status" | cut -f 2)" 1
for unit in ifsteer ifsteer-watch; do
	score=$(boot_in systemd-analyze security $unit.service --no-pager | sed -n 's/.*exposure level[^0-9]*\([0-9.]*\).*/\1/p')
	note "systemd-analyze security $unit: $score"
	# Under valgrind they let it in (under-valgrind.sh), and are not those that are installed.
	[ -n "${VALGRIND_DIR-}" ] && ok 0 "$unit # SKIP its unit is another" ||
		is "systemd-analyze security $unit: at most 2.0" "$(awk -v s="${score:-9}" 'BEGIN { print s <= 2.0 }')" 1
done
quiet "systemctl stop" boot_in systemctl stop ifsteer-watch
is "stopped it has not failed" "$(boot_in systemctl show -p Result --value ifsteer-watch)" success
answered "and all stays in force" op 172.31.70.5 10.0.1.9
quiet "systemctl start" boot_in systemctl start ifsteer-watch
unlike "the journal knows of no trouble" "$(boot_in journalctl -b -p warning -t ifsteer)" 'ifsteer\['
is "no unit has failed" "$(boot_in systemctl --failed --no-legend)" ""

shut_down
boot "the host is up again"
s4_holds "second boot"
shut_down
done_testing
