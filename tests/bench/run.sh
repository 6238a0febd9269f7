#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# All benchmarks, or those that are named: `make bench`, `make bench BENCHMARKS="apply check"`. Needs root;
# everything is done in namespaces of its own. Results go to tests/bench/results.json and, as curves, to
# tests/bench/CURVE.svg below the directory of the build. ROUNDS sets how often each is measured.

set -u
here=$(cd "$(dirname "$0")" && pwd)
results=$BENCH/results.json
export RESULTS=$BENCH/results.lines POINTS=$BENCH/points.tsv
rm -f "$RESULTS" "$POINTS" "$BENCH"/*.svg

[ "$EUID" = 0 ] || { echo "benchmarks need root, for namespaces" >&2; exit 1; }
echo "load of this machine before: $(cut -d ' ' -f 1-3 /proc/loadavg), $(nproc) processors, Linux $(uname -r)"
echo "row measure, ratio of the medians [of the minima], aim"
failed=0
for name in ${BENCHMARKS:-apply interfaces prefixes check}; do
	"$here/$name.sh" || failed=1
done
[ -s "$RESULTS" ] || exit 1
{ echo "["; sed '$!s/$/,/' "$RESULTS"; echo "]"; } >"$results"
for curve in $(cut -f 1 "$POINTS" 2>/dev/null | sort -u); do
	awk -v curve="$curve" -f "$here/chart.awk" "$POINTS" >"$BENCH/$curve.svg"
done
rm -f "$RESULTS"
echo "in $BENCH: results.json $(cd "$BENCH" && echo ./*.svg)"
exit $failed
