#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kill switch whose addresses move, in one edit, from wherever nftables has them to wherever else it may have them: a rule, a list
# in a rule, a set, a set of another policy's, a map. Every packet is a new connection, so that each is judged: all leave by eth2.
#
# MS=20000 floods longer, ONLY='a balance' in one case.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flood.sh"
lab_enter
lab_host

flood_watch drop
# The ports that were used are free again at once.
at h sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1

# siege NAME POLICIES…: one after the other as long as the flood lasts; in all of them what goes to SECRET4 and SECRET6 is held, and
# not one packet goes astray.
siege() {
	local name=$1 edits=0 refused=0 sent
	shift
	[ "${ONLY:-$name}" = "$name" ] || return 0
	: >/tmp/flood
	forget
	policy <<<"$S2 $1"
	apply "$name: apply"
	flood "${MS:-1000}" -n 1
	while kill -0 "${floods[0]}" 2>/dev/null; do
		edits=$((edits + 1))
		policy <<<"$S2 ${*:edits % $# + 1:1}"
		ifsteer apply || refused=$((refused + 1))
	done
	flood_over
	sent=$(flood_sent)
	is "$name: each of $edits edits was made" "$refused" 0
	is "$name: each of $sent packets arrived" "$(counted right) and $(counted astray) astray" "$sent and 0 astray"
	is "$name: none was refused" "$(grep -c 'refused=0$' /tmp/flood)" 2
	ifsteer diff >/dev/null
	ok $? "$name: in sync"
	is "$name: nothing is left of what helped" "$(at h nft list table inet ifsteer | grep -c '\.next')" 0
}

# held NAME ELEMENTS [SELECTORS]: a kill switch.
held() { echo "{ name = \"$1\"; to = [ $2 ]; ${3-} via = \"eth2\"; otherwise = \"unreachable\"; }"; }
free() { echo "{ name = \"$1\"; to = [ $2 ]; action = \"main\"; }"; }
# many A N: so many prefixes of A.0.0.0/8.
many() { awk -v a="$1" -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s\"%d.%d.%d.0/25\"", i ? ", " : "", a, i / 250, i % 250 }'; }
secret="\"$SECRET4\", \"$SECRET6\""
# As short lists, which stand in the rule.
short="$secret, \"198.18.0.0/24\", \"2001:db8:18::/48\""
far='"203.0.113.0/24", "2001:db8:113::/48"'
around='"198.51.100.0/24", "2001:db8::/64"'
long=$(many 11 400)

siege "a list, another policy comes and goes" \
	"policies = ( $(held vpn "$short") );" \
	"policies = ( $(free edit '"10.1.0.0/16"'), $(held vpn "$short") );"
siege "a list is edited" \
	"policies = ( $(held vpn "$short"), $(free rest "$around") );" \
	"policies = ( $(held vpn "$short, $far"), $(free others "$around") );"
siege "a list becomes a set" \
	"policies = ( $(held vpn "$short") );" \
	"policies = ( $(held vpn "$long, $secret") );"
siege "a set grows and shrinks, and its neighbours change" \
	"policies = ( $(held vpn "$(many 11 40), $secret"), $(free rest "$around") );" \
	"policies = ( $(held vpn "$long, $secret"), $(free others "$around") );"
siege "from a list to another policy's set" \
	"policies = ( $(held one "$secret"), $(held two "$long"), $(free rest "$around") );" \
	"policies = ( $(held one "$far"), $(held two "$long, $secret"), $(free rest "$around") );"
siege "from a set to another policy's" \
	"policies = ( $(held one "$long, $secret"), $(held two "$(many 12 300)"), $(free rest "$around") );" \
	"policies = ( $(held one "$long, $far"), $(held two "$(many 12 300), $secret"), $(free rest "$around") );"
