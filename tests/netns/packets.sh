# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real packets and what they prove: who answered, and which address was seen. Sourced by lib.sh.
# shellcheck shell=bash

# expect NAME WANT tcp|udp [option]… ADDRESS [PORT]: what the probe in $AT says; WANT is a glob.
AT=h
# From ports in turn: what conntrack still remembers of a port and its datagrams bears a mark, which after `ifsteer
# flush` means nothing any more.
probe_port=10000
expect() {
	local name=$1 want=$2 got
	shift 2
	[[ ${*: -1} == *[!0-9]* ]] && set -- "$@" $PORT
	[[ $1 != udp || " $* " == *" -s "* ]] || set -- udp -s $((++probe_port)) "${@:2}"
	got=$(at $AT "$PROBE" "$@" 2>&1)
	# shellcheck disable=SC2053
	[[ $got == $want ]]
	ok $? "$name" || { note "$AT: probe $*"; note "got:  $got"; note "want: $want"; false; }
}

# answered NAME WHO SOURCE ADDRESS [option]…: TCP, UDP and ping from $AT are answered by WHO, who
# saw SOURCE, and the sockets knew that address as theirs.
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
	case $(at $AT ping -n -c 1 -W 3 "${@:2}" "$1" 2>&1 | grep -o 'ttl=[0-9]*') in
	ttl=100 | ttl=9?) echo gw ;;
	ttl=150 | ttl=14?) echo vpc ;;
	ttl=200 | ttl=19?) echo op ;;
	ttl=250 | ttl=24?) echo second ;;
	ttl=64 | ttl=6?) echo h ;;
	*) echo nobody ;;
	esac
}

# What gw sees of h, and of what h sends for lan, by which interface.
declare -A SEEN=(
	[eth0,h]="10.200.0.2 fd00:e0::2" [eth2,h]="172.31.70.5 fd00:e2::5"
	[eth0,lan]="192.168.77.5 fd00:77::5" [eth2,lan]="192.0.2.2 2001:db8:ff::2"
)
INTERNET="198.51.100.10 2001:db8::10"

# by INTERFACE NAME tcp|udp [option]… [-- PORT]: to the internet, from $AT, by
# that interface; h's sockets know its address.
by() { by_interface own "$@"; }
# wire INTERFACE …: the same where the socket may believe in another address.
wire() { by_interface any "$@"; }

by_interface() {
	local socket=$1 interface=$2 name=$3 family seen to own
	local -a port=()
	shift 3
	[[ ${*: -2:1} != -- ]] || { port=("${*: -1}"); set -- "${@:1:$#-2}"; }
	for family in 1 2; do
		seen=$(cut -d ' ' -f $family <<<"${SEEN[$interface,$AT]}")
		to=$(cut -d ' ' -f $family <<<"$INTERNET")
		[ "$socket$AT" = ownh ] && own=$seen || own="*"
		expect "$name: by $interface to $to" "local=$own name=gw seen=$seen" "$@" "$to" "${port[@]}"
	done
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

# ---- connections that stay ----

# open NAME [option]… ADDRESS: a connection that stays, from $AT; its first answer in $said.
open() {
	local name=$1 fd
	shift
	rm -f "/tmp/$name" "/tmp/$name.said"
	mkfifo "/tmp/$name"
	at $AT "$PROBE" "${PROTO-tcp}" -k -t 2500 "$@" $PORT <"/tmp/$name" >"/tmp/$name.said" 2>&1 &
	eval "pid_$name=$!"
	exec {fd}>"/tmp/$name"
	eval "fd_$name=$fd"
	eventually 30 test -s "/tmp/$name.said"
	said=$(tail -n 1 "/tmp/$name.said")
}

# again NAME: says "again", which is echoed into $said while it lives. By another interface it would come with an address that is
# dropped there: alive is on its path.
again() {
	local fd=fd_$1 before
	before=$(wc -l <"/tmp/$1.said")
	{ echo again >&"${!fd}"; } 2>/dev/null
	eventually 4 eval "[ \$(wc -l <'/tmp/$1.said') -gt $before ]"
	said=$(tail -n +$((before + 1)) "/tmp/$1.said" | tail -n 1)
}

close() {
	local fd=fd_$1 pid=pid_$1
	exec {fd}>&-
	kill "${!pid}" 2>/dev/null
}
