#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer watch and the hours of a policy: summer time begins, and somebody sets the clock. nftables counts hours in UTC, so what stands
# there has to follow. This machine's clock is left alone.

. "$(dirname "$0")/lib.sh"
lab_enter
needs "${CC:=cc}"
lab_host

# watch NAME=VALUE…
watch() {
	nsenter --net=/run/netns/h -- env "$@" "$IFSTEER" watch 2>>/run/said &
	watch=$!
	eventually 5 eval '[[ $(cat "/proc/$watch/wchan") == *poll* ]]'
}
watch_ends() {
	kill $watch
	wait $watch
	is "watch: exit status" $? 0
}
hours() { at h env TZ=UTC0 nft list table inet ifsteer | grep -o 'meta hour [^ ]*' | sort -u; }
clock_in() { date -u -d "$1 minutes" +%H:%M; }

# ---- summer time ----

# A zone that is UTC, and in some seconds an hour ahead of it: until then it is too early for the policy, and then it isn't.
begin=$(date -u -d '12 seconds' '+%j %H:%M:%S')
day=$((10#${begin% *} - 1))
zone="AAA0BBB-1,$day/${begin#* },$(((day + 30) % 365))/12"
export TZ="$zone"
policies "{ name = \"day\"; to = [ \"198.51.100.0/24\", \"2001:db8::/64\" ]; hours = \"$(clock_in 30)-$(clock_in 90)\"; via = \"eth2\"; }"
winter=$(hours)
by eth0 "before summer time" tcp
watch TZ="$zone"
moved() { [ "$(hours)" != "$winter" ]; }
eventually 25 moved
ok $? "summer time begins, and the table follows"
quiet "in sync" ifsteer diff
wire eth2 "in summer time" tcp
watch_ends

# ---- the clock is set ----

shim set-clock || done_testing
mkfifo /run/clock
# Summer lasts from March to October: half a year on it is there, or gone.
export TZ='CET-1CEST,M3.5.0,M10.5.0/3'
policies '{ name = "day"; hours = "09:00-17:00"; via = "eth2"; }'
before=$(hours)
watch TZ="$TZ" SET_CLOCK=/run/clock LD_PRELOAD=$shim
is "the clock as it is" "$(hours)" "$before"
echo $((182 * 86400)) >/run/clock
follows() { [ "$(hours)" != "$before" ]; }
eventually 5 follows
ok $? "half a year on: the table follows"
echo $((-182 * 86400)) >/run/clock
returns() { [ "$(hours)" = "$before" ]; }
eventually 5 returns
ok $? "and back"
watch_ends
unlike "nothing went wrong" "$(cat /run/said)" 'error|warning'
done_testing
