#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Races: hooks against hooks, against apply, against an administrator's nft and ip, interfaces that
# vanish in the middle, and every order of the events of one `up` and `down`. The end is that of one
# quiet run, nobody waits longer than he may, and no event is lost.

. "$(dirname "$0")/lib.sh"
lab_enter
needs strace jq
lab_host
lab_netns line

BOUND_MS=60000	# a hook's patience with the lock, and its own run

plug_eth5() {
	ip link add eth5 netns h type veth peer name to_h netns line
	ip -n line link set to_h up
	ip -n h -batch - <<-END
		link set eth5 up
		addr add 10.55.0.2/24 dev eth5
		addr add fd00:55::2/64 dev eth5 nodad
	END
}
plug_eth5

policy <<-'END'
	interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; }, { name = "eth5"; } );
	policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; },
		{ name = "five"; to = "203.0.113.0/24"; via = [ "eth5", "eth0" ]; },
		{ name = "kill"; user = "nobody"; via = "eth2"; otherwise = "unreachable"; } );
END

# kernel: what ifsteer keeps there. Where a chain stands in the table depends on what was there
# before.
kernel() {
	at h sh -c 'for f in -4 -6; do ip $f rule | grep proto; ip $f route show table all proto 77; done
		nft -s list table inet ifsteer' 2>/dev/null | sort
}
foreign() { host_state | grep -v 'proto 77\|proto ifsteer\|rp_filter\|src_valid_mark\|fe80' | sed '/^table inet ifsteer/,/^}/d'; }
nm() { at h "$IFSTEER" hook networkmanager "$@"; }
# five ACTION: with the gateway that nothing but the event knows.
five() { IP4_GATEWAY=${gateway-10.55.0.1} IP6_GATEWAY=fd00:55::1 nm eth5 "$1"; }
# ifupdown MODE IF FAMILY METHOD
ifupdown() { MODE=$1 PHASE=post-up IFACE=$2 ADDRFAM=$3 METHOD=$4 at h "$IFSTEER" hook ifupdown; }

