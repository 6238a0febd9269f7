#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer watch: what anybody removes or changes comes back, what nobody announces is followed, what
# concerns nobody costs nothing, and who keeps removing is not fought. Times are told, and bound only
# by seconds: the machine is shared.

. "$(dirname "$0")/lib.sh"
lab_enter
needs strace
lab_host

# ---- the program under test ----

# watch [OPTION]…: starts it, with its messages in /run/said.
watch() {
	nsenter --net=/run/netns/h -- "$IFSTEER" "$@" watch 2>>/run/said &
	watch_pid=$!
	eventually 30 eval '[[ $(cat "/proc/$watch_pid/wchan") == *poll* ]]'
}

# Nothing is left to do, and no look is due.
is_asleep() { waits && sleep 0.05 && waits; }
waits() { ifsteer diff && [[ $(cat "/proc/$watch_pid/wchan") == *poll* ]]; }
rest() { eventually 30 is_asleep; }

# again NAME: applied by hand, and that is what is watched.
again() {
	apply "$1"
	rest
	want=$(kernel)
}

# Nothing of ours stands.
is_gone() { [ -z "$(at h sh -c 'nft list tables; ip rule; ip -6 rule' | grep -E 'ifsteer|proto 77')" ]; }

watch_ends() {
	kill "-${1-TERM}" "$watch_pid"
	wait "$watch_pid"
}

# cpu: processor time used so far, in ms.
cpu() {
	local fields
	read -r -a fields <"/proc/$watch_pid/stat"
	echo $(((fields[13] + fields[14]) * 1000 / $(getconf CLK_TCK)))
}

