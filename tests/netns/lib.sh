# SPDX-License-Identifier: GPL-2.0-or-later
#
# The laboratory: sourced first by every test here. A test runs on a throw-away copy of this machine (copy on
# write, with process, mount and network namespaces of its own), so it may write to /etc, kill what it likes
# and be killed itself: nothing is left behind, and this machine's own network is out of reach.
# shellcheck shell=bash disable=SC2034

set -u
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
lab_src=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The program, the probe and the staged installation; as make check names them, or those of a build in the tree.
IFSTEER=${IFSTEER:-$lab_src/ifsteer}
PROBE=${PROBE:-$(dirname "$IFSTEER")/tests/netns/probe}
STAGE=${STAGE:-$(dirname "$IFSTEER")/tests/stage}

# ---- TAP ----

lab_count=0

# ok STATUS NAME: 0 is good.
ok() {
	lab_count=$((lab_count + 1))
	[ "$1" = 0 ] && echo "ok $lab_count - $2" || echo "not ok $lab_count - $2"
	return "$1"
}

note() { sed 's/^/# /' <<<"$*"; }

# is NAME GOT WANT: equal texts.
is() {
	[ "$2" = "$3" ]
	ok $? "$1" || { note "got:  $2"; note "want: $3"; false; }
}

# like NAME TEXT PATTERN, unlike NAME TEXT PATTERN: an extended regular expression of grep's.
like() {
	grep -Eq -- "$3" <<<"$2"
	ok $? "$1" || { note "no line matches: $3"; note "$2"; false; }
}

unlike() {
	! grep -Eq -- "$3" <<<"$2"
	ok $? "$1" || { note "a line matches: $3"; note "$(grep -E -- "$3" <<<"$2" | head -n 20)"; false; }
}

# same NAME GOT WANT: equal texts of many lines, the difference shown.
same() {
	[ "$2" = "$3" ]
	ok $? "$1" || { note "$(diff <(echo "$3") <(echo "$2"))"; false; }
}

# quiet NAME COMMAND…: succeeds.
quiet() {
	local name=$1 said
	shift
	said=$("$@" 2>&1)
	ok $? "$name" || { note "$*"; note "$said"; false; }
}

# eventually SECONDS COMMAND…: tried until it succeeds.
eventually() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

done_testing() {
	echo "1..$lab_count"
	exit 0
}

