# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a packet pays, measured: hosts with different policies stand side by side, and traffic.c sends short
# bursts through each of them in turn. Rates are packets a second of one processor, for the packet's
# whole way: socket or wire, host, wire, and a drop at the far end. Sourced behind lib.sh.
# shellcheck shell=bash disable=SC2034

STEERED=20.39.15.1
UNSTEERED=198.51.100.10

# drop_at_ingress NS INTERFACE…: what a burst sends is dropped as soon as it arrives.
drop_at_ingress() {
	local devices
	devices=$(printf ', "%s"' "${@:2}")
	at "$1" nft -f - <<-END
		table netdev bench {
			chain ingress {
				type filter hook ingress devices = { ${devices#, } } priority 0
				udp length 26 drop
				tcp flags & rst == rst drop
			}
		}
	END
}

# track NAME: conntrack, and nothing else.
track() {
	at "$1" nft -f - <<-END
		table inet bench {
			chain output { type filter hook output priority 0; ct state established,related accept; }
			chain prerouting { type filter hook prerouting priority 0; ct state established,related accept; }
		}
	END
}

# steer NAME <<…: the host gets this policy.
steer() {
	mkdir -p "/etc/bench/$1"
	cat >"/etc/bench/$1/ifsteer.conf"
	at "$1" "$IFSTEER" -c "/etc/bench/$1" apply || { echo "no policy for $1" >&2; exit 1; }
}

# burst KIND SUFFIX ADDRESS HOST…: packets from HOST$SUFFIX through each of the hosts, in turn; $options are
# those of traffic.c.
options=
burst() {
	local kind=$1 suffix=$2 address=$3 host
	local -a lanes=()
	shift 3
	for host in "$@"; do lanes+=("$kind: $host=$host$suffix,${host}_far,$host,$address"); done
	# shellcheck disable=SC2086
	"$BENCH/traffic" -r $((ROUNDS * 8)) $options "$samples" "${lanes[@]}" || exit
}

# share KIND HOST BARE: "KIND: HOST of BARE", how many in a million of BARE's packets HOST manages, round by round.
share() {
	paste "$samples/$1: $2" "$samples/$1: $3" | awk '{ printf "%.0f\n", $1 / $2 * 1e6 }' >"$samples/$1: $2 of $3"
}

# compare ROW AIM KIND HOST OTHER WHAT
compare() { result_rate "$1" "$2" "$3: $4" "$3: $5" "$3: $6"; }
