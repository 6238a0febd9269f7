#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A real firewalld beside ifsteer, in a host that real systemd has booted: its zones, and its reverse-path
# filter for IPv6, which looks up the way back with the mark and lets pass what is the host's own; it is
# reloaded, also completely, restarted and stopped, and its rules are the same to the byte whatever ifsteer
# does.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/managers.sh"
. "$(dirname "$0")/boot.sh"
boot_enter
needs ifup firewall-cmd
lab_routers
plug eth0
plug eth2
serve h
lab_lan
boot_install networking.service firewalld.service ifsteer.service ifsteer-watch.service
etc=$boot_root/etc
# Its complete reload unloads modules, which are this machine's.
ln -sf /bin/true $boot_root/sbin/rmmod
ln -sf /bin/true $boot_root/sbin/modprobe
echo "$IFUPDOWN" >"$etc/network/interfaces"
mkdir -p "$etc/ifsteer" "$etc/firewalld/zones"
sed -i s/^IPv6_rpfilter=.*/IPv6_rpfilter=yes/ "$etc/firewalld/firewalld.conf"
echo "$S4" >"$etc/ifsteer/ifsteer.conf"
cat >"$etc/firewalld/zones/public.xml" <<-END
	<zone>
	  <interface name="eth0"/>
	  <interface name="eth1"/>
	  <interface name="eth2"/>
	  <forward/>
	  <port port="$PORT-$DEAD_PORT" protocol="tcp"/>
	  <port port="$PORT-$DEAD_PORT" protocol="udp"/>
	</zone>
END

# What firewalld has in the kernel, with its handles.
theirs() { at h nft -a -s list ruleset | awk '/^table inet ifsteer \{/ { ours = 1 } !ours; /^}/ { ours = 0 }'; }

in_sync() { boot_in ifsteer diff; }
s4_holds() {
	eventually 10 in_sync
	quiet "$1: in sync" in_sync
	answered "$1: on-premises" op 172.31.70.5 10.0.1.9
	answered "$1: on-premises" op fd00:e2::5 fd00:10::9
	by eth0 "$1: internet" tcp
	AT=op inbound "$1: inbound" 172.31.70.5
	AT=op inbound "$1: inbound" fd00:e2::5
	AT=gw inbound "$1: inbound" 10.200.0.2
	AT=gw inbound "$1: inbound" fd00:e0::2
	AT=lan answered "$1: forwarded" op 192.168.77.5 10.0.1.9
	AT=lan by eth0 "$1: forwarded to the internet" tcp
	AT=op expect "$1: forwarded from on-premises" "* name=lan *" tcp 192.168.77.5
	AT=op expect "$1: a port that is not open" "*error=*" tcp -t 1000 172.31.70.5 10
	nothing_spoofed "$1: no packet left with the address of the other interface"
}
changes() { quiet "$*" boot_in "$@"; s4_holds "after $*"; }

boot "the host is up"
is "firewalld runs" "$(boot_in firewall-cmd --state 2>&1)" running
like "its reverse-path filter for IPv6 is on" "$(theirs)" 'fib saddr \. mark \. iif .*drop'
AT=lan expect "which drops what is steered and forwarded" "error=*" tcp -t 500 fd00:10::9
s4_holds "first boot"
changes firewall-cmd --reload
changes firewall-cmd --complete-reload
changes systemctl restart firewalld

# Forwarded IPv6 is doctor's to name.
like "doctor names the filter" "$(boot_in ifsteer doctor 2>&1)" 'firewalld.*drops the IPv6 packets that policy "on-premises" forwards'
sed -i s/^IPv6_rpfilter=.*/IPv6_rpfilter=no/ "$etc/firewalld/firewalld.conf"
changes systemctl restart firewalld
unlike "switched off doctor does not" "$(boot_in ifsteer doctor 2>&1)" firewalld
AT=lan answered "switched off: forwarded" op fd00:77::5 fd00:10::9
AT=op expect "switched off: forwarded from on-premises" "* name=lan *" tcp fd00:77::5

# In neither direction anybody's rules move.
before=$(theirs)
like "there is what could" "$before" 'chain filter_INPUT'
changes systemctl restart ifsteer ifsteer-watch
same "its rules are the same after an apply" "$(theirs)" "$before"
quiet "flush" boot_in ifsteer flush
same "and after flush" "$(theirs)" "$before"
quiet "apply" boot_in ifsteer apply
s4_holds "applied again"
same "and after the first apply" "$(theirs)" "$before"

quiet "firewalld stops" boot_in systemctl stop firewalld
unlike "and leaves nothing" "$(at h nft list tables)" firewalld
quiet "in sync" in_sync
answered "without it" op 172.31.70.5 10.0.1.9
unlike "the journal knows of no trouble" "$(boot_in journalctl -b -p warning -t ifsteer)" 'ifsteer\['
shut_down
done_testing
