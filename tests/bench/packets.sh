#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rows 10 and 11: what a packet pays for ifsteer, for one policy and for a thousand, against conntrack alone,
# against a policy by hand, and against the line for each prefix that mark-based tools write.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bursts.sh"
bench_enter

INTERFACES='settings = { mark_mask = "0xffff0000"; };
	interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = "172.31.64.1"; } );'

# policies_of N: N policies of ten prefixes each; the last one has $STEERED.
policies_of() {
	awk -v n="$1" -v each=10 'BEGIN {
		for (i = 0; i < n; i++) {
			printf "%s{ name = \"p%d\"; via = \"eth2\"; to = ", i ? "," : "", i
			for (k = 0; k < each; k++) {
				at = 10000 - n * each + i * each + k
				printf "%s\"20.%d.%d.0/25\"", k ? ", " : "[ ", at / 256, at % 256
			}
			print " ]; }"
		}
	}'
}

# by_hand NAME LINES: what a person writes who knows how: marks that connections remember, one table, one
# address rewritten.
by_hand() {
	printf '%s\n' "rule add priority 100 fwmark 2/0xff lookup 102" "route add default via 172.31.64.1 dev eth2 table 102" |
		ip -n "$1" -batch -
	at "$1" nft -f - <<-END
		table inet bench {
			chain steer {
				meta mark set ct mark
				meta mark & 0xff != 0 return
				$2
			}
			chain output { type route hook output priority mangle; ct direction original jump steer; }
			chain prerouting { type filter hook prerouting priority mangle; ct direction original jump steer; }
			chain nat { type nat hook postrouting priority srcnat; oifname "eth2" ip saddr 10.200.0.2 masquerade; }
		}
	END
}

# lines_of N: one for each of the prefixes of policies_of N.
lines_of() {
	awk -v n="$1" 'BEGIN {
		for (at = 10000 - n * 10; at < 10000; at++)
			printf "ip daddr 20.%d.%d.0/25 meta mark set 2 ct mark set meta mark\n", at / 256, at % 256
	}'
}

compared="one again conntrack nothing script"
many="policies10 policies100 policies1000"
lines="lines10 lines100 lines1000"
for host in $compared $many $lines; do
	host_of $host
	drop_at_ingress ${host}_far eth0 eth2
done
for host in one again; do
	steer $host <<<"$INTERFACES policies = ( { name = \"a\"; via = \"eth2\"; to = [ \"20.0.0.0/25\", \"20.39.15.0/25\" ]; } );"
done
for host in $many; do steer $host <<<"$INTERFACES policies = ( $(policies_of ${host#policies}) );"; done
for host in $lines; do by_hand $host "$(lines_of ${host#lines})"; done
by_hand script "ip daddr 20.39.15.0/25 meta mark set 2 ct mark set meta mark"
track conntrack
for host in conntrack nothing; do ip -n $host route add 20.39.15.0/25 via 172.31.64.1; done

# The first policy of a thousand has a companion, the last one's packets are given their source on the way out.
FIRST=20.0.0.1

# shellcheck disable=SC2086
{
	burst "own, steered by the first" "" $FIRST one policies1000
	burst "own, steered" "" $STEERED $compared policies1000
	burst "own, not steered" "" $UNSTEERED $compared policies1000
	burst "forwarded, steered" _lan $STEERED $compared policies1000
	burst "forwarded, not steered" _lan $UNSTEERED $compared policies1000
	# Flows that nobody answers and no policy takes are judged packet by packet.
	options="-u -b 64"
	burst "own, each judged" "" $UNSTEERED one conntrack $many $lines
	burst "forwarded, each judged" _lan $UNSTEERED one conntrack $many $lines
}

for kind in "own, steered" "own, not steered" "forwarded, steered" "forwarded, not steered"; do
	[[ $kind != *not* ]] && aim=">= 0.85" || aim=">= 0.95"
	compare noise - "$kind" again one "the same policy on two hosts"
	compare 10 ">= 0.95" "$kind" policies1000 one "10k prefixes in 1,000 policies"
	compare 11 "$aim" "$kind" one conntrack "one policy, against conntrack"
	compare 11 - "$kind" one nothing "one policy, against nothing"
	compare 11 - "$kind" script conntrack "by hand, against conntrack"
	compare 11 - "$kind" one script "one policy, against by hand"
done
compare 10 ">= 0.95" "own, steered by the first" policies1000 one "10k prefixes in 1,000 policies"
for kind in "own, each judged" "forwarded, each judged"; do
	compare 10 - "$kind" policies1000 one "10k prefixes in 1,000 policies"
	compare 10 - "$kind" policies1000 lines1000 "the same, against lines"
	compare 11 - "$kind" one conntrack "one policy, against conntrack"
	point_rate judged 1 "$kind" "$kind: one"
	for n in 10 100 1000; do
		point_rate judged $n "$kind" "$kind: policies$n"
		point_rate judged $n "$kind, by lines" "$kind: lines$n"
	done
done
