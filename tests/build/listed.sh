#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing is forgotten: every source and every test of the tree stands in Makefile.am.
set -u
cd "${srcdir:-.}" || exit

n=0
for file in $(find plugin tests \( -path tests/stage -o -path tests/bench \) -prune -o \
	\( -name '*.[ch]' -o -name '*.sh' -o -name '*.in' \) -print | LC_ALL=C sort); do
	n=$((n + 1))
	# A unit test is named without its ending.
	if grep -qE "(^|[[:space:]])(${file}|${file%.c})([[:space:]]|$)" Makefile.am; then
		echo "ok $n - $file"
	else
		echo "not ok $n - $file"
	fi
done
echo "1..$n"
