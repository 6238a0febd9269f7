#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rows 1, 2, 3 and half of 14: S4 in both families, against a script that makes the same objects with
# two `ip -batch` and one `nft -f`, and against one that calls ip and nft for each line.

. "$(dirname "$0")/lib.sh"
bench_enter
lab_install
host_s4
policy <<<"$S4"
cd "$(mktemp -d)" || exit

# What ifsteer would do, as scripts.
ifsteer_diff=$("$IFSTEER" -q diff)
sed -n 's/^+ ip \(-4 \)\?\(r\)/\2/p' <<<"$ifsteer_diff" >ipv4.batch
sed -n 's/^+ ip -6 //p' <<<"$ifsteer_diff" >ipv6.batch
{ echo "#!/bin/sh -e"; sed -n 's/^+ \(ip\|nft\)/\1/p' <<<"$ifsteer_diff"; } >naive.sh
ours apply
nft -s list table inet ifsteer >table.nft
{ ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; } >state
ours flush
for family in 4 6; do
	sed 's/^route add/route replace/' ipv$family.batch >again$family.batch
done
{ echo "table inet ifsteer"; echo "delete table inet ifsteer"; cat table.nft; } >again.nft
printf '%s\n' "#!/bin/sh -e" "ip -batch ipv4.batch" "ip -6 -batch ipv6.batch" "nft -f table.nft" >cold.sh
# A rule that stands is refused: that is how such scripts are run twice.
printf '%s\n' "#!/bin/sh" "ip -force -batch again4.batch" "ip -6 -force -batch again6.batch" "nft -f again.nft" >again.sh
chmod +x ./*.sh

clean() {
	local family file
	for family in 4 6; do
		sed -n 's/^rule add/rule del/p; s/^route add/route del/p' ipv$family.batch | tac >clean
		ip -$family -batch clean
	done
	nft delete table inet ifsteer
}

./cold.sh
{ ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; } | cmp state - || exit
clean

for ((i = 0; i < ROUNDS; i++)); do
	sample script ./cold.sh
	sample "script again" ./again.sh
	clean
	sample "its nft -f" nft -f table.nft
	nft delete table inet ifsteer
	((i % 3)) || { sample "a call for each line" ./naive.sh; clean; }
	sample ifsteer "$IFSTEER" apply
	sample "ifsteer again" "$IFSTEER" apply
	sample "ifsteer hook" "$IFSTEER" hook networkmanager eth2 dhcp4-change
	sample "an event of no concern" /usr/lib/NetworkManager/dispatcher.d/50-ifsteer none hostname
	sample "empty program" "$BENCH/empty"
	ours flush
done

# Of ifsteer's own instructions (callgrind) libnftables has 70 in a hundred, loading the libraries 12, planning 11,
# all else 7; half of its time is the kernel's, as perf counts.
result 1 "<= 0.4" ifsteer script "cold apply of S4, both families"
result 1 - ifsteer "its nft -f" "the same, against the script's nft -f alone"
result 1 - ifsteer "a call for each line" "the same, against a script of single calls"
result 2 "<= 0.15" "ifsteer again" "script again" "apply with nothing to change, against the script run again"
result 2 "<= 0.15" "ifsteer hook" "script again" "hook with nothing to change, against the script run again"
result 2 "<= 0.3" "ifsteer again" script "apply with nothing to change, against the script run cold"
result 2 - "ifsteer again" "empty program" "the same, against a program that does nothing"
result 3 "<= 1.5" "an event of no concern" "empty program" "hook event that does not concern us, as installed"
result_memory 14 - ifsteer script "peak memory of apply, S4"
result_limit 14 8192 ifsteer "peak memory of apply, S4, in KiB"
