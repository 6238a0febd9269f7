#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Foreign state is sacred. A host dressed up with the rules, tables, routes, marks and connections
# of tailscale, wg-quick, strongSwan, Docker, kube-proxy, libvirt and an administrator: whatever
# ifsteer does, a dump of all that is not its own is the same to the byte, handles and order
# included.

. "$(dirname "$0")/lib.sh"
needs nft conntrack
lab_enter
lab_host
lab_lan
lab_docker

# ---- the others ----

h() { ip -n h "$@" || { echo "Bail out! ip $*"; exit 1; }; }
nft_h() { at h nft -f - || { echo "Bail out! nft"; exit 1; }; }

h link add tailscale0 type bridge
h link add wg0 type bridge
h link add virbr0 type bridge
h link set tailscale0 up
h link set wg0 up
h link set virbr0 up
h addr add 100.64.0.7/32 dev tailscale0
h addr add 10.66.0.2/32 dev wg0
h addr add 192.168.122.1/24 dev virbr0
set_sysctl h ipv4/conf/wg0/rp_filter 1 ipv4/conf/virbr0/src_valid_mark 1

for f in -4 -6; do
	# tailscale
	h $f rule add priority 5210 fwmark 0x80000/0xff0000 lookup main
	h $f rule add priority 5230 fwmark 0x80000/0xff0000 lookup default
	h $f rule add priority 5250 fwmark 0x80000/0xff0000 unreachable
	h $f rule add priority 5270 lookup 52
	# strongSwan
	h $f rule add priority 220 lookup 220
	# wg-quick, without priorities
	h $f rule add not fwmark 51820 table 51820
	h $f rule add table main suppress_prefixlength 0
	# an administrator: inside the band, at one of our own priorities, into one of our tables, with a protocol of his own
	h $f rule add priority 21500 fwmark 0x99 lookup 99
	h $f rule add priority 21030 iif eth1 lookup 99 protocol 78
	h $f rule add priority 30000 iif virbr0 lookup 21001
done
h route add 100.64.0.0/10 dev tailscale0 table 52
h route add throw 192.168.0.0/16 table 52
h route add default dev wg0 table 51820
h -6 route add default dev wg0 table 51820
h route add 10.99.0.0/16 via 10.200.0.1 table 220 proto 42 src 10.200.0.2
h route add 192.0.2.128/25 via 172.31.64.1 table 21002
h route add unreachable 192.0.2.0/25 table 21001 metric 77
h route add 203.0.113.0/24 via 10.200.0.1 proto 80
h -6 route add 2001:db8:77::/48 via fd00:e2::1 dev eth2 proto 18 metric 77
h route add blackhole 198.18.0.0/15 proto 186

nft_h <<'END'
table ip wg-quick-wg0 {
	chain preraw { type filter hook prerouting priority raw; iifname != "wg0" ip daddr 10.66.0.2 fib saddr type != local drop; }
	chain premangle { type filter hook prerouting priority mangle; meta l4proto udp meta mark set ct mark; }
	chain postmangle { type filter hook postrouting priority mangle; meta l4proto udp meta mark 51820 ct mark set meta mark; }
}
table ip kube-proxy {
	set cluster-ips { type ipv4_addr; flags interval; elements = { 10.96.0.0/12 }; }
	map service-ips { type ipv4_addr . inet_proto . inet_service : verdict;
		elements = { 10.96.0.1 . tcp . 443 : goto service, 10.96.0.10 . udp . 53 : goto service }; }
	chain mark-for-masquerade { meta mark set meta mark | 0x00004000; }
	chain service { jump mark-for-masquerade; meta l4proto tcp counter dnat to 172.17.0.2:7; }
	chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
	chain nat-output { type nat hook output priority -100; jump services; }
	chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
	chain nat-postrouting { type nat hook postrouting priority srcnat;
		meta mark & 0x00004000 != 0 meta mark set meta mark ^ 0x00004000 masquerade fully-random; }
}
table ip ts {
	chain ts-forward { type filter hook forward priority filter; iifname "tailscale0" counter meta mark set meta mark & 0xff00ffff ^ 0x00040000;
		meta mark & 0x00ff0000 == 0x00040000 counter accept; }
	chain ts-postrouting { type nat hook postrouting priority srcnat; meta mark & 0x00ff0000 == 0x00040000 counter masquerade; }
}
table inet libvirt_network {
	chain guest_output { type filter hook forward priority filter; iifname "virbr0" ip saddr 192.168.122.0/24 counter accept; }
	chain guest_nat { type nat hook postrouting priority srcnat; ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter masquerade; }
}
table inet ifsteer2 { chain output { type route hook output priority -90; meta mark 0x99 counter; }; }
table ip ifsteer { set on_premises_4 { type ipv4_addr; elements = { 192.0.2.1 }; }; chain output { counter; }; }
table netdev guard { chain in { type filter hook ingress device eth2 priority 0; counter; }; }
table inet asleep { flags dormant; counter c { }; quota q { 1 mbytes }; }
END
if command -v iptables-nft >/dev/null; then
	at h iptables-nft -t mangle -A OUTPUT -p tcp --dport 4789 -j MARK --set-xmark 0x8000/0x8000
	at h ip6tables-nft -t filter -A FORWARD -i virbr0 -j ACCEPT
