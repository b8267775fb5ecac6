# SPDX-License-Identifier: GPL-2.0-or-later
# Oopses in depth: what is reported, who ends, and that a cell keeps its records when the machine ends.
#
# Needs: build, top; a program faultline with the engine tcg (kvm: /dev/kvm that opens).

# oops ENGINE PROFILE [SETTING]...: the cell must be ok; what the guest printed in `console`.
oops() {
	engine=$1 profile=$2
	shift 2
	case $engine in
	tcg) atf_require_prog qemu-system-x86_64 ;;
	kvm) (: <>/dev/kvm) 2>/dev/null || atf_skip "needs /dev/kvm: it cannot be opened" ;;
	esac
	rm -rf run
	"$(atf_config_get build)/faultline" run -e "$engine" -o run "$@" \
	    "$(atf_config_get top)/workloads/profiles/$profile.ini" >out 2>err ||
	    atf_fail "$profile on $engine: $(cat out err run/console/*)"
	cat run/console/* >console
}

# has TEXT...: each stands in the console.
has() {
	for text in "$@"; do
		grep -qF -e "$text" console || atf_fail "no '$text' in: $(cat console)"
	done
}

# The page below the stack is hit, the double fault has a stack, and the report a trace.
stack_overflow() {
	oops "$1" kernel-stack-overflow
	has "BUG: kernel stack overflow at " "Call Trace:" "run_over+" \
	    "Kernel panic: fatal oops: kernel stack overflow"
}

# Ring 3's page tables know neither the stack nor what lies below it.
atf_test_case stack_overflow_kpti
stack_overflow_kpti_body() {
	oops tcg kernel-stack-overflow -s kpti=on
	has "BUG: kernel stack overflow at "
}

# The others are on both CPUs; the reports are whole.
others_go_on() {
	oops "$1" kernel-oops-cpus
	[ "$(grep -c '^BUG: unable to handle page fault at fffffffffffff000$' console)" = 5 ] ||
	    atf_fail "$(cat console)"
}

process_ends() {
	oops "$1" kernel-oops-process
	[ "$(grep -c 'BUG: unable to handle page fault' console)" = 5 ] || atf_fail "$(cat console)"
	! grep -q 'Kernel panic' console || atf_fail "$(cat console)"
}

locks_held() {
	oops "$1" kernel-oops-lock
	has "Kernel panic: fatal oops: unable to handle page fault, with a lock held: "
	oops "$1" kernel-oops-lock -s mode=lock
	has "Kernel panic: fatal oops: unable to handle page fault, with a lock held: kern"
}

# One that faults once; one that always does: then the window alone says why.
report_faults() {
	oops "$1" kernel-oops-report
	has "Kernel panic: fatal oops: unable to handle page fault"
	oops "$1" kernel-oops-report -s reports=2
	[ "$(grep -c 'BUG: ' console)" = 2 ] || atf_fail "$(cat console)"
	atf_check -s exit:2 -o ignore -e match:'exec: kernel panic: a fault in the report of an oops' \
	    "$(atf_config_get build)/faultline" exec -e "$1" -- \
	    "$(atf_config_get build)/workloads/kernel-oops" mode=report reports=2
}

atf_test_case panic_on_oops
panic_on_oops_body() {
	atf_require_prog qemu-system-x86_64
	rm -rf run
	"$(atf_config_get build)/faultline" run -e tcg -o run -s panic_on_oops=1 \
	    "$(atf_config_get top)/workloads/profiles/kernel-oops-process.ini" >out 2>err &&
	    atf_fail "the cell ended well: $(cat out)"
	cat run/console/* >console
	has "Kernel panic: fatal oops: unable to handle page fault"
}

atf_init_test_cases() {
	for case in stack_overflow process_ends others_go_on locks_held report_faults; do
		for engine in tcg kvm; do
			eval "${case}_${engine}_head() { atf_set timeout 120; }"
			eval "${case}_${engine}_body() { $case $engine; }"
			atf_add_test_case "${case}_$engine"
		done
	done
	atf_add_test_case stack_overflow_kpti
	atf_add_test_case panic_on_oops
}
