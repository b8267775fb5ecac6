#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds two revisions, runs the same matrix on both, compares: `make compare BASE=<rev> [HEAD=<rev>]`.
#
#   compare.sh BUILD_DIR BASE HEAD ENGINE MATRIX
#
# HEAD may be "." for the working tree as it stands. Exit as `faultline compare`: 0 good, 1 a regression,
# 2 when it can't be done.
set -eu
build=$(mkdir -p "$1" && cd "$1" && pwd)
base=$2 head=$3 engine=$4 matrix=$5
top=$(pwd)
work=$build/compare
mkdir -p "$work"

# Builds revision $1 as side $2 and leaves its build directory's name in $out.
build_side() {
	tree=$work/$2/tree
	out=$work/$2/build
	if [ "$1" = . ]; then
		tree=$top
	else
		commit=$(git rev-parse --verify --quiet "$1^{commit}") || {
			echo "compare: no revision $1" >&2
			exit 2
		}
		git worktree remove --force "$tree" 2>/dev/null || rm -rf "$tree"
		git worktree prune
		git worktree add --quiet --detach "$tree" "$commit"
	fi
	echo "compare: building $1 as $2" >&2
	make -C "$tree" B="$out" -j"$(nproc)" all >"$work/$2/make.log" 2>&1 || {
		tail -20 "$work/$2/make.log" >&2
		echo "compare: $1 does not build; the whole log is $work/$2/make.log" >&2
		exit 2
	}
}

run_side() {
	rm -rf "$work/$1/results"
	"$work/$1/build/faultline" matrix -e "$engine" -o "$work/$1/results" "$matrix" >&2
}

mkdir -p "$work/base" "$work/head"
build_side "$base" base
build_side "$head" head
run_side base
run_side head
for side in base head; do
	git worktree remove --force "$work/$side/tree" 2>/dev/null || true
done
exec "$work/head/build/faultline" compare "$work/base/results" "$work/head/results"
