#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The examples under rules/, as they stand but for the names of interfaces and what else the laboratory calls
# differently: each does what its first lines say.

. "$(dirname "$0")/lib.sh"
needs nft conntrack ping setpriv
lab_enter

# example FILE [sed's expressions]: in force.
example() {
	local file=$1
	shift
	sed "${@/#/-e}" -e '' "$lab_src/rules/$file" | policy
	apply "$file: apply"
}

# withdrawn FILE: nothing is left of it.
withdrawn() {
	quiet "$1: diff is clean" ifsteer diff
	quiet "$1: flush" ifsteer flush
	at h conntrack -F >/dev/null 2>&1
}

# refused NAME PROBE…: IPv4 and IPv6 to the internet get nothing out.
refused() {
	local name=$1 to
	shift
	for to in $INTERNET; do
		expect "$name: $to" "error=*" "$@" "$to"
	done
}

# back eth0|eth2: after `down eth0|eth2`. IPv4 routes go with the link, IPv6 addresses, too.
down() { ip -n h link set "$1" down; }
back() {
	local gateway4=10.200.0.1 gateway6=fd00:e0::1 address6=fd00:e0::2 metric=
	[ "$1" = eth0 ] || gateway4=172.31.64.1 gateway6=fd00:e2::1 address6=fd00:e2::5 metric=2000
	ip -n h link set "$1" up
	ip -n h addr replace $address6/64 dev "$1" nodad
	[ "$1" = eth2 ] && [ -z "$both_lines" ] && return
	ip -n h route replace default via $gateway4 ${metric:+metric $metric}
	ip -n h route replace default via $gateway6 ${metric:+metric $metric}
}
both_lines=

lab_routers
plug eth0
up eth0
serve h

file=cloud-notebook-internet-only.conf
example $file
by eth0 "$file" tcp
like "$file: eth2 is absent and no error" "$(ifsteer status)" '^  absent$'
plug eth2
up eth2
apply "$file: eth2 comes"
answered "$file: eth2 comes" op 172.31.70.5 10.0.1.9
withdrawn $file

lab_lan
lab_docker
at h nft add rule ip filter FORWARD iifname "eth1" accept
at h nft add rule ip filter FORWARD oifname "eth1" accept

file=cloud-notebook-two-interfaces.conf
example $file
by eth0 "$file" tcp
AT=gw inbound "$file: the internet asks eth2" 172.31.70.5
AT=gw inbound "$file: the internet asks eth0" 10.200.0.2
withdrawn $file

file=cloud-notebook-private-only.conf
example $file
expect "$file: the internet" "local=172.31.70.5 name=gw seen=172.31.70.5" tcp 198.51.100.10
expect "$file: IPv6, for which eth2 has no router" "error=*" tcp 2001:db8::10
expect "$file: a container" "* name=ct *" tcp 172.17.0.2
down eth2
apply "$file: eth2 goes"
refused "$file: eth2 goes" tcp
back eth2
apply "$file: eth2 is back"
withdrawn $file

file=cloud-notebook-on-premises.conf
example $file
answered "$file: on-premises" op 172.31.70.5 10.0.1.9
answered "$file: on-premises" op fd00:e2::5 fd00:10::9
answered "$file: the peered network" op 172.31.70.5 172.30.1.9
by eth0 "$file" tcp
withdrawn $file

file=several-cloud-interfaces.conf
example $file 's/"eth1"/"eth2"/' "s/dport = 25/dport = $PORT/"
expect "$file: the user" "local=172.31.70.5 name=gw seen=172.31.70.5" tcp -u 1000 198.51.100.10
expect "$file: another port" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -u 1000 198.51.100.10 $OTHER_PORT
by eth0 "$file: others" tcp
AT=gw inbound "$file: the internet asks eth2" 172.31.70.5
withdrawn $file

# Both lines lead to the internet by themselves.
both_lines=yes
back eth2

file=two-uplinks-failover.conf
SEEN[eth0,lan]=${SEEN[eth0,h]} SEEN[eth2,lan]=${SEEN[eth2,h]}		# snat = "always"
example $file 's/"eth1"/"eth2"/g' "s/5060/$PORT/"
by eth0 "$file" tcp
by eth2 "$file: telephony" udp
AT=lan by eth0 "$file: the office" tcp
AT=lan by eth2 "$file: the office's telephony" udp
down eth0
apply "$file: the fast line goes"
by eth2 "$file: the fast line goes" tcp
AT=lan by eth2 "$file: the fast line goes" tcp
back eth0
apply "$file: the fast line is back"
by eth0 "$file: the fast line is back" tcp
withdrawn $file

file=health-check.conf
example $file 's/"eth1"/"eth2"/g'
check=$(sed -n '/^ExecStart=/,$p' "$lab_src/rules/ifsteer-health@.service" | sed -e 's/^ExecStart=//' -e 's/%i/eth0/g')
health() { at h env TARGET=198.51.100.10 PATH="$(dirname "$IFSTEER"):$PATH" sh -c "$check"; }
quiet "$file: eth0 works" health
by eth0 "$file: eth0 works" tcp
at gw nft add chain inet lab deaf '{ type filter hook prerouting priority -500; }'
at gw nft add rule inet lab deaf iifname to_h meta l4proto != ipv6-icmp drop
quiet "$file: eth0 leads nowhere" health
by eth2 "$file: eth0 leads nowhere" tcp
at gw nft delete chain inet lab deaf
quiet "$file: eth0 works again" health
by eth0 "$file: eth0 works again" tcp
withdrawn $file

