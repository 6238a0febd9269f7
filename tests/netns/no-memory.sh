#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Memory that fails, at each request in turn of our own code and of the libraries: nothing passes a kill switch, what was not accepted is
# not applied, whoever fails says so, and the next run mends whatever is left. Of 15,000 requests a sample; EVERY=1 tries all of them,
# which takes some minutes.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flood.sh"
. "$(dirname "$0")/change.sh"
lab_enter
needs "${CC:=cc}"
lab_host

shim no-memory || done_testing

# ---- the host ----

flood_watch
old_in_force() { old; ifsteer apply >/dev/null 2>&1; }
kernel() {
	at h sh -c 'for f in -4 -6; do ip $f rule; ip $f route show table all proto 77; done; nft -s list table inet ifsteer' 2>&1
}

# ---- requests that fail ----

# failing WHOM WHEN ifsteer's words…: false once there is no such request. $status, $said
failing() {
	local whom=$1 when=$2
	shift 2
	rm -f /run/failed
	said=$(NO_MEMORY_FOR=$whom NO_MEMORY_AT=$when NO_MEMORY_NOTE=/run/failed \
		at h env LD_PRELOAD=$shim "$IFSTEER" "$@" 2>&1 >/dev/null)
	status=$?
	[ -e /run/failed ]
}

# each_request NAME BEFORE AFTER STATUS ifsteer's words…: BEFORE is done before, and AFTER says what is wrong behind it. STATUS, a pattern,
# includes that of success: not all memory is missed. Every STEPth request.
each_request() {
	local name=$1 before=$2 after=$3 want=$4 when=1 tried=0 bad= step=${EVERY-${STEP-1}}
	shift 4
	while $before; failing "${WHOM-ifsteer}" $when "$@"; do
		# shellcheck disable=SC2053
		[[ $status == $want ]] || bad+=" $when: exit $status"
		[[ $status == [01] || -n $said || -n ${CRASHES-} ]] || bad+=" $when: exit $status without a word"
		bad+=$($after | sed "s/^/ $when: /")
		tried=$((tried + 1))
		when=$((when + step))
	done
	is "$name: $tried requests that fail" "$bad" ""
	[ $tried -gt 0 ]
	ok $? "$name: there were requests that could fail"
}
mends() {
	ifsteer apply >/dev/null 2>&1 || echo "then apply $?"
	ifsteer diff >/dev/null 2>&1 || echo "then diff $?"
}

# ---- who only looks ----

old
apply "apply"
want=$(kernel)
ifsteer facts >/run/facts
each_request "check" true true '[06]' check
STEP=29 each_request "check of a captured host" true true '[06]' --facts /run/facts check
STEP=11 each_request "status" true true '[06]' status
STEP=17 each_request "status --json" true true '[06]' status --json
STEP=11 each_request "explain" true true '[06]' explain --user nobody 198.51.100.10
STEP=7 each_request "facts" true true '[06]' facts
same "nothing of it changed anything" "$(kernel)" "$want"
new
STEP=37 each_request "diff" true true '[16]' diff
STEP=37 each_request "doctor" true true '[016]' doctor
old
same "nor did that" "$(kernel)" "$want"

# ---- a kill switch ----

nsenter --net=/run/netns/h -- "$PROBE" flood -u "$(id -u nobody)" -t 3600000 -r 300 198.51.100.77 9 >/dev/null 2>&1 &
flood=$!
new_waits() { old_in_force; new; }
STEP=5 each_request "apply" new_waits mends '[046]' apply
STEP=13 each_request "apply, nothing to do" old mends '[06]' apply
STEP=13 each_request "a hook" new_waits mends 0 hook networkmanager eth2 dhcp4-change

# An edit that nobody has accepted is not what runs without memory go by: one that was not confirmed, and for a watch any. Its SIGTERM
# waits for it, so that it ends when it has begun.
accepted() { at h nft list table inet ifsteer 2>&1 | grep -c '"first ' | grep -v '^0$' | sed 's/.*/an edit is in force/'; }
old_in_force
new
ifsteer apply --confirm 1 </dev/null >/dev/null 2>&1
is "an edit is reverted" $? 1
STEP=23 each_request "a hook, with an edit that was not confirmed" true accepted 0 hook networkmanager eth2 up
rm -f /var/lib/ifsteer/unconfirmed
export NO_MEMORY_TERM=1
STEP=29 each_request "watch, with an edit" true accepted '[06]' watch
ip -n h rule flush protocol 77
STEP=29 each_request "watch that repairs" true true '[06]' watch
unset NO_MEMORY_TERM
mends >/dev/null
# The last word on a trial: nobody takes one that can't be read for one that is confirmed.
each_request "confirm" true true '[16]' confirm

# Libraries may give up or crash (libconfig 1.5 and the C library's name service take no memory for some; libnftables ends the process):
# that is theirs, but it is no excuse.
CRASHES=1
WHOM=libnftables STEP=101 each_request "libnftables" new_waits mends '@(0|4|6|13[49])' apply
# libnftnl may lose a rule's comment without a word: then what was written is not what we know of it.
mends_unknown() { rm -f /run/ifsteer/*/nft; mends; }
WHOM=libnftnl STEP=23 each_request "libnftnl" new_waits mends_unknown '@(0|4|6|13[49])' apply
WHOM=libmnl each_request "libmnl" new_waits mends '@(0|4|6|13[49])' apply
WHOM=libconfig STEP=7 each_request "libconfig" new_waits mends '@(0|4|6|13[49])' apply
WHOM=libc.so STEP=11 each_request "the C library" new_waits mends '@(0|3|4|6|13[49])' apply
WHOM=libnftables STEP=201 each_request "libnftables in a hook" new_waits mends '@(0|13[49])' hook networkmanager eth2 up
unset CRASHES

kill -INT $flood
wait $flood
[ "$(counted right)" -gt 100 ]
ok $? "there was a flood all the time"
is "nothing passed the kill switch" "$(counted astray)" 0

flushed() {
	ifsteer flush >/dev/null 2>&1 || echo "then flush $?"
	kernel | grep -E 'proto (77|ifsteer)' | sed 's/^/left: /'
}
STEP=3 each_request "flush" old_in_force flushed '[046]' flush
done_testing
