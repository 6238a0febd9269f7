#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sets: from elements, from files, and dynamic ones that a real dnsmasq fills; what others put in survives.

. "$(dirname "$0")/lib.sh"
lab_enter
needs dnsmasq
lab_host
forget_spoofed

sets() { policy <<<"$S2 sets = ( $1 ); policies = ( $2 );"; }

sets '{ name = "office"; elements = [ "203.0.113.0/25", "203.0.113.128-203.0.113.200", "2001:db8:113::/64" ]; },
	{ name = "not_this"; elements = "203.0.113.7"; }' \
	'{ name = "p"; to = [ "@office", "!@not_this" ]; via = "eth2"; }'
for ns in gw vpc; do
	ip -n $ns route add local 203.0.113.0/24 dev lo
	ip -n $ns route add local 2001:db8:113::/64 dev lo
done
apply "apply, elements"
answered "an element" vpc 172.31.70.5 203.0.113.9
answered "a range" vpc 172.31.70.5 203.0.113.200
answered "behind the range" gw 10.200.0.2 203.0.113.201
answered "a negated set" gw 10.200.0.2 203.0.113.7
answered "IPv6" vpc fd00:e2::5 2001:db8:113::1

sets '{ name = "here"; elements = [ "10.200.0.2", "fd00:e0::2" ]; }, { name = "there"; elements = [ "203.0.113.0/24", "2001:db8:113::/64" ]; }' \
	'{ name = "p"; from = "@here"; to = "@there"; via = "eth2"; }'
apply "apply, a set in from, too"
expect "a set in from" "local=10.200.0.2 name=vpc seen=172.31.70.5" tcp -b 10.200.0.2 203.0.113.9
expect "a set in from, IPv6" "local=fd00:e0::2 name=vpc seen=fd00:e2::5" tcp -b fd00:e0::2 2001:db8:113::1
sets '{ name = "here"; elements = [ "10.200.0.2", "fd00:e0::2" ]; }' '{ name = "p"; from = "!@here"; to = "203.0.113.0/24"; via = "eth2"; }'
apply "apply, a negated set in from"
expect "a negated set in from" "local=10.200.0.2 name=gw seen=10.200.0.2" tcp -b 10.200.0.2 203.0.113.9

