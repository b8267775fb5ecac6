# SPDX-License-Identifier: GPL-2.0-or-later
# The rows of docs/linux-comparison.md: each is still at what it is to reach.
#
# Needs: build; a program faultline, and QEMU.

# baseline: its tables into the file rows.
baseline()
{
	build=$(atf_config_get build)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	atf_check -o save:rows -e ignore \
	    "$build/faultline" exec -e tcg --timeout 200 -- "$build/workloads/baseline"
}

goals_head()
{
	atf_set descr "at most a tenth of Linux's net figure in each row that is to reach it"
	atf_set timeout 300
}
goals_body()
{
	baseline
	[ "$(grep -c '^|.*|.*|.*|.*|.*| *[0-9]*\(, missed\)* |$' rows)" -ge 20 ] ||
		atf_fail "where are the rows? $(cat rows)"
	! grep ', missed' rows || atf_fail "rows that miss their goal"
}

growth_head()
{
	atf_set descr "at most 1.3 times as dear with 60,000 VMAs as with 10"
	atf_set timeout 300
}
growth_body()
{
	baseline
	awk -F'|' '/^\| operation \| 10 VMAs/ { growing = 1; next }
		growing && NF > 5 && $2 !~ /---/ { rows++; if ($6 > 1.30) { print; bad = 1 } }
		END { exit bad || rows != 4 }' rows || atf_fail "grows too much: $(cat rows)"
}

atf_init_test_cases()
{
	atf_add_test_case goals
	atf_add_test_case growth
}
