#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How long the harness itself takes with many cells: to plan them, to compare two runs of them, to go on with a run of
# which all but the last are done (which reads them, prints the table and writes run.json and cells.csv), to plot them.
#
#   scale.sh BUILD_DIR [CELLS]     CELLS: a multiple of 2000 up to 100000 (the default)
#
# One cell is run, the others are copies of it under the names that the matrix gives them.
set -eu
faultline=$(cd "$1" && pwd)/faultline
cells=${2:-100000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >many.ini <<END
[anon-touch]
pages = $(seq -s ' ' 10 59)
memory = $(seq -s ' ' -f '%.0fM' 33 72)
stride = $(seq -s " " $((cells / 2000)))
END

TIMEFORMAT='%U s user, %S s system, %R s in all'
timed() {
	printf '%-8s %s cells: ' "$1" "$cells"
	shift
	{ time "$@" >out 2>err; } 2>&1 || { cat err >&2; exit 2; }
}

timed plan "$faultline" matrix --dry-run many.ini
mv out plan

# the first cell, then an end as by Ctrl-C
"$faultline" matrix -e tcg -o base many.ini >out 2>err &
pid=$!
while kill -0 $pid 2>/dev/null && ! [ -s base/cells.jsonl ]; do sleep 0.1; done
kill -INT $pid 2>/dev/null || true
wait $pid || true
grep -q '"status":"ok"' base/cells.jsonl || { cat err base/cells.jsonl >&2; exit 2; }

head -n 1 base/cells.jsonl | cat - plan | awk -F '\t' -v last=$((cells - 1)) '
	NR == 1 { cell = $0; next }
	$1 < last {
		n = split($4, setting, " ")
		for (i = 1; i <= n; i++) {
			split(setting[i], part, "=")
			value[part[1]] = part[2]
		}
		line = cell
		sub(/"pages":[0-9]+/, "\"pages\":" value["pages"], line)
		sub(/"memory":"[^"]*"/, "\"memory\":\"" value["memory"] "\"", line)
		sub(/"stride":[0-9]+/, "\"stride\":" value["stride"], line)
		sub(/"label":"[^"]*"/, sprintf("\"label\":\"pages=%s memory=%s stride=%s\"", value["pages"],
			value["memory"], value["stride"]), line)
		print line
	}' >all
mv all base/cells.jsonl
cp -r base new
printf '%-8s %s cells: %s bytes a run\n' results "$cells" "$(wc -c <base/cells.jsonl)"

timed compare "$faultline" compare base new
timed resume "$faultline" matrix -e tcg --resume -o new many.ini
if command -v gnuplot >/dev/null; then
	timed plot "$faultline" plot --terminal svg new
fi
