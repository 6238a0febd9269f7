# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of apply --confirm share. Sourced after lib.sh.
# shellcheck shell=bash

kernel() { at h sh -c 'ip -4 rule; ip -6 rule; ip -4 route show table all proto 77; ip -6 route show table all proto 77; nft -s list table inet ifsteer' 2>/dev/null | sort; }
edit() { policy <<<"$S2 policies = ( { name = \"edit-$1\"; to = \"10.$1.0.0/16\"; via = \"eth2\"; } );"; }
in_force() { kernel | grep -q "edit-$1"; }

# trial_is STATE: waiting (and in force), confirmed, reverted, …
trial_is() { [ "$(cut -d' ' -f1 /run/ifsteer/*/trial 2>/dev/null)" = "$1" ]; }
waits() { trial_is waiting; }
reverted() { trial_is reverted; }

# try SECONDS [ifsteer's options]: begins a trial and waits until it is in force; $trial is the
# process on the terminal.
try() {
	nsenter --net=/run/netns/h -- "$IFSTEER" "${@:2}" apply --confirm "$1" </dev/null >/tmp/said 2>&1 &
	trial=$!
	eventually 30 waits
	ok $? "a trial of $1 seconds"
}

# The time of the trial is over, whether or not anybody has noticed.
over() { [ "$(($(sed 's/\.\(..\).*/\10/' /proc/uptime)))" -ge "$(cut -d' ' -f3 /run/ifsteer/*/trial)" ]; }

# The process that outlives it: nsenter became ifsteer, whose child it is.
outliver() { pgrep -P "$trial"; }

# put_back NAME WANT: what stood before stands again.
put_back() {
	eventually 30 reverted
	same "$1: put back" "$(kernel)" "$2"
}
