#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer diff: its lines, pasted into a shell, do what apply would do, from an empty host to each
# example policy, from one policy to the next, and after damage; and it says whose doing the
# difference was, where that can be known.

. "$(dirname "$0")/lib.sh"
needs nft conntrack sysctl
lab_enter
lab_host
lab_lan

# diffed: what diff says, once.
diffed() {
	ifsteer diff >/tmp/diff 2>/tmp/notes
	is "$1: exit status" $? 1
	[ -s /tmp/diff ] && ! grep -Evq '^[+-] (ip|nft|sysctl|conntrack|ss) ' /tmp/diff
	ok $? "$1: every line is added or removed, by a tool that is known" || note "$(cat /tmp/notes)"
}

# pasted NAME: the lines are typed in as they are, and then kernel and policy agree.
pasted() {
	local said
	diffed "$1"
	sed 's/^[+-] //' /tmp/diff >/tmp/paste
	# Nothing to forget is no failure of the host's.
	sed -i -E '/^conntrack -D|^ss -K/s/$/ || :/' /tmp/paste
	said=$(at h sh -e /tmp/paste 2>&1)
	is "$1: every line is taken" $? 0 || note "$said"
	said=$(ifsteer diff 2>/dev/null)
	is "$1: and then it is in sync" "$?$said" 0
}

# ---- from nothing to each example ----

for file in "$lab_src"/rules/*.conf; do
	sed 's/"enp1s0"/"eth0"/; s/"wlan0"/"eth0"/; s/"wg0"/"eth2"/' "$file" | policy
	ifsteer check >/dev/null 2>&1 || continue
	quiet "${file##*/}: flush" ifsteer flush
	ifsteer diff >/dev/null 2>&1
	[ $? = 1 ] || continue
	pasted "${file##*/}"
done
quiet "flush" ifsteer flush

# ---- from one policy to the next ----

policy <<<"$S4"
pasted "a policy"
policy <<<"$S2"'
sets = ( { name = "office"; elements = [ "10.1.0.0/16", "10.2.0.0-10.2.0.9", "fd00:10:1::/48" ]; }, { name = "learned"; dynamic = true; timeout = "1h"; } );
policies = (
	{ name = "office"; to = [ "@office", "@learned" ]; via = "eth2"; },
	{ name = "vpn"; user = "nobody"; protocol = "tcp"; dport = [ "80", "8000-8100" ]; via = [ "eth2", "eth0" ]; otherwise = "unreachable"; },
	{ name = "marked"; mark = "0x80000/0xff0000"; via = "eth2"; },
	{ name = "guests"; in = "eth1"; mac = "02:00:00:00:00:01"; via = "eth2"; },
	{ name = "night"; hours = "22:00-06:00"; days = [ "sat", "sun" ]; dscp = "af41"; via = "eth2"; },
	{ name = "rest"; origin = "local"; balance = ( { interface = "eth0"; }, { interface = "eth2"; weight = 2; } ); } );'
pasted "many policies instead"
sed -i 's/"10.1.0.0\/16", //; s/weight = 2/weight = 3/; s/8100/8200/' /etc/ifsteer/ifsteer.conf
pasted "other values"
sed -i 's/timeout = "1h"/timeout = "2h"/' /etc/ifsteer/ifsteer.conf
pasted "a set that must be declared anew"
policy <<<"settings = { mark_mask = \"0x0ff00000\"; rule_priority = 24000; table_base = 30000; }; $S4"
pasted "other bits, another band, other tables"
policy <<<"$S4"
pasted "back"
policy <<<'interfaces = ( { name = "eth0"; } );'
pasted "an interface less"
policy <<<"$S4"
quiet "flush" ifsteer flush
set_sysctl h ipv4/conf/all/rp_filter 0 ipv4/conf/eth2/rp_filter 0
apply "and again"

# ---- after damage, and whose doing it was ----

at h nft delete table inet ifsteer
pasted "the table is gone"
like "says who" "$(cat /tmp/notes)" 'note: table inet ifsteer is gone while .* somebody else'
like "and that it wasn't the policy" "$(cat /tmp/notes)" 'note: the policy is the one that was applied last'
at h sh -c 'ip rule flush protocol 77; ip -6 rule flush protocol 77'
pasted "the rules are gone"
like "says who" "$(cat /tmp/notes)" "note: ifsteer's rules are gone while .* somebody else"
ip -n h route flush table 21002
pasted "routes are gone"
set_sysctl h ipv4/conf/eth2/rp_filter 1
pasted "a sysctl"
like "says who" "$(cat /tmp/notes)" 'note: somebody else has set net\.ipv4\.conf\.eth2\.rp_filter to 1'
at h nft add rule inet ifsteer judge_local drop
at h nft insert rule inet ifsteer output counter accept
pasted "rules that nobody ordered"
at h nft add element inet ifsteer addresses_ipv4 '{ 192.0.2.1 }'
pasted "an element that nobody ordered"
at h nft add table inet ifsteer '{ flags dormant; }'
pasted "the table sleeps"
at h nft add chain inet ifsteer mine
pasted "a chain that nobody ordered"
ip -n h rule add priority 21777 lookup 99 protocol 77
ip -n h route add 192.0.2.0/24 via 172.31.64.1 table 21002 proto 77
pasted "a rule and a route with our protocol"
policy <<<"$S2"
diffed "another policy"
like "says that it is another" "$(cat /tmp/notes)" 'note: the policy has changed since it was applied'
is "-q: no notes" "$(ifsteer -q diff 2>&1 >/dev/null)" ""
quiet "flush" ifsteer flush
diffed "after a flush"
is "nothing was in force: nothing is said" "$(cat /tmp/notes)" ""
done_testing
