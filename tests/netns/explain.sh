#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# explain says what the kernel does: many flows under many policies, each explained, then sent, and the two compared:
# interface, gateway and source on the wire, the socket's own address, or that nothing leaves.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_lan
lab_docker
# Docker forwards for its own alone, and rewrites what they send.
at h nft 'flush chain ip nat POSTROUTING; insert rule ip filter FORWARD iifname "eth1" accept'

nobody=$(id -u nobody)
RANDOM=${EXPLAIN_SEED:-4711}
flows=0 differ=0 port=20000

# What leaves h in the end, behind all rewriting, but for what a router sends back through h: its time to live says so.
at h nft -f - <<-END
	table inet wire {
		set seen_4 { type ipv4_addr . ifname . ipv4_addr . ipv4_addr; flags dynamic; size 65535; }
		set seen_6 { type ipv6_addr . ifname . ipv6_addr . ipv6_addr; flags dynamic; size 65535; }
		chain seen {
			type filter hook postrouting priority 500
			ct state new ip ttl > 62 update @seen_4 { ip daddr . oifname . ip saddr . rt ip nexthop }
			ct state new ip6 hoplimit > 62 update @seen_6 { ip6 daddr . oifname . ip6 saddr . rt ip6 nexthop }
		}
	}
END

# wire ADDRESS: "interface source gateway" of what left for it since the last time this was asked, "nothing" for nothing.
wire() {
	local said
	said=$(at h nft list table inet wire | grep -o "$1 \. [^,}]*" | tr -d '"' | awk '{
		print $3, $5, ($7 == $1 || $3 == "lo" ? "-" : $7) }' | sort -u)
	at h nft 'flush set inet wire seen_4; flush set inet wire seen_6'
	echo "${said:-nothing}"
}

# explained OPTION…: the same in explain's words, then the socket's address. A gateway that is the destination is as good as none.
explained() {
	ifsteer explain --json "$@" | awk -F '"' '
		{ gsub(/[ ,]|null/, "", $3); v[$2] = $4 ? $4 : "-" }
		END { if (v["gateway"] == v["destination"]) v["gateway"] = "-"
			if (v["interface"] == "-") print "nothing"
			else print v["interface"], v["source"], v["gateway"], v["socket_source"] }'
}

# compare NAME ADDRESS "explain's options" probe…: sends it from $AT.
compare() {
	local name=$1 to=$2 options=$3 foretold sent got socket
	shift 3
	# shellcheck disable=SC2086
	foretold=$(explained $options "$to")
	sent=$(at $AT "$PROBE" "$@" -t 150 "$to" $PORT 2>&1)
	got=$(wire "$to")
	socket=$(grep -o '^local=[^ ]*' <<<"$sent")
	[ "$got" = nothing ] && socket=
	[ $AT = h ] && [ -n "$socket" ] || foretold=${foretold% *[0-9a-f.:-]}
	[ $AT = h ] && [ -n "$socket" ] && got+=" ${socket#local=}"
	[ $AT = h ] || foretold=${foretold% -}
	flows=$((flows + 1))
	[ "$foretold" = "$got" ] && return
	differ=$((differ + 1))
	note "$name: explain $options $to"
	note "    says $foretold"
	note "    sent $got ($sent)"
}

