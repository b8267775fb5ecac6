#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: vma-index-table.sh BUILD FILE
#
# Runs the matrix vma-index on the stub under tcg and puts the medians, a row for each operation and VMA
# index, between the markers <!-- vma-index --> and <!-- /vma-index --> of FILE.
set -eu
build=$1 file=$2
export FAULTLINE_SOURCE="${FAULTLINE_SOURCE:-$PWD}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$build/faultline" matrix -e tcg --timeout 300 -o "$work/run" vma-index >/dev/null
"$build/faultline" plot -t svg "$work/run" >/dev/null
awk -F, '
	NR == 1 { next }
	!($1 in phases) { phases[$1]; phase[++np] = $1 }
	!($2 in indexes) { indexes[$2]; name[++ni] = $2 }
	!($3 in sizes) { sizes[$3]; size[++ns] = $3 }
	{ p50[$1, $2, $3] = $7 }
	END {
		printf "| operation | index |"
		for (s = 1; s <= ns; s++) printf " %d%s |", size[s], s == 1 ? " VMAs" : ""
		printf " growth |\n|---|---|"
		for (s = 1; s <= ns; s++) printf "---:|"
		printf "---:|\n"
		for (p = 1; p <= np; p++)
			for (i = 1; i <= ni; i++) {
				printf "| %s | `%s` |", i == 1 ? phase[p] : "", name[i]
				for (s = 1; s <= ns; s++) printf " %d |", p50[phase[p], name[i], size[s]]
				printf " %.2f |\n", p50[phase[p], name[i], size[ns]] / p50[phase[p], name[i], size[1]]
			}
	}' "$work/run/plots/vma-index.csv" >"$work/table"
harness/tools/put.sh vma-index "$file" <"$work/table"
