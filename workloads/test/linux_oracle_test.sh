# SPDX-License-Identifier: GPL-2.0-or-later
# Linux is the oracle: each abi_* program, linked with glibc and with musl, prints on the stub what it
# prints here, and ends as it ends here. Address randomisation is off, as on the stub.
#
# Needs: build, top; setarch; a program faultline with the engine tcg (kvm: /dev/kvm that opens).

# Linux's own run of PROGRAM [ARG]... into want.out and want.status. Without core files: a parent sees
# in the status of a killed child whether one was written, and the stub writes none.
run_native()
{
	run=$1
	shift
	(ulimit -c 0 && setarch -R "$build/abi/$run" "$@" >want.out 2>want.err)
	echo $? >want.status
}

# The same on ENGINE.
same_on()
{
	engine=$1
	run=$2
	shift 2
	"$build/faultline" exec -e "$engine" --timeout 280 -- "$build/abi/$run" "$@" >got.out 2>got.err
	echo $? >got.status
	diff -u want.out got.out || atf_fail "$run differs between Linux (-) and $engine (+)"
	cmp -s want.status got.status ||
		atf_fail "$run: status $(cat want.status) on Linux, $(cat got.status) on $engine"
}

compare()
{
	build=$(atf_config_get build)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	command -v setarch >/dev/null || atf_skip "needs setarch (util-linux)"
	setarch -R true 2>/dev/null || atf_skip "needs setarch -R: personality() is refused here"
	case $1 in
	tcg) command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64" ;;
	kvm) (: <>/dev/kvm) 2>/dev/null || atf_skip "needs /dev/kvm: it cannot be opened" ;;
	esac
	engine=$1
	program=$2
	shift 2
	for linked in "$program" "$program-musl"; do
		run_native "$linked" "$@"
		same_on "$engine" "$linked" "$@"
	done
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
	atf_add_test_case processes_tcg
}
