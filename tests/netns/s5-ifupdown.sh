#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# S5 with real ifupdown and the installed hooks: nobody types `ifsteer apply`.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/managers.sh"
lab_enter
needs ifup ifdown
lab_install
lab_routers
plug eth0
plug eth2
serve h
policy policy.d/10-aws.conf <<<"$S4"
interfaces <<<"$IFUPDOWN"

# manage COMMAND…: ifup or ifdown succeeds, whatever the hooks think.
manage() { quiet "$*" at h "$@"; }

s4_holds() {
	answered "$1: on-premises" op 172.31.70.5 10.0.1.9
	answered "$1: on-premises" op fd00:e2::5 fd00:10::9
	by eth0 "$1: internet" tcp
	AT=op inbound "$1: inbound" 172.31.70.5
	AT=op inbound "$1: inbound" fd00:e2::5
	quiet "$1: diff is clean" ifsteer diff
	nothing_spoofed
}

manage ifup eth0
answered "eth0 alone" gw 10.200.0.2 10.0.1.9
like "eth0 alone: ours stands already" "$(at h nft list tables)" 'inet ifsteer'
manage ifup eth2
s4_holds "both up"

manage ifdown eth2
answered "eth2 down: main decides" gw 10.200.0.2 10.0.1.9
answered "eth2 down: main decides" gw fd00:e0::2 fd00:10::9
by eth0 "eth2 down: internet" tcp
unlike "eth2 down: status says so" "$(ifsteer status --json | tr -d ' \n')" '"name":"eth2"[^{]*"usable":true'
manage ifup eth2
s4_holds "eth2 up again"

manage ifdown eth0 eth2
manage ifup eth2
answered "eth2 first: on-premises" op 172.31.70.5 10.0.1.9
manage ifup eth0
s4_holds "eth2 first, then eth0"

manage ifdown -a
manage ifup -a
s4_holds "ifdown -a, ifup -a"

# Another address for eth2.
manage ifdown eth2
sed -i 's/172\.31\.70\.5/172.31.70.77/; s/fd00:e2::5/fd00:e2::77/' /etc/network/interfaces
manage ifup eth2
answered "another address" op 172.31.70.77 10.0.1.9
answered "another address" op fd00:e2::77 fd00:10::9
AT=op inbound "another address: inbound" 172.31.70.77
unlike "another address: nothing of the old one is left" "$(host_state)" '172\.31\.70\.5[^0-9]|fd00:e2::5[^0-9]'
quiet "another address: diff is clean" ifsteer diff

# A router outside every network of the interface, as some hosters have them: ifupdown's own default
# route says "onlink", ours as well. What else main's default says of the same way holds on ours.
policy policy.d/10-aws.conf <<<'interfaces = ( { name = "eth0"; }, { name = "eth2"; } );
policies = ( { name = "on-premises"; to = "10.0.0.0/16"; via = "eth2"; } );'
ip -n vpc addr add 172.31.100.1/32 dev lo
manage ifdown eth2
cat >>/etc/network/interfaces <<-END

		gateway 172.31.100.1
		metric 500
		up ip addr add 172.31.70.78/20 dev eth2
		up ip route change default via 172.31.100.1 dev eth2 onlink metric 500 src 172.31.70.78 mtu 1300
END
manage ifup eth2
answered "a router outside the network" op 172.31.70.78 10.0.1.9
quiet "a router outside the network: 1,200 bytes" at h ping -n -M do -s 1200 -c 1 -W 3 10.0.1.9
like "a router outside the network: 1,400 bytes leave in no one piece" \
	"$(at h ping -n -M do -s 1400 -c 1 -W 3 10.0.1.9 2>&1)" '[Mm]essage too long'
quiet "a router outside the network: diff is clean" ifsteer diff
policy policy.d/10-aws.conf <<<"$S4"
manage ifdown eth2
sed -i '/gateway 172.31.100.1/,$d' /etc/network/interfaces
manage ifup eth2
answered "without it again" op 172.31.70.77 10.0.1.9

# NetworkManager's 01-ifupdown echoes its events through if-up.d: not ours to act on, and never a
# failure.
before=$(host_state)
quiet "the echo of NetworkManager" at h env IFACE=eth2 LOGICAL=eth2 ADDRFAM=inet METHOD=NetworkManager MODE=stop \
	PHASE=post-down VERBOSITY=0 run-parts /etc/network/if-post-down.d
same "the echo of NetworkManager changes nothing" "$(host_state)" "$before"

# An ifsteer that is killed, as for want of memory, or can't be loaded: ifup and ifdown succeed nevertheless, and the next hook
# mends what was left.
mv /usr/sbin/ifsteer /usr/sbin/ifsteer.real
# shellcheck disable=SC2016
for fate in 'kill -KILL $$' 'exit 127'; do
	printf '#!/bin/sh\n%s\n' "$fate" >/usr/sbin/ifsteer
	chmod 755 /usr/sbin/ifsteer
	manage ifdown eth2
	manage ifup eth2
	like "$fate: up" "$(at h ifquery --state eth2)" '^eth2=eth2$'
	like "$fate: with its address" "$(at h ip addr show dev eth2)" '172\.31\.70\.77/20'
done
mv /usr/sbin/ifsteer.real /usr/sbin/ifsteer
manage ifdown eth2
manage ifup eth2
answered "ifsteer is back" op 172.31.70.77 10.0.1.9

# A policy in error: ifup succeeds nevertheless, and what was accepted stays in force.
echo 'policies = ( { name = "x"; vai = "eth2"; } );' >/etc/ifsteer/policy.d/20-broken.conf
manage ifdown eth2
manage ifup eth2
answered "a broken edit: what was accepted holds" op 172.31.70.77 10.0.1.9
nothing_spoofed
done_testing
