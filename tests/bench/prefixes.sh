#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rows 6, 7 and half of 14: long prefix lists. What ifsteer puts into the kernel is loaded by `nft -f` for
# comparison, the same table with the same set, in alternation; the bare message that adds or deletes one prefix is
# what the kernel takes for it, which walks the whole set. With one more than 10,000 the companion routes go:
# 10,000 of them are most of what that one costs.

. "$(dirname "$0")/lib.sh"
bench_enter
cd "$(mktemp -d)" || exit
host_s4
policy <<-END
	settings = { mark_mask = "0xffff0000"; };
	interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } );
	sets = ( { name = "office"; file = "office.txt"; } );
	policies = ( { name = "a"; to = "@office"; via = "eth2"; } );
END

# prefixes N: so many that don't touch each other.
prefixes() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "%d.%d.%d.0/25\n", 20 + i / 65536, i / 256 % 256, i % 256 }'; }

for n in ${SIZES:-1000 10000 100000}; do
	rounds=$((ROUNDS * 20000 / (20000 + n) / 2 + 3))
	prefixes "$n" >/etc/ifsteer/office.txt
	ours apply
	nft -s list table inet ifsteer >table.nft
	list=$(awk '$1 == "set" { name = $2 } /flags interval/ { print name; exit }' table.nft)
	ours flush
	for ((i = 0; i < rounds; i++)); do
		sample "nft -f of $n" nft -f table.nft
		sample "one message to $n" "$BENCH/one-element" add "$list" 99.1.2.0 99.1.3.0
		sample "one message from $n" "$BENCH/one-element" delete "$list" 99.1.2.0 99.1.3.0
		nft delete table inet ifsteer
		sample "apply of $n" "$IFSTEER" apply
		sample "nothing, first, of $n" "$IFSTEER" apply
		sample "nothing of $n" "$IFSTEER" apply
		echo "99.1.2.0/24" >>/etc/ifsteer/office.txt
		sample "one more of $n" "$IFSTEER" apply
		quiet=$("$IFSTEER" -q diff)
		[ -z "$quiet" ] || remark "not in sync: $(head -c 300 <<<"$quiet")"
		sed -i '$d' /etc/ifsteer/office.txt
		sample "one less of $n" "$IFSTEER" apply
		ours flush
	done
	for series in "nft -f" "apply" "nothing" "one more"; do
		point prefixes "$n" "$series" "$series of $n"
	done
done

for n in ${SIZES:-1000 10000 100000}; do
	result 6 "<= 1.1" "apply of $n" "nft -f of $n" "load of $n prefixes, against nft -f"
	result_memory 14 "<= 1.2" "apply of $n" "nft -f of $n" "peak memory with $n prefixes, against nft -f"
	aim=-
	((n == 100000)) && aim="<= 0.05"
	result 7 "$aim" "one more of $n" "nft -f of $n" "one prefix more than $n, against loading all"
	result 7 "$aim" "one less of $n" "nft -f of $n" "one prefix less than $n, against loading all"
	result 7 - "one message to $n" "nft -f of $n" "the bare message that adds it, against loading all"
	result 7 - "one message from $n" "nft -f of $n" "the bare message that deletes it, against loading all"
	result 7 - "one more of $n" "one message to $n" "one prefix more than $n, against the bare message"
	result 7 - "one less of $n" "one message from $n" "one prefix less than $n, against the bare message"
	result 7 - "nothing of $n" "nft -f of $n" "nothing to do with $n prefixes"
	result 7 - "nothing, first, of $n" "nft -f of $n" "the same, the first time after a change"
done
