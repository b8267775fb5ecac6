# SPDX-License-Identifier: GPL-2.0-or-later
# Every profile on the stub: the cell is ok, so its classes were counted as the profile expects.
# NAME_tcg1 and NAME_tcg4: on tcg with one CPU and with four, and a second run agrees with the first in
# every count. NAME_kvm2: on /dev/kvm with two CPUs.
#
# Needs: build, top; a program faultline; QEMU, and for the last a /dev/kvm that opens.

profiles="anon-touch anon-read anon-cow-zero vma-ops vma-index invalid-access invalid-rsvd uaccess kernel-oops
kernel-oops-process kernel-oops-cpus kernel-oops-lock kernel-oops-report kernel-stack-overflow
kernel-panic vmalloc spurious fork-cow shmem-touch stack-grow threads-touch threads-contended threads-mmap
threads-mmap-fault shootdown"

set_up()
{
	faultline=$(atf_config_get build)/faultline
	FAULTLINE_SOURCE=$(atf_config_get top)
	export FAULTLINE_SOURCE
	[ -x "$faultline" ] || atf_skip "needs $faultline"
}

# run_once DIR ENGINE PROFILE [OPTION]...
run_once()
{
	dir=$1 engine=$2 profile=$3
	shift 3
	"$faultline" run -e "$engine" -o "$dir" "$@" "$profile" >out 2>err ||
		atf_fail "run $dir of $profile: status $?: $(cat out err)"
	grep -q '"status": *"ok"' "$dir/run.json" || atf_fail "run $dir of $profile: not ok"
}

run_tcg()
{
	set_up
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	run_once 1 tcg "$1" -s cpus="$2"
	run_once 2 tcg "$1" -s cpus="$2"
	"$faultline" compare 1 2 >out 2>&1 || atf_fail "two runs differ: $(cat out)"
}

# Fewer rounds than the profile's where ring 0 may be interpreted: all classes all the same.
few()
{
	case $1 in
	anon-touch | anon-read | anon-cow-zero | fork-cow | shmem-touch) echo "-s pages=256" ;;
	vma-ops | invalid-access | uaccess | spurious) echo "-s iters=16" ;;
	vma-index) echo "-s iters=16 -s vmas=64" ;;
	threads-*) echo "-s pages=64" ;;
	shootdown) echo "-s rounds=8" ;;
	esac
}

run_kvm()
{
	set_up
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || atf_skip "needs a /dev/kvm that may be opened"
	# shellcheck disable=SC2046 # words
	run_once 1 kvm "$1" -s cpus=2 $(few "$1")
}

# With turns that are longer than a process's first moments none of these falls into the phase.
run_late_workers()
{
	set_up
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	run_once 1 tcg kernel-oops-cpus -s cpus=2 -s interleave=1000000
}

# add_case NAME COMMAND...
add_case()
{
	case=$(echo "$1" | tr - _)
	shift
	eval "${case}_head() { atf_set timeout 600; }"
	eval "${case}_body() { $*; }"
	atf_add_test_case "$case"
}

atf_init_test_cases()
{
	for profile in $profiles; do
		add_case "${profile}_tcg1" run_tcg "$profile" 1
		add_case "${profile}_tcg4" run_tcg "$profile" 4
		add_case "${profile}_kvm2" run_kvm "$profile"
	done
	add_case late_workers_tcg2 run_late_workers
	atf_add_test_case none_forgotten
}

none_forgotten_head()
{
	atf_set descr "each profile in the tree has its case here"
}

none_forgotten_body()
{
	for file in "$(atf_config_get top)"/workloads/profiles/*.ini; do
		name=$(basename "$file" .ini)
		case " $(echo $profiles) " in
		*" $name "*) ;;
		*) atf_fail "profile $name has no test" ;;
		esac
	done
}
