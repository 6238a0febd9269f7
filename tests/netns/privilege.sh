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

# ---- what is opened, and what is written ----

MAKES=open,openat,creat,socket,dup,pipe,pipe2,eventfd2,signalfd4,inotify_init1,timerfd_create,memfd_create
WRITES=mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,truncate,bind,chmod,fchmodat,chown,fchownat

# Where ifsteer writes: in its directories, and sysctls.
OURS='/run/ifsteer|/var/lib/ifsteer|/proc/sys/net/ipv4/conf'

# judged NAME: of what strace saw, a file for each process. Descriptors are closed on exec from birth; those of libnftables
# and of sanitizers are their own business. Whatever is opened to be written, made, named or removed is where it should be.
judged() {
	is "$1: closed on exec" "$(cat /tmp/trace.* | grep -E "^(${MAKES//,/|})\(.* = [0-9]+<" |
		grep -vE 'CLOEXEC|"/(etc|usr/share)/iproute2/|"/proc/self/(cmdline|environ|maps)"|SOCK_RAW, NETLINK_NETFILTER\)')" ""
	is "$1: writes nowhere else" "$(cat /tmp/trace.* | grep -vE ' = -1 E|"/dev/(null|tty)"' |
		grep -E "O_(WRONLY|RDWR|CREAT|TMPFILE)|^(memfd_create|${WRITES//,/|})\(" |
		grep -vE "\((AT_FDCWD<[^>]*>, )?\"($OURS)[/\"]|\((\"[^\"]*\", )?[0-9]+<($OURS)[/>]|AF_NETLINK")" ""
}
trace() {	# COMMAND…
	rm -f /tmp/trace.*
	exec nsenter --net=/run/netns/h -- strace -ff -y -qq -o /tmp/trace -e trace=$MAKES,$WRITES "$IFSTEER" "$@" >/dev/null 2>&1 </dev/null
}
traced() { (trace "$@"); judged "$*"; }
rm -rf /run/ifsteer /var/lib/ifsteer
echo "$S2" >/tmp/other.conf
traced apply
like "apply: it shows that files are seen here" "$(cat /tmp/trace.*)" 'O_(CREAT|TMPFILE).*<(/run|/var/lib)/ifsteer'
ifsteer facts >/tmp/host.facts
for command in check diff status "status --json" doctor facts "explain 10.0.1.9" "offline eth2" "online eth2" "hook networkmanager eth2 down" \
	"hook networkmanager eth2 up" "hook networkmanager eth2 dhcp4-change" "hook systemd" "apply -c /tmp/other.conf" "apply --confirm 1" \
	"--facts /tmp/host.facts check" "--facts /tmp/host.facts diff" "--facts /tmp/host.facts explain 10.0.1.9" flush flush; do
	# shellcheck disable=SC2086
	traced $command
done
IFACE=eth2 ADDRFAM=inet METHOD=static MODE=start traced hook ifupdown
policy <<<"$S4"
apply
trace watch &
tracer=$!
eventually 30 grep -rq timerfd_create /tmp --include='trace.*'
at h nft flush ruleset
eventually 30 ifsteer diff
kill "$(cat /proc/$tracer/task/$tracer/children)"
wait $tracer
is "watch: exit status" $? 0
judged watch

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
