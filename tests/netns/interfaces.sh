#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Interfaces that vanish and come back with another index, are renamed, come up before their
# address, and have odd names.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

by_eth2() {
	answered "$1" op 172.31.70.5 10.0.1.9
	answered "$1" op fd00:e2::5 fd00:10::9
	AT=op inbound "$1: inbound" 172.31.70.5
	quiet "$1: diff is clean" ifsteer diff
}
as_main_says() {
	answered "$1" gw 10.200.0.2 10.0.1.9
	quiet "$1: diff is clean" ifsteer diff
}
event() { quiet "hook: $*" ifsteer hook networkmanager "$@"; }

policy <<<"$S4"
before=$(host_state)
apply
forget_spoofed
by_eth2 "at first"

# Another index, with and without an event in between.
index=$(at h cat /proc/net/dev_snmp6/eth2 | sed -n 's/^ifIndex[\t ]*//p')
ip -n h link del eth2
event eth2 down
as_main_says "gone"
ip -n h link add spacer type veth peer name spacer2
plug eth2
up eth2
event eth2 up
unlike "it has another index" "$(at h cat /proc/net/dev_snmp6/eth2)" "^ifIndex[[:space:]]*$index$"
by_eth2 "back with another index"
is "its rp_filter is loosened again" "$(at h cat /proc/sys/net/ipv4/conf/eth2/rp_filter)" 2
ip -n h link del eth2
plug eth2
up eth2
event eth2 up
by_eth2 "back at once, nobody said that it was gone"

# Renamed away and back.
ip -n h link set eth2 down
ip -n h link set eth2 name lan0
event lan0 up
as_main_says "renamed"
ip -n h link set lan0 name eth2
up eth2
event eth2 up
by_eth2 "renamed back"
# Two that change places: eth0 and eth2 by name, not by index.
ip -n h link set spacer name eth7
event eth7 up
by_eth2 "somebody else was renamed"

# Up before its address, each family on its own.
ip -n h addr flush dev eth2 scope global
event eth2 up
as_main_says "up without an address"
like "status says why" "$(ifsteer status --json | tr -d '\n')" 'no address'
ip -n h addr add 172.31.70.5/20 dev eth2
event eth2 dhcp4-change
answered "IPv4 came" op 172.31.70.5 10.0.1.9
answered "IPv6 did not" gw fd00:e0::2 fd00:10::9
ip -n h addr add fd00:e2::5/64 dev eth2 nodad
event eth2 dhcp6-change
by_eth2 "IPv6 came later"

# With duplicate address detection an address can't be used for a second or two, and nobody says
# when it can.
ip -n h addr del fd00:e2::5/64 dev eth2
event eth2 down
set_sysctl h ipv6/conf/eth2/accept_dad 1
ip -n h addr add fd00:e2::5/64 dev eth2
event eth2 up
like "its address is tentative" "$(ip -n h -6 addr show dev eth2)" tentative
expect "who connects meanwhile is sent by eth2, and not with the wrong address" "local=* name=op seen=fd00:e2::5" tcp -t 5000 fd00:10::9
eventually 30 eval '! ip -n h -6 addr show dev eth2 | grep -q tentative'
by_eth2 "its address has settled"
# Somebody else has the address.
ip -n h addr del fd00:e2::5/64 dev eth2
ip -n vpc addr add fd00:e2::5/64 dev to_h nodad
ip -n h addr add fd00:e2::5/64 dev eth2
eventually 30 eval 'ip -n h -6 addr show dev eth2 | grep -q dadfailed'
event eth2 up
like "a duplicate address: status says so" "$(ifsteer status)" "somebody else has its address"
answered "a duplicate address: main decides" gw fd00:e0::2 fd00:10::9
ip -n vpc addr del fd00:e2::5/64 dev to_h
set_sysctl h ipv6/conf/eth2/accept_dad 0
ip -n h addr del fd00:e2::5/64 dev eth2
ip -n h addr add fd00:e2::5/64 dev eth2 nodad
event eth2 up
by_eth2 "nobody else has it any more"
nothing_spoofed
ip -n h link del eth7
quiet "flush" ifsteer flush
same "flush leaves what was before, but for the address of the new hardware" "$(host_state | grep -v 'local fe80:')" \
	"$(grep -v 'local fe80:' <<<"$before")"