# pick VARIABLE WORD…: one of them. Not by $(…), which has a $RANDOM of its own.
pick() {
	local -n picked=$1
	shift
	shift $((RANDOM % $#))
	picked=$1
}

DESTINATIONS4="10.0.1.9 10.0.2.77 198.51.100.10 198.51.100.77 172.30.5.5 192.168.77.5 172.17.0.2 172.17.3.3 10.200.0.1 10.200.0.2
	172.31.64.1 172.31.70.5 169.254.169.254 203.0.113.9"
DESTINATIONS6="fd00:10::9 fd00:10::1:7 2001:db8::10 2001:db8::77 fd00:30::5 fd00:77::5 fd00:e0::1 fd00:e2::1 fd00:e2::5 2001:db8:dead::1"

# One of the host's own flows. With $SAY_SPORT, its source port is always said.
own_flow() {
	local to proto from options flags
	# shellcheck disable=SC2086
	pick to $DESTINATIONS4 $DESTINATIONS6
	pick proto tcp udp udp
	options="--group root --protocol $proto --dport $PORT" flags=
	case ${SAY_SPORT:-$((RANDOM % 8))} in
	0)
		port=$((port + 1))
		options+=" --sport $port"
		flags+=" -s $port"
		;;
	1)
		options+=" --mark 0x4000"
		flags+=" -m 0x4000"
		;;
	2)
		case $to in
		*:*) pick from fd00:e0::2 fd00:e2::5 fd00:77::1 ;;
		*) pick from 10.200.0.2 172.31.70.5 192.168.77.1 ;;
		esac
		options+=" --from $from"
		flags+=" -b $from"
		;;
	esac
	# A mark is root's to set.
	if [[ $flags != *-m* ]] && [ $((RANDOM % 2)) = 0 ]; then
		options+=" --user nobody"
		flags+=" -u $nobody"
	fi
	# shellcheck disable=SC2086
	AT=h compare "$1" "$to" "$options" $proto $flags
}

# One that h forwards for lan or for the container.
forwarded_flow() {
	local to from proto in=eth1
	# shellcheck disable=SC2086
	pick to 10.0.1.9 198.51.100.10 172.30.5.5 203.0.113.9 fd00:10::9 2001:db8::10 fd00:30::5
	pick proto tcp udp udp
	AT=lan from=192.168.77.5
	case $to in
	*:*) from=fd00:77::5 ;;
	*) [ $((RANDOM % 3)) != 0 ] || { AT=ct in=docker0 from=172.17.0.2; } ;;
	esac
	compare "$1" "$to" "--in $in --from $from --protocol $proto --dport $PORT" "$proto"
	AT=h
}

# agree NAME OWN FORWARDED: so many of each.
agree() {
	local before=$differ i
	for ((i = 0; i < $2; i++)); do own_flow "$1"; done
	for ((i = 0; i < ${3:-0}; i++)); do forwarded_flow "$1"; done
	is "$1: explain agrees with the wire" $((differ - before)) 0
}

wire 0 >/dev/null
TO='to = [ "10.0.0.0/16", "172.30.0.0/16", "fd00:10::/64", "fd00:30::/64" ];'
policies ''
agree "no policies" 20 8
policies "{ name = \"on-premises\"; $TO via = \"eth2\"; }"
agree "to" 30 10
policies '{ name = "everything"; via = "eth2"; }'
agree "everything yields to main's own routes" 30 10
policies "{ name = \"exempt\"; to = [ \"10.0.2.0/24\", \"fd00:10::1:0/112\" ]; action = \"main\"; }, { name = \"user\"; user = \"nobody\"; via = \"eth2\"; }"
agree "exempt, then a user" 30
policies "{ name = \"refused\"; $TO user = \"nobody\"; action = \"unreachable\"; }, { name = \"rest\"; $TO via = \"eth2\"; }"
agree "refused, then the rest" 30 8
policies "{ name = \"dns\"; protocol = \"udp\"; dport = $PORT; via = \"eth2\"; }, { name = \"lan\"; in = \"eth1\"; action = \"prohibit\"; }"
agree "a port, and the lan shut out" 30 10
policies "{ name = \"source-port\"; sport = \"20000-20200\"; $TO via = \"eth2\"; }"
SAY_SPORT=0 agree "source ports: rewritten" 20
before=$differ
policies '{ name = "b"; balance = ( { interface = "eth0"; weight = 2; }, { interface = "eth2"; } ); }'
for ((i = 0; i < 40; i++)); do
	port=$((port + 1))
	pick to 198.51.100.$((RANDOM % 250)) 2001:db8::$((RANDOM % 8999 + 1000))
	compare "balance" "$to" "--protocol udp --sport $port --dport $PORT" udp -s $port
