#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every test by Kyua, or those that are named, and ends with the true counts: `N passed, N failed,
# N skipped`.
#
#   check.sh BUILD_DIR [DIR/PROGRAM[:CASE]]...
#
# Exit 0 if none failed and at least one ran. Kyua counts skips as passed and keeps the environment in
# its store, so the numbers are taken from its report and the environment is a clean one.
set -eu
build=$(cd "$1" && pwd)
shift
top=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kyua() {
	env -i PATH="$PATH" HOME="$work" TMPDIR="${TMPDIR:-/tmp}" \
		${FAULTLINE_QEMU:+FAULTLINE_QEMU="$FAULTLINE_QEMU"} kyua --config=none \
		--logfile=/dev/null -v parallelism="$(nproc)" \
		-v test_suites.faultline.build="$build" -v test_suites.faultline.top="$top" "$@"
}

kyua test --kyuafile="$top/Kyuafile" --build-root="$build/kyua" --results-file="$work/results.db" \
	"$@" >"$work/log" 2>&1 || true
kyua report --results-file="$work/results.db" --results-filter=skipped,failed,broken --verbose \
	>"$work/verbose" 2>&1 || true
kyua report --results-file="$work/results.db" --results-filter=skipped,failed,broken \
	>"$work/report" 2>&1 || true
cp "$work/results.db" "$build/kyua-results.db" 2>/dev/null || true

cat "$work/report"
counts=$(sed -n 's/^Test cases: \([0-9]*\) total, \([0-9]*\) skipped, \([0-9]*\) expected failures, \([0-9]*\) broken, \([0-9]*\) failed$/\1 \2 \4 \5/p' "$work/report")
if [ -z "$counts" ]; then
	echo "check.sh: kyua gave no report:" >&2
	cat "$work/log" >&2
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
set -- $counts
total=$1 skipped=$2 failed=$(($3 + $4))
passed=$((total - skipped - failed))
[ "$failed" = 0 ] || cat "$work/verbose"
if [ "$passed" = 0 ]; then
	echo "check.sh: no test ran" >&2
	failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
