#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel that lacks something: it is said what, and what follows; what stood before stands; what can be done without is done.

. "$(dirname "$0")/lib.sh"
lab_enter
needs "${CC:=cc}"
lab_host

shim no-feature || done_testing

# without FEATURE ifsteer's words…
without() { at h env NO_FEATURE="$1" LD_PRELOAD=$shim "$IFSTEER" "${@:2}" 2>&1; }
# refused FEATURE WORDS [nothing]: from nothing, and from an older policy.
refused() {
	local from before said
	for from in ${3-nothing another}; do
		ifsteer flush
		if [ $from = another ]; then policy <<<"$S4"; ifsteer apply; fi
		policy <<<"$full"
		before=$(host_state)
		said=$(without "$1" apply)
		is "no $1, from $from: exit status" $? 4
		like "no $1, from $from: said" "$said" "error: .*$2"
		same "no $1, from $from: what stood before stands" "$(host_state)" "$before"
	done
	[ $from = nothing ] || answered "no $1: the older policy works" op 172.31.70.5 10.0.1.9
}
# does_without FEATURE ADDRESS…
does_without() {
	is "no $1: apply" "$(without "$1" apply)" ""
	is "no $1: in sync" "$(without "$1" diff)" ""
	is "no $1: and again" "$(without "$1" -v apply)" "ifsteer: 0 changes made"
	for address in "${@:2}"; do
		[[ $address == *:* ]] && own=fd00:e2::5 || own=172.31.70.5
		answered "no $1" op $own "$address"
	done
}

full="$S2 policies = (
	{ name = \"kill\"; user = \"nobody\"; to = \"198.51.100.0/24\"; via = \"eth2\"; otherwise = \"unreachable\"; },
	{ name = \"on-premises\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\"; },
	{ name = \"times\"; to = \"203.0.113.0/24\"; days = \"mon\"; hours = \"09:00-17:00\"; via = \"eth2\"; },
	{ name = \"both\"; balance = ( { interface = \"eth0\"; weight = 2; }, { interface = \"eth2\"; weight = 1; } ); } );"
refused fib "no .fib. .nft_fib_inet.: no policy can be in force here"
refused ct "no .ct. .nft_ct.: no policy can"
refused masq "no .masquerade. in inet tables .*: no policy can" nothing
refused objref "no counters with names .*: no policy can"
refused reject "no .reject. .*: no policy that refuses packets, and no kill switch, can"
refused hash "no .jhash. .*: no policy with .balance. can"
refused meta "no .meta hour. .Linux 5.4.: no policy with .hours. can"
refused nftables "this kernel has no nftables .nf_tables.: no policy can"
refused strict "this kernel is older than Linux 4.20"
policy <<<"$S4"
apply "the older policy"
does_without hash 10.0.1.9 fd00:10::9
does_without meta-hour 10.0.1.9
policy <<<"$full"
said=$(without fib hook networkmanager eth2 up)
is "no fib: a hook" $? 0
like "no fib: a hook: said" "$said" "no .fib."

if mount -t cgroup2 cgroup /sys/fs/cgroup && top=$(mktemp -d /sys/fs/cgroup/ifsteer-test.XXXXXX); then
	trap 'rmdir "$top"' EXIT
	full="$S2 policies = ( { name = \"service\"; cgroup = \"${top##*/}\"; via = \"eth2\"; } );"
	refused socket "no .socket cgroupv2. .nft_socket, Linux 5.13.: no policy with .cgroup. can"
else
	ok 0 "cgroups # SKIP no cgroup2 here"
fi

# Marks that connections may carry can't be given anew, and those of a path that dies can't be forgotten.
answered "there are connections" gw 10.200.0.2 198.51.100.10
refused ctnetlink "no ctnetlink .nf_conntrack_netlink.: marks can't be given anew" nothing
policy <<<"$S4"
apply "the older policy"
does_without ctnetlink 10.0.1.9 fd00:10::9
ip -n h link set eth2 down
said=$(without ctnetlink apply)
is "no ctnetlink, eth2 down: exit status" $? 0
like "no ctnetlink, eth2 down: said" "$said" 'warning: .*no ctnetlink .nf_conntrack_netlink.; they keep their way until they end'
answered "no ctnetlink, eth2 down: main decides" gw 10.200.0.2 10.0.1.9
up eth2
apply "eth2 up"

# ---- answers that are not whole ----

# What was interrupted or cut is asked for again; what never comes whole is not taken for all there is.
ifsteer flush
NO_FEATURE_EACH=101 does_without interrupted 10.0.1.9 fd00:10::9
for how in interrupted cut; do
	for each in 1 2 5 12 29 101; do
		policy <<<"$S4"
		ifsteer apply
		before=$(host_state)
		policy <<<"$S2"
		said=$(NO_FEATURE_EACH=$each without $how apply)
		status=$?
		if [ $status = 0 ]; then
			quiet "one piece in $each of a dump $how: in sync" ifsteer diff
		else
			is "one piece in $each of a dump $how: exit status" $status 6
			like "one piece in $each of a dump $how: said" "$said" 'error: '
			same "one piece in $each of a dump $how: nothing changes" "$(host_state)" "$before"
		fi
	done
done
policy <<<"$S4"
apply "whole again"

# ---- without IPv6 ----

# An address of IPv6 may stand in the policy all the same.
ifsteer flush
does_without ipv6 10.0.1.9
like "no IPv6: status" "$(without ipv6 status --json)" '"reason": "no IPv6 on this host"'
is "no IPv6: flush" "$(without ipv6 flush)" ""
unlike "no IPv6: nothing is left" "$(at h sh -c 'nft list tables; ip rule')" 'ifsteer|proto 77'

for how in "all" "default all"; do
	policies '{ name = "kill"; user = "nobody"; via = "eth2"; otherwise = "unreachable"; },
		{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
	for conf in $how; do set_sysctl h "ipv6/conf/$conf/disable_ipv6" 1; done
	apply "disable_ipv6 of $how"
	quiet "disable_ipv6 of $how: in sync" ifsteer diff
	answered "disable_ipv6 of $how" op 172.31.70.5 10.0.1.9
	expect "disable_ipv6 of $how: the internet" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp 198.51.100.10
	expect "disable_ipv6 of $how: a kill switch" "local=172.31.70.5 name=gw seen=172.31.70.5" tcp -u "$(id -u nobody)" 198.51.100.10
	expect "disable_ipv6 of $how: a kill switch, IPv6" "error=*" tcp -t 3000 -u "$(id -u nobody)" 2001:db8::10
	AT=gw expect "disable_ipv6 of $how: replies" "*name=h seen=*" tcp 10.200.0.2
	nothing_spoofed "disable_ipv6 of $how: no packet left with the address of the other interface"
	quiet "disable_ipv6 of $how: flush" ifsteer flush
	apply "disable_ipv6 of $how: from nothing"
	# The last words of a connection may come while nothing of ours stands.
	forget_spoofed
	answered "disable_ipv6 of $how, from nothing" op 172.31.70.5 10.0.1.9
	for conf in $how; do set_sysctl h "ipv6/conf/$conf/disable_ipv6" 0; done
	up eth2 2>/dev/null
	ip -n h addr replace fd00:e0::2/64 dev eth0 nodad
	ip -n h route replace default via fd00:e0::1
	apply "IPv6 again"
	answered "IPv6 again" op fd00:e2::5 fd00:10::9
done
nothing_spoofed
done_testing
