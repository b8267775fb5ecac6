#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: baseline-table.sh BUILD FILE
#
# Runs the program baseline on the stub under tcg and puts what it prints between the markers
# <!-- baseline --> and <!-- /baseline --> of FILE, with the boot's length from a run of anon-touch.
set -eu
build=$1 file=$2
export FAULTLINE_SOURCE="${FAULTLINE_SOURCE:-$PWD}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$build/faultline" exec -e tcg -m 1G -s map_max=2000000 --timeout 600 -- \
	"$build/workloads/baseline" vmas=1000000 >"$work/table"
grep -q 'Linux / stub' "$work/table" || {
	echo "baseline-table: the engine did not count instructions" >&2
	exit 1
}
"$build/faultline" run -e tcg -o "$work/run" -s pages=64 anon-touch >/dev/null
boot=$(grep -o '"to_user": *[0-9]*' "$work/run/run.json" | grep -o '[0-9]*$')
printf '\nKernel entry to the first instruction of ring 3: %s (Linux 6.1: 1521 million; goal: 100000).\n' \
	"$boot" >>"$work/table"

harness/tools/put.sh baseline "$file" <"$work/table"
