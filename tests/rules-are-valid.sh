#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every example under rules/ is a valid policy on any host, says first what licence it has and then which
# situation it is for, and is installed.

set -u
export LC_ALL=C
src=$(cd "${srcdir:-.}" && pwd)

# A policy file has to be root's: whoever is not root gets to be so in a namespace of his own.
if [ "$(id -u)" != 0 ]; then
	unshare -Ur true 2>/dev/null || { echo "1..0 # SKIP not root, and no user namespaces here"; exit 0; }
	exec unshare -Ur "$0"
fi

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
umask 022
count=0

# ok STATUS NAME
ok() {
	count=$((count + 1))
	[ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}

for file in "$src"/rules/*; do
	name=${file##*/}
	[ "$(head -n 1 "$file")" = "# SPDX-License-Identifier: CC0-1.0" ]
	ok $? "$name: CC0-1.0 on the first line"
	grep -Fq "rules/$name" "$src/Makefile.am"
	ok $? "$name is installed"
	case $name in
	*.conf) ;;
	*) continue ;;
	esac
	cp "$file" "$dir/$name"
	said=$("$IFSTEER" -c "$dir/$name" check 2>&1)
	[ $? = 0 ] && [ -z "$said" ]
	ok $? "$name is valid, and there is nothing to say about it" || sed 's/^/# /' <<<"$said"
	[ -z "$said" ] || sed 's/^/# /' <<<"$said"
	[ "$name" = ifsteer.conf ] || sed -n 3p "$file" | grep -q "^# Situation: "
	ok $? "$name opens with its situation"
done
echo "1..$count"
