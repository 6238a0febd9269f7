# SPDX-License-Identifier: GPL-2.0-or-later
#
# What all benchmarks share: a machine of their own (tests/netns/lib.sh), samples taken in turn, and
# results as a line for a person, a JSON object and the points of a curve. Sourced first.
#
# Noise: what is compared is measured alternately, in one run, on the same host; only ratios count.
# A ratio is that of the medians; that of the best, least disturbed, stands behind it, and by how much the
# medians of two halves of the same samples differ, the worse of both sides.
# shellcheck shell=bash disable=SC2034

. "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"
# Programs of ours are built here, and results go here.
BENCH=${BENCH:-$(dirname "$IFSTEER")/tests/bench}
ROUNDS=${ROUNDS:-15}

bench_enter() {
	[ -x "$BENCH/stopwatch" ] || { echo "no $BENCH/stopwatch: make bench builds it" >&2; exit 1; }
	lab_enter
	# Whatever else this machine does shall not be measured.
	renice -n -15 $$ >/dev/null
	samples=$(mktemp -d)
	bench_name=$(basename "$0" .sh)
}

# ---- samples ----

# sample NAME COMMAND…: times it once; it must succeed.
sample() {
	local name=$1
	shift
	"$BENCH/stopwatch" "$samples/$name" "$@" || { echo "$name fails: $*" >&2; "$@" >&2; exit 1; }
}

# sample_at NS NAME COMMAND…: the same in a namespace.
sample_at() {
	local ns=$1 name=$2
	shift 2
	at "$ns" "$BENCH/stopwatch" "$samples/$name" "$@" || { echo "$name fails: $*" >&2; exit 1; }
}

# sample_many NAME COPIES COMMAND…: that many at once, {} being the number of each.
sample_many() {
	local name=$1 copies=$2
	shift 2
	"$BENCH/stopwatch" -n "$copies" "$samples/$name" "$@" || { echo "$name fails: $*" >&2; exit 1; }
}

# value NAME NUMBER: a sample that was measured otherwise.
value() { echo "$2" >>"$samples/$1"; }

# last NAME: the last sample's time.
last() { tail -n 1 "$samples/$1" | cut -d ' ' -f 1; }

# column NAME N: "median minimum maximum" of the Nth column.
column() {
	awk -v n="$2" '{ print $n }' "$samples/$1" | sort -g | awk '
		{ v[NR] = $1 }
		END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'
}

# noise NAME N: by how much the medians of every other sample and of those between differ.
noise() {
	awk -v n="$2" '{ print NR % 2, $n }' "$samples/$1" | sort -k 1,1n -k 2,2g | awk '
		function median(half, k) {
			k = count[half]
			return k % 2 ? v[half, (k + 1) / 2] : (v[half, k / 2] + v[half, k / 2 + 1]) / 2
		}
		{ v[$1, ++count[$1]] = $2 }
		END { r = median(0) && median(1) ? median(0) / median(1) - 1 : 0; print r < 0 ? -r : r }'
}

# ---- results ----

# result ROW AIM OURS THEIRS MEASURE: times. AIM is "<= 0.4", ">= 0.95", or - where there is none.
result() { report 1 "µs" "$@"; }
# The same for rates and shares of a million (of which more is better) and for memory.
result_rate() { report 1 "1/s" "$@"; }
result_share() { report 1 "ppm" "$@"; }
result_memory() { report 2 "KiB" "$@"; }

report() {
	local n=$1 unit=$2 row=$3 aim=$4 ours=$5 theirs=$6 measure=$7
	awk -v bench="$bench_name" -v unit="$unit" -v row="$row" -v aim="$aim" -v measure="$measure" \
		-v ours="$ours" -v theirs="$theirs" -v a="$(column "$ours" "$n")" -v b="$(column "$theirs" "$n")" \
		-v na="$(noise "$ours" "$n")" -v nb="$(noise "$theirs" "$n")" '
	BEGIN {
		split(a, o); split(b, t); split(aim, limit)
		ratio = t[1] ? o[1] / t[1] : 0
		verdict = aim == "-" ? "" : (limit[1] == "<=" ? ratio <= limit[2] : ratio >= limit[2]) ? "met" : "missed"
		which = unit == "1/s" || unit == "ppm" ? 3 : 2
		best = t[which] ? o[which] / t[which] : 0
		noise = na + 0 > nb + 0 ? na : nb
		printf "%-3s %-62s %6.3f [%.3f] ±%.0f %%  %s %s\n", row, measure, ratio, best, 100 * noise,
		       aim == "-" ? "" : aim, verdict
		printf "      %-28s %12.0f %s (%.0f to %.0f)\n", ours, o[1], unit, o[2], o[3]
		printf "      %-28s %12.0f %s (%.0f to %.0f)\n", theirs, t[1], unit, t[2], t[3]
		printf "{ \"bench\": \"%s\", \"row\": \"%s\", \"measure\": \"%s\", \"unit\": \"%s\", \"ratio\": %.4f, \"ratio_of_best\": %.4f, \"noise\": %.4f, " \
		       "\"aim\": \"%s\", \"verdict\": \"%s\", \"%s\": [%s, %s, %s], \"%s\": [%s, %s, %s] }\n",
		       bench, row, measure, unit, ratio, best, noise, aim, verdict, ours, o[1], o[2], o[3], theirs, t[1], t[2], t[3] \
		       >>"/dev/fd/3"
	}' 3>>"${RESULTS:-/dev/null}"
}

