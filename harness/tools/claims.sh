#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests that docs/claims.md names beside its claims, and ends with the counts as check.sh does.
#
#   claims.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
there=$(mktemp)
trap 'rm -f "$there"' EXIT

kyua --config=none --logfile=/dev/null -v test_suites.faultline.build="$build" \
	-v test_suites.faultline.top="$PWD" list --kyuafile=Kyuafile --build-root="$build/kyua" >"$there"
# shellcheck disable=SC2016 # backquotes
tests=$(grep '^|' docs/claims.md | grep -o '`[^` ]*_test[^` ]*`' | tr -d '`' | sort -u)
[ -n "$tests" ] || { echo "claims.sh: docs/claims.md names no test" >&2; exit 2; }
for t in $tests; do
	grep -q "^$t\(:\|$\)" "$there" || { echo "claims.sh: docs/claims.md: there is no test $t" >&2; exit 2; }
done
# shellcheck disable=SC2086 # names without spaces
exec harness/tools/check.sh "$build" $tests
