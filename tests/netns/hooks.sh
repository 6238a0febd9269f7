#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hooks: what concerns nobody costs nothing, two hundred at once end as one, nobody is ever told of a failure, and a
# policy in error is stood in for by what was accepted last, across a reboot too.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

hook() { ifsteer hook "$@"; }
nm() { hook networkmanager "$@"; }

# kernel: what ifsteer keeps there, without counters; where a chain stands in the table depends on what was there before.
kernel() { at h sh -c 'ip -4 rule; ip -6 rule; ip -4 route show table all proto 77; ip -6 route show table all proto 77; nft -s list table inet ifsteer' 2>/dev/null | sort; }

# ---- what concerns nobody ----

policy <<<"$S4"
said=$(ASAN_OPTIONS=detect_leaks=0 at h strace -f -e trace=%file,%network,%desc -o /tmp/trace "$IFSTEER" hook networkmanager eth2 some-future-action 2>&1)
is "an action that is none of ours: exit status and silence" "$?$said" 0
unlike "opens nothing of ours, and no socket" "$(cat /tmp/trace)" 'ifsteer\.conf|/run/ifsteer|/var/lib/ifsteer|socket\('
ls /run/ifsteer >/dev/null 2>&1
is "and leaves no trace" $? 2
ln -s "$IFSTEER" /tmp/50-ifsteer
said=$(at h /tmp/50-ifsteer eth2 some-future-action 2>&1)
is "called by the dispatcher's link" "$?$said" 0
at h /tmp/50-ifsteer 2>/dev/null
is "called by it with nothing" $? 2

# ---- an event ----

said=$(at h /tmp/50-ifsteer eth2 up 2>&1)
is "up by the dispatcher's link: exit status" $? 0
like "tells what it did" "$said" 'networkmanager eth2 up: [0-9]+ changes; eth2: ipv4 by 172\.31\.64\.1'
quiet "in sync" ifsteer diff
want=$(kernel)
is "up again says nothing" "$(nm eth2 up 2>&1)" ""
like "status knows the last event" "$(ifsteer status)" 'networkmanager eth2 up: 0 changes'
nm eth2 down 2>/dev/null
like "down: not usable, whatever the kernel shows" "$(ifsteer status --json | tr -d ' \n')" \
	'"name":"eth2","slot":2,"mark":"0x02000000","table":21002,"usable":false'
nm eth2 up 2>/dev/null
same "up: as before" "$(kernel)" "$want"

# ---- two hundred at once ----

ifsteer flush
jobs=()
for _ in $(seq 100); do
	nm eth2 down 2>/dev/null &
	jobs+=($!)
	nm eth0 up 2>/dev/null &
	jobs+=($!)
done
wait "${jobs[@]}"
jobs=()
for _ in $(seq 100); do
	nm eth2 up &
	jobs+=($!)
	nm eth0 dhcp4-change &
	jobs+=($!)
done 2>/tmp/said
wait "${jobs[@]}"
same "two hundred at once end as one" "$(kernel)" "$want"
unlike "without an error" "$(cat /tmp/said)" 'error|warning'
quiet "in sync" ifsteer diff

