#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SIGKILL at every system call of apply, flush and a hook in turn, and errors in each of their messages: what stood before or what
# was to come is in force, nothing passes a kill switch, the next run mends whatever is left, and foreign state is untouched.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flood.sh"
. "$(dirname "$0")/change.sh"
lab_enter
needs strace
lab_host

nobody=$(id -u nobody)
export ASAN_OPTIONS=detect_leaks=0	# it can't be traced
flood_watch
at h nft add table inet somebody
at h nft 'add chain inet somebody input { type filter hook input priority 0; }'
ip -n h rule add fwmark 0x80000/0xff0000 lookup 52 priority 5210
ip -n h route add 192.0.2.128/25 via 10.200.0.1 table 52
foreign=$(host_state | sed 's/rp_filter:[0-9]*//')

# kill_at CALL N ifsteer's words…: at the Nth of these calls (strace counts each kind for itself); false once it ran to its end.
kill_at() {
	local call=$1 when=$2
	shift 2
	at h strace -f -qq -o /tmp/trace -e trace=all -e "inject=$call:signal=KILL:when=$when" "$IFSTEER" "$@" >/dev/null 2>&1
	[ $? = 137 ]
}
# Which kinds of call the last run made.
calls() { sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' /tmp/trace | sort -u; }

# One packet of the kill switch's user, and one to on-premises: "" when both went right.
both_right() {
	local vpn on
	at h "$PROBE" flood -u "$nobody" -t 4 -r 500 198.51.100.77 9 >/dev/null 2>&1
	on=$(at h "$PROBE" udp -t 500 10.0.1.9 $PORT 2>&1)
	[[ $on == *"name=op seen=172.31.70.5" ]] || echo " on-premises: $on"
	vpn=$(counted astray)
	[ "$vpn" = 0 ] || echo " astray: $vpn"
}

# every_call NAME BEFORE AFTER ifsteer's words…: kills it at each call; BEFORE and AFTER are functions. Of a kind that is called often
# each of the first, and then a sample; EVERY=1 tries all of them.
every_call() {
	local name=$1 before=$2 after=$3 call when tried=0 bad=
	shift 3
	$before
	ifsteer apply >/dev/null 2>&1
	$after
	kill_at execve 2 "$@"
	for call in $(calls); do
		when=1
		while
			$before
			ifsteer apply >/dev/null 2>&1
			$after
			kill_at "$call" $when "$@"
		do
			[ -z "${KEEPS-1}" ] || bad+=$(both_right | sed "s/^/ $call $when:/")
			ifsteer apply >/dev/null 2>&1 || bad+=" $call $when: apply $?"
			ifsteer diff >/dev/null 2>&1 || bad+=" $call $when: diff $?"
			tried=$((tried + 1))
			when=$((when + ${EVERY-1 + when / 2}))
		done
	done
	is "$name: killed at each of $tried calls" "$bad" ""
	[ $tried -gt 50 ]
	ok $? "$name: there were calls to be killed at"
}

old
apply "apply"
every_call "apply, a new policy" old new apply
every_call "apply, nothing to do" old old apply
# What went down is out of use until the hook was there: it can go nowhere, and not astray.
KEEPS=''
down() { ip -n h link set eth2 down; up eth2; }
every_call "a hook" old down hook networkmanager eth2 up
every_call "flush" old true flush
is "nothing went astray" "$(counted astray)" 0

# Messages that are not sent, not answered, or answered with an error.
old
apply "apply"
for call in sendto sendmsg recvmsg; do
	for error in ENOBUFS EINTR EPERM ENOMEM; do
		bad=
		for ((when = 1; when <= 60; when++)); do
			old
			ifsteer apply >/dev/null 2>&1
			new
			said=$(at h strace -f -qq -o /tmp/trace -e trace=$call -e "inject=$call:error=$error:when=$when" "$IFSTEER" apply 2>&1)
			status=$?
			grep -q INJECTED /tmp/trace || break
			[[ $status == [0456] ]] || bad+=" $when: exit $status"
			[ $status = 0 ] || [ -n "$said" ] || bad+=" $when: exit $status without a word"
			bad+=$(both_right | sed "s/^/ $when:/")
			ifsteer apply >/dev/null 2>&1 || bad+=" $when: then apply $?"
			ifsteer diff >/dev/null 2>&1 || bad+=" $when: then diff $?"
		done
		is "$error from each of $((when - 1)) $call" "$bad" ""
	done
done
quiet "flush" ifsteer flush
same "somebody else's state is as it was" "$(host_state | sed 's/rp_filter:[0-9]*//')" "$foreign"
done_testing
