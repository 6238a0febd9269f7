#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# apply --confirm: kept when it is confirmed, else put back, whoever dies meanwhile.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

kernel() { at h sh -c 'ip -4 rule; ip -6 rule; ip -4 route show table all proto 77; ip -6 route show table all proto 77; nft -s list table inet ifsteer' 2>/dev/null | sort; }
edit() { policy <<<"$S2 policies = ( { name = \"edit-$1\"; to = \"10.$1.0.0/16\"; via = \"eth2\"; } );"; }
in_force() { kernel | grep -q "edit-$1"; }
waits() { [ "$(cut -d' ' -f1 /run/ifsteer/*/trial 2>/dev/null)" = waiting ]; }

before=$(kernel)
ifsteer confirm 2>/tmp/said
is "confirm when nothing waits: exit status" $? 1
like "confirm when nothing waits: said" "$(cat /tmp/said)" 'nothing waits'

# ---- put back ----

edit 1
start=$SECONDS
said=$(ifsteer apply --confirm 2 </dev/null 2>&1)
is "not confirmed: exit status" $? 1
[ $((SECONDS - start)) -ge 2 ] && [ $((SECONDS - start)) -le 4 ]
ok $? "not confirmed: when the time is over"
like "not confirmed: what to do is said" "$said" 'in 2 seconds unless .*ifsteer confirm'
same "not confirmed: nothing stood before, nothing stands" "$(kernel)" "$before"
said=$(ifsteer hook networkmanager eth2 up 2>&1)
like "the edit counts as in error" "$said" 'not confirmed'
same "a hook does not apply it" "$(kernel)" "$before"

quiet "applied by hand it is accepted" ifsteer apply
in_force 1
ok $? "and in force"
is "a hook is content" "$(ifsteer hook networkmanager eth2 up 2>&1 | grep -v changes)" ""
first=$(kernel)

edit 2
ifsteer apply --confirm 2 </dev/null 2>/dev/null
is "another edit, not confirmed" $? 1
same "what stood before stands again" "$(kernel)" "$first"
ifsteer hook networkmanager eth2 up 2>/dev/null
same "after a hook, too" "$(kernel)" "$first"
rm -rf /run/ifsteer
ifsteer hook systemd 2>/dev/null
same "after a reboot, too" "$(kernel)" "$first"
edit 3
ifsteer hook networkmanager eth2 up 2>/dev/null
in_force 3
ok $? "once it changes it counts again"

# ---- kept ----

edit 4
ifsteer apply --confirm 60 </dev/null >/tmp/said 2>&1 &
run=$!
eventually 5 waits
ok $? "waits"
in_force 4
ok $? "in force while it waits"
ifsteer apply --confirm 60 2>/dev/null
is "one at a time" $? 5
edit 5
ifsteer hook networkmanager eth2 up 2>/dev/null
in_force 4
ok $? "hooks go by what is on trial"
like "status says so" "$(ifsteer status 2>&1)" 'on trial'
edit 4
quiet "confirm" ifsteer confirm
wait $run
is "confirmed: exit status" $? 0
in_force 4
ok $? "confirmed: in force"
is "confirmed: accepted" "$(grep -c edit-4 /var/lib/ifsteer/accepted)" 1
is "confirmed: a hook is content" "$(ifsteer hook networkmanager eth2 up 2>&1)" ""
ifsteer confirm 2>/dev/null
is "confirm again" $? 1

# Enter, on a terminal that is pressed late enough.
edit 5
status=$( (sleep 1; echo; sleep 1) | script -qec "ip netns exec h $IFSTEER apply --confirm 60; echo status \$?" /dev/null)
like "Enter on the terminal" "$status" '^status 0'
in_force 5
ok $? "Enter: in force"
edit 1
status=$( (sleep 1; printf '\003'; sleep 1) | script -qec "trap : INT; ip netns exec h $IFSTEER apply --confirm 60; echo status \$?" /dev/null)
like "Ctrl-C is a no" "$status" '^status 1'
in_force 5
ok $? "Ctrl-C: put back"

# ---- whoever dies ----

