#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lists of destinations of any length: to 16 prefixes companions are rules, to 10,000 they are routes
# in a table of their own, and beyond that the source is rewritten. In each case the packet is right.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

# list N: on-premises, but for one network in it, and so many prefixes more.
list() {
	awk -v n="$1" 'BEGIN {
		printf "\"10.0.0.0/16\", \"!10.0.7.0/24\""
		for (i = 0; i < n; i++)
			printf ", \"11.%d.%d.0/25\"", i / 256 % 256, i % 256
	}'
}
# listed NAME ELEMENTS [selectors]: in force. The whole list would be the name of a test point.
listed() {
	policy <<<"$S2 policies = ( { name = \"list\"; to = [ $2 ]; ${3-} via = \"eth2\"; } );"
	apply "$1: apply"
}
own_routes() { ip -n h route show table all proto 77 | grep -c '^\(throw \|\)11\.'; }

for n in 3 20 5000 9990; do
	listed "$n prefixes" "$(list $n)"
	quiet "$n prefixes: in sync" ifsteer diff
	answered "$n prefixes: connect() knows the source" op 172.31.70.5 10.0.1.9
	answered "$n prefixes: what is negated is main's" gw 10.200.0.2 10.0.7.9
	want=0
	[ $n -lt 17 ] || want=$n
	is "$n prefixes: routes of companions" "$(own_routes)" "$want"
done
like "the negated one is thrown on" "$(ip -n h route show table all proto 77)" '^throw 10\.0\.7\.0/24'
listed "10,050 prefixes" "$(list 10050)"
expect "10,050 prefixes: the source is rewritten" "local=10.200.0.2 name=op seen=172.31.70.5" tcp 10.0.1.9
is "10,050 prefixes: no route is left" "$(own_routes)" 0
quiet "10,050 prefixes: in sync" ifsteer diff

# Somebody's own port or user is in the rule ahead of the table.
listed "with ports" "$(list 100)" "protocol = \"tcp\"; dport = [ $PORT, $OTHER_PORT ];"
expect "with ports: tcp" "local=172.31.70.5 name=op seen=172.31.70.5" tcp 10.0.1.9
expect "with ports: udp is main's" "local=10.200.0.2 name=gw seen=10.200.0.2" udp 10.0.1.9
expect "with ports: what is negated" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp 10.0.7.9
# split N EACH: N policies of so many prefixes each, and on-premises behind them; an exemption in their midst.
split() {
	awk -v n="$1" -v each="$2" 'BEGIN {
		for (i = 0; i < n; i++) {
			if (i == int(n / 2))
				print "{ name = \"exempt\"; to = \"10.0.7.0/24\"; action = \"main\"; },"
			printf "{ name = \"p%d\"; via = \"eth2\"; to = ", i
			for (k = i * each; k < (i + 1) * each; k++)
				printf "%s\"11.%d.%d.0/25\"", k % each ? ", " : "[ ", k / 256 % 256, k % 256
			print " ]; },"
		}
		print "{ name = \"last\"; to = \"10.0.0.0/16\"; via = \"eth2\"; }"
	}'
}
# Policies that go the same way, one behind the other, are one list; no list has more than 10,000.
for sizes in "4 2" "100 1" "6 4000"; do
	# shellcheck disable=SC2086
	policy <<<"$S2 policies = ( $(split $sizes) );"
	apply "policies of prefixes, $sizes: apply"
	quiet "policies of prefixes, $sizes: in sync" ifsteer diff
	answered "policies of prefixes, $sizes: the last one's source is known" op 172.31.70.5 10.0.1.9
	answered "policies of prefixes, $sizes: what is exempt ahead of it is main's" gw 10.200.0.2 10.0.7.9
	want=$((${sizes% *} * ${sizes#* }))
	[ $want -gt 16 ] || want=0
	is "policies of prefixes, $sizes: routes of companions" "$(own_routes)" $want
done

# full: 63 companions that go by turns, so that none can be joined; one is left for two policies that could be.
full() {
	awk 'BEGIN {
		for (i = 0; i < 62; i++)
			printf "{ name = \"p%d\"; to = \"11.0.%d.0/24\"; via = \"eth%d\"; }, ", i, i, i % 2 * 2
		print "{ name = \"ends\"; to = \"11.1.0.0/16\"; via = \"eth0\"; },"
		print "{ name = \"one\"; to = \"10.0.1.0/24\"; via = \"eth2\"; },"
		print "{ name = \"both\"; to = [ \"10.0.2.0/24\", \"10.0.3.0/24\" ]; via = \"eth2\"; }"
	}'
}
policy <<<"$S2 policies = ( $(full) );"
apply "no room for two together: apply"
expect "no room for two together: the first has some" "local=172.31.70.5 name=op seen=172.31.70.5" tcp 10.0.1.9
expect "no room for two together: of the other the source is rewritten" "local=10.200.0.2 name=op seen=172.31.70.5" tcp 10.0.3.9

quiet "flush" ifsteer flush
is "flush leaves nothing" "$(own_routes)" 0
nothing_spoofed
done_testing
