# SPDX-License-Identifier: GPL-2.0-or-later
# Every profile on the stub under tcg: the cell is ok, so its classes were counted as the profile
# expects; and a second run agrees with the first in every count.
#
# Needs: build, top; a program faultline with the engine tcg.

profiles="anon-touch anon-read anon-cow-zero vma-ops invalid-access invalid-rsvd uaccess kernel-oops
kernel-panic vmalloc spurious fork-cow stack-grow threads-touch threads-contended threads-mmap
threads-mmap-fault shootdown"

run_profile()
{
	faultline=$(atf_config_get build)/faultline
	FAULTLINE_SOURCE=$(atf_config_get top)
	export FAULTLINE_SOURCE
	[ -x "$faultline" ] || atf_skip "needs $faultline"
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	for n in 1 2; do
		"$faultline" run -e tcg -o "$n" "$1" >out 2>err ||
			atf_fail "run $n of $1: status $?: $(cat out err)"
		grep -q '"status": *"ok"' "$n/run.json" || atf_fail "run $n of $1: not ok"
	done
	"$faultline" compare 1 2 >out 2>&1 || atf_fail "two runs differ: $(cat out)"
}

atf_init_test_cases()
{
	for profile in $profiles; do
		case=$(echo "$profile" | tr - _)
		eval "${case}_head() { atf_set timeout 600; }"
		eval "${case}_body() { run_profile $profile; }"
		atf_add_test_case "$case"
	done
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