# A run holds the lock; the event is not lost, and one of those that wait does the work of all.
at h flock /run/ifsteer/*/lock sleep 1 &
jobs=($!)
sleep 0.2
for _ in $(seq 5); do
	nm eth2 down 2>&1 &
	jobs+=($!)
done >/tmp/said
wait "${jobs[@]}"
like "the event that waited is taken up" "$(ifsteer status --json | tr -d ' \n')" '"name":"eth2",[^{]*"usable":false'
like "by one run for all: it is the last one" "$(ifsteer status)" 'networkmanager eth2 down: [1-9][0-9]* change'
nm eth2 up 2>/dev/null

# ---- what the kernel refuses for one interface ----

refused='interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ];
		routes = [ "192.168.0.0/16 via 203.0.113.1" ]; } );
	policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );'
policy <<<"$refused"
said=$(ifsteer apply 2>&1)
is "a gateway that can't be reached: exit status" $? 0
like "it is said" "$said" 'warning: .*192\.168\.0\.0/16 via 203\.0\.113\.1'
quiet "the interface is planned without it" ifsteer diff
like "and has the reason" "$(ifsteer status)" '^  ipv4  .* not usable: the kernel refused its routes$'
like "the other family is not concerned" "$(ifsteer status)" '^  ipv6  fd00:e2::5/64 by fd00:e2::1$'
apply "the same policy is not tried again"
nm eth0 up 2>/dev/null
quiet "nor at an event of another interface" ifsteer diff
at h ip address add 203.0.113.2/24 dev eth2
said=$(nm eth2 up 2>&1)
like "at its own it is" "$said" 'eth2: ipv4 by 172\.31\.64\.1'
at h ip address del 203.0.113.2/24 dev eth2
policy <<<"$S4"
apply "another policy"
same "as if nothing had been refused" "$(kernel)" "$want"
policy <<<"$refused"
ifsteer apply 2>/dev/null
like "refused again" "$(ifsteer status)" '^  ipv4  .* not usable: the kernel refused its routes$'
policy <<<"$S4"
apply "another policy, and no event"
same "it is tried anew" "$(kernel)" "$want"

# ---- a policy in error ----

is "accepted is what was applied" "$(grep -c on-premises /var/lib/ifsteer/accepted)" 1
policy <<<'interfaces = ( { nmae = "eth0"; } );'
said=$(nm eth2 up 2>&1)
is "an invalid edit: the hook's exit status" $? 0
like "an invalid edit: what is wrong" "$said" 'ifsteer\.conf:1: error: .*did you mean "name"'
like "an invalid edit: what stands in" "$said" 'accepted last stays in force'
same "an invalid edit: nothing changes" "$(kernel)" "$want"
text=$(ifsteer status 2>/dev/null)
like "status says so" "$text" 'in force is what was accepted last'
like "status has the trouble" "$text" 'ifsteer\.conf:1: error'
unlike "status: fits 80 columns" "$text" '.{81}'
said=$(ifsteer apply 2>&1)
is "apply by hand does not fall back" $? 3

# A reboot: the kernel and /run have forgotten all.
at h sh -c 'nft delete table inet ifsteer; for f in -4 -6; do ip $f rule flush protocol 77; ip $f route flush table all proto 77; done'
rm -rf /run/ifsteer
said=$(hook systemd 2>&1)
is "boot with an invalid edit: exit status" $? 0
same "boot with an invalid edit: as accepted" "$(kernel)" "$want"

rm -rf /run/ifsteer /var/lib/ifsteer
said=$(nm eth2 up 2>&1)
is "nothing accepted: exit status" $? 0
like "nothing accepted: said" "$said" 'no policy was accepted'
same "nothing accepted: the kernel stays" "$(kernel)" "$want"

# Users as they were when the policy was accepted; at boot nobody may be there to ask.
policy <<<"$S2 policies = ( { name = \"alice\"; user = \"alice\"; via = \"eth2\"; } );"
echo "alice:x:4711:4711::/:/bin/false" >>/etc/passwd
apply "a policy for a user"
want=$(kernel)
sed -i /^alice:/d /etc/passwd
rm -rf /run/ifsteer
said=$(hook systemd 2>&1)
unlike "boot: a user that nobody knows yet" "$said" 'error'
same "boot: is known from the accepted policy" "$(kernel)" "$want"

# ---- where nothing can be kept ----

echo "alice:x:4711:4711::/:/bin/false" >>/etc/passwd
rm -rf /var/lib/ifsteer
mount -t tmpfs -o ro none /var/lib
said=$(ifsteer apply 2>&1)
is "/var can't be written: exit status" $? 0
like "/var can't be written: said" "$said" 'warning: .*/var/lib/ifsteer'
umount /var/lib
mkdir -p /var/lib/ifsteer && chmod 777 /var/lib/ifsteer
said=$(ifsteer apply 2>&1)
like "/var/lib/ifsteer that anybody may write is not used" "$said" 'warning: .*/var/lib/ifsteer'
done_testing
