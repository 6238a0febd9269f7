#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cgroup: services by their place in the unified hierarchy; one that is not there yet is dormant, and said so.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
mount -t cgroup2 cgroup /sys/fs/cgroup || skip_all "no cgroup2 here"
# Not by $$: each test is process 1.
top=$(mktemp -d /sys/fs/cgroup/ifsteer-test.XXXXXX) && mkdir "$top/backup.service" || skip_all "no cgroups here"
trap 'rmdir "$top"/*/* "$top"/* "$top" 2>/dev/null' EXIT
forget_spoofed

# within CGROUP COMMAND…: what it starts is there from its beginning.
within() {
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$top/$1" "${@:2}"
}

# service CGROUP INTERFACE NAME: its packets leave by that interface.
service() {
	local seen=10.200.0.2 seen6=fd00:e0::2 got
	[ "$2" = eth0 ] || { seen=172.31.70.5; seen6=fd00:e2::5; }
	got=$(within "$1" nsenter --net=/run/netns/h -- "$PROBE" tcp 198.51.100.10 $PORT 2>&1)
	like "$3: tcp" "$got" "name=gw seen=$seen\$"
	got=$(within "$1" nsenter --net=/run/netns/h -- "$PROBE" udp 2001:db8::10 $PORT 2>&1)
	like "$3: udp, IPv6" "$got" "name=gw seen=$seen6\$"
}

policies "{ name = \"backup\"; cgroup = \"${top##*/}/backup.service\"; via = \"eth2\"; }"
service backup.service eth2 "in the cgroup"
by eth0 "outside" tcp
mkdir "$top/backup.service/worker"
service backup.service/worker eth2 "below it"
mkdir "$top/other.service"
service other.service eth0 "in another"

policies "{ name = \"late\"; cgroup = \"${top##*/}/late.service\"; via = \"eth2\"; }"
like "status: not there yet" "$(ifsteer status)" 'late'
like "status: its cgroup is missing" "$(ifsteer status)" 'cgroup'
by eth0 "not there yet: nobody is concerned" tcp
mkdir "$top/late.service"
apply "apply, now it is there"
service late.service eth2 "once it is there"
rmdir "$top/late.service"
apply "apply, it is gone"
quiet "diff is clean" ifsteer diff
mkdir "$top/late.service"
apply "apply, it is back under another id"
service late.service eth2 "back under another id"
quiet "diff is clean" ifsteer diff
rmdir "$top/late.service"
mkdir "$top/late.service"
apply "apply, it was made anew in between"
service late.service eth2 "made anew in between"

policies "{ name = \"but\"; cgroup = \"!${top##*/}/other.service\"; to = [ \"198.51.100.0/24\", \"2001:db8::/64\" ]; via = \"eth2\"; }"
service backup.service eth2 "negated: another"
service other.service eth0 "negated: this one"

policies "{ name = \"vpn\"; cgroup = \"${top##*/}/backup.service\"; via = \"eth2\"; otherwise = \"unreachable\"; }"
ip -n h link set eth2 down
apply "apply, eth2 down"
like "a kill switch for a service" "$(within backup.service nsenter --net=/run/netns/h -- "$PROBE" tcp -t 3000 198.51.100.10 $PORT 2>&1)" \
	'error=EHOSTUNREACH'
nothing_spoofed
done_testing
