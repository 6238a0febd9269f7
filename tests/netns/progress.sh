#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An apply that takes longer than a second shows what it is at, on a terminal and nowhere else. What it
# waits for here is another run.

. "$(dirname "$0")/lib.sh"
needs script
lab_enter
lab_host
policy <<<"$S4"
quiet "a first run" ifsteer apply
export TERM=xterm

# busy N: another run holds the lock for so many seconds.
busy() {
	flock /run/ifsteer/*/lock sleep "$1" &
	eventually 30 sh -c '! flock -n /run/ifsteer/*/lock true'
}

# on_terminal COMMAND…: what a terminal gets to see of it.
on_terminal() { script -qec "nsenter --net=/run/netns/h $*" /dev/null </dev/null | tr -d '\n'; }

busy 4
said=$(on_terminal "$IFSTEER" apply)
like "it says what it waits for" "$said" 'ifsteer: waiting for another run to end, [1-9] s'
like "on one line, written over itself" "$said" $'end, [1-9] s\r\x1b\\[Kifsteer: '
like "which is gone in the end" "$said" $'\r\x1b\\[K$'

busy 4
is "nothing with -q" "$(on_terminal "$IFSTEER" -q apply)" ""
busy 4
is "nothing but on a terminal" "$(ifsteer apply 2>&1)" ""
busy 4
export TERM=dumb
is "nothing where a line can't be erased" "$(on_terminal "$IFSTEER" apply)" ""
export TERM=xterm
start=${EPOCHREALTIME/./}
said=$(on_terminal "$IFSTEER" apply)
[ $((${EPOCHREALTIME/./} - start)) -gt 900000 ] || is "nothing when it is quick" "$said" ""

policy <<<"$S4 typo = 1;"
busy 4
said=$(on_terminal "$IFSTEER" apply)
like "a message stands on a line of its own" "$said" $'\r\x1b\\[K/etc/ifsteer/ifsteer.conf:.*error: '
done_testing
