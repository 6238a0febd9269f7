#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demo shows what it promises, and says itself that it left nothing behind.

. "$(dirname "$0")/lib.sh"
[ "$EUID" = 0 ] || skip_all "needs root"
needs ip nft ifup tcpdump

out=$("$BASH" "$(dirname "$0")/../demo.sh" 2>&1)
is "it succeeds" $? 0
like "before: a stranger answers" "$out" '^  on-premises +10\.0\.1\.9 +eth0 +10\.200\.0\.2 +✗ a stranger'
for line in '10\.0\.1\.9 +eth2 +172\.31\.70\.5 +✓' 'fd00:10::9 +eth2 +fd00:e2::5 +✓' '198\.51\.100\.10 +eth0 +10\.200\.0\.2 +✓'; do
	is "after, and after eth2 was down: $line" "$(grep -cE "  $line" <<<"$out")" "$([[ $line == 198* ]] && echo 3 || echo 2)"
done
like "diff is clean" "$out" 'nothing to do: exit 0'
like "the audit is shown" "$out" 'on-premises 10-aws\.conf:[0-9]+'
like "nothing is left" "$out" 'This machine is as it was'
unlike "no colour but on a terminal" "$out" $'\e'
done_testing