# What ifsteer keeps in the kernel; the order of chains tells only which came first.
kernel() {
	at h sh -c 'for f in -4 -6; do ip $f rule; ip $f route show table all proto 77; done
		nft -s list table inet ifsteer
		grep -H . /proc/sys/net/ipv4/conf/*/rp_filter' 2>&1 | sort
}

times=()
# repaired NAME COMMAND…: what COMMAND does in h is undone, and how long that takes.
repaired() {
	local name=$1 start
	shift
	at h "$@" >/run/output 2>&1 || note "$* says: $(cat /run/output)"
	start=${EPOCHREALTIME/./}
	until ifsteer diff >/dev/null 2>&1; do
		[ $((${EPOCHREALTIME/./} - start)) -lt 30000000 ] || break
	done
	times+=($(((${EPOCHREALTIME/./} - start) / 1000)))
	[ "${times[-1]}" -lt 500 ] || note "$name: ${times[-1]} ms"
	same "$name: repaired" "$(kernel)" "$want"
}

# ---- at its start ----

policy <<<"$S4"
watch
quiet "at its start it applies the files where nothing was accepted yet" ifsteer diff
is "which are accepted then" "$(grep -c on-premises /var/lib/ifsteer/accepted)" 1
want=$(kernel)
like "it stands in the kernel" "$want" 'from all fwmark 0x2000000/0xff000000 lookup 21002'
rest
strace -f -qq -p $watch_pid -o /run/trace &
tracer=$!
sleep 1
kill $tracer
wait $tracer 2>/dev/null
is "while nothing happens it sleeps" "$(grep -v 'poll\|detached' /run/trace)" ""

# ---- removed, from each of the three layers ----

repaired "nft flush ruleset" nft flush ruleset
repaired "nft delete table" nft delete table inet ifsteer
repaired "nft flush table" nft flush table inet ifsteer
repaired "nft put to sleep" nft 'add table inet ifsteer { flags dormant; }'
for chain in $(at h nft list table inet ifsteer | sed -n 's/^\tchain \([a-z0-9_]*\) {/\1/p'); do
	repaired "nft flush chain $chain" nft flush chain inet ifsteer "$chain"
done
listing=$(at h nft -a list table inet ifsteer)
handle=$(grep -o 'on-premises.*handle [0-9]*' <<<"$listing" | head -n 1 | grep -o '[0-9]*$')
chain=$(sed "/handle $handle\$/q" <<<"$listing" |
	sed -n 's/^\tchain \([a-z0-9_]*\) {.*/\1/p' | tail -n 1)
repaired "nft delete rule of chain $chain" nft delete rule inet ifsteer "$chain" handle "$handle"
repaired "a rule of somebody's in our chain" nft insert rule inet ifsteer "$chain" accept
repaired "nft delete element" sh -c '
	nft delete element inet ifsteer addresses_ipv4 "{ 172.31.70.5 }"'
like "that one was there" "$(cat /run/output)" '^$'
for f in -4 -6; do
	for priority in $(at h ip $f rule | sed -n 's/^\(21[0-9]*\):.*proto 77$/\1/p'); do
		repaired "ip $f rule del priority $priority" ip $f rule del priority "$priority" protocol 77
	done
	repaired "ip $f rule flush protocol 77" ip $f rule flush protocol 77
	repaired "ip $f route flush table 21002" ip $f route flush table 21002
	repaired "ip $f route del default table 21002" ip $f route del default table 21002
	[ $f = -4 ] && net=203.0.113.0/24 || net=2001:db8:3::/64
	repaired "a route too many" ip $f route add unreachable $net table 21002 proto 77
done
repaired "a gateway changed" ip route change default via 172.31.64.9 dev eth2 table 21002 proto 77
repaired "rp_filter" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth2/rp_filter'
repaired "all three at once" sh -c '
	nft flush ruleset
	for f in -4 -6; do ip $f rule flush protocol 77; ip $f route flush table all proto 77; done'
answered "after all that" op 172.31.70.5 10.0.1.9
at h sh -c 'ip rule flush; ip rule add prio 32766 lookup main; ip rule add prio 32767 lookup default'
eventually 8 ifsteer diff
same "ip rule flush" "$(kernel)" "$want"
mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
note "${#times[@]} repairs, until diff said in sync: median ${times[${#times[@]} / 2]} ms, longest ${times[-1]} ms"
like "it says what it repaired" "$(cat /run/said)" 'repaired, .*: \+ ip rule add '
unlike "and nothing went wrong" "$(cat /run/said)" 'error|warning'

# ---- its own writes do not wake it again ----

rest
strace -f -qq -e trace=poll,ppoll,restart_syscall -p $watch_pid -o /run/trace &
tracer=$!
sleep 0.5
at h ip rule del priority 21261 protocol 77
eventually 30 ifsteer diff
sleep 1
kill $tracer
wait $tracer 2>/dev/null
is "a repair wakes it once" "$(grep -c ') = [1-9]' /run/trace)" 1

# ---- what concerns nobody ----

rest
before=$(cpu)
# hundred_thousand FORMAT: a line for each of as many addresses.
hundred_thousand() {
	awk -v format="$1\n" 'BEGIN {
		for (i = 0; i < 100000; i++)
			printf format, "11." int(i / 65536) "." int(i / 256) % 256 "." i % 256
	}'
}
hundred_thousand "route add %s/32 dev eth2 table 5555" >/run/routes
quiet "100,000 routes added" ip -n h -batch /run/routes
sed -i s/add/del/ /run/routes
quiet "and removed" ip -n h -batch /run/routes
after=$(cpu)
note "100,000 routes in somebody's table: $((after - before)) ms of processor time"
is "others' routes: not 50 ms" "$((after - before < 50))" 1
before=$(cpu)
{ echo "add table ip other; add set ip other s { type ipv4_addr; }"
	hundred_thousand "add element ip other s { %s }"; } >/run/elements
quiet "100,000 elements loaded" at h nft -f /run/elements
at h nft delete table ip other
after=$(cpu)
note "100,000 elements in somebody's set: $((after - before)) ms of processor time"
is "others' sets: not 200 ms" "$((after - before < 200))" 1
quiet "in sync" ifsteer diff

# ---- what nobody announces ----

# followed NAME WHO SOURCE: on-premises is answered so, sooner or later, and then reliably. A carrier
# that is lost or returns is told of by the kernel after up to a second.
followed() {
	eventually 8 answers "$2" "$3"
	rest
	answered "$1" "$2" "$3" 10.0.1.9
}
answers() { at h "$PROBE" tcp -t 500 10.0.1.9 $PORT | grep -q "name=$1 seen=$2"; }

ip -n h link set eth2 down
followed "link down: main decides" gw 10.200.0.2
like "it says so" "$(tail -n 3 /run/said)" 'eth2: ipv4 not usable \(down\)'
up eth2
followed "link up" op 172.31.70.5
answered "link up" op fd00:e2::5 fd00:10::9
same "link up: as before" "$(kernel)" "$want"

