#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hours and days, in local time whatever the zone, across midnight. The clock is the real one; the policies are made around it.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
forget_spoofed

days=(mon tue wed thu fri sat sun)

# hm MINUTES: a time of day so far from now. Minutes change while a test runs: nothing is closer than five.
hm() { date -d "$1 minutes" +%H:%M; }
day() { date -d "$1 days" +%u; }

inside() { wire eth2 "$TZ, $1" tcp; }
outside() { by eth0 "$TZ, $1" tcp; }
steer() { policies "{ name = \"p\"; $1 to = [ \"198.51.100.0/24\", \"2001:db8::/64\" ]; via = \"eth2\"; }"; }

for TZ in UTC0 IST-5:30 NST3:30 LINT-14 AOE12; do
	export TZ
	today=${days[$(day 0) - 1]}
	tomorrow=${days[$(day 1) - 1]}
	yesterday=${days[$(day -1) - 1]}
	steer "hours = \"$(hm -60)-$(hm 60)\";"
	inside "an hour before to an hour after now"
	steer "hours = \"$(hm 60)-$(hm -60)\";"
	outside "the other hours of the day"
	steer "hours = \"$(hm -600)-$(hm 600)\";"
	inside "ten hours before to ten after"
	steer "hours = [ \"$(hm 30)-$(hm 60)\", \"$(hm -30)-$(hm 10)\" ];"
	inside "the second of two"
	steer "days = \"$today\";"
	inside "today"
	steer "days = [ \"$tomorrow\", \"$yesterday\" ];"
	outside "yesterday and tomorrow"
	steer "hours = \"!$(hm -60)-$(hm 60)\";"
	outside "not around now"
	steer "hours = [ \"!$(hm 30)-$(hm -300)\", \"!$(hm -300)-$(hm -60)\" ]; days = [ \"!$tomorrow\", \"!$yesterday\" ];"
	inside "neither of the other hours, and neither of those days"
	steer "days = [ \"$today\", \"$tomorrow\", \"!$today\" ];"
	outside "tomorrow"
	steer "days = [ \"$tomorrow\", \"$today\" ]; hours = \"$(hm -60)-$(hm 60)\";"
	if [ "$(date -d '-60 minutes' +%u)" = "$(day 0)" ]; then
		inside "today, around now"
	else
		outside "it began yesterday"
	fi
	quiet "$TZ: diff is clean" ifsteer diff
done

# An interval across midnight belongs to the day on which it begins.
export TZ=UTC0
now=$((10#$(date -u +%H) * 60 + 10#$(date -u +%M)))
# A zone in which it is about half past midnight.
offset=$(((now - 30 + 1440) % 1440))
[ $offset -le 720 ] || offset=$((offset - 1440))
TZ=$(printf 'XXX%s%d:%02d' "$([ $offset -lt 0 ] && echo -)" $((${offset#-} / 60)) $((${offset#-} % 60)))
today=${days[$(day 0) - 1]}
yesterday=${days[$(day -1) - 1]}
steer "days = \"$yesterday\"; hours = \"22:00-06:00\";"
inside "half past midnight is yesterday's night"
steer "days = \"$today\"; hours = \"22:00-06:00\";"
outside "and not tonight's"
steer "days = \"$yesterday\"; hours = [ \"22:00-06:00\", \"!00:00-01:00\" ];"
outside "the hour past midnight is taken from it"
steer "days = \"$yesterday\"; hours = [ \"22:00-06:00\", \"!23:00-00:05\" ];"
inside "the hour before midnight is taken from it"
nothing_spoofed
done_testing