# Odd names, each legal; in a policy a quote and a backslash are escaped. What a connection says again
# after a flush leaves as main says, and is none of ours.
odd=("it's" '{eth2}' '$(id)' 'a;b|c&d' 'x}#y' 'žluťoučký' 'žluťoučkýá' '-rf' '@set' '!eth' 'ether' 'accept')
for name in "${odd[@]}"; do
	ip -n h link set eth2 down
	at h ip link set dev eth2 name "$name" || { ok 1 "can't be named $name"; continue; }
	ip -n h link set dev "$name" up
	ip -n h addr replace 172.31.70.5/20 dev "$name"
	ip -n h addr replace fd00:e2::5/64 dev "$name" nodad
	has_come_up "$name"
	quoted=${name//\\/\\\\}
	quoted=${quoted//\"/\\\"}
	policy <<-END
		interfaces = ( { name = "eth0"; }, { name = "$quoted"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } );
		policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "$quoted"; } );
	END
	apply "apply: an interface called $name"
	forget_spoofed
	answered "called $name" op 172.31.70.5 10.0.1.9
	answered "called $name" op fd00:e2::5 fd00:10::9
	AT=op expect "called $name: inbound" "* name=h *" tcp 172.31.70.5
	quiet "called $name: diff is clean" ifsteer diff
	quiet "called $name: status" ifsteer status
	is "called $name: explain" "$(ifsteer explain --json 10.0.1.9 | grep -cF "\"interface\": \"$quoted\"")" 1
	nothing_spoofed "called $name: no packet left with the address of the other interface"
	quiet "called $name: flush" ifsteer flush
	unlike "called $name: flush leaves nothing" "$(host_state)" 'proto (77|ifsteer)|inet ifsteer'
	ip -n h link set dev "$name" down
	at h ip link set dev "$name" name eth2
done

# What nftables has no way to write makes the interface unusable, says so, and nothing else comes of
# it.
for name in 'a"};' 'a\n'; do
	ip -n h link set eth2 down
	at h ip link set dev eth2 name "$name"
	ip -n h link set dev "$name" up
	ip -n h addr replace 172.31.70.5/20 dev "$name"
	quoted=${name//\\/\\\\}
	quoted=${quoted//\"/\\\"}
	policy <<-END
		interfaces = ( { name = "eth0"; }, { name = "$quoted"; gateway = "172.31.64.1"; } );
		policies = ( { name = "on-premises"; to = "10.0.0.0/16"; via = "$quoted"; } );
	END
	apply "apply: an interface called $name"
	like "called $name: status says why it is not usable" "$(ifsteer status)" "nftables can't say"
	answered "called $name: main decides" gw 10.200.0.2 10.0.1.9
	by eth0 "called $name: internet" tcp
	quiet "called $name: diff is clean" ifsteer diff
	quiet "called $name: flush" ifsteer flush
	unlike "called $name: flush leaves nothing" "$(host_state)" 'proto (77|ifsteer)|inet ifsteer'
	ip -n h link set dev "$name" down
	at h ip link set dev "$name" name eth2
done

# One that looks like a pattern, which nftables would take for one: it is that interface and no
# other.
ip -n h link set eth2 down
at h ip link set dev eth2 name 'e*'
ip -n h link set dev 'e*' up
ip -n h addr replace 172.31.70.5/20 dev 'e*'
policy <<<'interfaces = ( { name = "eth0"; }, { name = "e*"; gateway = "first"; } );'
apply "apply: an interface called e*"
forget_spoofed
AT=op inbound "called e*" 172.31.70.5
AT=gw inbound "called e*: eth0" 10.200.0.2
by eth0 "called e*: internet" tcp
like "called e*: nftables is told so" "$(at h nft list table inet ifsteer)" '"e\\\*"'
quiet "called e*: diff is clean" ifsteer diff
nothing_spoofed
done_testing