ip -n vpc link set to_h down
followed "carrier lost: main decides" gw 10.200.0.2
ip -n vpc link set to_h up
ip -n vpc addr replace fd00:e2::1/64 dev to_h nodad
followed "carrier returns" op 172.31.70.5
rest
same "carrier returns: as before" "$(kernel)" "$want"

ip -n h addr del 172.31.70.5/20 dev eth2
ip -n h addr add 172.31.70.6/20 dev eth2
followed "another address" op 172.31.70.6
ip -n h addr flush dev eth2 scope global
followed "no address: main decides" gw 10.200.0.2
ip -n h addr add 172.31.70.5/20 dev eth2
ip -n h addr add fd00:e2::5/64 dev eth2 nodad
followed "the address comes late" op 172.31.70.5
ip -n h addr add fd00:e2::77/64 dev eth2 nodad valid_lft 3 preferred_lft 3
eventually 8 eval 'kernel | grep -q "from fd00:e2::77"'
ok $? "an address that expires"
eventually 8 eval '! kernel | grep -q "from fd00:e2::77"'
ok $? "when it has expired"
rest
same "as before" "$(kernel)" "$want"

ip -n h link del eth2
followed "the interface vanishes: main decides" gw 10.200.0.2
plug eth2
up eth2
followed "it comes back with another index" op 172.31.70.5
answered "it comes back with another index" op fd00:e2::5 fd00:10::9
rest
ip -n h link set eth2 down
ip -n h link set eth2 name lan7
ip -n h link set lan7 up
followed "renamed: main decides" gw 10.200.0.2
ip -n h link set lan7 down
ip -n h link set lan7 name eth2
up eth2
followed "renamed back" op 172.31.70.5
ip -n h addr replace fd00:e2::5/64 dev eth2 nodad

# A default route of main is the gateway where the policy names none.
ifsteer flush
policy <<<'interfaces = ( { name = "eth0"; }, { name = "eth2"; } );
	policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );'
apply "an apply by hand is followed"
answered "no gateway: main decides" gw 10.200.0.2 10.0.1.9
ip -n h route add default via 172.31.64.1 metric 1000
followed "a default route appears in main" op 172.31.70.5
ip -n h route del default via 172.31.64.1 metric 1000
ip -n h route add default via 172.31.64.1 dev eth2 table 99
followed "in another table" op 172.31.70.5
ip -n h route flush table 99

# ---- cgroups ----