done
is "balance: explain foresees the hash" $((differ - before)) 0
policies '{ name = "foreign"; mark = "0x4000/0xff00"; via = "eth2"; }'
agree "somebody else's mark, named" 30
ip -n h rule add to 203.0.113.0/24 lookup 100 priority 30000
ip -n h route add default via 172.31.64.1 dev eth2 table 100
ip -n h route add unreachable 198.51.100.64/26
ip -n h -6 route add prohibit 2001:db8::77
ip -n h rule add fwmark 0x4000/0xff00 lookup 100 priority 100
policies "{ name = \"on-premises\"; $TO via = \"eth2\"; }, { name = \"table\"; to = \"10.200.0.0/16\"; table = 100; }, { name = \"u\"; user = \"nobody\"; via = \"eth2\"; }"
agree "among other people's rules and routes" 40 10
ip -n h rule add uidrange "$nobody-$nobody" lookup 100 priority 90
ip -n h -6 route add default via fd00:e2::1 dev eth2 table 100
ip -n h -6 rule add uidrange "$nobody-$nobody" lookup 100 priority 90
agree "among other people's rules for users" 30
ip -n h rule del priority 90
ip -n h -6 rule del priority 90
ip -n h addr add 10.200.0.77/24 dev eth0
ip -n h addr add 172.31.99.1/24 dev eth2
ip -n h addr add fd00:e0::77/64 dev eth0 nodad
ip -n h addr add fd00:e2:1::5/64 dev eth2 nodad preferred_lft 0
policies "{ name = \"on-premises\"; $TO via = \"eth2\"; }, { name = \"u\"; user = \"nobody\"; via = \"eth0\"; }"
agree "several addresses" 30
policy <<<"interfaces = ( { name = \"eth0\"; snat = \"always\"; }, { name = \"eth2\"; gateway = [ \"172.31.64.1\", \"fd00:e2::1\" ]; snat = \"always\"; } );
	policies = ( { name = \"lan\"; in = \"eth1\"; $TO via = \"eth2\"; } );"
apply "apply, a NAT router"
agree "a NAT router" 10 20
policies "{ name = \"kill\"; user = \"nobody\"; via = \"eth2\"; otherwise = \"unreachable\"; }, { name = \"lan\"; in = \"eth1\"; via = \"eth2\"; otherwise = \"next\"; }"
agree "a kill switch" 20 10
ip -n h link set eth2 down
apply "apply, eth2 down"
agree "a kill switch without its interface" 20 10
ip -n h link set eth2 up
ip -n h addr replace fd00:e2::5/64 dev eth2 nodad

# What a strict reverse-path filter lets in, where it is kept.
policy <<<"settings = { rp_filter = \"keep\"; }; $S2 policies = ( { name = \"user\"; user = \"nobody\"; via = \"eth2\"; },
	{ name = \"on-premises\"; to = \"10.0.0.0/16\"; via = \"eth2\"; } );"
apply "apply, filters are kept"
set_sysctl h ipv4/conf/eth0/rp_filter 1 ipv4/conf/eth2/rp_filter 1
apply "apply, strict filters are kept"
dropped=0
for to in 198.51.100.10 10.0.1.9; do
	for from in "" 10.200.0.2 172.31.70.5; do
		for user in root nobody; do
			foretold=$(ifsteer explain ${from:+--from $from} --user $user --protocol udp $to | grep -c "reply .* is dropped")
			# shellcheck disable=SC2086
			got=$(at h "$PROBE" udp ${from:+-b $from} -u "$(id -u $user)" -t 150 $to $PORT | grep -c error=)
			is "the reply of $to to ${from:-h} as $user" "$got" "$foretold"
			dropped=$((dropped + got))
		done
	done
done
unlike "some replies are dropped" "$dropped" '^0$'

at h "$IFSTEER" facts >/tmp/facts
is "captured facts say the same" "$("$IFSTEER" --facts /tmp/facts explain --json 198.51.100.10)" "$(ifsteer explain --json 198.51.100.10)"

note "$flows flows explained and sent, $differ differences"
done_testing