skip_all() {
	if [ -n "${IFSTEER_REQUIRE_NETNS-}" ]; then
		echo "Bail out! $1, and IFSTEER_REQUIRE_NETNS is set"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

# needs PROGRAM…: what a test can't do without.
needs() {
	local p
	for p in "$@"; do
		command -v "$p" >/dev/null || skip_all "no $p"
	done
}

# ---- a copy of this machine ----

# lab_copy DIR: puts a copy-on-write copy of this machine at DIR/root; what is changed stays in DIR/upper.
lab_copy() {
	mkdir -p "$1"/{upper,work,root}
	mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
}

# lab_bring ROOT DIR…: shows directories of this machine that a copy may not see, being other file systems.
lab_bring() {
	local root=$1 dir
	shift
	for dir in "$@"; do
		mkdir -p "$root$dir" && mount --rbind "$dir" "$root$dir" || return
	done
}

lab_private() {
	mount --make-rprivate / && mount -t tmpfs lab /run
}

# Takes this shell into the copy, with nothing of ifsteer's or of a network manager's configuration in it.
lab_move_in() {
	local root=/run/root
	lab_private && lab_copy /run || return
	mount -t proc proc $root/proc && mount -t sysfs sysfs $root/sys && mount --rbind /dev $root/dev || return
	mount -t tmpfs run $root/run && mount -t tmpfs tmp $root/tmp && chmod 1777 $root/tmp || return
	lab_bring $root "$lab_src" "$(dirname "$IFSTEER")" "$(dirname "$PROBE")" "$STAGE" || return
	mkdir -p $root/.machine && pivot_root $root $root/.machine && cd "$PWD" && umount -l /.machine || return
	lab_clean
}

lab_clean() {
	rm -rf /etc/ifsteer /var/lib/ifsteer /etc/network/if-*.d/* /etc/NetworkManager/dispatcher.d/*-ifsteer
	mkdir -p /etc/ifsteer /run/network
	: >/etc/network/interfaces
}

# lab_enter [here]: goes on in namespaces of its own, and unless "here" is said, in the copy.
lab_enter() {
	if [ -z "${LAB_INSIDE-}" ]; then
		[ "$EUID" = 0 ] || skip_all "needs root"
		[ -x "$PROBE" ] && [ -x "$IFSTEER" ] || skip_all "no $PROBE or no $IFSTEER: make check builds them"
		unshare --mount --net true 2>/dev/null || skip_all "no namespaces here"
		exec env LAB_INSIDE=1 unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc \
			"$BASH" "$0" "$@"
	fi
	if [ "${1-}" = here ]; then
		lab_private
	else
		lab_move_in
	fi || skip_all "no copy-on-write root here"
	ip link set lo up
}

# lab_install [ROOT]: what a package puts on a machine, put on this copy.
lab_install() {
	cp -R --no-dereference --preserve=mode "$STAGE/." "${1-}/" || exit
	[ -n "${1-}" ] || IFSTEER=/usr/sbin/ifsteer
}

# ---- the topology of S1 to S6 ----
#
#   gw (internet) ──eth0── h ──eth2── vpc ── op (on-premises)
#    └───────────────────────────────┘
#
# Whoever answers says its name. 10.0.1.9 and fd00:10::9 stand on op and, as decoys, on gw, and so does the
# peered network. A packet that leaves h by one interface with the other's address is dropped, as clouds do, and counted.

PORT=7		# where everybody answers
DEAD_PORT=9	# where nobody does

at() {	# NS COMMAND…
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# set_sysctl NS KEY VALUE…, with dots in the way of sysctl(8), but written directly: it is done a hundred times.
set_sysctl() {
	local ns=$1
	shift
	# shellcheck disable=SC2016
	at "$ns" sh -c 'while [ $# -gt 0 ]; do echo "$2" >"/proc/sys/net/$1" || exit; shift 2; done' sh "$@"
}

lab_netns() {
	local ns
	for ns in "$@"; do
		ip netns add "$ns"
		set_sysctl "$ns" ipv4/conf/all/rp_filter 0 ipv4/conf/default/rp_filter 0 \
			ipv6/conf/default/accept_dad 0 ipv6/conf/all/accept_dad 0 ipv4/ping_group_range "0 2147483647"
		ip -n "$ns" link set lo up
	done
}

# lab_ttl NS TTL: by which it is known who answers a ping.
lab_ttl() {
	set_sysctl "$1" ipv4/ip_default_ttl "$2" ipv6/conf/all/hop_limit "$2" ipv6/conf/default/hop_limit "$2"
}

# serve NS [NAME]: a server that answers with the name, until the test ends.
serve() {
	local fd line
	exec {fd}< <(exec nsenter --net="/run/netns/$1" -- "$PROBE" serve "${2-$1}" $PORT)
	read -r -t 5 -u "$fd" line && [ "$line" = ready ] || { echo "Bail out! no server in $1"; exit 1; }
}

# drop_spoofed NS FROM4 FROM6: what comes from h with an address that belongs to its other interface.
drop_spoofed() {
	at "$1" nft -f - <<-END
		table inet lab {
			counter spoofed { }
			chain spoofed {
				type filter hook prerouting priority -400
				iifname "to_h" ip saddr $2 counter name spoofed drop
				iifname "to_h" ip6 saddr $3 counter name spoofed drop
			}
		}
	END
}

# lab_routers: everything but h's own interfaces, which are called eth0 and eth2 and lie ready in gw and vpc.
lab_routers() {
	lab_netns h gw vpc op
	lab_ttl gw 100
	lab_ttl vpc 150
	lab_ttl op 200
	set_sysctl gw ipv4/ip_forward 1 ipv6/conf/all/forwarding 1
	set_sysctl vpc ipv4/ip_forward 1 ipv6/conf/all/forwarding 1
	ip -batch - <<-END
		link add to_vpc netns op type veth peer name to_op netns vpc
		link add to_gw netns vpc type veth peer name to_vpc netns gw
	END
	ip -n gw -batch - <<-END
		addr add 198.51.100.10/32 dev lo
		addr add 2001:db8::10/128 dev lo
		addr add 10.0.1.9/32 dev lo
		addr add fd00:10::9/128 dev lo
		addr add 172.30.1.9/32 dev lo
		addr add fd00:30::9/128 dev lo
		link set to_vpc up
		addr add 192.0.2.1/30 dev to_vpc
		addr add 2001:db8:ff::1/64 dev to_vpc nodad
		route add 172.31.64.0/20 via 192.0.2.2
		route add fd00:e2::/64 via 2001:db8:ff::2
	END
	ip -n vpc -batch - <<-END
		link set to_gw up
		addr add 192.0.2.2/30 dev to_gw
		addr add 2001:db8:ff::2/64 dev to_gw nodad
		route add default via 192.0.2.1
		route add default via 2001:db8:ff::1
		link set to_op up
		addr add 172.30.255.1/30 dev to_op
		addr add fd00:ff::1/64 dev to_op nodad
		route add 10.0.0.0/16 via 172.30.255.2
		route add 172.30.0.0/16 via 172.30.255.2
		route add fd00:10::/64 via fd00:ff::2
		route add fd00:30::/64 via fd00:ff::2
	END
	ip -n op -batch - <<-END
		link set to_vpc up
		addr add 172.30.255.2/30 dev to_vpc
		addr add fd00:ff::2/64 dev to_vpc nodad
		addr add 10.0.1.9/32 dev lo
		addr add fd00:10::9/128 dev lo
		addr add 172.30.1.9/32 dev lo
		addr add fd00:30::9/128 dev lo
		route add default via 172.30.255.1
		route add default via fd00:ff::1
	END
	drop_spoofed gw 172.31.64.0/20 fd00:e2::/64
	drop_spoofed vpc 10.200.0.0/24 fd00:e0::/64
	serve gw
	serve vpc
	serve op
}

# plug eth0|eth2: h gets the interface, down and without an address, its far side ready.
plug() {
	case $1 in
	eth0) set -- eth0 gw 10.200.0.1/24 fd00:e0::1/64 ;;
	eth2) set -- eth2 vpc 172.31.64.1/20 fd00:e2::1/64 ;;
	esac
	ip link add "$1" netns h type veth peer name to_h netns "$2"
	ip -n "$2" -batch - <<-END
		link set to_h up
		addr add $3 dev to_h
		addr add $4 dev to_h nodad
	END
}

# up eth0|eth2: as the cloud's image configures it: only the default route of eth0.
up() {
	case $1 in
	eth0)
		ip -n h -batch - <<-END
			link set eth0 up
			addr add 10.200.0.2/24 dev eth0
			addr add fd00:e0::2/64 dev eth0 nodad
			route add default via 10.200.0.1
			route add default via fd00:e0::1
		END
		;;
	eth2)
		ip -n h -batch - <<-END
			link set eth2 up
			addr add 172.31.70.5/20 dev eth2
			addr add fd00:e2::5/64 dev eth2 nodad
		END
		;;
	esac
}

# lab_host: h with both interfaces up, and a server.
lab_host() {
	lab_routers
	plug eth0
	plug eth2
	up eth0
	up eth2
	serve h
}

# ---- the program ----

# policy [FILE] <<…: writes a file of the policy.
policy() {
	mkdir -p /etc/ifsteer/policy.d
	cat >"/etc/ifsteer/${1-ifsteer.conf}"
}

S2='interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = "172.31.64.1"; } );'
S2_BOTH='interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } );'
S4="$S2_BOTH"'
policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );'

ifsteer() { at h "$IFSTEER" "$@"; }

# apply [NAME]: succeeds and says nothing.
apply() {
	local said
	said=$(ifsteer apply 2>&1)
	is "${1-apply}" "$?${said:+ $said}" 0
}

# host_state: all that ifsteer might touch or must not, in one text.
host_state() {
	at h sh -c '
		for f in -4 -6; do echo "rules $f"; ip $f rule; echo "routes $f"; ip $f -d route show table all; done
		echo nft; nft -s list ruleset
		cd /proc/sys/net; grep -H . ipv4/conf/*/rp_filter ipv4/conf/*/src_valid_mark ipv4/ip_forward'
}

# ---- packets ----

# expect NAME WANT tcp|udp [option]… ADDRESS [PORT]: what the probe in $AT says; WANT is a glob.
AT=h
expect() {
	local name=$1 want=$2 got
	shift 2
	[[ ${*: -1} == *[!0-9]* ]] && set -- "$@" $PORT
	got=$(at $AT "$PROBE" "$@" 2>&1)
	# shellcheck disable=SC2053
	[[ $got == $want ]]
	ok $? "$name" || { note "$AT: probe $*"; note "got:  $got"; note "want: $want"; false; }
}

# answered NAME WHO SOURCE ADDRESS [option]…: TCP, UDP and ping from $AT are answered by WHO, who saw SOURCE, and the
# sockets knew that address as theirs.
answered() {
	local name=$1 who=$2 source=$3 address=$4 proto
	shift 4
	for proto in tcp udp; do
		expect "$name: $proto" "local=$source name=$who seen=$source" $proto "$@" "$address"
	done
	is "$name: ping" "$(who_pings "$address")" "$who"
}

# who_pings ADDRESS [option of ping]…: who answers, by the TTL.
who_pings() {
	case $(at $AT ping -n -c 1 -W 1 "${@:2}" "$1" | grep -o 'ttl=[0-9]*') in
	ttl=100 | ttl=9?) echo gw ;;
	ttl=150 | ttl=14?) echo vpc ;;
	ttl=200 | ttl=19?) echo op ;;
	ttl=64 | ttl=6?) echo h ;;
	*) echo nobody ;;
	esac
}

# inbound NAME ADDRESS: TCP, UDP, ping, RST and port unreachable of h's ADDRESS reach $AT.
inbound() {
	expect "$1: tcp" "*name=h seen=*" tcp "$2"
	expect "$1: udp" "*name=h seen=*" udp "$2"
	expect "$1: reset of a closed port" "error=ECONNREFUSED*" tcp "$2" $DEAD_PORT
	expect "$1: port unreachable" "*error=ECONNREFUSED at=recv" udp "$2" $DEAD_PORT
	is "$1: ping" "$(who_pings "$2")" h
}

# Nothing has left h by one interface with the other's address since the last time this was asked.
nothing_spoofed() {
	local ns seen=
	for ns in gw vpc; do
		seen+="$(at $ns nft reset counter inet lab spoofed | grep -o 'packets [0-9]*') "
	done
	is "${1-no packet left with the address of the other interface}" "$seen" "packets 0 packets 0 "
}

forget_spoofed() { nothing_spoofed >/dev/null; lab_count=$((lab_count - 1)); }