# Of source ports no routing rule speaks that would help. Policies of one shape would share a map.
high='sport = "1024-65535";' any='sport = "1-65535";'
six=$(held six "\"$SECRET6\"")
siege "from a set to another policy's, and no rule changes" \
	"policies = ( $six, $(held one "$long, \"$SECRET4\"" "$high"), $(held two "$(many 12 6000)" "$any") );" \
	"policies = ( $six, $(held one "$long" "$high"), $(held two "$(many 12 6000), \"$SECRET4\"" "$any") );"
siege "a policy is renamed, and has its set under another name" \
	"policies = ( $(held one "$long, $secret"), $(free rest "$around") );" \
	"policies = ( $(held two "$long, $secret"), $(free rest "$around") );"

# office ELEMENTS POLICIES: with a set.
office() { echo "sets = ( { name = \"office\"; elements = [ $1 ]; } ); policies = ( $2 );"; }
siege "from a list to a named set and back" \
	"$(office "$long" "$(held one "$secret"), $(held two '"@office"'), $(free rest "$around")")" \
	"$(office "$long, $secret" "$(held two '"@office"'), $(free rest "$around")")"
siege "what is exempt comes behind, and then before" \
	"$(office "$long, $secret" "$(held one "$secret"), $(free exempt '"@office"')")" \
	"$(office "$long" "$(free exempt '"@office"'), $(held one "$secret"), $(free rest "$around")")"
siege "what a negated set exempts" \
	"$(office "$long, $secret" "$(free exempt "$around, \"!@office\""), $(held one "$secret")")" \
	"$(office "$long" "$(held one "$secret"), $(free exempt "$around, \"!@office\"")")"
siege "a set takes the place of a dynamic one" \
	"sets = ( { name = \"office\"; dynamic = true; } ); policies = ( $(held one "$secret"), $(held two '"@office"') );" \
	"$(office "$long, $secret" "$(held two '"@office"')")"

printf '%s\n' 11.{1..200}.0.0/17 $SECRET4 $SECRET6 >/etc/ifsteer/with.txt
printf '%s\n' 11.{1..250}.0.0/16 >/etc/ifsteer/without.txt
siege "a file, together with its policies" \
	"sets = ( { name = \"office\"; file = \"with.txt\"; } ); policies = ( $(held two '"@office"'), $(free rest "$around") );" \
	"sets = ( { name = \"office\"; file = \"without.txt\"; } ); policies = ( $(held one "$secret"), $(held two '"@office"') );"

# ---- other selectors, which are lists in rules ----

siege "lists of users and ports" \
	"policies = ( $(held one "$secret" "user = ( 0, \"100-200\", 300 ); dport = ( 9, \"100-200\" );"), $(free rest "$around") );" \
	"policies = ( $(held one "$secret" "user = ( \"0-50\", 90, 92 ); dport = ( \"8-9\", 20, 30 );"), $(free others "$around") );"
balanced() { echo "{ name = \"$1\"; to = [ $secret ]; balance = ( { interface = \"eth2\"; weight = $2; } ); otherwise = \"unreachable\"; }"; }
siege "a balance" \
	"policies = ( $(balanced one 3), $(free rest "$around") );" \
	"policies = ( $(balanced one 5), $(free others "$around") );"

# ---- no kill switches, but in a map among many ----

# branches N
branches() { awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "{ name = \"branch-%d\"; to = \"10.%d.%d.0/25\"; via = \"eth2\"; }, ", i, i / 250, i % 250 }'; }
wanted="{ name = \"wanted\"; to = [ $secret ]; via = \"eth2\"; }"
siege "from a rule into a map of 700, and back" \
	"policies = ( $wanted, $(free rest "$around") );" \
	"policies = ( $(branches 700) $wanted, $(free rest "$around") );"
siege "700 policies come and go beside it" \
	"policies = ( $(branches 20) $wanted, $(free rest "$around") );" \
	"policies = ( $(branches 720) $wanted, $(free others "$around") );"
siege "the policy goes, and its addresses to another one in the map" \
	"policies = ( $(branches 200) $wanted, $(free rest "$around") );" \
	"policies = ( { name = \"all\"; to = [ $around ]; via = \"eth2\"; }, $(branches 250) $(free others "$far") );"
nothing_spoofed
done_testing
