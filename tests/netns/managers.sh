# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real network managers in namespace h: NetworkManager with its dispatcher, ifupdown, and a DHCP and
# router advertisement server in vpc. Sourced after lib.sh; after lab_enter everything they write
# stays in the copy.
# shellcheck shell=bash disable=SC2034,SC2054

# ---- NetworkManager ----

# nm_profile NAME LINE…: a connection for the interface of that name; LINEs are those of [ipv4] and
# [ipv6]. ROOT is where the host's disk is.
nm_profile() {
	local file=${ROOT-}/etc/NetworkManager/system-connections/$1.nmconnection
	printf '%s\n' "[connection]" "id=$1" type=ethernet "interface-name=$1" "${@:2}" >"$file"
	chmod 600 "$file"
}

# The metric: main's default stays eth0's, whichever comes up first. "up" once both families are
# there: what comes later is announced by nobody, and NetworkManager 1.52 probes 0.2 s for an IPv4
# address before it sets it.
NM_ETH0=("[ipv4]" method=manual address1=10.200.0.2/24,10.200.0.1 route-metric=50 may-fail=false
	"[ipv6]" method=manual address1=fd00:e0::2/64,fd00:e0::1 route-metric=50 may-fail=false)
NM_AUTO=("[ipv4]" method=auto "[ipv6]" method=auto)

nm_conf() {
	cat <<-END
		[main]
		plugins=keyfile
		dns=none
		no-auto-default=*
		auth-polkit=false
		dhcp=internal
		[device]
		match-device=*
		managed=1
	END
}

bus_conf() {
	cat <<-END
		<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
		<policy context="default"><allow user="*"/><allow own="*"/>
		<allow send_type="method_call"/><allow send_type="signal"/>
		<allow send_requested_reply="true" send_type="method_return"/>
		<allow send_requested_reply="true" send_type="error"/>
		<allow receive_type="method_call"/><allow receive_type="signal"/>
		<allow receive_type="method_return"/><allow receive_type="error"/></policy></busconfig>
	END
}

# Without a writable /sys NetworkManager does without udev, which it would wait for.
nm_run() {
	# shellcheck disable=SC2016
	exec ip netns exec h sh -c 'mount -o remount,ro /sys && exec "$@"' sh "$@"
}

# nm_prepare: a private bus, the dispatcher (its unit knows where it is, Debian 12 and 13 differ) and
# an empty configuration.
nm_prepare() {
	local dispatcher
	needs NetworkManager nmcli dbus-daemon
	dispatcher=$(sed -n 's/^ExecStart=//p' /lib/systemd/system/NetworkManager-dispatcher.service)
	rm -rf /etc/NetworkManager/conf.d/* /etc/NetworkManager/system-connections/* /var/lib/NetworkManager
	mkdir -p /run/dbus /var/lib/NetworkManager /etc/NetworkManager/system-connections
	nm_conf >/etc/NetworkManager/NetworkManager.conf
	bus_conf >/run/bus.conf
	dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile 2>/run/bus.log &
	eventually 30 test -S /run/dbus/system_bus_socket
	(nm_run "$dispatcher" --persist >/run/dispatcher.log 2>&1) &
	nm_dispatcher=$!
}

nm_start() {
	(nm_run NetworkManager --no-daemon >>/run/nm.log 2>&1) &
	nm_pid=$!
	eventually 30 nmcli -t general
}

nm_stop() {
	kill "$nm_pid"
	wait "$nm_pid"
}

# nm_settled: the dispatcher has worked off what NetworkManager announced.
nm_settled() {
	local quiet=0
	for _ in {1..200}; do
		[ -z "$(cat "/proc/$nm_dispatcher/task/$nm_dispatcher/children")" ] && quiet=$((quiet + 1)) || quiet=0
		[ $quiet -lt 6 ] || return 0
		sleep 0.02
	done
	note "the dispatcher is still busy"
}

# ---- DHCP and router advertisements ----

# dhcp_serve ADDRESS [LINE of dnsmasq's configuration]…: vpc leases that address on h's eth2.
dhcp_serve() {
	needs dnsmasq
	[ -z "${dhcp_pid-}" ] || { kill "$dhcp_pid" && wait "$dhcp_pid"; rm -f /run/leases; }
	printf '%s\n' port=0 bind-interfaces interface=to_h user=root pid-file= no-ping dhcp-authoritative \
		dhcp-leasefile=/run/leases "dhcp-range=$1,$1,255.255.240.0,2m" "${@:2}" >/run/dnsmasq.conf
	# Its advertisement passes this on to h, where replies must not look like vpc's own (lab_ttl).
	set_sysctl vpc ipv6/conf/all/hop_limit 64
	(exec nsenter --net=/run/netns/vpc -- dnsmasq -k -C /run/dnsmasq.conf 2>/run/dnsmasq.log) &
	dhcp_pid=$!
}

DHCP_RA=(dhcp-range=fd00:e2::,ra-stateless,64 enable-ra)

# ---- ifupdown ----

# interfaces <<…: writes /etc/network/interfaces.
interfaces() { cat >/etc/network/interfaces; }

IFUPDOWN='
auto eth0 eth2
iface eth0 inet static
	address 10.200.0.2/24
	gateway 10.200.0.1
iface eth0 inet6 static
	address fd00:e0::2/64
	gateway fd00:e0::1
iface eth2 inet6 static
	address fd00:e2::5/64
iface eth2 inet static
	address 172.31.70.5/20'

if_up() { at h ifup "$@"; }
if_down() { at h ifdown "$@"; }
