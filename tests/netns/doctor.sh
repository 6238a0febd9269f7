#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer doctor: each thing that may stand in the way is put there, found, told what to do about,
# and taken away again. What looks like it and does no harm is no finding.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_lan
set_sysctl h ipv4/ip_forward 0 ipv6/conf/all/forwarding 0
# What this machine has enabled is not what this is about.
rm -rf /etc/systemd/system/*.wants /etc/nftables.conf /etc/systemd/networkd.conf{,.d} /run/systemd
mkdir -p /etc/systemd/system/multi-user.target.wants /etc/systemd/networkd.conf.d

doctor() { at h "$IFSTEER" doctor 2>&1; }

# clean NAME: nothing is found.
clean() {
	local said
	said=$(doctor)
	is "$1: exit status" $? 0
	unlike "$1: no warning" "$said" '^(warning|ifsteer):'
}

# finds NAME PATTERN [CURE]: exit status 1, and one warning, which matches; below it what to do.
finds() {
	local name=$1 said
	said=$(doctor)
	is "$name: exit status" $? 1
	is "$name: one finding" "$(grep -c '^warning:' <<<"$said")" 1 || note "$said"
	like "$name: what" "$said" "^warning: $2"
	like "$name: what to do" "$(grep -A 1 '^warning:' <<<"$said" | tail -n 1)" "^  .*${3-}"
}

quiet_ip() { quiet "$*" ip -n h "$@"; }
nft_h() { at h nft -f - || { echo "Bail out! nft"; exit 1; }; }
enable() { ln -sf "/lib/systemd/system/$1" "/etc/systemd/system/multi-user.target.wants/$1"; }
disable() { rm -f "/etc/systemd/system/multi-user.target.wants/$1"; }

# ---- a clean host ----

policy <<<"$S4"
is "a clean host before the first apply" "$(doctor)$?" 0
apply
is "a clean host: silence" "$(doctor)$?" 0
said=$(at h setpriv --reuid 65534 --clear-groups "$IFSTEER" doctor 2>&1)
[ $? -ge 4 ]
ok $? "not root is a failure, not a finding"
like "and says so" "$said" 'needs root'
policy <<<'nonsense'
said=$(doctor)
is "the files are in error: it answers for what is in force" $? 0
like "and says so" "$said" 'accepted last'
policy <<<"$S4"

# ---- rules ----

# rule NAME PATTERN CURE SELECTORS…: a foreign rule that is found; then it is taken away.
rule() {
	local name=$1 what=$2 cure=$3
	shift 3
	ip -n h rule add "$@"
	finds "$name" "$what" "$cure"
	ip -n h rule del "$@"
}
# harmless NAME SELECTORS…
harmless() {
	local name=$1
	shift
	ip -n h rule add "$@"
	clean "$name"
	ip -n h rule del "$@"
}

rule "inside the band" 'IPv4 rule 21500 .*inside our band, 21000 to 21999' 'outside' priority 21500 to 192.0.2.0/24 lookup 52
rule "ahead, everything by main" 'IPv4 rule 100 "from all lookup main" .*: main has "default via 10\.200\.0\.1 dev eth0"' 'behind 21999$' \
	priority 100 lookup main
rule "ahead, the policy's destination" 'IPv4 rule 5000 .*policy "on-premises"' 'rule_priority = 4000;' \
	priority 5000 to 10.0.1.0/24 lookup main
rule "ahead, a wider destination" 'IPv4 rule 5000 .*policy "on-premises"' '' priority 5000 to 10.0.0.0/8 lookup main
rule "ahead, our mark" 'IPv4 rule 5000 .*policy "on-premises"' '' priority 5000 fwmark 0x02000000/0xff000000 lookup main
rule "ahead, a source" 'IPv4 rule 5000 .*' '' priority 5000 from 172.31.70.5 lookup main
rule "ahead, an error" 'IPv4 rule 5000 "from all to 10\.0\.1\.9 unreachable"' '' priority 5000 to 10.0.1.9 unreachable
rule "ahead, all but a mark" 'IPv4 rule 5000 "not from all fwmark 0xca6c' '' priority 5000 not fwmark 0xca6c lookup main
rule "ahead, a protocol" 'IPv4 rule 5000 .*ipproto 6' '' priority 5000 ipproto tcp lookup main
rule "ahead, local packets" 'IPv4 rule 5000 .*iif lo' '' priority 5000 iif lo lookup main
rule "ahead, bound sockets" 'IPv4 rule 5000 .*sockets bound to eth2' '' priority 5000 oif eth2 unreachable
rule "ahead, past the band" 'IPv4 rule 5000 .*jumps to 32766' '' priority 5000 goto 32766
rule "ahead, an empty table" 'IPv4 rule 5270 .*table 52 has no route now' 'rule_priority = 4270' priority 5270 lookup 52
rule "no priority" 'IPv4 rule 20999 .*ahead of ours' 'without a priority.*wg-quick' lookup main
rule "our mark's bits, behind" 'IPv4 rule 30000 .*bits of the mark' 'mark_mask' priority 30000 fwmark 0x5000000/0xff000000 lookup 52
rule "looks up our table" 'IPv4 rule 30000 .*table 21002 of eth2' 'table = ' priority 30000 to 192.0.2.1 lookup 21002
ip -n h -6 rule add priority 5000 to fd00:10::/64 lookup main
finds "ahead, IPv6" 'IPv6 rule 5000 .*policy "on-premises".*default via fd00:e0::1' ''
ip -n h -6 rule del priority 5000
ip -n h -6 rule add priority 21500 lookup 52
finds "inside the band, IPv6" 'IPv6 rule 21500 .*inside our band' ''
ip -n h -6 rule del priority 21500

harmless "tailscale's mark" priority 5210 fwmark 0x80000/0xff0000 lookup main
harmless "tailscale's mark, unreachable" priority 5250 fwmark 0x80000/0xff0000 unreachable
harmless "Kubernetes' mark" priority 5000 fwmark 0x4000/0x4000 lookup main
harmless "another destination" priority 5000 to 192.0.2.0/24 lookup main
harmless "forwarded packets, which there are none of" priority 5000 iif eth1 lookup main
harmless "behind the band" priority 32000 lookup main
harmless "a jump in front of the band" priority 5000 goto 5001
harmless "a type of service" priority 5000 tos 0x10 lookup main

# amazon-ec2-net-utils: a rule for each address, which sends where ours does.
quiet_ip route add default via 172.31.64.1 dev eth2 table 10002
harmless "a rule for an address, and the same interface" priority 10002 from 172.31.70.5 lookup 10002
quiet_ip route del default table 10002
# tailscale: its own addresses, and then a route into the office.
ip -n h link add tailscale0 type bridge
ip -n h link set tailscale0 up
quiet_ip route add 100.64.0.0/10 dev tailscale0 table 52
harmless "a table that knows nothing of the policy's destinations" priority 5270 lookup 52
quiet_ip route add 10.0.0.0/8 dev tailscale0 table 52
rule "a table that does" 'IPv4 rule 5270 .*table 52 has "10\.0\.0\.0/8 dev tailscale0' '' priority 5270 lookup 52
quiet_ip link del tailscale0
clean "all rules are gone again"

# Users, protocols and ports, where the policy names some.
policies '{ name = "browser"; to = "10.0.0.0/16"; user = "1000-1999"; protocol = "tcp"; dport = 443; via = "eth2"; }'
for selectors in "uidrange 1500-1500" "uidrange 0-60000" "ipproto tcp dport 443" "ipproto tcp dport 400-500"; do
	# shellcheck disable=SC2086
	rule "ahead, $selectors" "IPv4 rule 5000 .*${selectors##* } .*policy \"browser\"" '' priority 5000 to 10.0.0.0/16 $selectors lookup main
done
for selectors in "uidrange 2000-3000" "ipproto udp" "ipproto tcp dport 80" "ipproto tcp dport 444-65535"; do
	# shellcheck disable=SC2086
	harmless "another one: $selectors" priority 5000 to 10.0.0.0/16 $selectors lookup main
done
policy <<<"$S4"
apply

# ---- tables ----

quiet_ip route add 192.0.2.0/24 via 172.31.64.1 table 21002
finds "a route in our table" 'table 21002 of eth2 has 1 route that is not ours: "192\.0\.2\.0/24 via' 'table_base'
quiet_ip route del 192.0.2.0/24 table 21002
quiet_ip route add 192.0.2.0/24 via 172.31.64.1 table 21009
clean "a route in a table of nobody's"
quiet_ip route del 192.0.2.0/24 table 21009

# ---- marks in nftables ----

# writes HOOK STATEMENT PATTERN: somebody writes over our bits.
writes() {
	nft_h <<<"table ip other { chain c { type filter hook $1 priority mangle; tcp dport 99 $2; }; }"
	finds "$2" "nftables: table ip other, chain c \\($1, priority -150\\), rule handle [0-9]+.*$3" 'mark_mask'
	at h nft delete table ip other
}
keeps() {
	nft_h <<<"table inet other { set s { type ipv4_addr; elements = { 192.0.2.1 }; }
		chain c { type filter hook output priority mangle; $1; }; }"
	clean "$1"
	at h nft delete table inet other
}

writes output "meta mark set 0x1" '`meta mark set 0x00000001` writes over our bits of the packet mark, 0xff000000'
writes prerouting "ct mark set 0x1" '`ct mark set 0x00000001`.*connection mark'
writes prerouting "meta mark set ct mark" '`meta mark set ct mark`'
writes postrouting "ct mark set meta mark" '`ct mark set meta mark`'
writes output "meta mark set meta mark & 0xffff" 'packet mark'
writes output "meta mark set meta mark | 0x01000000" 'packet mark'
writes output "meta mark set meta mark ^ 0x80000000" 'packet mark'
writes output "meta mark set ip saddr map { 10.200.0.2 : 0x1 }" 'packet mark'
writes output "meta mark set numgen inc mod 4" 'packet mark'
writes output "meta mark set ct mark & 0x00ffffff" 'packet mark'
keeps "meta mark set meta mark | 0x1"
keeps "meta mark set meta mark & 0xff00ffff | 0x00040000"
keeps "ct mark set ct mark | 0x10000"
keeps "ct mark set ct mark & 0xffff0fff"
keeps "meta mark 0x80000 accept"
keeps "ct mark 0x01000000 counter"
keeps "ip saddr @s meta priority set root"
keeps "meta mark & 0xff000000 == 0x02000000 counter"

# iptables TABLE RULE…: the targets of iptables-nft.
iptables_is() {
	local how=$1
	shift
	if ! command -v iptables-nft >/dev/null; then
		ok 0 "iptables $* # SKIP no iptables-nft"
		return
	fi
	at h iptables-nft -t mangle -A "$@"
	if [ "$how" = writes ]; then
		finds "iptables $*" "nftables: table ip mangle, chain $1 " 'set-xmark'
	else
		clean "iptables $*"
	fi
	at h nft delete table ip mangle
}
iptables_is writes OUTPUT -j MARK --set-mark 0x1
iptables_is writes OUTPUT -j MARK --set-xmark 0x0/0xffff0000
iptables_is writes PREROUTING -j CONNMARK --restore-mark
iptables_is writes POSTROUTING -j CONNMARK --save-mark
iptables_is writes PREROUTING -j CONNMARK --set-mark 0x3
iptables_is keeps OUTPUT -j MARK --set-xmark 0x40000/0xff0000
iptables_is keeps OUTPUT -j MARK --or-mark 0x4000
iptables_is keeps OUTPUT -j CONNMARK --set-xmark 0x4000/0x4000
iptables_is keeps PREROUTING -j CONNMARK --restore-mark --nfmask 0xffff --ctmask 0xffff
iptables_is keeps POSTROUTING -j CONNMARK --save-mark --nfmask 0xff0000 --ctmask 0xff0000

nft_h <<-END
	table ip6 one { chain a { meta mark set 0x1; meta mark set 0x2; ct mark set 0x3; }; chain b { meta mark set 4; }; }
	table inet two { chain c { type filter hook forward priority 5; meta mark set 0x1; }; }
	table netdev three { chain in { type filter hook ingress device eth0 priority 0; meta mark set 0x1; }; }
END
said=$(doctor)
is "several: exit status" $? 1
is "several: one finding for each chain" "$(grep -c ^warning <<<"$said")" 4
like "several: in a chain" "$said" 'table ip6 one, chain a, rule handle [0-9]+ and 2 more: `meta mark set 0x00000001`'
like "several: another chain" "$said" 'table ip6 one, chain b, rule handle [0-9]+: '
like "several: behind ours" "$said" 'table inet two, chain c \(forward, priority 5\)'
like "several: netdev" "$said" 'table netdev three, chain in \(ingress, priority 0\)'
for table in "ip6 one" "inet two" "netdev three"; do
	# shellcheck disable=SC2086
	at h nft delete table $table
done
clean "all tables are gone again"
nft_h <<<'table inet other { chain c { type filter hook output priority mangle; meta mark set meta mark | 0x10000000; }; }'
policy <<<"settings = { mark_mask = \"0x00f00000\"; }; $S4"
apply
clean "the bits that are ours may be others"
at h nft delete table inet other
policy <<<"$S4"
apply

# ---- strict reverse-path filter ----

set_sysctl h ipv4/conf/all/rp_filter 1
clean "all is strict, and the managed interfaces are loose"
set_sysctl h ipv4/conf/all/rp_filter 0 ipv4/conf/eth2/rp_filter 1
finds "strict again behind our back" 'rp_filter is strict on eth2' 'ifsteer apply'
apply
clean "loose after an apply"
set_sysctl h ipv4/conf/all/rp_filter 0
keep='settings = { rp_filter = "keep"; };'
by_port='policies = ( { name = "by-source-port"; sport = "1000-2000"; via = "eth2"; } );'
policy <<<"$keep $S2 $by_port"
apply
set_sysctl h ipv4/conf/eth2/rp_filter 1
finds "kept strict where flows are rewritten" 'rp_filter is strict on eth2 and kept so.*"by-source-port"' 'loose'
set_sysctl h ipv4/conf/all/rp_filter 2
clean "the larger of all and the interface counts"
set_sysctl h ipv4/conf/all/rp_filter 1 ipv4/conf/eth2/rp_filter 0
finds "strict by all" 'rp_filter is strict on eth2' ''
set_sysctl h ipv4/conf/all/rp_filter 0
clean "none"
set_sysctl h ipv4/conf/eth2/rp_filter 1
policy <<<"$keep $S4"
apply
clean "kept strict where nothing need be rewritten"
set_sysctl h ipv4/ip_forward 1
finds "kept strict where packets are forwarded" 'rp_filter is strict on eth2.*"on-premises"' ''
policy <<<"$S4"
apply
clean "not kept"
set_sysctl h ipv4/conf/eth1/rp_filter 1
clean "strict where forwarded packets come in"
set_sysctl h ipv4/conf/eth1/src_valid_mark 1
finds "and their mark counts" 'rp_filter is strict and src_valid_mark set on eth1: .*"on-premises"' ''
set_sysctl h ipv4/conf/eth1/src_valid_mark 0 ipv4/conf/all/src_valid_mark 1
finds "and everybody's mark counts" 'rp_filter is strict and src_valid_mark set on eth1' ''
set_sysctl h ipv4/conf/all/src_valid_mark 0 ipv4/conf/eth1/rp_filter 0 ipv4/ip_forward 0

# ---- forwarding ----

policy <<<"$S2 policies = ( { name = \"guests\"; in = \"eth1\"; via = \"eth2\"; } );"
apply
finds "forwarding is off, in" 'policy "guests" \(ifsteer\.conf:1\) .*forwarding of IPv4 is off' 'net\.ipv4\.ip_forward=1'
set_sysctl h ipv4/ip_forward 1
clean "forwarding is on"
policy <<<"$S2 policies = ( { name = \"guests\"; origin = \"forwarded\"; family = \"ipv6\"; via = \"eth2\"; } );"
apply
finds "forwarding is off, origin, IPv6" 'policy "guests".*forwarding of IPv6 is off' 'net\.ipv6\.conf\.all\.forwarding=1'
policy <<<"$S2 policies = ( { name = \"guests\"; origin = \"forwarded\"; family = \"ipv6\"; via = \"eth2\"; enabled = false; } );"
apply
clean "the policy is disabled"
policy <<<"$S4"
apply
set_sysctl h ipv4/ip_forward 0

# ---- systemd-networkd ----

networkd='systemd-networkd removes routing rules and routes'
clean "networkd is not enabled"
enable systemd-networkd.service
finds "networkd is enabled" "$networkd that" 'ManageForeignRoutingPolicyRules=no ManageForeignRoutes=no'
printf '[Network]\n#ManageForeignRoutes=no\n' >/etc/systemd/networkd.conf
finds "a comment sets nothing" "$networkd that" ''
printf '[Network]\nManageForeignRoutes = no\n' >/etc/systemd/networkd.conf
finds "networkd keeps routes" 'systemd-networkd removes routing rules that' 'Network\]: ManageForeignRoutingPolicyRules=no$'
printf '[DHCPv4]\nManageForeignRoutingPolicyRules=no\n' >/etc/systemd/networkd.conf.d/10-x.conf
finds "another section is not it" 'systemd-networkd removes routing rules that' ''
printf '[Network]\nManageForeignRoutingPolicyRules=0\n' >/etc/systemd/networkd.conf.d/10-x.conf
clean "networkd keeps both"
printf '[Network]\nManageForeignRoutingPolicyRules=yes\n' >/etc/systemd/networkd.conf.d/20-y.conf
finds "the last drop-in wins" 'systemd-networkd removes routing rules that' ''
mkdir -p /run/systemd/networkd.conf.d
printf '[Network]\nManageForeignRoutingPolicyRules=no\n' >/run/systemd/networkd.conf.d/30-z.conf
clean "wherever it stands"
ln -s /dev/null /etc/systemd/networkd.conf.d/30-z.conf
finds "and /etc has the last word" 'systemd-networkd removes routing rules that' ''
disable systemd-networkd.service
clean "networkd is disabled"
# Only its name matters.
cp "$(command -v sleep)" /tmp/systemd-networkd
(exec nsenter --net=/run/netns/gw /tmp/systemd-networkd 60) &
elsewhere=$!
clean "networkd runs in another namespace"
(exec nsenter --net=/run/netns/h /tmp/systemd-networkd 60) &
running=$!
eventually 30 grep -q systemd-network "/proc/$running/comm"
finds "networkd runs here" 'systemd-networkd removes routing rules that' ''
kill $running $elsewhere
enable systemd-networkd.service
ln -s /dev/null /etc/systemd/system/systemd-networkd.service
wait $running $elsewhere 2>/dev/null
clean "networkd is masked"
disable systemd-networkd.service
rm /etc/systemd/system/systemd-networkd.service

# ---- nftables.conf ----

printf '#!/usr/sbin/nft -f\n\nflush ruleset\n' >/etc/nftables.conf
clean "nftables.service is not enabled"
enable nftables.service
finds "nftables.conf flushes everything" '/etc/nftables\.conf has `flush ruleset`' 'begin it with'
printf '# flush ruleset\ntable inet f { comment "flush ruleset"; chain c { } }; flush ruleset ip\n' >/etc/nftables.conf
clean "nftables.conf does not"
printf 'table inet f { }; flush  ruleset inet' >/etc/nftables.conf
finds "nftables.conf flushes in the middle" '/etc/nftables\.conf has `flush ruleset`' ''
disable nftables.service
mkdir -p /run/systemd/units
ln -s 0123456789abcdef /run/systemd/units/invocation:nftables.service
finds "nftables.service is not enabled, but active" '/etc/nftables\.conf has `flush ruleset`' ''
rm -r /run/systemd/units /etc/nftables.conf

# ---- NetworkManager ----

enable NetworkManager.service
ln -sf /lib/systemd/system/NetworkManager-dispatcher.service /etc/systemd/system/dbus-org.freedesktop.nm-dispatcher.service
clean "NetworkManager and its dispatcher are enabled"
mv /etc/systemd/system/dbus-org.freedesktop.nm-dispatcher.service /tmp
finds "the dispatcher is not" 'NetworkManager .*without its dispatcher service' 'systemctl enable --now NetworkManager-dispatcher'
mv /tmp/dbus-org.freedesktop.nm-dispatcher.service /etc/systemd/system
ln -s /dev/null /etc/systemd/system/NetworkManager-dispatcher.service
finds "the dispatcher is masked" 'NetworkManager .*without its dispatcher service' ''
rm /etc/systemd/system/NetworkManager-dispatcher.service
cp "$(command -v sleep)" /tmp/NetworkManager
(exec nsenter --net=/run/netns/h /tmp/NetworkManager 60) &
running=$!
eventually 30 grep -q NetworkManager "/proc/$running/comm"
finds "NetworkManager runs without our hook" "NetworkManager is running without ifsteer's hook" '50-ifsteer'
lab_install
said=$(doctor)
is "with our hook: exit status" $? 0
like "the unit that is not enabled is a note" "$said" '^note: ifsteer\.service is not enabled'
ln -s /dev/null /etc/NetworkManager/dispatcher.d/50-ifsteer
finds "our hook is switched off" "NetworkManager is running without ifsteer's hook" ''
rm /etc/NetworkManager/dispatcher.d/50-ifsteer
kill $running
wait $running 2>/dev/null
disable NetworkManager.service
enable ifsteer.service
is "ifsteer.service is enabled: silence" "$(doctor)$?" 0

# ---- what no policy can cover ----

policy <<<"$S2 policies = (
	{ name = \"vpn\"; user = \"nobody\"; via = \"eth2\"; otherwise = \"unreachable\"; },
	{ name = \"backup\"; cgroup = \"nowhere.slice\"; via = \"eth2\"; otherwise = \"blackhole\"; } );"
apply
said=$(doctor)
is "kill switches: exit status" $? 0
unlike "only notes" "$said" '^warning'
for limit in 'never steered' "somebody else's mark" 'replies to connections that came in' 'AF_PACKET' 'that early' 'conntrack -F' 'sees the cgroup'; do
	like "a limit: $limit" "$said" "^note: a kill switch .*$limit"
done
like "which ones" "$said" '"vpn", "backup"'

# ---- all at once, on a terminal ----

ip -n h rule add priority 100 lookup main
ip -n h rule add priority 21500 lookup main
said=$(doctor)
is "two findings: exit status" $? 1
is "two findings" "$(grep -c ^warning <<<"$said")" 2
like "notes come last" "$(tail -n 2 <<<"$said" | head -n 1)" '^note:'
text=$(script -qec "ip netns exec h $IFSTEER doctor" /dev/null </dev/null)
like "colour on a terminal" "$text" $'^\033\\[33mwarning:\033'
unlike "never with NO_COLOR" "$(NO_COLOR=1 script -qec "ip netns exec h $IFSTEER doctor" /dev/null </dev/null)" $'\033'
# Its tables stay for as long as the namespace does.
policy <<<"$S4"
ip -n h rule del priority 100
ip -n h rule del priority 21500
apply
if at h iptables-legacy -t mangle -S >/dev/null 2>&1; then
	said=$(doctor)
	is "iptables-legacy: exit status" $? 0
	like "iptables-legacy: can't be told" "$said" '^note: iptables-legacy has a mangle table'
fi
done_testing
