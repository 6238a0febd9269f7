#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# under-valgrind.sh MAKE…: tests/netns as MAKE… makes them, with a program in ifsteer's place that runs it under $MEMCHECK, for
# tests, hooks and units alike. Fails where a test does, or valgrind finds something. By `make valgrind-netns`.
#
# Run without valgrind, and counted: what is traced or has a library preloaded, what may not have the memory, and what has a
# closed standard stream, in whose place valgrind's own file would be opened. (random-runs.sh has a program of its own.)

set -u
: "${MEMCHECK:?}" "${SUPPRESSIONS:?}" "${IFSTEER:?}" "${STAGE:?}"

# Seen by all: a host that boots has a /tmp and a /run of its own, a unit a /var/tmp.
dir=$(mktemp -d /var/cache/ifsteer-valgrind.XXXXXX) || exit
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir -m 1777 "$dir/found"
mkdir "$dir/program"
cp "$IFSTEER" "$dir/program/ifsteer"
cp "$SUPPRESSIONS" "$dir/suppressions"
ln -s ifsteer "$dir/program/50-ifsteer"		# the program looks at the name it is called by
: >"$dir/found/under" >"$dir/found/without"
chmod 666 "$dir"/found/*
cat >"$dir/ifsteer" <<-END
	#!/bin/bash
	program=$dir/program/\${0##*/}
	while read -r word value; do [ \$word != TracerPid: ] || tracer=\$value; done </proc/\$\$/status
	if [ \$tracer != 0 ] || [ -n "\${LD_PRELOAD-}" ] || [ "\$(ulimit -v)" != unlimited ] ||
	   [ ! -e /proc/\$\$/fd/0 ] || [ ! -e /proc/\$\$/fd/1 ] || [ ! -e /proc/\$\$/fd/2 ]; then
		echo "\$*" >>$dir/found/without
		exec \$program "\$@"
	fi
	echo "\$*" >>$dir/found/under
	export TMPDIR=$dir/found	# a unit may write there
	exec $MEMCHECK --suppressions=$dir/suppressions --log-file=$dir/found/\$EPOCHREALTIME.%p.log \$program "\$@"
END
chmod 755 "$dir/ifsteer"

# What is installed: the same, and units that let valgrind make code and call what it calls.
cp -a "$STAGE" "$dir/stage"
ln -sf "$dir/ifsteer" "$dir/stage/usr/sbin/ifsteer"
sed -i "/^MemoryDenyWriteExecute=/d; /^SystemCall/d; s|^RuntimeDirectory=|ReadWritePaths=$dir/found\n&|" \
	"$dir"/stage/usr/lib/systemd/system/ifsteer*.service

# A thousand changes of make-before-break.sh would be half an hour.
given="IFSTEER='$dir/ifsteer' STAGE='$dir/stage' VALGRIND_DIR='$dir' CHANGES='${CHANGES:-100}' IFSTEER_REQUIRE_NETNS=1"
"$@" TESTS_ENVIRONMENT="$given; export IFSTEER STAGE VALGRIND_DIR CHANGES IFSTEER_REQUIRE_NETNS;"
status=$?
find "$dir/found" -name '*.log' -size +0 -exec cat {} +
found=$(find "$dir/found" -name '*.log' -size +0 | wc -l)
echo "valgrind: $(wc -l <"$dir/found/under") runs, $found with findings; $(wc -l <"$dir/found/without") without it; tests: $status"
[ "$found$status" = 00 ]