# result_limit ROW LIMIT OURS MEASURE: memory, in KiB, that must not be more.
result_limit() {
	value "limit $2" "0 $2"
	report 2 "KiB" "$1" "<= 1" "$3" "limit $2" "$4"
}

# point CURVE X SERIES SAMPLES: one point, in milliseconds, of a curve that run.sh draws; point_rate: what
# one packet takes.
point() { add_point "$1" "$2" "$3" "$4" milliseconds "y / 1000"; }
point_rate() { add_point "$1" "$2" "$3" "$4" "nanoseconds a packet" "1e9 / y"; }

add_point() {
	local median
	read -r median _ < <(column "$4" 1)
	awk -v c="$1" -v x="$2" -v s="$3" -v y="$median" -v unit="$5" \
		"BEGIN { printf \"%s\t%s\t%s\t%.4f\t%s\n\", c, x, s, $6, unit }" >>"${POINTS:-/dev/null}"
}

remark() { echo "    $*"; }

# ---- hosts ----

# grow N: the host has N interfaces now, v1 to vN, with an address of each family and the default
# route by v1; their other ends are in the namespace "far".
grown=0
grow() {
	local i from=$((grown + 1)) to=$1
	((grown)) || ip netns add far
	for ((i = from; i <= to; i++)); do echo "link add v$i type veth peer name v$i netns far"; done | ip -batch -
	for ((i = from; i <= to; i++)); do echo "link set v$i up"; done | ip -n far -batch -
	for ((i = from; i <= to; i++)); do up_again $i; done | ip -batch -
	grown=$to
}

# What makes interface N of such a host as it should be, for ip -batch.
up_again() {
	echo "link set v$1 up"
	echo "addr replace 10.$((64 + $1 / 250)).$(($1 % 250)).2/24 dev v$1"
	echo "addr replace fd00:$(($1 / 250)):$(($1 % 250))::2/64 dev v$1 nodad"
	(($1 > 1)) || echo "route replace default via 10.64.1.1"
	(($1 > 1)) || echo "route replace default via fd00:0:1::1"
}

# host_s4: eth0 and eth2 of the reference topology.
host_s4() {
	ip netns add far
	ip -batch - <<-END
		link add eth0 type veth peer name eth0 netns far
		link add eth2 type veth peer name eth2 netns far
		link set eth0 up
		link set eth2 up
		addr add 10.200.0.2/24 dev eth0
		addr add fd00:e0::2/64 dev eth0 nodad
		addr add 172.31.70.5/20 dev eth2
		addr add fd00:e2::5/64 dev eth2 nodad
	END
	ip -n far link set eth0 up
	ip -n far link set eth2 up
	ip -batch - <<-END
		route add default via 10.200.0.1
		route add default via fd00:e0::1
	END
}

# host_of NAME: a namespace with its internet by eth0 and a private network by eth2, both in NAME_far,
# and a client that it routes for behind eth1, NAME_lan.
host_of() {
	ip netns add "$1"
	ip netns add "$1_far"
	ip netns add "$1_lan"
	set_sysctl "$1" ipv4/ip_forward 1
	ip -batch - <<-END
		link add eth0 netns $1 type veth peer name eth0 netns $1_far
		link add eth2 netns $1 type veth peer name eth2 netns $1_far
		link add eth1 netns $1 type veth peer name eth0 netns $1_lan
	END
	ip -n "$1_far" -batch - <<-END
		link set lo up
		link set eth0 up
		link set eth2 up
		addr add 10.200.0.1/24 dev eth0
		addr add 172.31.64.1/20 dev eth2
		route add local 20.0.0.0/8 dev lo
		route add local 198.51.100.0/24 dev lo
		route add 192.168.77.0/24 via 10.200.0.2
		route add 192.168.77.0/24 via 172.31.70.5 table 2
		rule add from 20.0.0.0/8 lookup 2
	END
	ip -n "$1" -batch - <<-END
		link set lo up
		link set eth0 up
		link set eth1 up
		link set eth2 up
		addr add 10.200.0.2/24 dev eth0
		addr add 172.31.70.5/20 dev eth2
		addr add 192.168.77.1/24 dev eth1
		route add default via 10.200.0.1
	END
	ip -n "$1_lan" -batch - <<-END
		link set lo up
		link set eth0 up
		addr add 192.168.77.5/24 dev eth0
		route add default via 192.168.77.1
	END
}

# ours ARG…: the program; what it says is an error of the benchmark's.
ours() { "$IFSTEER" "$@" || { echo "ifsteer $* fails" >&2; exit 1; }; }
