#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program under valgrind, by `make valgrind`: each command once, on a host that gives it something to do.

. "$(dirname "$0")/lib.sh"
lab_enter
needs valgrind
: "${VALGRIND:=valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite}"
lab_host

# clean STATUS [ifsteer's arguments]…: that exit status, and valgrind has nothing to say, nor has it of a process that outlives it.
clean() {
	local status
	rm -f /run/valgrind.*
	# shellcheck disable=SC2086
	at h $VALGRIND --log-file=/run/valgrind.%p "$IFSTEER" "${@:2}" </dev/null >/run/said 2>&1
	status=$?
	is "${*:2}" "$status$(cat /run/valgrind.*)" "$1" || note "$(head -n 20 /run/said)"
}

prefixes() { seq -f "10.%g.0.0/24" "$1" "$2" && seq -f "fd00:%g::/48" "$1" "$2"; }

policy <<-'END'
	interfaces = ( { name = "eth0"; gateway = [ "10.200.0.1", "fd00:e0::1" ]; }, { name = "eth*"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; snat = "always"; } );
	sets = ( { name = "long"; file = "long.txt"; }, { name = "names"; dynamic = true; timeout = "1h"; } );
	policies = (
		{ name = "exempt"; to = "10.77.0.0/16"; dport = "https"; action = "main"; },
		{ name = "switch"; to = "198.51.100.0/28"; via = "eth2"; otherwise = "unreachable"; },
		{ name = "long"; to = "@long"; via = [ "eth2", "eth0" ]; },
		{ name = "names"; to = "@names"; user = [ "root", "!1000-2000" ]; via = "eth2"; },
		{ name = "night"; to = "203.0.113.0/24"; hours = "22:00-06:00"; days = [ "sat", "sun" ]; action = "prohibit"; },
		{ name = "share"; origin = "forwarded"; balance = ( { interface = "eth0"; weight = 2; }, { interface = "eth2"; } ); }
	);
END
prefixes 1 200 >/etc/ifsteer/long.txt
clean 0 check
clean 1 diff
clean 0 apply
clean 0 apply
clean 0 diff
coproc TAKEN { at h "$PROBE" tcp -k 10.0.1.9 $PORT; }
answered "a connection" gw 10.200.0.2 10.0.2.9
clean 0 hook networkmanager eth2 down
IP4_GATEWAY=172.31.64.1 DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES="0.0.0.0/0 172.31.64.1" clean 0 hook networkmanager eth2 up
IFACE=eth2 ADDRFAM=inet6 METHOD=static MODE=start IF_GATEWAY=fd00:e2::1 clean 0 hook ifupdown
clean 0 hook systemd
prefixes 2 250 >/etc/ifsteer/long.txt
clean 0 apply
ip -n h addr del 172.31.70.5/20 dev eth2
clean 0 apply
up eth2
clean 0 -v apply
clean 0 offline eth2
clean 0 status
clean 0 online eth2
at h nft 'table inet other { chain c { type filter hook output priority 0; meta mark set 0x01000000; }; }'
clean 1 doctor
at h nft delete table inet other
for to in 10.0.1.9 fd00:7::9 198.51.100.3 203.0.113.9 192.0.2.9; do
	clean 0 explain --protocol udp --dport 53 --user root "$to"
	clean 0 explain --json --in eth0 --time 'sat 23:00' "$to"
done
clean 0 status --json
clean 0 status --metrics
clean 0 facts
cp /run/said /tmp/facts
clean 0 --facts /tmp/facts explain 10.0.1.9
clean 0 --facts /tmp/facts check
clean 2 apply --confirm never
cp /etc/ifsteer/ifsteer.conf /tmp
sed -i 's/via = "eth2"/vai = "eth9"/' /etc/ifsteer/ifsteer.conf
clean 3 apply
clean 0 hook systemd
sed 's/"exempt"/"another"/' /tmp/ifsteer.conf >/etc/ifsteer/ifsteer.conf
clean 1 apply --confirm 1
clean 1 confirm

# It is told what is gone, repairs it, follows a reload, and goes.
nsenter --net=/run/netns/h -- "$BASH" -c "exec $VALGRIND --log-file=/run/valgrind.watch '$IFSTEER' watch" 2>/run/said &
watch=$!
stands() { at h nft list table inet ifsteer && ip -n h route show table 21002 | grep -q default; }
eventually 60 stands
at h nft flush ruleset
eventually 60 stands
ok $? "watch repairs a flushed ruleset"
ip -n h route flush table 21002
eventually 60 stands
ok $? "and routes"
kill -HUP $watch
ip -n h link set eth2 down
up eth2
eventually 60 stands
kill $watch
wait $watch
is "watch" "$?$(cat /run/valgrind.watch)" 0

clean 0 flush
clean 0 flush
done_testing
