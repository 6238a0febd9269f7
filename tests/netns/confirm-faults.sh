#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# apply --confirm cut short, held up, raced, and with nowhere to write: what stood before stands again, or the change is in force
# and waits; nothing in between.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trials.sh"
lab_enter
needs strace flock
lab_host

export ASAN_OPTIONS=detect_leaks=0	# it can't be traced
hook() { ifsteer hook networkmanager eth2 up >/dev/null 2>&1; }

# traced SECONDS OPTION…: a trial under strace, which follows no child.
traced() {
	at h strace -qq -o /tmp/trace "${@:2}" "$IFSTEER" apply --confirm "$1" </dev/null >/tmp/said 2>&1
}
# slow SECONDS: a trial whose nft transaction takes six seconds longer.
slow() { traced "$1" -e trace=sendmsg -e inject=sendmsg:delay_enter=6000000:when=1; }
settled() { ! waits && ! trial_is begun; }
stands() { [ "$(kernel)" = "$1" ]; }

edit 1
apply "apply"
first=$(kernel)

# ---- killed ----

# kill_at CALL N: at the Nth of these calls (strace counts each kind for itself). False: it came to its end before, and waited.
kill_at() {
	local pid
	: >/tmp/said
	traced 600 -e trace=all -e "inject=$1:signal=KILL:when=$2" &
	pid=$!
	eventually 30 eval "asks || ! kill -0 $pid"
	asks || return 0
	end_trial
	wait $pid
	return 1
} 2>/dev/null
# The last process of it is the one that outlives the others.
end_trial() { kill -TERM "$(pgrep -f 'apply --confirm 600' | tail -n 1)"; }
asks() { grep -q 'put back in' /tmp/said; }
has_forked() { grep -qE '^(clone3?|v?fork)\(.* = [0-9]' /tmp/trace; }

edit 2
traced 60 &
eventually 30 waits
ok $? "a trial, to see what it does"
# Each kind of call, and how many there are before anybody is there who puts back.
sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' /tmp/trace |
	awk '/^(clone3?|v?fork)$/ { forked = $1 } { n[$1] += !forked } END { for (c in n) print c, n[c] }' >/tmp/calls
quiet "confirmed" ifsteer confirm
wait $!
edit 1
apply "back"
edit 2
kill_at "$(grep -oE '^(clone3?|v?fork)' /tmp/calls)" 1
trial_is begun
ok $? "killed when nobody waited yet"
hook
put_back "the next run" "$first"
bad=
tried=0
while read -r -u 3 call n; do
	while kill_at "$call" $((n += ${EVERY-3})); do
		tried=$((tried + 1))
		has_forked || hook
		if waits; then
			in_force 2 || bad+=" $call $n: waits, and is not in force"
			end_trial
		fi
		eventually 30 settled || bad+=" $call $n: half done for ever"
		stands "$first" || bad+=" $call $n: what stood before does not stand"
	done
	put_back "killed at each $call" "$first"
done 3</tmp/calls
is "killed at each of $tried calls" "$bad" ""

traced 60 -e trace=sendmsg -e inject=sendmsg:error=EPERM:when=1
is "refused by the kernel: exit status" $? 4
same "what stood before stands" "$(kernel)" "$first"
waits
is "and nothing waits" $? 1

# ---- held up, and raced ----

# The time is there to look at what is in force: it does not run before that. Who comes meanwhile goes by what is on trial.
slow 5 &
eventually 30 trial_is begun
hook
eventually 30 waits
quiet "an apply that takes longer than the time to confirm it" ifsteer confirm
wait $!
in_force 2
ok $? "is in force"
edit 1
apply "back"
edit 2

ifsteer apply --confirm 60 </dev/null >/dev/null 2>&1 &
one=$!
ifsteer apply --confirm 60 </dev/null >/dev/null 2>&1 &
two=$!
wait -n -p late $one $two
is "two at once: one has to come later" $? 5
quiet "and one waits" ifsteer confirm
wait $((one + two - late))
is "for this" $? 0
edit 1
apply "back"
edit 2

try 2
exec {lock}<>"$(echo /run/ifsteer/*/lock)"
flock "$lock"
ifsteer confirm 2>/tmp/late {lock}>&- &
late=$!
eventually 30 over
exec {lock}>&-
wait $late
is "confirm when the time is over, nobody has noticed, and all wait for the lock" $? 1
like "said" "$(cat /tmp/late)" 'too late'
put_back "too late" "$first"
wait "$trial"

# Nobody reads what the one on the terminal says: there is room for its first words, and then it waits, but not with the lock.
mkfifo /tmp/unread
exec {unread}<>/tmp/unread
head -c $((65536 - 100)) /dev/zero >&"$unread"
for round in 1 2 3; do
	nsenter --net=/run/netns/h -- "$IFSTEER" apply --confirm 2 </dev/null 2>&"$unread" &
	trial=$!
	eventually 30 waits
	put_back "an unread terminal, $round" "$first"
	kill -KILL "$trial"
	wait "$trial" 2>/dev/null
	head -c 80 <&"$unread" >/dev/null
done
exec {unread}>&-

# ---- nowhere to write ----

mount -t tmpfs -o size=256k,mode=755 small /run/ifsteer
try 3
wait "$trial"
is "somebody has emptied /run: what was accepted is put back" $? 1
same "and not nothing" "$(kernel)" "$first"

fill() { dd if=/dev/zero of=/run/ifsteer/full bs=4k 2>/dev/null; }
fill
ifsteer apply --confirm 60 </dev/null 2>/dev/null
is "a full /run: no trial can begin" $? 6
same "it has not" "$(kernel)" "$first"
rm /run/ifsteer/full

slow 60 &
eventually 30 trial_is begun
fill
wait $!
is "full when it should wait: exit status" $? 6
same "put back at once" "$(kernel)" "$first"
hook
same "hooks leave it so" "$(kernel)" "$first"
rm /run/ifsteer/full
put_back "in the end" "$first"

try 60
fill
kill -TERM "$(outliver)"
eventually 30 stands "$first"
ok $? "full when it should end: put back"
hook
same "hooks leave it so" "$(kernel)" "$first"
rm /run/ifsteer/full
put_back "in the end" "$first"
wait "$trial"

try 3
chmod 666 /run/ifsteer/*/trial
eventually 30 over
in_force 2
ok $? "a record that can't be read"
chmod 600 /run/ifsteer/*/trial
put_back "when it can be" "$first"
wait "$trial"

try 60
rm -r /run/ifsteer/*
wait "$trial"
is "a record that somebody has removed: exit status" $? 6
like "said" "$(cat /tmp/said)" 'removed the record'
in_force 2
ok $? "in force, as it says"

edit 1
apply "back"
edit 2
try 3
kill -KILL "$(outliver)" "$trial"
wait "$trial" 2>/dev/null
echo x >"$(echo /run/ifsteer/*/before)"
eventually 30 over
hook
in_force 2
ok $? "what can't be put back stays"
edit 3
quiet "until somebody applies by hand" ifsteer apply
in_force 3
ok $? "which is in force"
done_testing
