#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rows 4 and 5: what one interface's coming up costs among 2, 50, 250 and 1,000, and 250 hooks at once.

. "$(dirname "$0")/lib.sh"
bench_enter
policy <<-END
	settings = { mark_mask = "0xffff0000"; };
	interfaces = ( { name = "v*"; gateway = "first"; } );
	policies = ( { name = "a"; to = "10.200.0.0/16"; via = "v1"; } );
END

declare -A messages
for n in ${SIZES:-2 50 250 1000}; do
	grow "$n"
	rounds=$((ROUNDS * 50 / (50 + n) + 3))
	sample "cold apply of $n" "$IFSTEER" apply
	for ((i = 0; i < rounds; i++)); do
		sample "nothing of $n" "$IFSTEER" apply
		ip link set v2 down
		sample "down of $n" "$IFSTEER" hook networkmanager v2 down
		up_again 2 | ip -batch -
		messages[$n]=$("$IFSTEER" -q diff | wc -l)
		sample "up of $n" "$IFSTEER" hook networkmanager v2 up
		sample "empty program" "$BENCH/empty"
		sample "dumps of $n" "$BENCH/dumps"
	done
	quiet=$("$IFSTEER" -q diff)
	[ -z "$quiet" ] || remark "not in sync: $quiet"
	point interfaces "$n" "comes up" "up of $n"
	point interfaces "$n" "goes down" "down of $n"
	point interfaces "$n" "nothing to do" "nothing of $n"
	point interfaces-cold "$n" "cold apply" "cold apply of $n"
	if [ "$n" = 250 ]; then
		ours flush
		"$IFSTEER" apply
		for ((i = 0; i < 3; i++)); do
			ours flush
			sample "one cold apply" "$IFSTEER" apply
			ours flush
			sample_many "250 hooks at once" 250 "$IFSTEER" hook networkmanager v{} up
			sample_many "250 empty programs" 250 "$BENCH/empty"
			value "250 empty programs, one cold apply" \
				$(($(last "250 empty programs") + $(last "one cold apply")))
			quiet=$("$IFSTEER" -q diff)
			[ -z "$quiet" ] || remark "not in sync: $(wc -l <<<"$quiet") lines"
		done
	fi
done

for n in ${SIZES:-2 50 250 1000}; do
	aim=-
	((n == 250)) && aim="<= 3"
	result 4 "$aim" "up of $n" "up of 2" "one of $n interfaces comes up, ${messages[$n]} lines of change, against one of 2"
done
# Nobody tells a hook what else has changed: it has to look.
read -r least _ < <(column "up of 2" 1)
read -r dumps _ < <(column "dumps of 2" 1)
while read -r all _; do
	value "up of 2, dumps of 250" "$(awk "BEGIN { print $least - $dumps + $all }")"
done <"$samples/dumps of 250"
result 4 - "up of 2, dumps of 250" "up of 2" "the least: one of 2, and asking for all that 250 have"
result 4 - "up of 250" "up of 2, dumps of 250" "one of 250 interfaces comes up, against that"
result 4 - "down of 250" "down of 2" "one of 250 interfaces goes down, against one of 2"
result 4 - "nothing of 250" "nothing of 2" "nothing to do with 250 interfaces, against 2"
result 5 "<= 2" "250 hooks at once" "250 empty programs" "250 interfaces come up at once, until in sync"
# One of them does all the work, which the kernel does one rule after the other.
result 5 - "250 hooks at once" "250 empty programs, one cold apply" "the same, against those and one apply"