else
	ok 0 "iptables-nft # SKIP not here"
fi

# Connections of others, with marks of theirs.
at h conntrack -I -p tcp -s 10.200.0.2 -d 198.51.100.77 --sport 1001 --dport 443 --state ESTABLISHED -t 3000 -u ASSURED \
	>/dev/null 2>&1
at h conntrack -I -p udp -s 192.168.77.5 -d 198.51.100.78 --sport 1002 --dport 53 -t 3000 -u SEEN_REPLY >/dev/null 2>&1
at h conntrack -U -p tcp -d 198.51.100.77 -m 16384 >/dev/null 2>&1
at h conntrack -U -p udp -d 198.51.100.78 -m 262144 >/dev/null 2>&1

# ---- all that is not ours ----

foreign_state() {
	at h sh -c '
		for f in -4 -6; do
			echo "rules $f"; ip -N $f rule | grep -v "proto 77"
			echo "routes $f"; ip -N -d $f route show table all | grep -v "proto 77 "
		done
		echo addresses; ip -N addr | grep -v "valid_lft"
		echo nft; nft -a -s list ruleset 2>/dev/null | awk "/^table inet ifsteer \\{/ { ours = 1 } !ours; /^}/ { ours = 0 }"
		echo sysctls; cd /proc/sys/net
		grep -H . ipv4/conf/*/* ipv4/ip_forward ipv6/conf/*/forwarding netfilter/*acct* 2>/dev/null |
			grep -vE "conf/eth[0-2]/(rp_filter|src_valid_mark):"
		echo connections; conntrack -L 2>/dev/null | grep -E "198\.51\.100\.7[78]" | sed -E "s/ [0-9]+ (ESTABLISHED|src)/ \1/" | sort'
}
before=$(foreign_state)
like "the dump has their rules" "$before" '^21500:.*fwmark 0x99'
like "their routes" "$before" '198\.18\.0\.0/15 .*proto 186'
like "their tables" "$before" 'table ip ifsteer \{ # handle'
like "their connections" "$before" 'dst=198\.51\.100\.77.*mark=16384'

# untouched NAME: of foreign state.
untouched() {
	local now
	now=$(foreign_state)
	same "untouched: $1" "$now" "$before"
}
# does NAME POLICY: applied, and nothing of others has changed.
does() {
	policy <<<"$2"
	apply "$1"
	untouched "$1"
	is "in sync: $1" "$(ifsteer diff 2>&1)" ""
}

# ---- whatever ifsteer does ----

does "first apply" "$S2"
does "a policy" "$S4"
many="$S2"'
sets = ( { name = "office"; elements = [ "10.1.0.0/16", "10.2.0.0/16", "fd00:10:1::/48" ]; }, { name = "learned"; dynamic = true; } );
policies = (
	{ name = "exempt"; to = "10.0.9.0/24"; action = "main"; },
	{ name = "office"; to = [ "@office", "@learned" ]; via = "eth2"; },
	{ name = "vpn"; user = "nobody"; via = [ "eth2", "eth0" ]; otherwise = "unreachable"; },
	{ name = "tailnet"; mark = "0x80000/0xff0000"; to = "10.0.7.0/24"; via = "eth2"; },
	{ name = "theirs"; dport = 4789; table = 52; },
	{ name = "guests"; in = "virbr0"; via = "eth2"; },
	{ name = "no"; to = "192.0.2.77"; action = "prohibit"; },
	{ name = "rest"; origin = "local"; balance = ( { interface = "eth0"; }, { interface = "eth2"; weight = 2; } ); } );'
does "many policies" "$many"
does "other elements" "${many/10.2.0.0\/16/10.3.0.0\/16}"
does "fewer policies" "$S4"
does "others' bits of the mark" "settings = { mark_mask = \"0xf0000000\"; }; $many"
does "another band" "settings = { rule_priority = 25000; }; $many"
does "other tables" "settings = { table_base = 40000; }; $S4"
does "rp_filter is kept" "settings = { rp_filter = \"keep\"; }; $S4"
does "a NAT router" 'interfaces = ( { name = "eth2"; snat = "always"; symmetric = true; gateway = "172.31.64.1"; }, { name = "eth0"; } );'
does "an interface less" 'interfaces = ( { name = "eth0"; } ); policies = ( { name = "p"; to = "198.51.100.0/24"; via = "eth0"; } );'
does "all by glob" 'interfaces = ( { name = "eth*"; } );'
does "nothing at all" ''
does "back again" "$many"

quiet "offline" ifsteer offline eth2
untouched "offline"
quiet "online" ifsteer online eth2
untouched "online"
quiet "a hook, down" ifsteer hook networkmanager eth2 down
untouched "a hook, down"
quiet "a hook, up" ifsteer hook networkmanager eth2 up
untouched "a hook, up"
policy <<<"$many ;;; nonsense"
ifsteer apply >/dev/null 2>&1
is "an invalid policy" $? 3
untouched "an invalid policy"
policy <<<"$many"
policy_trial="$S4"
policy <<<"$policy_trial"
ifsteer apply --confirm 1 >/dev/null 2>&1
is "a change that nobody confirms" $? 1
untouched "a change that nobody confirms"
policy <<<"$many"
apply "many policies again"

# ---- and repairs ----

# damaged NAME COMMAND…: somebody damages what is ours, and only that.
damaged() {
	local name=$1
	shift
	quiet "damage: $name" at h "$@"
	[ -n "$(ifsteer diff 2>&1)" ]
	ok $? "diff sees it: $name"
	apply "repair: $name"
	untouched "repair: $name"
}
damaged "the nftables table is gone" nft delete table inet ifsteer
damaged "a chain is empty" nft flush chain inet ifsteer judge_local
damaged "the table sleeps" nft add table inet ifsteer '{ flags dormant; }'
damaged "our rules are gone" sh -c 'for f in -4 -6; do ip $f rule flush protocol 77; done'
damaged "our routes are gone" sh -c 'for f in -4 -6; do ip $f route flush table all proto 77; done'
damaged "somebody takes our protocol" ip rule add priority 21777 lookup 99 protocol 77
damaged "rp_filter" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth2/rp_filter'

for what in status "status --json" doctor "explain 10.0.1.9" facts; do
	# shellcheck disable=SC2086
	ifsteer $what >/dev/null 2>&1
	untouched "$what"
done

# Traffic goes on meanwhile, by whatever way: theirs is theirs.
expect "the host still reaches the internet" "*name=gw*" tcp -m 0xca6c 198.51.100.10
untouched "traffic"

quiet "flush" ifsteer flush
untouched "flush"
unlike "nothing of ours is left" "$(at h sh -c 'ip rule; ip -6 rule; ip -N route show table all; ip -6 -N route show table all')" 'proto 77'
is "nor in nftables" "$(at h nft list table inet ifsteer 2>&1 | head -n 1 | cut -c 1-5)" Error
quiet "flush, again" ifsteer flush
untouched "flush, again"
done_testing
