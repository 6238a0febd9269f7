#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# apply --confirm: kept when it is confirmed, else put back, whoever dies meanwhile.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trials.sh"
lab_enter
lab_host

before=$(kernel)
ifsteer confirm 2>/tmp/said
is "confirm when nothing waits: exit status" $? 1
like "confirm when nothing waits: said" "$(cat /tmp/said)" 'nothing waits'

# ---- put back ----

edit 1
start=$SECONDS
said=$(ifsteer apply --confirm 2 </dev/null 2>&1)
is "not confirmed: exit status" $? 1
[ $((SECONDS - start)) -ge 1 ]
ok $? "not confirmed: not before the time is over"
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
try 60
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
wait "$trial" 2>/dev/null
is "confirmed: exit status" $? 0
in_force 4
ok $? "confirmed: in force"
is "confirmed: accepted" "$(grep -c edit-4 /var/lib/ifsteer/accepted)" 1
is "confirmed: a hook is content" "$(ifsteer hook networkmanager eth2 up 2>&1)" ""
ifsteer confirm 2>/dev/null
is "confirm again" $? 1

# on_terminal: a trial on a terminal, which is typed on with `types`; then all that stood there.
on_terminal() {
	: >/tmp/tty
	rm -f /tmp/go
	keys | script -qefc "trap : INT; echo ready; until [ -e /tmp/go ]; do sleep 0.05; done
		ip netns exec h $IFSTEER apply --confirm 60; echo status \$?" /tmp/tty >/dev/null
	cat /tmp/tty
}
shows() { eventually 30 grep -q "$1" /tmp/tty; }	# TEXT
asked() { touch /tmp/go; shows 'put back in'; }
edit 5
keys() { asked; echo; shows ^status; }
like "Enter on the terminal" "$(on_terminal)" '^status 0'
in_force 5
ok $? "Enter: in force"
edit 1
keys() { asked; printf '\003'; shows ^status; }
like "Ctrl-C is a no" "$(on_terminal)" '^status 1'
in_force 5
ok $? "Ctrl-C: put back"
keys() { shows ready; echo early; shows early; asked; printf 'no\n'; shows 'Enter alone'; printf '\003'; shows ^status; }
said=$(on_terminal)
like "what was typed too early is no answer, and \"no\" is none either" "$said" '^status 1'
in_force 5
ok $? "neither: put back"

# ---- whoever dies ----

fifth=$(kernel)
edit 6
for signal in HUP KILL; do
	try 2
	in_force 6
	ok $? "$signal: in force"
	kill -$signal "$trial"
	put_back "$signal to the one who waits on the terminal" "$fifth"
	wait "$trial" 2>/dev/null
done

# The terminal's other end is gone, as a terminal's window is or sshd.
script -qefc "ip netns exec h $IFSTEER apply --confirm 2" /dev/null </dev/zero >/dev/null &
script=$!
eventually 30 waits
in_force 6
ok $? "a terminal: in force"
kill -KILL "$script"
put_back "the terminal is closed" "$fifth"
wait "$script" 2>/dev/null

try 2
in_force 6
ok $? "the whole session: in force"
kill -KILL "$trial"
put_back "KILL to the whole session of the terminal" "$fifth"
wait "$trial" 2>/dev/null

try 2
kill -KILL "$(outliver)"
wait "$trial" 2>/dev/null
is "KILL to the process that outlives: exit status" $? 1
put_back "KILL to the process that outlives" "$fifth"

try 2
kill -KILL "$(outliver)" "$trial"
wait "$trial" 2>/dev/null
eventually 30 over
in_force 6
ok $? "KILL to both: nobody is left"
ifsteer hook networkmanager eth2 up 2>/dev/null
put_back "the next run" "$fifth"

try 60
kill -TERM "$(outliver)"
wait "$trial" 2>/dev/null
is "TERM to the process that outlives: at once, exit status" $? 1
put_back "TERM" "$fifth"

# A power cut in the middle: /run and the kernel have forgotten all, and nobody has confirmed.
edit 6
try 60
kill -KILL "$(outliver)" "$trial"
wait "$trial" 2>/dev/null
ifsteer flush 2>/dev/null
rm -rf /run/ifsteer
ifsteer hook systemd 2>/dev/null
same "a power cut in the middle of the trial: the accepted policy" "$(kernel)" "$fifth"

# A gateway that isn't there: whoever types, from behind the router, gets no answer any more.
coproc TYPIST { at gw "$PROBE" tcp -k -b 198.51.100.10 -t 60000 10.200.0.2 $PORT; }
read -r -t 30 -u "${TYPIST[0]}"
like "a person is connected" "$REPLY" 'name=h'
policy <<<'interfaces = ( { name = "eth0"; gateway = "10.200.0.77"; } );'
AT=gw
try 3
echo again >&"${TYPIST[1]}"
expect "the change cuts her off" "error=*" tcp -b 198.51.100.10 -t 500 10.200.0.2
put_back "cut off" "$fifth"
read -r -t 60 -u "${TYPIST[0]}"
is "and the same connection goes on" "$REPLY" again
expect "so do new ones" "*name=h*" tcp -b 198.51.100.10 10.200.0.2
wait "$trial" 2>/dev/null
AT=h
eval "exec ${TYPIST[1]}>&-"

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
try 60 -c /tmp/b
quiet "-c: confirm" ifsteer confirm
wait "$trial" 2>/dev/null
is "-c: confirmed" $? 0
same "-c writes nothing accepted" "$(cat /var/lib/ifsteer/accepted)" "$accepted"

edit 9
try 60
quiet "apply by hand is a yes" ifsteer apply
wait "$trial" 2>/dev/null
is "that: exit status" $? 0
edit 8
try 60
edit 5
quiet "apply of another edit ends a trial" ifsteer apply
wait "$trial" 2>/dev/null
is "that: exit status" $? 1
like "that: said" "$(cat /tmp/said)" 'applied another policy'
in_force 5
ok $? "with what was applied"
edit 9
try 60
quiet "flush ends a trial" ifsteer flush
wait "$trial" 2>/dev/null
is "flush: exit status of the one that waits" $? 1
same "flush: nothing stands" "$(kernel)" "$before"

# A change that the policy's own check refuses is no trial at all.
policy <<<'x = 1;'
ifsteer apply --confirm 60 </dev/null 2>/dev/null
is "invalid: exit status" $? 3
waits
is "invalid: nothing waits" $? 1
done_testing