# together COMMAND…: in the background; what it said, its status, unless 0, and how long it took go
# to files.
jobs=()
together() {
	# Under valgrind a run takes a second: of two hundred most would lose patience with the lock.
	while [ -n "${VALGRIND_DIR-}" ] && [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n; done
	{
		local start=${EPOCHREALTIME/./} status
		"$@" >>/tmp/said 2>&1
		status=$?
		echo $(((${EPOCHREALTIME/./} - start) / 1000)) >>/tmp/took
		[ $status = 0 ] || echo "$*: exit $status" >>/tmp/failed
	} &
	jobs+=($!)
}
all_ended() {	# NAME
	wait "${jobs[@]}"
	jobs=()
	note "$1: $(wc -l </tmp/took) at once, the longest took $(sort -n /tmp/took | tail -n 1) ms"
	is "$1: each ended well" "$(cat /tmp/failed 2>/dev/null)" ""
	[ "$(sort -n /tmp/took | tail -n 1)" -lt $BOUND_MS ]
	ok $? "$1: within the bound"
	rm -f /tmp/took /tmp/failed
}
right() { answered "$1: it works" op 172.31.70.5 10.0.1.9; }

five up 2>/dev/null
quiet "quiet: in sync" ifsteer diff
everything_up=$(kernel)
like "the event's gateway is in use" "$everything_up" 'default via 10\.55\.0\.1'
five down 2>/dev/null
five_down=$(kernel)
[ "$five_down" != "$everything_up" ]
ok $? "down makes a difference"

# ---- two hundred hooks for several interfaces ----

for i in {1..50}; do
	together five up
	together nm eth2 dhcp4-change
	together nm eth0 up
	together ifupdown start eth2 inet static
done
all_ended "two hundred hooks"
same "two hundred hooks end as one" "$(kernel)" "$everything_up"
unlike "without an error" "$(cat /tmp/said)" 'error|warning'
quiet "in sync" ifsteer diff
: >/tmp/said

for i in {1..20}; do
	together five down
	together nm eth0 up
	together ifsteer apply
	together nm eth2 dhcp6-change
done
all_ended "hooks and applies"
same "hooks and applies end as one" "$(kernel)" "$five_down"
unlike "without an error" "$(cat /tmp/said)" 'error|warning'

# ---- no event is lost ----

at h flock /run/ifsteer/*/lock sleep 1 &
holder=$!
sleep 0.2
gateway=10.55.0.9 together five up
together nm eth2 down
together nm eth0 dhcp4-change
all_ended "events that wait for the lock"
wait $holder
text=$(ifsteer status --json | tr -d ' \n')
like "an event that waited: down" "$text" '"name":"eth2",[^{]*"usable":false'
like "an event that waited: up, and its gateway" "$text" '"name":"eth5",[^{]*"usable":true.*"gateway":"10\.55\.0\.9"'
quiet "in sync" ifsteer diff
nm eth2 up 2>/dev/null
five up 2>/dev/null
same "as before" "$(kernel)" "$everything_up"

# ---- an administrator ----

at h nft add table inet somebody
at h nft 'add chain inet somebody input { type filter hook input priority 0; }'
ip -n h rule add fwmark 0x80000/0xff0000 lookup 52 priority 5210
ip -n h route add 192.0.2.128/25 via 10.200.0.1 table 52
before=$(foreign)
# What is his own comes and goes; the last word is that it's as it was.
administrator() {
	local i
	for i in {1..40}; do
		at h nft "add table inet mine$1; add chain inet mine$1 c { type filter hook output priority 10; }" || return
		ip -n h rule add to "192.0.2.$i" lookup 52 priority $((5000 + $1)) || return
		ip -n h route add "192.0.2.$i/32" via 10.200.0.1 table $((5000 + $1)) || return
		ip -n h route del "192.0.2.$i/32" table $((5000 + $1)) || return
		ip -n h rule del priority $((5000 + $1)) || return
		at h nft delete table inet "mine$1" || return
	done
}
together administrator 1
together administrator 2
for i in {1..15}; do
	together five up
	together ifsteer apply
	together nm eth2 up
	sleep 0.1
done
all_ended "while an administrator works"
same "while an administrator works: as if he had not" "$(kernel)" "$everything_up"
same "and nothing of his was touched" "$(foreign)" "$before"

# What is ours is removed by mistake, all the time; a run that meets it may be refused, or repair
# what is then removed again.
mistakes() {
	local i
	for i in {1..15}; do
		at h nft delete table inet ifsteer
		ip -n h rule flush protocol 77
		ip -n h route flush table 21002
		ip -n h -6 route flush table 21003
		at h nft flush ruleset
		at h nft -f /tmp/somebody
	done 2>/dev/null
	true
}
at h nft list table inet somebody >/tmp/somebody
together mistakes
for i in {1..15}; do
	together five up
	together nm eth2 dhcp4-change
	sleep 0.1
done
all_ended "while somebody removes what is ours"
quiet "then apply" ifsteer apply
same "then all is as it was" "$(kernel)" "$everything_up"
same "and nothing of somebody else's was touched" "$(foreign)" "$before"
right "after all that"

# ---- interfaces that vanish in the middle ----

vanish() {
	local i
	for i in {1..15}; do
		ip -n h link del eth5
		plug_eth5
	done
}
together vanish
for i in {1..30}; do
	together ifsteer apply
	together five up
	together nm eth2 up
	sleep 0.1
done
all_ended "while an interface vanishes and returns"
five up 2>/dev/null
quiet "in sync" ifsteer diff
same "then all is as it was" "$(kernel)" "$everything_up"
right "after all that"

# ---- every order of the events of one up and down ----

# What a manager says to the end of an event's name; the last that is about eth5 counts.
say_event() {
	case $1 in
	start) ifupdown start eth5 inet dhcp ;;
	start6) ifupdown start eth5 inet6 auto ;;
	stop) ifupdown stop eth5 inet dhcp ;;
	echo) ifupdown start eth5 inet NetworkManager ;;
	connectivity-change) at h "$IFSTEER" hook networkmanager "" connectivity-change ;;
	*) five "$1" ;;
	esac 2>>/tmp/said
}
orders() {	# DONE EVENT…: each order of the events behind what is there already
	local done=$1 i
	shift
	[ $# -gt 0 ] || { echo "$done"; return; }
	for ((i = 1; i <= $#; i++)); do
		orders "$done ${!i}" "${@:1:i-1}" "${@:i+1}"
	done
}
every_order() {	# NAME EVENT…
	local name=$1 order event count=0 bad= want
	shift
	while read -ra order; do
		five up 2>/dev/null
		want=$everything_up
		for event in "${order[@]}"; do
			say_event "$event"
			case $event in
			echo | connectivity-change) ;;
			down | pre-down | stop) want=$five_down ;;
			*) want=$everything_up ;;
			esac
		done
		[ "$(kernel)" = "$want" ] || bad+=" [${order[*]}]"
		count=$((count + 1))
	done < <(orders "" "$@")
	is "$name: $count orders end as the last event says" "$bad" ""
}
: >/tmp/said
every_order "NetworkManager" up dhcp4-change dhcp6-change down
every_order "NetworkManager and its echo" pre-down down echo connectivity-change
every_order "ifupdown, each family" start start6 stop
unlike "without an error" "$(cat /tmp/said)" 'error|warning'
five up 2>/dev/null
same "as before" "$(kernel)" "$everything_up"

# And all of them at once, ten times: whatever the order was, the next event finds nothing stuck.
for i in {1..10}; do
	for event in up dhcp4-change dhcp6-change pre-down down start start6 stop echo connectivity-change; do
		together say_event $event
	done
done
all_ended "events at once"
quiet "in sync" ifsteer diff
five up 2>/dev/null
same "the next event ends as a quiet one" "$(kernel)" "$everything_up"
# ---- the host changes between the look and the deed ----

# Traced twice: to count the calls ahead of the first that writes (0x13 is RTM_SETLINK), and to stop there.
export ASAN_OPTIONS=detect_leaks=0	# it can't be traced
quiet "flush" ifsteer flush
quiet "apply" at h strace -qq -e trace=sendto -o /tmp/trace "$IFSTEER" apply
write=$(grep '^sendto' /tmp/trace | grep -nE 'type=(RTM_NEW|RTM_SET|0x13 )' | head -n 1 | cut -d: -f1)
[ "${write:-0}" -gt 1 ]
ok $? "there is a call ahead of the first that writes"
quiet "flush" ifsteer flush
rm -f /tmp/trace
at h strace -qq -o /tmp/trace -e trace=sendto -e "inject=sendto:signal=STOP:when=$((write - 1))" \
	sh -c 'echo $$ >/tmp/stopped; exec "$0" apply' "$IFSTEER" 2>/tmp/said &
# stopped N: for the Nth time. To be traced looks the same in /proc.
stopped() { [ "$(grep -c '^--- stopped by' /tmp/trace)" = "$1" ]; }
eventually 30 stopped 1
ok $? "stopped"
ip -n h address del 10.55.0.2/24 dev eth5
ip -n h address add 10.55.0.3/24 dev eth5
kill -CONT "$(cat /tmp/stopped)"
wait $!
is "an address is another one meanwhile: done" "$?" 0
is "not a word" "$(cat /tmp/said)" ""
unlike "and nothing is unusable for it" "$(ifsteer status)" 'refused'
like "the new address serves" "$(at h ip route show table all proto 77 dev eth5)" 'src 10\.55\.0\.3'
quiet "flush" ifsteer flush
ip -n h address del 10.55.0.3/24 dev eth5
ip -n h address add 10.55.0.2/24 dev eth5
quiet "apply" ifsteer apply

# ---- more are on their way ----

# A hook stands still while it carries out its event; another comes, and one more while the first waits for such: it carries out
# both at once. Traced twice, as above: an event's note is moved when it is taken up, and removed later.
traced() {	# strace's options…
	rm -f /tmp/trace
	at h strace -qq -o /tmp/trace -e trace=sendto,renameat,unlinkat,clock_nanosleep "$@" \
		sh -c 'echo $$ >/tmp/stopped; exec "$0" hook networkmanager eth0 up' "$IFSTEER"
}
waiting() { [ "$(at h sh -c 'ls /run/ifsteer/*/inbox' | wc -l)" = "$1" ]; }
quiet "a hook" traced
looks=$(awk '/^unlinkat.*"[0-9.]+-[0-9]+"/ { its = 1 } /^sendto/ { n++; if (its) { print n; exit } }' /tmp/trace)
traced -e "inject=sendto:signal=STOP:when=${looks:-1}" -e inject=clock_nanosleep:signal=STOP:when=1 2>/tmp/said &
first=$!
eventually 30 stopped 1
ok $? "a hook carries out its event"
together five down
eventually 30 waiting 1
ok $? "another comes"
kill -CONT "$(cat /tmp/stopped)"
eventually 30 stopped 2
ok $? "the first waits whether more do"
together nm eth2 up
eventually 30 waiting 2
ok $? "one does"
kill -CONT "$(cat /tmp/stopped)"
wait $first
is "it ends well" $? 0
all_ended "the two"
is "events are taken up, carried out, awaited, and both carried out together" \
	"$(sed -nE 's/^(renameat|unlinkat)\(.*"[0-9.]+-[0-9]+".*/\1/p; s/^(clock_nanosleep).*/\1/p' /tmp/trace | uniq | paste -sd ' ')" \
	"renameat unlinkat clock_nanosleep renameat unlinkat"
is "and are in force" "$(ifsteer status --json | jq -c '[.in_sync, .interfaces[].usable]')" '[true,true,true,false]'
quiet "flush" ifsteer flush
same "nothing of somebody else's was touched" "$(foreign)" "$before"
done_testing
