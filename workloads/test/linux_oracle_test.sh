# SPDX-License-Identifier: GPL-2.0-or-later
# Linux is the oracle: each abi_* program, linked with glibc and with musl, prints on the stub what it
# prints here, and ends as it ends here. Address randomisation is off, as on the stub.
#
# Needs: build, top; setarch; a program faultline with the engine tcg (kvm: /dev/kvm that opens).

# Linux's own run of PROGRAM [ARG]... into want.out and want.status. Without core files, unless the program
# asks for them: a parent sees in the status of a killed child whether one is written.
run_native()
{
	run=$1
	shift
	# a file of its own: a futex in a file has the file for its key, and another test runs the same program
	mkdir -p native && cp "$build/abi/$run" native/
	(ulimit -S -c 0 && setarch -R "./native/$run" "$@" >want.out 2>want.err)
	echo $? >want.status
}

# The same on ENGINE (which may be followed by options), with $cpus CPUs.
same_on()
{
	engine=$1
	run=$2
	shift 2
	"$build/faultline" exec -e $engine -c "${cpus:-1}" --timeout 280 -- "$build/abi/$run" "$@" >got.out 2>got.err
	echo $? >got.status
	diff -u want.out got.out ||
		differs "$run differs between Linux (-) and $engine (+), CPUs: ${cpus:-1}"
	cmp -s want.status got.status ||
		differs "$run: status $(cat want.status) on Linux, $(cat got.status) on $engine"
}

# With what the harness and the kernel said of it.
differs()
{
	cat got.err >&2
	atf_fail "$1"
}

need()
{
	build=$(atf_config_get build)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	command -v setarch >/dev/null || atf_skip "needs setarch (util-linux)"
	setarch -R true 2>/dev/null || atf_skip "needs setarch -R: personality() is refused here"
	case $1 in
	tcg) command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64" ;;
	kvm) (: <>/dev/kvm) 2>/dev/null || atf_skip "needs /dev/kvm: it cannot be opened" ;;
	esac
}

# What a KVM that runs ring 3 natively and interprets ring 0 keeps from ring 0.
need_faithful()
{
	[ "$1" = kvm ] && [ -d /sys/module/kvm_pvm ] || return 0
	case $2 in
	abi_int_n) atf_skip "kvm_pvm: \`int n\` is #UD for most n" ;;
	abi_selectors) atf_skip "kvm_pvm: ring 0 does not see the selectors that ring 3 loads" ;;
	esac
}

# What a program asks of this machine's Linux.
need_of_host()
{
	[ "$1" = abi_core ] || return 0
	case $(cat /proc/sys/kernel/core_pattern) in
	*[/@\|]*) atf_skip "needs core files in the current directory: /proc/sys/kernel/core_pattern" ;;
	esac
	[ "$(ulimit -H -c)" = unlimited ] || atf_skip "needs RLIMIT_CORE unlimited"
}

# compare ENGINE PROGRAM [ARG]...
compare()
{
	engine=$1
	program=$2
	shift 2
	need "$engine"
	need_faithful "$engine" "$program"
	need_of_host "$program"
	for linked in "$program" "$program-musl"; do
		run_native "$linked" "$@"
		same_on "$engine" "$linked" "$@"
	done
}

# What only some kernels do, as far as this one does.
atf_test_case features_tcg
features_tcg_head()
{
	atf_set timeout 600
}
features_tcg_body()
{
	need tcg
	features=$(setarch -R "$build/abi/host_features")
	compare tcg abi_flags "$features"
	compare tcg abi_place_random 1 4 500 "$features"
	compare tcg abi_vm_random 1 2 500 "$features"
}

# Many trees of processes, where they cost little.
atf_test_case processes_tcg
processes_tcg_head()
{
	atf_set timeout 600
}
processes_tcg_body()
{
	compare tcg abi_proc_random 1 30
}

# Strings of megabytes, likewise.
atf_test_case exec_args_tcg
exec_args_tcg_head()
{
	atf_set timeout 600
}
exec_args_tcg_body()
{
	compare tcg abi_exec_args large
}

