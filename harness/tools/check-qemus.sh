#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same counts on two QEMUs: this machine's, and that of another release (second-qemu.sh). The default matrix
# must be equal; the tests of engine tcg and of turns must pass on the other one, too.
#
#   check-qemus.sh BUILD_DIR
#
# Exit 0 if all that holds, 77 and the reason if there is no second QEMU to be had.
set -eu
build=$1
tools=$(dirname "$0")
FAULTLINE_QEMU=
other=$("$tools/second-qemu.sh" "$build/qemu2") || {
	echo "check-qemus.sh: skipped: no second QEMU is to be had here" >&2
	exit 77
}

matrix() {
	rm -rf "$build/qemus/$1"
	FAULTLINE_QEMU=$2 "$build/faultline" matrix -e tcg -o "$build/qemus/$1" workloads/matrix/default.ini \
		>"$build/qemus/$1.out"
}

mkdir -p "$build/qemus"
qemu-system-x86_64 --version | head -1
"$other" --version | head -1
matrix first ""
matrix second "$other"
"$build/faultline" compare "$build/qemus/first" "$build/qemus/second"
status=0
FAULTLINE_QEMU=$other "$tools/check.sh" "$build" harness/test/engine_tcg_test harness/test/smp_guest_test:turns \
	harness/test/smp_guest_test:turns_of_many harness/test/smp_guest_test:idle_turns >"$build/qemus/tests" || status=$?
sed 's/^[0-9]* passed/on the second QEMU: &/' "$build/qemus/tests" # not the closing line of a run of all tests
exit $status
