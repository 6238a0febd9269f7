#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Row 15 and what follows from many policies: check, cold apply, and an apply with nothing to do.

. "$(dirname "$0")/lib.sh"
bench_enter
host_s4

# policies_of N: of one shape, each with an address, a protocol and ports of its own.
policies_of() {
	echo 'interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } ); policies = ('
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "%s{ name = \"p%d\"; to = \"10.%d.%d.0/24\"; protocol = \"tcp\"; dport = ( %d, \"8000-8100\" ); via = \"eth2\"; }\n",
				i ? "," : "", i, i / 256 % 256, i % 256, 1 + i % 1000
	}'
	echo ');'
}

for n in ${SIZES:-100 1000 10000}; do
	policies_of "$n" >/etc/ifsteer/ifsteer.conf
	for ((i = 0; i < ROUNDS / 2 + 2; i++)); do
		sample "check of $n" "$IFSTEER" check
	done
	for ((i = 0; i < (n < 10000 ? 5 : 3); i++)); do
		sample "cold apply of $n" "$IFSTEER" apply
		nft -s list table inet ifsteer >table.nft
		sample "nothing of $n" "$IFSTEER" apply
		sample "nothing of $n" "$IFSTEER" apply
		ours flush
		sample "nft -f of $n" nft -f table.nft
		nft delete table inet ifsteer
	done
	point policies "$n" check "check of $n"
	point policies "$n" "cold apply" "cold apply of $n"
	point policies "$n" "nothing to do" "nothing of $n"
	point policies "$n" "nft -f" "nft -f of $n"
done

for n in ${SIZES:-100 1000 10000}; do
	result 15 - "cold apply of $n" "nft -f of $n" "cold apply of $n policies, against nft -f of the same table"
	result 15 - "nothing of $n" "nft -f of $n" "apply with nothing to do, $n policies"
done
value limit 100000
result 15 "<= 1" "check of 10000" limit "check of 10,000 policies, against 100 ms"
result 15 "<= 10" "check of 10000" "check of 1000" "check of 10,000 policies, against 1,000"