# Random calls, and the tool that compares them: `make conformance` runs more of them.
atf_test_case conformance_tcg
conformance_tcg_head()
{
	atf_set timeout 600
}
conformance_tcg_body()
{
	need tcg
	atf_check -o match:"no difference" "$(atf_config_get top)/harness/tools/conformance.sh" "$build" 25 1000
	atf_check -s exit:2 -e match:"numbers from 1 on" "$(atf_config_get top)/harness/tools/conformance.sh" "$build" none
}

processes="abi_affinity abi_cow abi_exec abi_fork abi_fork_copy abi_kill abi_pipe abi_pipe_packet abi_sched abi_selectors abi_signal
abi_futex abi_futex_key abi_pthread abi_threads"

# Programs of several processes, with $cpus CPUs.
compare_cpus()
{
	engine=$1
	shift
	need "$engine"
	for program; do
		run_native "$program"
		same_on "$engine" "$program"
	done
}

atf_test_case cpus2_tcg
cpus2_tcg_head()
{
	atf_set timeout 600
}
cpus2_tcg_body()
{
	cpus=2
	compare_cpus tcg $processes
	compare tcg abi_proc_random 1 5
}

atf_test_case cpus4_tcg
cpus4_tcg_head()
{
	atf_set timeout 600
}
cpus4_tcg_body()
{
	cpus=4
	compare_cpus tcg $processes
	compare tcg abi_proc_random 1 5
}

# Threads that fault against one that changes the address space, with turns of different lengths.
atf_test_case races_tcg
races_tcg_head()
{
	atf_set timeout 600
}
races_tcg_body()
{
	need tcg
	run_native abi_race 40
	for cpus in 2 4 8; do
		for turn in 10000 997 101; do
			same_on "tcg -s interleave=$turn" abi_race 40
		done
	done
	cpus=4
	run_native abi_exit_race 100
	for turn in 307 101; do
		same_on "tcg -s interleave=$turn" abi_exit_race 100
	done
}

# Few, as this may be a KVM that interprets ring 0.
atf_test_case cpus2_kvm
cpus2_kvm_head()
{
	atf_set timeout 600
}
cpus2_kvm_body()
{
	cpus=2
	compare_cpus kvm abi_affinity abi_fork abi_futex abi_pipe abi_threads
}

atf_test_case races_kvm
races_kvm_head()
{
	atf_set timeout 600
}
races_kvm_body()
{
	need kvm
	cpus=2
	run_native abi_race
	same_on kvm abi_race
}

# What changes the set of VMAs, with another index.
compare_index()
{
	need tcg
	for changes in abi_fork abi_mmap abi_mremap abi_place_random abi_populate abi_vm_random; do
		for linked in $changes $changes-musl; do
			run_native "$linked"
			same_on "tcg -s vma_index=$1" "$linked"
		done
	done
}

# A run of several CPUs is the same each time.
atf_test_case cpus4_repeatable
cpus4_repeatable_head()
{
	atf_set timeout 600
}
cpus4_repeatable_body()
{
	need tcg
	for run in 1 2; do
		"$build/faultline" exec -e tcg -c 4 -- "$build/abi/processes" clock_at_end >out.$run
	done
	atf_check diff -u out.1 out.2
	[ -s out.1 ] || atf_fail "it printed nothing"
}

atf_init_test_cases()
{
	for source in "$(atf_config_get top)"/workloads/test/abi_*.c; do
		name=$(basename "$source" .c)
		for engine in tcg kvm; do
			case=${name}_$engine
			eval "${case}_head() { atf_set timeout 600; }"
			eval "${case}_body() { compare $engine $name; }"
			atf_add_test_case "$case"
		done
	done
	for other in list btree; do
		eval "index_${other}_tcg_head() { atf_set timeout 600; }"
		eval "index_${other}_tcg_body() { compare_index $other; }"
		atf_add_test_case "index_${other}_tcg"
	done
	atf_add_test_case conformance_tcg
	atf_add_test_case features_tcg
	atf_add_test_case processes_tcg
	atf_add_test_case exec_args_tcg
	atf_add_test_case cpus2_tcg
	atf_add_test_case cpus4_tcg
	atf_add_test_case races_tcg
	atf_add_test_case cpus2_kvm
	atf_add_test_case races_kvm
	atf_add_test_case cpus4_repeatable
}