if mount -t cgroup2 cgroup /sys/fs/cgroup && top=$(mktemp -d /sys/fs/cgroup/ifsteer-test.XXXXXX); then
	trap 'rmdir "$top/a.slice/b.service" "$top/a.slice" "$top"' EXIT
	# shellcheck disable=SC2016
	within() { at h sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$top/a.slice/b.service" "$@"; }
	steered() { within "$PROBE" tcp 198.51.100.10 $PORT | grep -q 'seen=172.31.70.5'; }
	policies "{ name = \"service\"; cgroup = \"${top##*/}/a.slice/b.service\"; via = \"eth2\"; }"
	rest
	mkdir "$top/a.slice"
	mkdir "$top/a.slice/b.service"
	eventually 30 steered
	ok $? "a cgroup that appears is steered"
	rmdir "$top/a.slice/b.service" "$top/a.slice"
	rest
	mkdir "$top/a.slice"
	mkdir "$top/a.slice/b.service"
	eventually 30 steered
	ok $? "one that is made again, too"
	rmdir "$top/a.slice/b.service"
	mkdir "$top/a.slice/b.service"
	eventually 30 steered
	ok $? "one that is made again at once, too"
	quiet "in sync" ifsteer diff
else
	ok 0 "cgroups # SKIP no cgroup2 here"
fi

# ---- local time ----

cp "$(readlink -f /etc/localtime)" /run/localtime
ln -sf /usr/share/zoneinfo/UTC /etc/localtime
policies '{ name = "day"; hours = "09:00-17:00"; via = "eth2"; }'
rest
hours() { at h env TZ=UTC0 nft list table inet ifsteer | grep -o 'meta hour [^ ]*' | sort -u; }
hours=$(hours)
ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime.new && mv /etc/localtime.new /etc/localtime
moved() { [ "$(hours)" != "$hours" ]; }
eventually 30 moved
ok $? "another time zone"
quiet "in sync" ifsteer diff
rm /etc/localtime && cp /run/localtime /etc/localtime

# ---- who keeps removing ----

policy <<<"$S4"
again "the first policy again"
table=$(ip -n h route show table all proto 77 |
	sed -n 's/^default via 172.31.64.1 dev eth2 table \([0-9]*\).*/\1/p')
: >/run/said
before=$(cpu)
count=0
end=$((SECONDS + 12))
while [ $SECONDS -lt $end ]; do
	ip -n h rule del priority 21411 oif eth2 protocol 77 2>/dev/null && count=$((count + 1))
	sleep 0.02
done
after=$(cpu)
note "in 12 s somebody removed a rule $count times; $((after - before)) ms of processor time"
is "it slows down: from 20 to 24 repairs" "$((count >= 20 && count <= 24))" 1
like "and says so" "$(cat /run/said)" \
	'warning: 20 times within a minute somebody has undone this.*every 5 seconds: \+ ip rule add '
is "once" "$(grep -c 'warning' /run/said)" 1
start=${EPOCHREALTIME/./}
ip -n h route flush table "$table"
eventually 30 eval '[ -n "$(ip -n h route show table $table)" ]'
note "another object meanwhile: after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
is "another object is repaired at once" "$(((${EPOCHREALTIME/./} - start) < 2000000))" 1
eventually 8 ifsteer diff
same "in the end all is there" "$(kernel)" "$want"

# ---- policies ----

policy <<<"$S2"
apply "another policy"
rest
unlike "is followed" "$(at h nft list table inet ifsteer)" 'on-premises'
quiet "and repaired" at h nft flush ruleset
eventually 8 ifsteer diff
like "and repaired" "$(at h nft list tables)" 'inet ifsteer'
policy <<<"$S4"
kill -HUP $watch_pid
eventually 30 eval 'grep -q on-premises /run/ifsteer/*/in-force'
eventually 30 ifsteer diff
answered "SIGHUP reads the files anew" op 172.31.70.5 10.0.1.9
policy <<<'nonsense'
kill -HUP $watch_pid
eventually 30 grep -q 'ifsteer.conf:1: error' /run/said
ok $? "SIGHUP with a policy in error: said"
at h nft flush ruleset
eventually 30 at h nft list table inet ifsteer
answered "what was accepted stays in force" op 172.31.70.5 10.0.1.9

policy <<<"$S4"
quiet "flush" ifsteer flush
sleep 1
is_gone
ok $? "after flush nothing comes back"
ip -n h link set eth2 down
up eth2
sleep 0.5
is_gone
ok $? "whatever happens"
again "until the next apply"
repaired "which is watched" nft flush ruleset
rm -rf /run/ifsteer
repaired "with /run emptied" ip rule flush protocol 77

# ---- confirm ----

policy <<<"$S2"
said=$(ifsteer apply --confirm 2 </dev/null 2>&1)
is "a change on trial is put back" $? 1
rest
same "and what stood before is watched" "$(kernel)" "$want"
policy <<<"$S4"

# ---- the end ----

repaired "in the end" nft flush ruleset
watch_ends
is "SIGTERM: exit status" $? 0
same "all stays in force" "$(kernel)" "$want"
at h nft flush ruleset
sleep 0.5
is "and nobody repairs any more" "$(at h nft list tables)" ""

# ---- other beginnings ----

policy <<<'nonsense'
watch
same "the files in error: what was accepted is applied" "$(kernel)" "$want"
like "loudly" "$(tail -n 5 /run/said)" 'accepted last stays in force'
watch_ends
policy <<<"$S2"
watch
same "the files edited: what was accepted is applied" "$(kernel)" "$want"
watch_ends INT
is "SIGINT: exit status" $? 0
rm -rf /var/lib/ifsteer
policy <<<'nonsense'
said=$(ifsteer watch 2>&1)
is "nothing accepted, and the files in error: exit status" $? 3
said=$(ifsteer -c /run/nothing watch 2>&1)
is "no policy: exit status" $? 3
echo "$S4" >/run/other.conf
watch -c /run/other.conf
want=$(kernel)
like "with -c: that policy" "$want" 'on-premises other\.conf'
at h nft flush ruleset
eventually 30 eval '[ "$(kernel)" = "$want" ]'
same "is repaired" "$(kernel)" "$want"
is "which is not accepted" "$(ls /var/lib/ifsteer 2>/dev/null)" ""
watch_ends
is "SIGTERM: exit status" $? 0
done_testing
