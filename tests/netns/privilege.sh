#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Least privilege: what a process keeps before it first talks to the kernel, and that its units give no more.

. "$(dirname "$0")/lib.sh"
lab_enter
needs strace systemd-analyze
lab_host

export ASAN_OPTIONS=detect_leaks=0	# it can't be traced
policy <<<"$S4"
apply

# What a command gives up stands before its first message to the kernel. (With --confirm a second process does the
# same in its own time.)
drops_first() {	# KEEPS ifsteer's words…
	local keeps=$1
	shift
	at h strace -f -qq -o /tmp/trace -e trace=prctl,capset,socket "$IFSTEER" "$@" >/dev/null 2>&1
	like "$1: gives up what it does not need before it talks to the kernel" \
		"$(awk 'NR == 1 { first = $1 } $1 == first' /tmp/trace |
			grep -o 'PR_SET_NO_NEW_PRIVS, 1\|capset.*\|AF_NETLINK' | head -n 3 | paste -sd ' ')" \
		"^PR_SET_NO_NEW_PRIVS, 1 capset.*effective=$keeps, permitted=$keeps, inheritable=0}\) = 0 AF_NETLINK"
}
for command in apply diff status facts flush "explain 10.0.1.9" "offline eth2" "online eth2" "hook networkmanager eth2 up" "hook systemd" \
	"apply --confirm 1"; do
	# shellcheck disable=SC2086
	drops_first '1<<CAP_NET_ADMIN' $command
done
drops_first '1<<CAP_NET_ADMIN\|1<<CAP_SYS_PTRACE' doctor
at h strace -f -qq -o /tmp/trace -e trace=prctl,capget,capset "$IFSTEER" hook networkmanager eth2 some-future-action
unlike "a hook of no concern does not even do that" "$(cat /tmp/trace)" 'NO_NEW_PRIVS|cap[gs]et'

apply
nsenter --net=/run/netns/h -- "$IFSTEER" apply --confirm 30 2>/dev/null </dev/null &
waiting=$!
eventually 30 grep -q ^waiting /run/ifsteer/*/trial
for pid in $waiting $(cat /proc/$waiting/task/$waiting/children); do
	is "who waits for confirmation has CAP_NET_ADMIN alone" \
		"$(grep -E 'Cap(Inh|Prm|Eff|Amb)|NoNewPrivs' "/proc/$pid/status" | tr -s '\t\n' ' ')" \
		"CapInh: 0000000000000000 CapPrm: 0000000000001000 CapEff: 0000000000001000 CapAmb: 0000000000000000 NoNewPrivs: 1 "
done
quiet "confirm" ifsteer confirm
wait $waiting
is "it is told so" $? 0

# Descriptors are closed on exec from birth; those of libnftables and of sanitizers are their own business.
for command in apply status doctor "explain 10.0.1.9" "hook systemd" flush; do
	# shellcheck disable=SC2086
	at h strace -f -qq -o /tmp/trace -e trace=open,openat,creat,socket,dup,pipe,pipe2,eventfd2,signalfd4,inotify_init1,timerfd_create \
		"$IFSTEER" $command >/dev/null 2>&1
	is "$command: closed on exec" "$(grep -E ' = [0-9]+$' /tmp/trace | grep -vE 'CLOEXEC|"/etc/iproute2/|"/proc/self/(cmdline|environ|maps)"|SOCK_RAW, NETLINK_NETFILTER\)')" ""
done
policy <<<"$S4"
apply

# Without CAP_NET_ADMIN there is nothing to be done, and nothing is.
before=$(host_state)
said=$(at h setpriv --bounding-set=-net_admin "$IFSTEER" flush 2>&1)
is "without CAP_NET_ADMIN: exit status" $? 4
like "without CAP_NET_ADMIN: said" "$said" 'not permitted'
same "without CAP_NET_ADMIN: nothing changes" "$(host_state)" "$before"

# ---- the units ----

for unit in ifsteer ifsteer-watch; do
	said=$(systemd-analyze security --offline=yes --no-pager "$STAGE/usr/lib/systemd/system/$unit.service" 2>&1 | grep 'Overall exposure')
	like "$unit.service: ${said//[^0-9.]/}" "$said" ' (0|1|2)\.[0-9] OK'
	awk '{ exit !($(NF-2) <= 2.0) }' <<<"$said"
	ok $? "$unit.service: at most 2.0"
done
done_testing
