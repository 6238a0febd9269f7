# SPDX-License-Identifier: GPL-2.0-or-later
#
# The points of one curve (-v curve=NAME; lines "CURVE X SERIES VALUE UNIT", tabs between) as SVG, both
# axes logarithmic: a straight line that climbs one decade in one is linear growth.
BEGIN { FS = "\t"; split("#1b6ca8 #c8553d #588157 #7d5ba6 #b08900 #3a3a3a", color, " ") }
$1 == curve {
	if (!($3 in order)) { order[$3] = ++series; name[series] = $3 }
	unit = $5
	n++; x[n] = log($2) / log(10); y[n] = log($4 > 0 ? $4 : 0.001) / log(10); of[n] = order[$3]; label[n] = $2
	if (n == 1 || x[n] < left) left = x[n]
	if (n == 1 || x[n] > right) right = x[n]
	if (n == 1 || y[n] < low) low = y[n]
	if (n == 1 || y[n] > high) high = y[n]
}
function px(v) { return 70 + 500 * (right > left ? (v - left) / (right - left) : 0.5) }
function py(v) { return 340 - 300 * (v - floor_) / (ceiling - floor_) }
function floor10(v) { return v < 0 && v != int(v) ? int(v) - 1 : int(v) }
END {
	if (!n) exit
	floor_ = floor10(low); ceiling = floor10(high) + 1
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"390\" font-family=\"sans-serif\" font-size=\"12\">"
	print "<rect width=\"760\" height=\"390\" fill=\"white\"/>"
	printf "<text x=\"70\" y=\"22\" font-size=\"15\">%s: %s, by number</text>\n", curve, unit
	for (d = floor_; d <= ceiling; d++) {
		printf "<line x1=\"70\" x2=\"570\" y1=\"%d\" y2=\"%d\" stroke=\"#ddd\"/>", py(d), py(d)
		printf "<text x=\"62\" y=\"%d\" text-anchor=\"end\">%g</text>\n", py(d) + 4, 10 ^ d
	}
	for (i = 1; i <= n; i++)
		if (!(label[i] in shown)) {
			shown[label[i]] = 1
			printf "<text x=\"%d\" y=\"360\" text-anchor=\"middle\">%s</text>\n", px(x[i]), label[i]
		}
	for (s = 1; s <= series; s++) {
		path = ""
		for (i = 1; i <= n; i++)
			if (of[i] == s) {
				path = path sprintf("%d,%d ", px(x[i]), py(y[i]))
				printf "<circle cx=\"%d\" cy=\"%d\" r=\"3\" fill=\"%s\"/>\n", px(x[i]), py(y[i]), color[s]
			}
		printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, color[s]
		printf "<text x=\"585\" y=\"%d\" fill=\"%s\">%s</text>\n", 40 + 20 * s, color[s], name[s]
	}
	print "</svg>"
}
