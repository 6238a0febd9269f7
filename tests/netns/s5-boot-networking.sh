#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S5 with a whole host under real systemd: networking.service and nftables.service are restarted,
# the host is shut down and boots again, and nobody types anything.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/managers.sh"
. "$(dirname "$0")/boot.sh"
boot_enter
needs ifup
lab_routers
plug eth0
plug eth2
serve h
boot_install networking.service nftables.service ifsteer.service
echo "$IFUPDOWN" >$boot_root/etc/network/interfaces
mkdir -p $boot_root/etc/ifsteer/policy.d
echo "$S4" >$boot_root/etc/ifsteer/policy.d/10-aws.conf

s4_holds() {
	quiet "$1: diff is clean" boot_in ifsteer diff
	answered "$1: on-premises" op 172.31.70.5 10.0.1.9
	answered "$1: on-premises" op fd00:e2::5 fd00:10::9
	by eth0 "$1: internet" tcp
	AT=op inbound "$1: inbound" 172.31.70.5
	AT=op inbound "$1: inbound" fd00:e2::5
	nothing_spoofed "$1: no packet left with the address of the other interface"
}

boot "the host is up"
s4_holds "first boot"

for unit in networking nftables ifsteer; do
	quiet "systemctl restart $unit" boot_in systemctl restart $unit
	s4_holds "after restart of $unit"
done
quiet "systemctl reload nftables" boot_in systemctl reload nftables
s4_holds "after reload of nftables"
quiet "systemctl stop nftables" boot_in systemctl stop nftables
s4_holds "after stop of nftables"
quiet "systemctl start nftables" boot_in systemctl start nftables
s4_holds "after stop and start of nftables"
quiet "systemctl stop networking" boot_in systemctl stop networking
quiet "systemctl start networking" boot_in systemctl start networking
s4_holds "after stop and start of networking"
quiet "systemctl stop ifsteer" boot_in systemctl stop ifsteer
answered "the unit is stopped: the policy stays" op 172.31.70.5 10.0.1.9
quiet "ifdown eth2" boot_in ifdown eth2
answered "ifdown eth2: main decides" gw 10.200.0.2 10.0.1.9
quiet "ifup eth2" boot_in ifup eth2
s4_holds "after ifdown and ifup"

# A service under a kill switch that applies before it starts, as the man page says: each start is another cgroup.
cp "$PROBE" $boot_root/usr/bin/probe
cat >$boot_root/etc/systemd/system/held.service <<-END
	[Service]
	Type=oneshot
	ExecStartPre=+/usr/sbin/ifsteer apply
	ExecStart=/usr/bin/probe tcp -t 3000 198.51.100.10 $PORT
	StandardOutput=truncate:/var/tmp/said
END
echo 'policies = ( { name = "held"; cgroup = "system.slice/held.service"; via = "eth2"; otherwise = "unreachable"; } );' \
	>$boot_root/etc/ifsteer/policy.d/20-held.conf
held() {	# NAME WANT: what the service saw
	boot_in systemctl start held 2>/dev/null
	like "$1" "$(cat $boot_root/var/tmp/said)" "$2"
}
quiet "systemctl daemon-reload" boot_in systemctl daemon-reload
held "a service under a kill switch" 'name=gw seen=172\.31\.70\.5'
held "and when it starts again" 'name=gw seen=172\.31\.70\.5'
quiet "ifdown eth2" boot_in ifdown eth2
held "ifdown eth2: it reaches nothing" 'error=EHOSTUNREACH'
quiet "ifup eth2" boot_in ifup eth2
held "ifup eth2: it does again" 'name=gw seen=172\.31\.70\.5'
rm $boot_root/etc/ifsteer/policy.d/20-held.conf
quiet "systemctl reload ifsteer" boot_in systemctl reload-or-restart ifsteer
boot_in systemctl reset-failed

shut_down
expect "the host is off" "error=*" tcp -t 200 10.0.1.9
boot "the host is up again"
s4_holds "second boot"

# Killed at boot, as for want of memory, it is started again.
shut_down
mv $boot_root/usr/sbin/ifsteer $boot_root/usr/sbin/ifsteer.real
cat >$boot_root/usr/sbin/ifsteer <<-'END'
	#!/bin/sh
	[ -e /run/ifsteer/killed ] || { : >/run/ifsteer/killed; kill -KILL $$; }
	exec /usr/sbin/ifsteer.real "$@"
END
chmod 755 $boot_root/usr/sbin/ifsteer
boot "the host is up, though its ifsteer was killed"
like "it was" "$(boot_in journalctl -b -u ifsteer)" 'status=9/KILL'
s4_holds "killed at boot"
mv $boot_root/usr/sbin/ifsteer.real $boot_root/usr/sbin/ifsteer

echo 'policies = ( { name = "x"; vai = "eth2"; } );' >$boot_root/etc/ifsteer/policy.d/20-broken.conf
shut_down
boot "the host is up with a broken policy"
answered "third boot, broken policy: what was accepted holds" op 172.31.70.5 10.0.1.9
like "the journal says what is wrong" "$(boot_in journalctl -b -t ifsteer)" '20-broken\.conf:1: error: .*vai'
is "no unit has failed" "$(boot_in systemctl --failed --no-legend)" ""
shut_down
done_testing
