#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kill switch in a whole host that boots, restarts its services, shuts down and boots again, under flood from the first
# unit to the last. What gw sees come in from h's eth0 for these addresses is astray.
# shellcheck disable=SC2154,SC2086

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/managers.sh"
. "$(dirname "$0")/boot.sh"
boot_enter
needs ifup
[ -e /lib/systemd/system/nftables.service ] || skip_all "no nftables.service"
lab_routers
plug eth0
plug eth2
serve h
boot_install networking.service nftables.service ifsteer.service
etc=$boot_root/etc
echo "$IFUPDOWN" >"$etc/network/interfaces"
cat >"$etc/ifsteer/ifsteer.conf" <<-END
	$S2
	policies = ( { name = "vpn"; user = "nobody"; via = "eth2"; otherwise = "unreachable"; } );
END
cp "$PROBE" $boot_root/usr/bin/probe
nobody=$(id -u nobody)

# ---- what is sent ----

# The patient flood begins when ifsteer.service has finished, the other one as soon as there are units. Both outlive
# everything but the host.
PATIENT="198.51.100.77 2001:db8::77"
IMPATIENT="198.51.100.78 2001:db8::78"

early_unit() {	# NAME LINE…: a unit that waits for nothing but what its lines say
	printf '%s\n' '[Unit]' DefaultDependencies=no "${@:2}" '[Install]' WantedBy=sysinit.target >"$etc/systemd/system/$1.service"
	systemctl --root=$boot_root --quiet enable "$1"
}

flood_unit() {	# NAME ADDRESSES [LINE…]
	early_unit "$1" "${@:3}" '[Service]' KillMode=none \
		"ExecStart=/bin/sh -c 'for a in $2; do probe flood -u $nobody -t 600000 -r 2000 \$\$a 9 & done; wait'"
}

flood_unit patient "$PATIENT" After=ifsteer.service Before=network-pre.target
flood_unit impatient "$IMPATIENT"
# Where an interface is up before all units, the impatient flood is judged from this on.
early_unit beacon After=ifsteer.service Before=network-pre.target '[Service]' Type=oneshot \
	"ExecStart=-/usr/bin/probe udp -t 1 ${IMPATIENT% *} 5" "ExecStart=-/usr/bin/probe udp -t 1 ${IMPATIENT#* } 5"

# ---- what is seen ----

at gw nft -f - <<-END
	table inet astray {
		set judged_4 { type ipv4_addr; flags dynamic; size 10; }
		set judged_6 { type ipv6_addr; flags dynamic; size 10; }
		counter before { }
		counter astray { }
		counter right { }
		chain seen {
			type filter hook prerouting priority -390
			ip daddr != 198.51.100.77-198.51.100.78 return
			ip6 daddr != 2001:db8::77-2001:db8::78 return
			iifname "to_vpc" counter name right
			iifname "to_h" udp dport 5 goto judge
			iifname "to_h" udp dport 9 goto count
		}
		chain judge {
			add @judged_4 { ip daddr }
			add @judged_6 { ip6 daddr }
		}
		chain count {
			ip daddr @judged_4 counter name astray return
			ip6 daddr @judged_6 counter name astray return
			counter name before
		}
	}
END

# judge ADDRESS…: from now on.
judge() {
	local address
	at gw nft 'flush set inet astray judged_4; flush set inet astray judged_6'
	for address; do
		if [[ $address == *:* ]]; then set -- 6; else set -- 4; fi
		at gw nft "add element inet astray judged_$1 { $address }"
	done
}

counted() { at gw nft list counter inet astray "$1" | grep -o 'packets [0-9]*' | grep -o '[0-9]*'; }
forget() { at gw nft reset counters table inet astray >/dev/null; }
# shellcheck disable=SC2016
sent() { at h awk '$1 == "Udp:" { n += $5 } $1 == "Udp6OutDatagrams" { n += $2 } END { print n }' /proc/net/snmp /proc/net/snmp6; }

# tight NAME
tight() {
	is "$1: nothing astray" "$(counted astray)" 0
	[ "$(counted right)" -gt 0 ]
	ok $? "$1: the flood is there"
	forget
}

service() { quiet "systemctl $*" boot_in systemctl "$@"; }
in_force() { boot_in ifsteer diff; }

# ---- the network is the units' ----

judge $PATIENT $IMPATIENT
boot "the host is up"
tight "boot"
service restart networking
tight "restart of networking, which takes down eth0 and eth2"
for unit in nftables ifsteer; do
	service restart $unit
	service reload $unit
	quiet "in force" in_force
done
tight "restart and reload of nftables, which flushes all tables, and of ifsteer"
service stop nftables
quiet "nftables is stopped: in force" in_force
service start nftables
quiet "nftables is started: in force" in_force
tight "stop and start of nftables"
# Whoever restarts nftables too often for systemd is left without it, but not without us.
for _ in {1..6}; do
	boot_in systemctl restart nftables 2>/dev/null
done
quiet "nftables restarted until systemd refuses: in force" in_force
service reset-failed nftables
service restart nftables
tight "restarts of nftables without end"
note "$(sent) sent"
shut_down
is "shutdown: nothing astray" "$(counted astray)" 0
forget
boot "the host is up again"
tight "second boot"
shut_down
is "second shutdown: nothing astray" "$(counted astray)" 0
forget

# ---- eth0 is up before all units, as from an initramfs ----

echo "auto eth2${IFUPDOWN#*fd00:e0::1}" >"$etc/network/interfaces"
up eth0
judge $PATIENT
boot "the host is up, eth0 was up before"
note "$(counted before) packets left before ifsteer.service had finished"
[ "$(counted before)" -gt 0 ]
ok $? "before ifsteer.service nothing is held"
tight "from then on"

# Only the table holds this traffic now.
service stop networking
forget
sed -i '/^flush ruleset/d' "$etc/nftables.conf"
for _ in {1..5}; do
	service reload nftables
done
is "reload of an nftables.conf that does not flush: nothing astray" "$(counted astray)" 0
forget
sed -i '1a flush ruleset' "$etc/nftables.conf"
service reload nftables
quiet "reload of one that does: in force" in_force
note "$(counted astray) packets left meanwhile"
forget
sleep 0.2
is "nothing astray from then on" "$(counted astray)" 0
shut_down
done_testing
