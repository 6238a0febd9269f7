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
echo "row measure, ratio of the medians [of the best] and noise, aim"
failed=0
for name in ${BENCHMARKS:-apply interfaces prefixes check surroundings packets paths peers}; do
	"$here/$name.sh" || failed=1
done
[ -s "$RESULTS" ] || exit 1
{ echo "["; sed '$!s/$/,/' "$RESULTS"; echo "]"; } >"$results"
for curve in $(cut -f 1 "$POINTS" 2>/dev/null | sort -u); do
	awk -v curve="$curve" -f "$here/chart.awk" "$POINTS" >"$BENCH/$curve.svg"
done
echo
echo "=== aims ==="
sed -n 's/.*"row": "\([^"]*\)", "measure": "\([^"]*\)".*"ratio": \([0-9.]*\),.*"noise": \([0-9.]*\), "aim": "\([<>][^"]*\)", "verdict": "\([^"]*\)".*/\1\t\2\t\3\t\4\t\5\t\6/p' "$RESULTS" |
	sort -n -s | awk -F '\t' '{ printf "%-3s %-66s %8.3f ±%2.0f %%  %-8s %s\n", $1, $2, $3, 100 * $4, $5, $6 }'
# The same policy on two hosts: what the machine makes of packets by itself.
sed -n 's/.*"row": "noise".*"ratio": \([0-9.]*\),.*/\1/p' "$RESULTS" | sort -g |
	awk '{ v[NR] = $1 } END { if (NR) printf "noise of packets, A against A: %.3f to %.3f\n", v[1], v[NR] }'
rm -f "$RESULTS"
echo "load of this machine after: $(cut -d ' ' -f 1-3 /proc/loadavg)"
echo "in $BENCH: results.json $(cd "$BENCH" && ls -- *.svg 2>/dev/null | paste -sd " ")"
exit $failed
