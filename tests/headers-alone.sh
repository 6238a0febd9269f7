#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each header compiles alone: it includes what it needs, and no order of includes matters.
set -u
top=$(cd "${srcdir:-.}" && pwd)
cd "$top" || exit

n=0
for header in $(find plugin tests -name '*.h' ! -path '*/stage/*' | LC_ALL=C sort); do
	n=$((n + 1))
	# A second time, for what a header without a guard would define twice.
	if said=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-function \
			-Iplugin -I. -fsyntax-only -x c - 2>&1); then
		echo "ok $n - $header"
	else
		echo "not ok $n - $header"
		echo "$said" | sed 's/^/# /'
	fi
done
echo "1..$n"