fifth=$(kernel)
edit 6
for signal in HUP KILL; do
	ifsteer apply --confirm 2 </dev/null >/dev/null 2>&1 &
	run=$!
	eventually 5 waits
	pid=$(pgrep -o -f 'apply --confirm 2')
	in_force 6
	ok $? "$signal: in force"
	kill -$signal "$pid"
	wait $run 2>/dev/null
	sleep 2.5
	same "$signal to the one who waits on the terminal: put back all the same" "$(kernel)" "$fifth"
done

at h setsid "$IFSTEER" apply --confirm 2 </dev/null >/dev/null 2>&1 &
run=$!
eventually 5 waits
pid=$(pgrep -o -f 'apply --confirm 2')
in_force 6
ok $? "the whole session: in force"
# shellcheck disable=SC2046
kill -KILL $(pgrep -s "$(ps -o sid= -p "$pid" | tr -d " ")")
wait $run 2>/dev/null
sleep 2.5
same "KILL to the whole session: put back all the same" "$(kernel)" "$fifth"

ifsteer apply --confirm 2 </dev/null >/dev/null 2>&1 &
run=$!
eventually 5 waits
kill -KILL "$(pgrep -n -f 'apply --confirm 2')"
wait $run
is "KILL to the process that outlives: exit status" $? 1
same "put back all the same" "$(kernel)" "$fifth"

ifsteer apply --confirm 2 </dev/null >/dev/null 2>&1 &
run=$!
eventually 5 waits
kill -KILL $(pgrep -f 'apply --confirm 2')
wait $run 2>/dev/null
sleep 2
in_force 6
ok $? "KILL to both: nobody is left"
ifsteer hook networkmanager eth2 up 2>/dev/null
same "the next run puts back" "$(kernel)" "$fifth"

ifsteer apply --confirm 60 </dev/null >/dev/null 2>&1 &
run=$!
eventually 5 waits
kill -TERM "$(pgrep -n -f 'apply --confirm 60')"
wait $run
is "TERM to the process that outlives: at once, exit status" $? 1
same "TERM: put back" "$(kernel)" "$fifth"

# A power cut in the middle: /run and the kernel have forgotten all, and nobody has confirmed.
ifsteer apply --confirm 60 </dev/null >/dev/null 2>&1 &
run=$!
eventually 5 waits
kill -KILL $(pgrep -f 'apply --confirm 60')
wait $run 2>/dev/null
ifsteer flush 2>/dev/null
rm -rf /run/ifsteer
ifsteer hook systemd 2>/dev/null
same "a power cut in the middle of the trial: the accepted policy" "$(kernel)" "$fifth"

# ---- -c, and what ends a trial ----

accepted=$(cat /var/lib/ifsteer/accepted)
mkdir /tmp/a /tmp/b
edit 7; mv /etc/ifsteer/ifsteer.conf /tmp/a/
edit 8; mv /etc/ifsteer/ifsteer.conf /tmp/b/
edit 5
quiet "-c" ifsteer -c /tmp/a apply
seventh=$(kernel)
ifsteer -c /tmp/b apply --confirm 1 </dev/null 2>/dev/null
is "-c, not confirmed" $? 1
same "-c: what stood before, from wherever it came" "$(kernel)" "$seventh"
ifsteer -c /tmp/b apply --confirm 60 </dev/null 2>/dev/null &
run=$!
eventually 5 waits
quiet "-c: confirm" ifsteer confirm
wait $run
is "-c: confirmed" $? 0
same "-c writes nothing accepted" "$(cat /var/lib/ifsteer/accepted)" "$accepted"

edit 9
ifsteer apply --confirm 60 </dev/null 2>/dev/null &
run=$!
eventually 5 waits
edit 5
quiet "apply by hand ends a trial" ifsteer apply
wait $run
in_force 5
ok $? "with what was applied"
edit 9
ifsteer apply --confirm 60 </dev/null 2>/dev/null &
run=$!
eventually 5 waits
quiet "flush ends a trial" ifsteer flush
wait $run
is "flush: exit status of the one that waits" $? 1
same "flush: nothing stands" "$(kernel)" "$before"

# A change that the policy's own check refuses is no trial at all.
policy <<<'x = 1;'
ifsteer apply --confirm 60 </dev/null 2>/dev/null
is "invalid: exit status" $? 3
waits
is "invalid: nothing waits" $? 1
done_testing
