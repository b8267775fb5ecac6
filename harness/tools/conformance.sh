#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the random conformance programs on Linux and on the stub and compares what they print: `make
# conformance [SEEDS=n] [OPS=m] [FROM=first]`.
#
#   conformance.sh BUILD_DIR [SEEDS [OPS [FROM]]]
#
# abi_vm_random and abi_place_random run seeds FROM to FROM+SEEDS-1 with OPS operations each, as far as this Linux
# can do what they draw (host_features says on standard error what it can't), abi_proc_random a tree of processes for
# each; on the engine tcg, several seeds in one boot. Stops at the first difference and shows it, with the command
# lines that repeat it. Exit: 0 none, 1 a difference, 2 when it can't be done.
set -eu
build=$1 seeds=${2:-100} ops=${3:-1000} from=${4:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM

cannot() {
	echo "conformance: $*" >&2
	exit 2
}

for number in "$seeds" "$ops" "$from"; do
	case $number in
	'' | *[!0-9]* | 0*) cannot "SEEDS, OPS and FROM are numbers from 1 on, not '$number'" ;;
	esac
done
setarch -R true 2>/dev/null || cannot "needs setarch -R (util-linux; personality() may be refused)"
command -v qemu-system-x86_64 >/dev/null || cannot "needs qemu-system-x86_64"

# PROGRAM ARG... here, then on the stub. Without core files: a parent sees whether one was written.
run_linux() {
	program=$1
	shift
	(ulimit -c 0 && exec setarch -R "$build/abi/$program" "$@") >"$work/linux" 2>&1 ||
		cannot "$program $* ends with status $? on Linux: $(tail -1 "$work/linux")"
}

run_stub() {
	program=$1
	shift
	"$build/faultline" exec -e tcg --timeout 600 -- "$build/abi/$program" "$@" >"$work/stub" 2>"$work/stub.err" ||
		echo "status $?: $(tail -1 "$work/stub.err")" >>"$work/stub"
}

# Both, and whether they print the same.
same() {
	run_linux "$@"
	run_stub "$@"
	cmp -s "$work/linux" "$work/stub"
}

show_difference() {
	diff -U 8 --label Linux --label stub "$work/linux" "$work/stub" | head -n 60
	cat <<-EOF
		conformance: $* differs. Again:
		    setarch -R $build/abi/$*
		    $build/faultline exec -e tcg -- $build/abi/$*
	EOF
	exit 1
}

# The seed of the first line that differs.
seed_that_differs() {
	diff "$work/linux" "$work/stub" | sed -n 's/^[<>] seed \([0-9]*\).*/\1/p' | head -n 1
}

progress() {
	[ ! -t 2 ] || printf '\r%s: seed %s of %s-%s \033[K' "$1" "$2" "$from" "$last" >&2
}

# run_seeds PROGRAM SEEDS-IN-A-BOOT [ARG]...: every seed, a line for each.
run_seeds() {
	program=$1 batch=$2
	shift 2
	seed=$from
	while [ "$seed" -le "$last" ]; do
		n=$((last - seed + 1 < batch ? last - seed + 1 : batch))
		progress "$program" "$seed"
		if ! same "$program" "$seed" "$n" "$@"; then
			[ ! -t 2 ] || echo >&2
			differs "$program" "$seed" "$n" "$@"
		fi
		seed=$((seed + n))
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# The one seed in full, if it differs by itself; else what was seen.
differs() {
	bad=$(seed_that_differs)
	program=$1 first=$2 n=$3
	if [ "$program" != abi_proc_random ] && [ -n "$bad" ]; then
		same "$program" "$bad" 1 "$ops" "$features" || show_difference "$program" "$bad" 1 "$ops" "$features"
		same "$program" "$first" $((bad - first + 1)) "$ops" "$features" ||
			show_difference "$program" "$first" $((bad - first + 1)) "$ops" "$features"
	fi
	shift 3
	same "$program" "$first" "$n" "$@" || show_difference "$program" "$first" "$n" "$@"
	cannot "$program from seed $first differed once and not again"
}

last=$((from + seeds - 1))
batch=$((25000 / ops < 1 ? 1 : 25000 / ops > 100 ? 100 : 25000 / ops))
features=$(setarch -R "$build/abi/host_features") || cannot "$build/abi/host_features fails"
run_seeds abi_vm_random "$batch" "$ops" "$features" quiet
run_seeds abi_place_random "$batch" "$ops" "$features" quiet
run_seeds abi_proc_random 10
echo "conformance: seeds $from-$last: abi_vm_random and abi_place_random with $ops operations each ($((2 * seeds * ops)) in all), abi_proc_random: no difference"
