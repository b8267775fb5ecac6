#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: readme-figures.sh BUILD
#
# Runs the default matrix on tcg and puts its table and its picture into README.md and docs/.
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/faultline" matrix -e tcg -o "$work/run" workloads/matrix/default.ini >/dev/null
"$build/faultline" plot --terminal png "$work/run" >/dev/null
cp "$work/run/plots/percentiles.png" docs/percentiles.png

# One row a class: the cell in which it was seen most often.
awk -F, '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$at["side"] == "kernel" {
		class = $at["series"]
		if (!(class in count))
			order[++n] = class
		if ($at["count"] + 0 > count[class] + 0) {
			count[class] = $at["count"]
			row[class] = sprintf("| `%s` | %s | %s | %s | %s | %s |", class, $at["label"] == "" ? \
				$at["profile"] : $at["profile"] " " $at["label"], $at["count"], $at["p50"] == "" ? "–" : $at["p50"],
				$at["p99"] == "" ? "–" : $at["p99"], $at["max"])
		}
	}
	END {
		print "| fault class | cell | faults | p50 | p99 | max |"
		print "|---|---|---:|---:|---:|---:|"
		for (i = 1; i <= n; i++)
			print row[order[i]]
	}
' "$work/run/cells.csv" | harness/tools/put.sh figures README.md
