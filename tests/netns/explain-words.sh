#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The words of `explain`: each option finds its policy, what is not a value is refused with a reason,
# and a name is looked up.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

policies '{ name = "hours"; hours = "09:00-17:00"; days = "mon"; to = "203.0.113.0/24"; via = "eth2"; },
	{ name = "mac"; mac = "02:00:00:00:00:01"; to = "203.0.114.0/24"; via = "eth2"; },
	{ name = "dscp"; dscp = "af41"; to = "203.0.114.0/24"; via = "eth2"; },
	{ name = "sport"; sport = 4000; protocol = "udp"; to = "203.0.114.0/24"; via = "eth2"; },
	{ name = "mark"; mark = "0x100/0xff00"; to = "203.0.114.0/24"; via = "eth2"; },
	{ name = "alice"; user = "nobody"; to = "203.0.114.0/24"; via = "eth2"; },
	{ name = "from"; from = "10.200.0.2"; to = "203.0.116.0/24"; via = "eth2"; }'

# finds POLICY ifsteer explain's words…: null for none.
finds() {
	local want="\"$1\""
	[ "$1" != null ] || want=null
	is "explain ${*:2}" "$(ifsteer explain --json "${@:2}" 2>&1 | grep '"policy"' | head -n 1 | tr -d ' ,')" \
		"\"policy\":$want"
}
finds hours --time "mon 09:30" 203.0.113.9
finds null --time "mon 17:30" 203.0.113.9
finds null --time "tue 09:30" 203.0.113.9
finds mac --mac 02:00:00:00:00:01 203.0.114.9
finds null --mac 02:00:00:00:00:02 203.0.114.9
finds dscp --dscp af41 203.0.114.9
finds null --dscp 35 203.0.114.9
finds sport --protocol udp --sport 4000 203.0.114.9
finds null --protocol tcp --sport 4000 203.0.114.9
finds mark --mark 0x100 203.0.114.9
finds alice --user nobody 203.0.114.9
finds null --user root 203.0.114.9
finds from --from 10.200.0.2 203.0.116.9

# refused PATTERN ifsteer explain's words…
refused() {
	local said
	said=$(ifsteer explain "${@:2}" 2>&1)
	is "explain ${*:2}: exit status" $? 2
	like "explain ${*:2}: said" "$said" "$1"
}
refused 'time like "mon 09:30"' --time "mon 24:00" 203.0.113.9
refused 'time like "mon 09:30"' --time "monday" 203.0.113.9
refused 'time like "mon 09:30"' --time "on  09:30" 203.0.113.9
refused 'time like "mon 09:30"' --time "" 203.0.113.9
refused '"10.0.0.0/8" is not an address' --from 10.0.0.0/8 203.0.113.9
refused 'is a prefix' 203.0.113.0/24
refused 'not of one family' --from 10.200.0.2 2001:db8::1
refused 'says itself by which interface' fe80::1%eth2
refused '"x" is not' --protocol x 203.0.113.9
refused 'dport: protocol 1 has no ports' --protocol icmp --dport 80 203.0.113.9
refused '"65536" is out of range' --dport 65536 203.0.113.9
refused '"-1" is not' --sport=-1 203.0.113.9
refused '"zz" is not' --mac zz 203.0.113.9
refused 'a single value' --mac '!02:00:00:00:00:01' 203.0.113.9
refused 'a single value' --dscp '!af41' 203.0.113.9
refused '"x" is not a mark' --mark x 203.0.113.9
refused '"no-such-user"' --user no-such-user 203.0.113.9
refused 'packets come in' --in lo 203.0.113.9
refused "is of the host's own packets" --in eth0 --user nobody 203.0.113.9
refused "is of the host's own packets" --mac 02:00:00:00:00:01 --group root 203.0.113.9

# What a person reads: the answer holds for the policy, and where the kernel isn't as far, that is said.
unlike "in sync" "$(ifsteer explain 203.0.116.9)" '^  holds'
at h nft delete table inet ifsteer
like "out of sync, and it says so" "$(ifsteer explain 203.0.116.9)" '^  holds +once the kernel is in sync: `ifsteer diff`'
like "nothing of that for a captured host" "$(ifsteer facts >/tmp/facts; ifsteer --facts /tmp/facts explain 203.0.116.9 | grep -c '^  holds')" '^0$'
policies '{ name = "no"; to = "203.0.116.0/24"; action = "prohibit"; }'
said=$(ifsteer explain 203.0.116.9)
like "what is refused" "$said" '^203.0.116.9 is prohibited$'
unlike "goes no way" "$said" '^  (rule|route) '

policies '{ name = "empty"; to = "0.0.0.0/0"; table = 52; }, { name = "own"; dport = 80; via = "eth2"; }'
like "a table without a route is no route of main's" "$(ifsteer explain 203.0.116.9 | tr -s '\n ' ' ')" \
	'policy empty, [^ ]*, but another rule or an empty table comes before its way '
policies '{ name = "own"; dport = 80; via = "eth2"; }'
ip -n h route add 203.0.117.0/24 via 10.200.0.1
like "a route of main's is" "$(ifsteer explain --dport 80 203.0.117.9 | tr -s '\n ' ' ')" 'leaves this to main, which has a route of its own'
like "IPv4 in an IPv6 address" "$(ifsteer explain ::ffff:203.0.117.9)" '^203.0.117.9 leaves by eth0 '
like "any address is this host" "$(ifsteer explain 0.0.0.0)" '^127.0.0.1 is this host itself'
like "any address is this host" "$(ifsteer explain ::)" '^::1 is this host itself'
is "which is what a socket finds" "$(at h "$PROBE" tcp 0.0.0.0 $PORT)" "local=127.0.0.1 name=h seen=127.0.0.1"

echo '203.0.113.9 shop.example' >>/etc/hosts
like "a name is looked up" "$(ifsteer explain shop.example)" '^203.0.113.9 leaves by eth0'
said=$(ifsteer explain no-such-host.invalid 2>&1)
is "a name that nobody knows: exit status" $? 6
like "a name that nobody knows: said" "$said" 'no-such-host\.invalid: '
done_testing
