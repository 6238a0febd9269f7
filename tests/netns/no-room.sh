#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# No room below /run and /var, and directories that can't be written: the policy is in force all the same, and what can't be kept is
# said, with what follows from it.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

edit() {	# NAME
	policy <<<"$S2 policies = ( { name = \"$1\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\"; } );"
}
in_force() { at h nft list table inet ifsteer 2>/dev/null | grep -q "\"$1 "; }
# applied NAME WARNING: an edit of that name is in force, with a warning like that ("": none), and all works.
applied() {
	local said
	edit "$1"
	said=$(ifsteer apply 2>&1)
	is "$1: exit status" $? 0
	if [ -n "$2" ]; then like "$1: said" "$said" "warning: .*$2"; else is "$1: nothing is said" "$said" ""; fi
	unlike "$1: no error" "$said" 'error:'
	in_force "$1"
	ok $? "$1: in force"
	quiet "$1: in sync" ifsteer diff
	answered "$1" op 172.31.70.5 10.0.1.9
	quiet "$1: status" ifsteer status
}
# A tmpfs that is full, of bytes or of files.
fill() { mount -t tmpfs -o size=64k full "$1" && chmod 755 "$1" && { cat /dev/zero >"$1/full"; true; } 2>/dev/null; }
fill_files() { mount -t tmpfs -o nr_inodes=4 full "$1" && chmod 755 "$1" && touch "$1"/{1,2,3}; }
read_only() { mount -t tmpfs -o ro,mode=755 none "$1"; }

applied first ""

# ---- /var ----

for how in fill fill_files read_only; do
	$how /var/lib/ifsteer
	applied "var_$how" "accepted policy in /var/lib/ifsteer: (No space left on device|Read-only file system); if the files are in error"
	umount /var/lib/ifsteer
done
is "what was accepted before is there" "$(grep -c '"first"' /var/lib/ifsteer/accepted)" 1
applied var_again ""
rm -rf /var/lib/ifsteer
mount -t tmpfs -o ro,mode=755 none /var/lib
applied var_read_only_and_empty "/var/lib/ifsteer: Read-only file system"
umount /var/lib

# ---- /etc ----

edit etc
mount --bind /etc/ifsteer /etc/ifsteer
mount -o remount,bind,ro /etc/ifsteer
quiet "a read-only /etc" ifsteer apply
in_force etc
ok $? "a read-only /etc: in force"
umount /etc/ifsteer

# ---- /run ----

for how in fill_files read_only; do
	$how /run/ifsteer
	edit "run_$how"
	before=$(host_state)
	said=$(ifsteer apply 2>&1)
	is "$how /run, and no lock there: exit status" $? 6
	like "$how /run, and no lock there: said" "$said" 'error: the lock below /run/ifsteer: (No space left on device|Read-only file system)'
	ifsteer hook networkmanager eth2 up 2>/dev/null
	is "$how /run, and no lock there: a hook" $? 0
	same "$how /run, and no lock there: nothing changes" "$(host_state)" "$before"
	quiet "$how /run: explain" ifsteer explain 10.0.1.9
	umount /run/ifsteer
done

# The lock is there, and no room for more: what is told is in force for the one who is told.
full_run() { mount -t tmpfs -o size=64k full /run/ifsteer && chmod 755 /run/ifsteer && ifsteer apply && { cat /dev/zero >/run/ifsteer/full; true; } 2>/dev/null; }
quiet "a full /run" full_run
applied run_full "can't keep a copy of the policy below /run/ifsteer: No space left on device"
IP4_GATEWAY=172.31.64.1 ifsteer hook networkmanager eth2 down 2>/dev/null
answered "a full /run: a hook, down" gw 10.200.0.2 10.0.1.9
ifsteer hook networkmanager eth2 up 2>/dev/null
answered "a full /run: a hook, up" op 172.31.70.5 10.0.1.9
quiet "a full /run: flush" ifsteer flush
is "a full /run: nothing is left" "$(at h sh -c 'nft list tables; ip rule; ip -6 rule' | grep -E 'ifsteer|proto 77')" ""
quiet "a full /run: apply" ifsteer apply
nsenter --net=/run/netns/h -- "$IFSTEER" watch 2>/tmp/said &
watch=$!
eventually 30 eval '[[ $(cat "/proc/$watch/wchan") == *poll* ]]'
edit watched
ifsteer apply >/dev/null 2>&1
sleep 1
in_force watched
ok $? "a full /run: watch does not put back what was applied by hand"
at h nft flush ruleset
eventually 30 in_force watched
ok $? "a full /run: watch repairs just that"
# What nobody keeps a copy of is not undone for want of it.
edit elsewhere
mv /etc/ifsteer/ifsteer.conf /etc/ifsteer/elsewhere
edit watched
said=$(ifsteer -c /etc/ifsteer/elsewhere apply 2>&1)
is "a full /run: -c: exit status" $? 0
like "a full /run: -c: said" "$said" 'No space left on device; until the next apply `watch` repairs nothing'
sleep 1
in_force elsewhere
ok $? "a full /run: watch does not put back what was applied with -c"
ifsteer apply --confirm 60 </dev/null >/dev/null 2>&1
is "a full /run: nor does a trial begin that could not end" $? 6
in_force elsewhere
ok $? "a full /run: and it changes nothing"
rm /etc/ifsteer/elsewhere
rm /run/ifsteer/full
applied run_again ""
sleep 1
at h nft flush ruleset
eventually 30 in_force run_again
ok $? "room again: watch follows"
kill $watch
wait $watch
is "watch: exit status" $? 0
umount /run/ifsteer
nothing_spoofed
done_testing