file=two-uplinks-balanced.conf
example $file 's/"eth1"/"eth2"/g'
expect "$file: a network that wants one address" "local=* name=gw seen=10.200.0.2" tcp 198.51.100.10
first=0 second=0
for _ in {1..60}; do
	case $(at h "$PROBE" tcp 2001:db8::10 $PORT) in
	*seen=fd00:e0::2) first=$((first + 1)) ;;
	*seen=fd00:e2::5) second=$((second + 1)) ;;
	esac
done
[ $first -gt 22 ] && [ $second -gt 5 ] && [ $((first + second)) = 60 ]
ok $? "$file: of 60 connections $first by the fast line, $second by the other"
withdrawn $file

# A tunnel: on-link, so the far side has to answer for everybody.
set_sysctl vpc ipv4/conf/to_h/proxy_arp 1 ipv6/conf/to_h/proxy_ndp 1
ip -n vpc neigh add proxy 2001:db8::10 dev to_h

file=vpn-for-one-user.conf
example $file 's/"wg0"/"eth2"/g'
by eth2 "$file: the user" tcp -u 1000
by eth0 "$file: others" tcp
withdrawn $file

file=vpn-for-one-service.conf
mount -t cgroup2 cgroup /sys/fs/cgroup
service=/sys/fs/cgroup/system.slice/transmission-daemon.service
mkdir -p $service
serving() {
	expect_probe=$PROBE
	# shellcheck disable=SC2016
	PROBE="sh" expect "$1" "$2" -c 'echo $$ >'$service'/cgroup.procs; exec "$0" "$@"' "$expect_probe" tcp "$3"
}
example $file 's/"wg0"/"eth2"/g' "s/192.168.1.0/192.168.77.0/"
serving "$file: the service" "* name=gw seen=172.31.70.5" 198.51.100.10
serving "$file: the service, the LAN" "* name=lan seen=192.168.77.1" 192.168.77.5
by eth0 "$file: others" tcp
down eth2
apply "$file: the VPN goes"
serving "$file: the VPN goes" "error=*" 198.51.100.10
serving "$file: the VPN goes" "error=*" 2001:db8::10
by eth0 "$file: the VPN goes, others" tcp
back eth2
apply "$file: and comes back"
withdrawn $file
rmdir $service
# This machine's own, where it has systemd and things in it.
rmdir "${service%/*}" 2>/dev/null

file=domain-names.conf
example $file 's/"wg0"/"eth2"/g'
by eth0 "$file: before a name was asked for" tcp
at h nft add element inet ifsteer streaming_4 '{ 198.51.100.10 }'
at h nft add element inet ifsteer streaming_6 '{ 2001:db8::10 }'
wire eth2 "$file: dnsmasq puts the address in" tcp
apply "$file: once more"
wire eth2 "$file: an apply leaves it there" tcp
withdrawn $file

file=guest-network.conf
soon=$(date -d "6 hours" +%H:00-%H:59)
example $file 's/"eth1"/"eth2"/g' 's/"br-guest"/"eth1"/g' "s/23:00-06:00/$soon/" 's/"192.168.1.0/"10.0.1.0/'
AT=lan by eth2 "$file: guests" tcp
AT=lan expect "$file: the family's network" "error=EHOSTUNREACH*" tcp 10.0.1.9
by eth0 "$file: the router itself" tcp
down eth2
apply "$file: the second line goes"
AT=lan refused "$file: the second line goes" tcp
back eth2
apply "$file: and comes back"
withdrawn $file

file=laptop.conf
example $file 's/"wlan0"/"eth0"/g' 's/"wwan0"/"eth2"/g'
by eth0 "$file: wifi" tcp
by eth0 "$file: wifi, updates" tcp -u 42
down eth0
apply "$file: wifi goes"
by eth2 "$file: wifi goes" tcp
refused "$file: wifi goes, updates" tcp -u 42
back eth0
apply "$file: and comes back"
withdrawn $file

file=published-ports.conf
at h nft -f - <<-END
	table ip nat {
		chain PREROUTING {
			type nat hook prerouting priority dstnat
			fib daddr type local tcp dport 443 dnat to 172.17.0.2:$PORT
		}
	}
	add rule ip filter FORWARD oifname "docker0" tcp dport $PORT accept
END
example $file 's/"eth1"/"eth2"/g'
AT=gw expect "$file: a client by the first line" "* name=ct seen=198.51.100.10" tcp -b 198.51.100.10 10.200.0.2 443
AT=gw expect "$file: a client by the second line" "* name=ct seen=198.51.100.10" tcp -b 198.51.100.10 172.31.70.5 443
AT=ct expect "$file: the container itself" "* name=gw seen=172.31.70.5" tcp 198.51.100.10
withdrawn $file

nothing_spoofed
done_testing
