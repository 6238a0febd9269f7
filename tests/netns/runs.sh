#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Long runs of policies, which stand as maps: the first policy still counts, each is counted, a change
# of one is a change of little, and no packet of another policy notices.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flood.sh"
lab_enter
needs jq
lab_host

# What is in the same place in each policy file: nothing here shall be about line numbers.
printers='{ name = "printers"; to = [ "10.0.7.0/24", "fd00:10::7:0/112" ]; action = "main"; }'
premises='{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }'
peered='{ name = "peered"; to = [ "172.30.0.0/16", "fd00:30::/64" ]; via = "eth2"; }'
closed='{ name = "closed"; to = "198.51.100.66"; action = "prohibit"; }'
# branches N [PREFIXES]: so many policies about other networks.
branches() {
	awk -v n="$1" -v each="${2-1}" 'BEGIN {
		for (i = 1; i <= n; i++) {
			printf "{ name = \"branch-%d\"; to = [ ", i
			for (k = 0; k < each; k++)
				printf "%s\"10.%d.%d.0/25\"", k ? ", " : "", i, k
			printf " ]; via = \"eth2\"; },\n"
		}
	}'
}
in_force() { policy <<<"$S2 policies = ( $1 );"; apply "apply, $2"; }
# rules CHAIN: those which look up a map.
look_ups() { at h nft list chain inet ifsteer "$1" | grep -c ' vmap @judge'; }
count_of() { ifsteer status --json | jq -r ".policies[] | select(.name == \"$1\").packets"; }

# ---- the first one counts ----

in_force "$(branches 5) $printers, $premises, $peered, $closed" "nine policies"
is "a look-up for each family" "$(look_ups judge_local) $(look_ups judge_forwarded)" "2 2"
is "no rule for a policy" "$(at h nft list chain inet ifsteer judge_local | grep -c policy_)" 0
like "the audit names policy, file and line" "$(at h nft list table inet ifsteer)" \
	'counter name "policy_on_premises" goto take_eth2 comment "on-premises ifsteer\.conf:[0-9]+"'
quiet "in sync" ifsteer diff
answered "on-premises" op 172.31.70.5 10.0.1.9
answered "on-premises, IPv6" op fd00:e2::5 fd00:10::9
answered "printers are main's" gw 10.200.0.2 10.0.7.9
answered "printers are main's, IPv6" gw fd00:e0::2 fd00:10::7:9
answered "peered" op 172.31.70.5 172.30.4.4
answered "the internet" gw 10.200.0.2 198.51.100.10
expect "closed" "error=*" tcp 198.51.100.66
like "explain names the same policy" "$(ifsteer explain --json 10.0.7.9 | jq -r .policy)" '^printers$'

in_force "$(branches 5) $premises, $printers, $peered, $closed" "the other order"
answered "on-premises has all" op 172.31.70.5 10.0.7.9
quiet "in sync again" ifsteer diff

in_force "$printers, $premises, $peered, $closed" "four policies"
is "no map" "$(at h nft list table inet ifsteer | grep -c 'map judge')" 0
answered "on-premises as a rule" op 172.31.70.5 10.0.1.9
answered "printers as a rule" gw 10.200.0.2 10.0.7.9

# ---- counters, and how much changes ----

in_force "$printers, $(branches 12) $premises, $peered" "fifteen policies"
before=$(count_of on-premises)
answered "on-premises among fifteen" op 172.31.70.5 10.0.1.9
is "each connection is counted once" "$(($(count_of on-premises) - before))" 3
policy <<<"$S2 policies = ( $printers, $(branches 12 | sed 's|10\.4\.0\.0/25|10.99.0.0/25|') $premises, $peered );"
same "another prefix: two elements go, two come" \
	"$(ifsteer diff 2>/dev/null | grep nft | sort)" \
	"+ nft add element inet ifsteer judge_forwarded.1_to_4 '{ 10.99.0.0/25 : goto judge_forwarded.branch_4 }'
+ nft add element inet ifsteer judge_local.1_to_4 '{ 10.99.0.0/25 : goto judge_local.branch_4 }'
- nft delete element inet ifsteer judge_forwarded.1_to_4 '{ 10.4.0.0/25 : goto judge_forwarded.branch_4 }'
- nft delete element inet ifsteer judge_local.1_to_4 '{ 10.4.0.0/25 : goto judge_local.branch_4 }'"
apply "apply, another prefix"
is "counters are as they were" "$(($(count_of on-premises) - before))" 3
policy <<<"$S2 policies = ( $printers, $(branches 12 | sed '4s|eth2|eth0|') $premises, $peered );"
apply "apply, another way for one"
is "counters are as they were, again" "$(($(count_of on-premises) - before))" 3
quiet "in sync after all that" ifsteer diff

# ---- captured, and repaired ----

