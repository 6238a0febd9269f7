#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The second apply in a row, and every event with nothing new, sends no message that writes.

. "$(dirname "$0")/lib.sh"
lab_enter
needs strace conntrack
lab_host

# Whatever changes the kernel: rtnetlink and nfnetlink requests that make, set or delete, and files
# under /proc/sys. strace can't tell the family of a socket that has not sent anything yet, and
# shows its first batch by the number of the first message: what asks is 2 modulo 4 in rtnetlink,
# 0x101 in conntrack; nftables writes in batches alone, 0x10.
WRITES='nlmsg_type=0x([0-9a-f][013-57-9bcdf]|10[02-9a-f]) /\* NLMSG_\?\?\?|RTM_(NEW|DEL|SET)[A-Z]*, *(nlmsg_)?flags=[^,]*NLM_F_REQUEST|NFNL_MSG_BATCH_BEGIN|NFT_MSG_(NEW|DEL)[A-Z]*, .*NLM_F_REQUEST|IPCTNL_MSG_CT_(NEW|DELETE), .*NLM_F_REQUEST|SOCK_DESTROY|/proc/sys/.*O_(WRONLY|RDWR)'

# writes COMMAND…: sets `written`, the system calls of that run which write, and `status`.
writes() {
	ASAN_OPTIONS=detect_leaks=0 at h strace -f -qq -s 65536 -e trace=openat,open,creat,sendto,sendmsg,sendmmsg,write,writev -o /run/trace "$@" >/run/said 2>&1
	status=$?
	written=$(grep -E "$WRITES" /run/trace)
}

policy <<<"$S4"
writes "$IFSTEER" apply
is "the first apply" "$status" 0
like "it shows that writes are seen here: rtnetlink" "$written" 'RTM_NEW(ROUTE|RULE)|nlmsg_type=0x(18|20) '
like "it shows that writes are seen here: nftables" "$written" NFNL_MSG_BATCH_BEGIN
like "it shows that writes are seen here: the first batch of a socket" "$written" "NLMSG_[?]"

before=$(host_state)
for command in "$IFSTEER apply" "$IFSTEER apply" "$IFSTEER hook systemd" "$IFSTEER hook networkmanager eth0 up" \
	"$IFSTEER hook networkmanager eth0 dhcp6-change" "$IFSTEER hook networkmanager none hostname" \
	"env IFACE=eth0 ADDRFAM=inet METHOD=static MODE=start PHASE=post-up $IFSTEER hook ifupdown" "$IFSTEER diff" "$IFSTEER status"; do
	# shellcheck disable=SC2086
	writes $command
	is "${command//$IFSTEER/ifsteer}: writes nothing" "$written" ""
	is "${command//$IFSTEER/ifsteer}: succeeds" "$status" 0
done
same "nothing has changed" "$(host_state)" "$before"

# Packets meanwhile, which count and leave connections behind, change nothing in that.
answered "on-premises" op 172.31.70.5 10.0.1.9
writes "$IFSTEER" apply
is "after packets: writes nothing" "$written" ""

# One change writes that change, and no more.
ip -n h route del default table 21002
writes "$IFSTEER" apply
is "a lost route: one message" "$(grep -c . <<<"$written")" 1
like "a lost route: put back" "$written" 'RTM_NEWROUTE|nlmsg_type=0x18 '
unlike "a lost route: nothing else" "$written" 'RTM_NEWRULE|RTM_DEL|NFNL_MSG_BATCH|/proc/sys'
same "all is as it was" "$(host_state)" "$before"

# A mark that is left over for connections stays when the last of them ends: nobody has changed anything. The next
# change takes it away.
KILL='{ name = "vpn"; to = "198.51.100.0/24"; via = "eth2"; otherwise = "blackhole"; }'
kill_marks() { ip -n h rule | grep -c 'fwmark 0xfe000000'; }
policies "$KILL"
coproc TAKEN { at h "$PROBE" tcp -k 198.51.100.10 $PORT; }
read -r -t 30 -u "${TAKEN[0]}" line
policies '{ name = "vpn"; to = "198.51.100.0/24"; via = "eth2"; }'
is "a connection carries the mark of a kill switch that is gone" "$(kill_marks)" 2
echo again >&"${TAKEN[1]}"
read -r -t 30 -u "${TAKEN[0]}" line
is "and goes on" "$line" again
kill "${TAKEN_PID-}" 2>/dev/null
wait "${TAKEN_PID-}" 2>/dev/null
quiet "it ends" at h conntrack -D -d 198.51.100.10
quiet "diff: in sync" ifsteer diff
like "status: in sync" "$(ifsteer status --json)" '"in_sync": true'
writes "$IFSTEER" apply
is "apply: writes nothing" "$written" ""
is "the mark stands" "$(kill_marks)" 2
policies '{ name = "vpn"; to = "198.51.0.0/16"; via = "eth2"; }'
is "a change takes it away" "$(kill_marks)" 0
quiet "and that was all" ifsteer diff
done_testing
