#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same host, S4, run by Shorewall: two providers, the same networks marked for the second, both families.
# It is not installed on this machine: its packages are unpacked in the copy of it that is thrown away.

. "$(dirname "$0")/lib.sh"
bench_enter

shopt -s nullglob
packages=("$BENCH"/shorewall*.deb)
if ((${#packages[@]} < 3)); then
	remark "no comparison with Shorewall: there are no packages of it. For one:"
	remark "(cd $BENCH && apt-get download shorewall shorewall-core shorewall6)"
	exit 0
fi
for package in "${packages[@]}"; do
	ar p "$package" data.tar.xz | tar -C / -xJ --keep-directory-symlink || exit
done
host_s4

configure() {	# shorewall|shorewall6 FAMILY GATEWAY GATEWAY NETWORK
	local dir=/etc/$1
	sed -i 's/^STARTUP_ENABLED=.*/STARTUP_ENABLED=Yes/; s/^ROUTE_FILTER=.*/ROUTE_FILTER=No/
		s/^PROVIDER_OFFSET=.*/PROVIDER_OFFSET=16/; s/^\(PROVIDER\|MASK\)_BITS=.*/\1_BITS=8/
		s/^USE_DEFAULT_RT=.*/USE_DEFAULT_RT=No/' "$dir/$1.conf"
	printf 'fw firewall\nnet %s\nvpc %s\n' "$2" "$2" >"$dir/zones"
	printf '?FORMAT 2\nnet eth0\nvpc eth2\n' >"$dir/interfaces"
	echo 'all all ACCEPT' >"$dir/policy"
	printf 'internet 1 0x10000 main eth0 %s track\nprivate 2 0x20000 main eth2 %s track,optional\n' "$3" "$4" >"$dir/providers"
	# shellcheck disable=SC2016
	printf 'MARK(0x20000):P - %s\nMARK(0x20000) $FW %s\n' "$5" "$5" >"$dir/mangle"
}
configure shorewall ipv4 10.200.0.1 172.31.64.1 10.0.0.0/16
configure shorewall6 ipv6 fd00:e0::1 fd00:e2::1 fd00:10::/64
both() { sample "$1" sh -c "shorewall ${*:2} && shorewall6 ${*:2}"; }

policy <<<"$S4"
for ((i = 0; i < 3; i++)); do
	both "Shorewall start" start
	both "Shorewall reload" reload
	both "Shorewall disable" disable eth2
	both "Shorewall enable" enable eth2
	both "Shorewall clear" clear
	sample "Shorewall start, compiled" sh -c "/var/lib/shorewall/firewall start && /var/lib/shorewall6/firewall start"
	both "Shorewall clear" clear
	for ((k = 0; k < 5; k++)); do
		sample "apply" "$IFSTEER" apply
		sample "apply again" "$IFSTEER" apply
		sample "eth2 down" "$IFSTEER" hook networkmanager eth2 down
		sample "eth2 up" "$IFSTEER" hook networkmanager eth2 up
		ours flush
	done
done

result 1 - apply "Shorewall start" "cold apply of S4, against Shorewall start"
result 1 - apply "Shorewall start, compiled" "the same, against its compiled scripts"
result 2 - "apply again" "Shorewall reload" "nothing to change, against Shorewall reload"
result 4 - "eth2 down" "Shorewall disable" "an interface goes, against Shorewall disable"
result 4 - "eth2 up" "Shorewall enable" "an interface comes, against Shorewall enable"