ifsteer facts >/tmp/facts
quiet "in sync as captured" ifsteer --facts /tmp/facts diff
like "explained as captured" "$(ifsteer --facts /tmp/facts explain --json 10.0.7.9 | jq -r .policy)" '^printers$'
is "doctor finds nothing" "$(ifsteer doctor 2>&1 | grep -v '^note')" ""
at h nft delete element inet ifsteer judge_local.1_to_4 '{ 10.5.0.0/25 }'
at h nft flush chain inet ifsteer judge_local.on_premises
is "what somebody took away is missed" "$(ifsteer diff 2>/dev/null | grep -c '^+ nft add \(element\|rule\) inet ifsteer judge_local\.')" 2
apply "apply, what somebody took away"
answered "on-premises once more" op 172.31.70.5 10.0.1.9
quiet "in sync once more" ifsteer diff

# ---- lists that would be sets in rules ----

in_force "$printers, $(branches 9 20) $premises, $peered" "eleven policies with twenty prefixes each"
is "they are in the map" "$(look_ups judge_local)" 2
unlike "and in no set" "$(at h nft list table inet ifsteer)" 'set branch'
answered "on-premises behind them" op 172.31.70.5 10.0.1.9
quiet "in sync with long lists" ifsteer diff
in_force "$printers, $(branches 3 20) $premises" "five of them"
like "as rules they have sets" "$(at h nft list table inet ifsteer)" 'set policy_branch_2\.to_4'
quiet "in sync with sets" ifsteer diff

# ---- other selectors, forwarded packets ----

lab_lan
ports() { awk 'BEGIN { for (i = 1; i <= 8; i++) printf "{ name = \"port-%d\"; to = \"198.51.100.0/24\"; dport = %d; via = \"eth0\"; },\n", i, 1000 + i }'; }
in_force "{ name = \"exempt\"; to = \"198.51.100.10\"; protocol = \"udp\"; dport = $PORT; action = \"main\"; }, $(ports)
	{ name = \"echo\"; to = [ \"198.51.100.0/24\", \"2001:db8::/64\" ]; dport = $PORT; via = \"eth2\"; }" "with ports"
is "policies that ask for more stay rules" "$(at h nft list chain inet ifsteer judge_local | grep -c policy_port)" 8
by eth2 "tcp" tcp
expect "udp is exempt" "local=10.200.0.2 name=gw seen=10.200.0.2" udp 198.51.100.10
expect "udp to another one is not" "local=172.31.70.5 name=gw seen=172.31.70.5" udp 198.51.100.11
expect "another port" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp 198.51.100.10 $OTHER_PORT
AT=lan
wire eth2 "forwarded tcp" tcp
AT=h
users() { for i in {1..8}; do printf '{ name = "user-%d"; user = %d; via = "eth0"; },' $i $((5000 + i)); done; }
in_force "$(users) { name = \"users\"; user = [ \"5000-5100\", \"nobody\" ]; via = \"eth2\"; }" "with users"
like "users are a key" "$(at h nft list chain inet ifsteer judge_local)" 'meta nfproto ipv6 meta skuid vmap @'
by eth2 "a user of a range" tcp -u 5050
by eth0 "one of an earlier policy" tcp -u 5003
by eth2 "nobody" tcp -u "$(id -u nobody)"
by eth0 "root" tcp

# ---- a kill switch behind a run, while the run is edited, goes and comes ----

flood_watch drop
kill="{ name = \"secret\"; to = [ \"$SECRET4\", \"$SECRET6\" ]; via = \"eth2\"; otherwise = \"unreachable\"; }"
# siege NAME COMMAND: what prints policies for a number, which changes as long as the flood lasts.
siege() {
	local i=1 sent
	: >/tmp/flood
	forget
	in_force "$($2 $i) $kill" "$1"
	flood 3000
	while kill -0 "${floods[0]}" 2>/dev/null; do
		i=$((i + 1))
		policy <<<"$S2 policies = ( $($2 $i) $kill );"
		ifsteer apply
	done
	flood_over
	sent=$(flood_sent)
	[ "$sent" -gt 100 ]
	ok $? "$1: a flood of $sent packets, and $i edits"
	is "$1: each arrived" "$(counted right) and $(counted astray) astray" "$sent and 0 astray"
	quiet "$1: in sync" ifsteer diff
}
# Alone, or behind up to 14 others; each time a prefix is another one.
few() {
	awk -v n="$(($1 == 1 ? 9 : $1 % 15))" -v i="$1" 'BEGIN {
		for (k = 1; k <= n; k++)
			printf "{ name = \"few-%d\"; to = \"10.%d.%d.0/25\"; via = \"eth2\"; },\n", k, k + 10, k == 4 ? i % 200 : 0
	}'
}
many() {
	awk -v i="$1" 'BEGIN {
		for (k = 1; k <= i % 3 * 300; k++)
			printf "{ name = \"many-%d\"; to = \"11.%d.%d.0/25\"; via = \"eth2\"; },\n", k, k % 250, k == 4 ? i % 200 : k / 250
	}'
}
siege "a kill switch in a short run" few
siege "in a long one" many
in_force "$(many 1) $kill" "300"
policy <<<"$S2 policies = ( $(many 4) $kill );"
is "in a long one: the difference is one element a map" \
	"$(ifsteer diff 2>/dev/null | grep -c '^[+-] nft \(add\|delete\) element .*many_4')" 4
nothing_spoofed
done_testing