# Neighbours, parts and wholes: after each edit every address goes where it would after a first
# apply. Ranges by the last byte.
sets '{ name = "office"; file = "office.txt"; }' '{ name = "p"; to = "@office"; via = "eth2"; }'
edges=(0 63 64 127 128 191 192 255)
for ranges in "0-127 128-255" "64-127" "0-255" "0-63 128-191" "64-127 192-255" "0-127 192-255" \
	"128-191" "0-63 64-127 128-191" "1-254"; do
	printf '203.0.113.%s\n' ${ranges//-/-203.0.113.} >/etc/ifsteer/office.txt
	apply "apply, $ranges"
	ways= want=
	for last in "${edges[@]}"; do
		where=gw
		for range in $ranges; do ((last < ${range%-*} || last > ${range#*-})) || where=vpc; done
		want+="$last:$where "
		ways+="$last:$(at h "$PROBE" tcp 203.0.113.$last $PORT | grep -o 'name=[a-z]*' | cut -d= -f2) "
	done
	is "$ranges: every address goes its way" "$ways" "$want"
done
quiet "diff is clean" ifsteer diff

# Whatever the policy calls its sets, none of ours is called so.
for name in own addresses loopback sources; do
	sets "{ name = \"$name\"; elements = [ \"203.0.113.0/25\", \"2001:db8:113::/64\" ]; }" "{ name = \"p\"; to = \"@$name\"; via = \"eth2\"; }"
	apply "apply, a set called $name"
	answered "a set called $name" vpc 172.31.70.5 203.0.113.9
	quiet "a set called $name: diff is clean" ifsteer diff
done

# A long list stands in a set that is called by its policy.
list=$(printf '"203.0.113.%d", ' {0..200..2})
for name in 10-office 0x1 1 main type; do
	for action in 'via = "eth2"' 'action = "main"'; do
		sets '' "{ name = \"$name\"; to = [ ${list%, } ]; from = [ ${list%, }, \"10.200.0.2\", \"!10.200.0.3\" ]; $action; }"
		apply "apply, a list of policy $name, $action"
		quiet "a list of policy $name: diff is clean" ifsteer diff
	done
done

# More prefixes than companions speak for: the socket believes in main's source, the wire shows the right one.
rewritten() {
	expect "$1: tcp" "local=10.200.0.2 name=vpc seen=172.31.70.5" tcp "$2"
	expect "$1: udp" "local=10.200.0.2 name=vpc seen=172.31.70.5" udp "$2"
}

# A file: overlaps merge, an error has the file's line, an edit is a change of elements.
{
	echo "# the office"
	for i in {0..255}; do echo "10.77.$i.0/24"; done
	echo "203.0.113.0/24 # and this"
	echo "203.0.113.64/26"
	for i in {0..99}; do for k in {0..255}; do echo "11.$i.$k.0/25"; done; done
	for i in {0..255}; do for k in {0..255}; do echo "12.$i.$k.128/25"; done; done
	echo "2001:db8:113::/64"
} >/etc/ifsteer/office.txt
sets '{ name = "office"; file = "office.txt"; }' '{ name = "p"; to = "@office"; via = "eth2"; }'
apply "apply, a file of $(wc -l </etc/ifsteer/office.txt) lines"
rewritten "from a file" 203.0.113.7
answered "from a file, IPv6" vpc fd00:e2::5 2001:db8:113::1
quiet "diff is clean" ifsteer diff
is "overlaps are merged" "$(at h nft list set inet ifsteer office_4 | grep -c '203.0.113.64')" 0
sed -i 's/^203.0.113.0.24.*/203.0.113.0\/28/' /etc/ifsteer/office.txt
like "an edit is a change of elements" "$(ifsteer diff | grep -v '203.0.113' | wc -l)" '^0$'
apply "apply, edited"
answered "no longer in the file" gw 10.200.0.2 203.0.113.129
rewritten "still in the file" 203.0.113.7
sed -i '3s/.*/10.77.0.1\/24/' /etc/ifsteer/office.txt
said=$(ifsteer apply 2>&1)
is "an error in the file: exit status" $? 3
like "an error in the file: its line" "$said" '/etc/ifsteer/office.txt:3: error: .*10.77.0.0/24'
rewritten "an error in the file: what stood stands" 203.0.113.7

# Names, as dnsmasq resolves them.
names='{ name = "names"; dynamic = true; timeout = "1h"; }, { name = "lasting"; dynamic = true; }'
sets "$names" '{ name = "p"; to = [ "@names", "@lasting" ]; via = "eth2"; }'
apply "apply, dynamic"
at gw dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --pid-file=/run/dnsmasq.gw --bind-interfaces --listen-address=10.200.0.1 \
	--address=/steered.test/203.0.113.50 --address=/steered.test/2001:db8:113::50 --address=/other.test/203.0.113.60
at h dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --pid-file=/run/dnsmasq.h --bind-interfaces --listen-address=127.0.0.1 \
	--server=10.200.0.1 --nftset=/steered.test/4#inet#ifsteer#names_4,6#inet#ifsteer#names_6
rm -f /etc/resolv.conf
echo "nameserver 127.0.0.1" >/etc/resolv.conf
answered "before anybody asks for the name" gw 10.200.0.2 203.0.113.50
resolve() { at h getent ahosts "$1" | cut -d' ' -f1 | sort -u | tr '\n' ' '; }
like "the name resolves" "$(resolve steered.test)" '203.0.113.50'
is "another name resolves" "$(resolve other.test)" "203.0.113.60 "
rewritten "once it was asked for" 203.0.113.50
expect "once it was asked for, IPv6" "* name=vpc seen=fd00:e2::5" tcp 2001:db8:113::50
answered "not the other name" gw 10.200.0.2 203.0.113.60
nft_h() { at h nft "$@"; }
nft_h add element inet ifsteer lasting_4 '{ 203.0.113.61 }'
expect "by hand" "* name=vpc seen=172.31.70.5" tcp 203.0.113.61
quiet "diff is clean" ifsteer diff
sets "$names" '{ name = "new"; to = "192.0.2.0/24"; via = "eth0"; }, { name = "p"; to = [ "@names", "@lasting" ]; via = "eth2"; }'
apply "apply, another policy"
expect "they survive an apply" "* name=vpc seen=172.31.70.5" tcp 203.0.113.50
expect "they survive an apply" "* name=vpc seen=172.31.70.5" tcp 203.0.113.61
at h nft flush chain inet ifsteer judge_local
apply "apply, repair"
expect "they survive a repair" "* name=vpc seen=172.31.70.5" tcp 203.0.113.50
ip -n h link set eth2 down
quiet "a hook" ifsteer hook networkmanager eth2 down
up eth2
quiet "a hook" ifsteer hook networkmanager eth2 up
expect "they survive down and up" "* name=vpc seen=172.31.70.5" tcp 203.0.113.61
sets '{ name = "lasting"; dynamic = true; }' '{ name = "p"; to = "@lasting"; via = "eth2"; }'
apply "apply, without one of them"
unlike "a set that is no longer wanted goes" "$(at h nft list sets)" 'names_4'
expect "the other stays" "* name=vpc seen=172.31.70.5" tcp 203.0.113.61
kill "$(cat /run/dnsmasq.gw)" "$(cat /run/dnsmasq.h)"
nothing_spoofed
quiet "diff is clean" ifsteer diff
done_testing
