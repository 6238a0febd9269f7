#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Interfaces by glob: two hundred that appear and vanish in any order, each with table, mark and symmetry; those that stay keep
# their slots; and what happens when marks run out.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_netns far

N=200
RANDOM=7

# ppp N: interface pN between h and far, with an address of its own. Its far side answers by it alone.
ppp() {
	local i
	for i in "$@"; do
		echo "link add p$i netns h type veth peer name p$i netns far"
	done | ip -batch -
	for i in "$@"; do
		echo "link set p$i up"
		echo "addr add 10.9.$i.2/30 dev p$i"
		echo "addr add fd09:$i::2/64 dev p$i nodad"
	done | ip -n h -batch -
	for i in "$@"; do
		echo "link set p$i up"
		echo "addr add 10.9.$i.1/30 dev p$i"
		echo "addr add fd09:$i::1/64 dev p$i nodad"
	done | ip -n far -batch -
	has_come_up "${@/#/p}"
}

# A client far away, whose way back is by that interface alone.
from_far() {	# I
	ip -n far addr replace 203.0.113.$1/32 dev lo
	at far "$PROBE" tcp -b 203.0.113.$1 10.9.$1.2 $PORT 2>&1
}

slots() { ifsteer status --json | tr -d ' \n' | grep -o '"name":"p[0-9]*","slot":[0-9]*' | tr -d '"' | sort; }

symmetric() {	# NAME STEP I…: every STEPth of them
	local i bad=
	for ((i = 3; i <= $#; i += $2)); do
		[[ $(from_far "${!i}") == *name=h* ]] || bad+=" p${!i}"
	done
	is "$1: replies leave by each" "$bad" ""
}

policy <<-END
	interfaces = ( { name = "eth0"; }, { name = "p*"; gateway = "first"; }, { name = "eth2"; gateway = "172.31.64.1"; } );
	policies = ( { name = "on-premises"; to = "10.0.0.0/16"; via = "eth2"; } );
END
apply "apply, none there yet"
mapfile -t order < <(seq $N | shuf --random-source=<(yes))
ppp "${order[@]:0:100}"
apply "apply, a hundred appear"
first=$(slots)
is "a hundred have slots" "$(wc -l <<<"$first")" 100
is "all different" "$(cut -d: -f3 <<<"$first" | sort -u | wc -l)" 100
symmetric "a hundred" 10 "${order[@]:0:100}"

ppp "${order[@]:100}"
apply "apply, a hundred more"
is "two hundred" "$(slots | wc -l)" $N
is "the first keep their slots" "$(slots | grep -Fxf <(echo "$first") | wc -l)" 100
symmetric "two hundred" 19 "${order[@]}"
quiet "diff is clean" ifsteer diff

for i in "${order[@]:50:100}"; do echo "link del p$i"; done | ip -n h -batch -
kept=$(slots | grep -Ff <(printf 'name:p%s,\n' "${order[@]:0:50}" "${order[@]:150}"))
apply "apply, a hundred vanish"
same "those that stay keep their slots" "$(slots)" "$kept"
like "their rules are gone with them" "$(at h ip rule | grep -c 'oif p')" '^100$'
ppp "${order[@]:50:100}"
apply "apply, they come back"
is "two hundred again" "$(slots | wc -l)" $N
is "those that stayed keep their slots" "$(slots | grep -Fxf <(echo "$kept") | wc -l)" 100
is "all different" "$(slots | cut -d: -f3 | sort -u | wc -l)" $N
symmetric "two hundred again" 17 "${order[@]}"
answered "the policy goes on" op 172.31.70.5 10.0.1.9
quiet "diff is clean" ifsteer diff

# 4 bits hold 15 values: the marks that the policy needs come first, and what is left over is said.
policy <<-END
	settings = { mark_mask = "0x000f0000"; };
	interfaces = ( { name = "p*"; gateway = "first"; }, { name = "eth0"; }, { name = "eth2"; gateway = "172.31.64.1"; } );
	policies = ( { name = "on-premises"; to = "10.0.0.0/16"; via = "eth2"; }, { name = "one"; to = "203.0.113.0/24"; via = "p77"; } );
END
quiet "flush" ifsteer flush
said=$(ifsteer apply 2>&1)
is "marks run out: exit status" $? 0
like "marks run out: it is said" "$said" 'unmanaged'
answered "marks run out: the policy works" op 172.31.70.5 10.0.1.9
like "marks run out: a match that a policy names is managed" "$(ifsteer status --json | tr -d ' \n')" '"name":"p77","slot"'
like "marks run out: as many as there are marks for" "$(slots | wc -l)" '^1[0-9]$'
quiet "diff is clean" ifsteer diff 
quiet "flush" ifsteer flush
done_testing
