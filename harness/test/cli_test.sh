# SPDX-License-Identifier: GPL-2.0-or-later
# The command line as a user types it: what is printed where, and the exit status. The cells run on the
# linux engine, which works anywhere, unless the case says otherwise.

setup() {
	faultline=$(atf_config_get build)/faultline
	export FAULTLINE_SOURCE=$(atf_config_get top)
}

need_tcg() {
	command -v qemu-system-x86_64 >/dev/null || atf_skip "no qemu-system-x86_64"
	[ -r "$(atf_config_get build)/stub.elf" ] || atf_skip "no stub.elf"
}

atf_test_case usage
usage_body() {
	setup
	atf_check -s exit:2 -e match:'Usage: faultline COMMAND' "$faultline"
	atf_check -o match:'compare +tell' "$faultline" --help
	atf_check -s exit:2 -e match:'did you mean `faultline compare`' "$faultline" comapre
	atf_check -s exit:2 -e match:'no option --nonsense' "$faultline" --nonsense
	for c in doctor list run matrix exec plot compare; do
		atf_check -o match:"Usage: faultline $c" "$faultline" $c --help
		atf_check -s exit:2 -e match:'--help' "$faultline" $c --no-such-option
	done
}

atf_test_case wrong_use
wrong_use_body() {
	setup
	atf_check -s exit:2 -e match:'name a profile' "$faultline" run
	atf_check -s exit:2 -e match:'did you mean anon-touch' "$faultline" run anon-tuch
	atf_check -s exit:2 -e match:'did you mean linux' "$faultline" run -e linus anon-touch
	atf_check -s exit:2 -e match:'did you mean pages' "$faultline" run -s pagse=1 anon-touch
	atf_check -s exit:2 -e match:'from 1 to' "$faultline" run -s pages=0 anon-touch
	atf_check -s exit:2 -e match:'-n 0' "$faultline" run -n 0 anon-touch
	atf_check -s exit:2 -e match:'--seed x' "$faultline" run --seed x anon-touch
	atf_check -s exit:2 -e match:'--timeout 0' "$faultline" run --timeout 0 anon-touch
	atf_check -s exit:2 -e match:'no kernel-stub at /nope' \
		"$faultline" run -e tcg --stub /nope anon-touch
	atf_check -s exit:2 -e match:'use one of rbtree, list, btree' \
		"$faultline" run -s vma_index=tree anon-touch
	atf_check -s exit:2 -e match:'--resume needs -o' "$faultline" matrix --resume default
	atf_check -s exit:2 -e match:'no matrix nope' "$faultline" matrix nope
	atf_check -s exit:2 -e match:'base run and the new' "$faultline" compare x
	atf_check -s exit:2 -e match:'No such file' "$faultline" compare x y
	atf_check -s exit:2 -e match:'did you mean json' "$faultline" compare -f jsno x y
	atf_check -s exit:2 -e match:'use png or svg' "$faultline" plot -t bmp x
	atf_check -s exit:2 -e match:'did you mean classes' "$faultline" list clases
	cp "$FAULTLINE_SOURCE/workloads/profiles/anon-touch.ini" "$(printf 'a\377.ini')"
	atf_check -s exit:2 -e match:'profile a\?: use printable ASCII' \
		"$faultline" run -e linux "$(printf './a\377.ini')"
	[ ! -e results ] || atf_fail "something was started"
}

atf_test_case lists
lists_body() {
	setup
	atf_check -o match:'^tcg ' -o match:'^linux ' "$faultline" list engines
	atf_check -o match:'^anon-touch ' "$faultline" list profiles
	atf_check -o match:'^default ' "$faultline" list matrices
	atf_check -o match:'^user.minor.anon_alloc ' "$faultline" list classes
	atf_check -o match:'^pgfault ' "$faultline" list counters
}

# Every profile and matrix of the tree is sound.
atf_test_case shipped_profiles
shipped_profiles_body() {
	setup
	for m in "$FAULTLINE_SOURCE"/workloads/matrix/*.ini; do
		atf_check -o not-empty "$faultline" matrix --dry-run "$m"
	done
	for p in "$FAULTLINE_SOURCE"/workloads/profiles/*.ini; do
		printf '[%s]\n' "$(basename "$p" .ini)"
	done >all.ini
	atf_check -o not-empty "$faultline" matrix --dry-run ./all.ini
}

atf_test_case dry_run
dry_run_body() {
	setup
	printf '[matrix]\nreps = 2\n[anon-touch]\npages = 1 2\norder = seq random\n' >m.ini
	atf_check -o save:cells "$faultline" matrix --dry-run ./m.ini
	atf_check_equal 8 "$(wc -l <cells)"
	grep -q 'order=random pages=2' cells || grep -q 'pages=2 .*order=random' cells ||
		atf_fail "$(cat cells)"
	printf '[anon-touch]\npages = 1 x\nodrer = seq\n[anon-tuch]\n' >m.ini
	atf_check -s exit:2 -e match:'m.ini:2: ' -e match:'m.ini:3: .*did you mean order' \
		-e match:'m.ini:4: .*did you mean anon-touch' "$faultline" matrix --dry-run ./m.ini
}

atf_test_case run_and_compare
run_and_compare_body() {
	setup
	for dir in one two; do
		atf_check -o match:'ring 3: write +64 ' -e match:"1 of 1 cells ok; results in $dir" \
			"$faultline" run -e linux -s pages=64 -o $dir anon-touch
		for f in cells.jsonl run.json cells.csv manifest.json topology.xml; do
			[ -s $dir/$f ] || atf_fail "$dir/$f is missing or empty"
		done
	done
	[ "$("$faultline" run -e linux -s pages=64 -o three anon-touch 2>/dev/null |
		awk '{ if (length > 100) print }' | wc -l)" = 0 ] || atf_fail "wider than 100 columns"
	atf_check -o match:'no verdict' "$faultline" compare one two
	atf_check -o match:'^### faultline compare' "$faultline" compare -f markdown one two
	atf_check -o match:'"worse": false' "$faultline" compare -f json one two
	atf_check -o match:'<testsuite ' "$faultline" compare -f junit one two
	# a run's directory is never written over
	atf_check -s exit:2 -e match:'holds a run already' \
		"$faultline" run -e linux -s pages=64 -o one anon-touch
	atf_check -s exit:0 -o match:'no verdict' "$faultline" compare one/run.json two/run.json
	atf_check -o ignore -e ignore "$faultline" run -e linux -s pages=65 -o four anon-touch
	atf_check -s exit:1 -o match:'missing' "$faultline" compare one four
}

atf_test_case default_directory
default_directory_body() {
	setup
	atf_check -o ignore -e match:'results in results/20[0-9T]*Z-[0-9a-z]*-linux' \
		"$faultline" run -e linux -s pages=64 anon-touch
}

atf_test_case as_it_stands
as_it_stands_body() {
	setup
	printf '[anon-touch]\npages = 16 32 64\n' >m.ini
	atf_check -o ignore -e ignore "$faultline" matrix -e linux -o whole ./m.ini
	# killed in the third cell: no run.json, and half a line
	cp -r whole cut
	rm cut/run.json cut/cells.csv
	head -c $(($(wc -c <whole/cells.jsonl) - 40)) whole/cells.jsonl >cut/cells.jsonl
	atf_check -s exit:1 -o match:'not in the new run' -e match:'cut short' \
		"$faultline" compare whole cut
	atf_check -o ignore -e match:'3 of 3 cells ok, 2 of them from before' \
		"$faultline" matrix -e linux -o cut --resume ./m.ini
	atf_check_equal 3 "$(wc -l <cut/cells.jsonl)"
	atf_check -o ignore "$faultline" compare whole cut
	printf '[anon-touch]\npages = 16 32\n' >other.ini
	atf_check -s exit:2 -e match:'cells.jsonl:3: .*the matrix has no cell anon-touch.*pages=64' \
		"$faultline" matrix -e linux -o cut --resume ./other.ini
	atf_check_equal 3 "$(wc -l <cut/cells.jsonl)"
	mkdir baseline
	cp whole/run.json baseline
	atf_check -s exit:2 -e match:'holds a run already' \
		"$faultline" run -e linux -o baseline anon-touch
	atf_check -s exit:2 -e match:'its seed is another' \
		"$faultline" matrix -e linux -o cut --resume --seed 2 ./m.ini
}

atf_test_case hostile_results
hostile_results_body() {
	setup
	mkdir bad
	printf '{"profile":\n{}\n' >bad/cells.jsonl
	atf_check -s exit:2 -e match:'bad/cells.jsonl:1: not JSON' "$faultline" compare bad bad
	atf_check -s exit:2 -e match:'bad/cells.jsonl:1: not JSON' "$faultline" plot bad
	printf '{}\n{}\n' >bad/cells.jsonl
	atf_check -s exit:2 -e match:'bad/cells.jsonl:1: profile: must be' "$faultline" compare bad bad
	rm bad/cells.jsonl
	atf_check -s exit:2 -e match:'neither cells.jsonl nor run.json' "$faultline" compare bad bad
	: >bad/cells.jsonl
	atf_check -s exit:2 -e match:'nothing to compare' "$faultline" compare bad bad
	atf_check -s exit:2 -e match:'nothing to draw' "$faultline" plot bad
}

atf_test_case plots
plots_body() {
	setup
	command -v gnuplot >/dev/null || atf_skip "no gnuplot"
	atf_check -o ignore -e ignore "$faultline" run -e linux -o run -s vmas=50 -s iters=32 vma-ops
	atf_check -o match:'run/plots/percentiles.svg' "$faultline" plot run
	for f in percentiles cdf vma-cost; do
		[ "$(head -c 4 run/plots/$f.png | tail -c 3)" = PNG ] || atf_fail "$f.png is none"
		grep -q '<svg' run/plots/$f.svg || atf_fail "$f.svg is none"
	done
	grep -q 'engine linux' run/plots/cdf.svg || atf_fail "no engine in the title"
	atf_check -o ignore -e ignore "$faultline" run -e linux -o flat -s pages=64 anon-touch
	atf_check -o not-match:vma-cost -e match:'no vma-cost figure' "$faultline" plot -t png flat
	[ ! -e flat/plots/cdf.svg ] || atf_fail "an SVG that nobody asked for"
}

# A figure by VMA index, where a matrix varied it.
atf_test_case plots_by_index
plots_by_index_body() {
	setup
	need_tcg
	command -v gnuplot >/dev/null || atf_skip "no gnuplot"
	printf '[vma-index]\niters = 32\nvmas = 10 100\nvma_index = rbtree list btree\n' >m.ini
	atf_check -o ignore -e ignore "$faultline" matrix -e tcg -o run ./m.ini
	atf_check -o match:'run/plots/vma-index.png' "$faultline" plot -t png run
	atf_check_equal 'lookup,rbtree,10,32' "$(sed -n 2p run/plots/vma-index.csv | cut -d, -f1-4)"
	atf_check_equal 37 "$(wc -l <run/plots/vma-index.csv)"
	atf_check -o ignore -e ignore "$faultline" run -e tcg -o one vma-index
	atf_check -o not-match:vma-index "$faultline" plot -t png one
}

# Figures against CPUs: throughput where a workload says how long all of it took, latency for each
# profile that ran with several numbers of them.
atf_test_case plots_against_cpus
plots_against_cpus_body() {
	setup
	command -v gnuplot >/dev/null || atf_skip "no gnuplot"
	[ "$(nproc)" -ge 2 ] || atf_skip "needs two CPUs"
	printf '[matrix]\n[*]\ncpus = 1 2\npages = 64\n[threads-touch]\n[anon-touch]\n' >m.ini
	printf '[threads-mmap]\ncpus = 2\n' >>m.ini
	atf_check -o ignore -e ignore "$faultline" matrix -e linux -o run ./m.ini
	atf_check -o save:drawn -e ignore "$faultline" plot run
	for f in cpus-throughput cpus-latency-threads-touch cpus-latency-anon-touch; do
		[ "$(head -c 4 run/plots/$f.png | tail -c 3)" = PNG ] || atf_fail "$f.png is none"
		grep -q '<svg' run/plots/$f.svg || atf_fail "$f.svg is none"
		grep -q "^run/plots/$f.png" drawn || atf_fail "$f.png is not named"
	done
	[ ! -e run/plots/cpus-latency-threads-mmap.png ] || atf_fail "a figure of one point"
	atf_check -o match:'^threads-touch,threads-touch,fault,1,64,' \
		-o match:'^threads-touch,threads-touch,fault,2,128,' \
		-o match:'^anon-touch,,write,2,64,,' cat run/plots/cpus.csv
	atf_check -o match:',cpus,interrupted$' head -n 1 run/cells.csv
}

atf_test_case no_gnuplot
no_gnuplot_body() {
	setup
	atf_check -o ignore -e ignore "$faultline" run -e linux -o run -s pages=64 anon-touch
	atf_check -s exit:2 -e match:'apt-get install gnuplot' env PATH=/nonexistent "$faultline" plot run
}

# The first promise of all: exact, twice the same, and the expectation met.
atf_test_case tcg_repeats
tcg_repeats_body() {
	setup
	need_tcg
	atf_check -o match:'user.minor.anon_alloc +512 ' -e ignore \
		"$faultline" run -e tcg -n 2 -s pages=512 -o one anon-touch
	atf_check -o ignore -e ignore "$faultline" run -e tcg -n 2 -s pages=512 -o two anon-touch
	atf_check -o match:'Verdict: equal' "$faultline" compare one two
}

# What could not be counted is null with a reason; a run of which nothing can be measured is no success.
# FAULTLINE_QEMU is what starts, whatever PATH has.
atf_test_case qemu_by_name
qemu_by_name_body() {
	setup
	need_tcg
	printf '#!/bin/sh\necho x >> "$PWD/started"\nexec qemu-system-x86_64 "$@"\n' > other
	chmod +x other
	export FAULTLINE_QEMU="$PWD/other"
	atf_check -o ignore -e ignore "$faultline" run -e tcg -o run -s pages=16 anon-touch
	[ -s started ] || atf_fail "it was not started"
	FAULTLINE_QEMU=/nope
	atf_check -s exit:2 -e match:'/nope \(FAULTLINE_QEMU\) does not start' \
		"$faultline" run -e tcg -o none anon-touch
}

atf_test_case nothing_invented
nothing_invented_body() {
	setup
	atf_check -s exit:2 -o match:'unsupported' -e match:'0 of 1 cells ok, 1 unsupported' \
		"$faultline" run -e linux -o one kernel-oops
	atf_check -s exit:0 -o ignore -e ignore "$faultline" run -e linux -o two kernel-oops anon-touch
	for key in boot classes outside recorder vmstat tlb; do
		grep -q "\"$key\":null" one/cells.jsonl || atf_fail "$key is not null"
		grep -q "\"reasons\":{.*\"$key\":\"a native process" one/cells.jsonl ||
			atf_fail "no reason for $key"
	done
	need_tcg
	atf_check -o ignore -e ignore "$faultline" run -e tcg -o off -s recorder=off -s pages=8 anon-touch
	grep -q '"classes":null,"outside":null' off/cells.jsonl || atf_fail "classes without a recorder"
	grep -q '"classes":"recorder=off"' off/cells.jsonl || atf_fail "no reason"
}

# An index of VMAs is a stub of its own.
atf_test_case vma_indexes
vma_indexes_body() {
	setup
	printf '[vma-ops]\niters = 2\nvma_index = rbtree tree\n' >m.ini
	atf_check -s exit:2 -e match:'m.ini:3: .*use one of rbtree, list, btree' \
		"$faultline" matrix --dry-run ./m.ini
	atf_check -s exit:2 -o match:'unsupported: vma_index = list: Linux has an index of its own' \
		-e ignore "$faultline" run -e linux -o linux -s vma_index=list vma-ops
	need_tcg
	printf '[vma-ops]\niters = 2\nvma_index = rbtree list btree\nmap_max = 65530 200\n' >m.ini
	atf_check -s ignore -o ignore -e match:'3 of 6 cells ok, 3 unsupported here' \
		"$faultline" matrix -e tcg -o tcg ./m.ini
	atf_check_equal 2 "$(grep -c '"vma_index":"btree"' tcg/cells.jsonl)"
	cp "$(atf_config_get build)/stub.elf" alone.elf
	atf_check -s exit:2 -e match:'no kernel-stub at ./alone-list.elf for vma_index = list' \
		"$faultline" run -e tcg --stub ./alone.elf -s vma_index=list vma-ops
	cp alone.elf alone-list.elf
	atf_check -s exit:1 -o ignore -e ignore \
		"$faultline" run -e tcg --stub ./alone.elf -s vma_index=list -o wrong vma-ops
	grep -q 'this stub is built with rbtree' wrong/cells.jsonl || atf_fail "the stub went on"
}

# Whatever lies in the guest's memory may move a count: nothing there may depend on the checkout's place.
atf_test_case no_host_paths
no_host_paths_body() {
	setup
	build=$(atf_config_get build)
	for f in "$build/stub.elf" "$build"/workloads/*; do
		! grep -qaF "$FAULTLINE_SOURCE" "$f" || atf_fail "$f holds the checkout's path"
	done
}

# A cell whose path did not run fails, and the others' results are kept.
atf_test_case tcg_expectation
tcg_expectation_body() {
	setup
	need_tcg
	cat >wrong.ini <<-END
	[profile]
	workload = anon-touch
	[params]
	pages = 64
	[expect]
	user.minor.anon_alloc = pages + 1
	END
	atf_check -s exit:1 -e ignore \
		-o match:'failed: user.minor.anon_alloc: expected 65, got 64' \
		-o match:'user.minor.anon_zero +64 ' \
		"$faultline" run -e tcg -o run ./wrong.ini anon-read -s pages=64
}

# One instruction more in one cell: the comparison names the class.
atf_test_case regression
regression_body() {
	setup
	need_tcg
	atf_check -o ignore -e ignore "$faultline" run -e tcg -s pages=512 -o one anon-touch
	cp -r one two
	python=$(command -v python3) || atf_skip "no python3 to edit a result with"
	$python - <<-END
	import json
	c = json.loads(open('one/cells.jsonl').read())
	k = c['classes']['user.minor.anon_alloc']
	k['sum'] += k['count']
	k['hist'] = [[low + 4, n] if low >= 512 and low < 1024 else [low, n] for low, n in k['hist']]
	open('two/cells.jsonl', 'w').write(json.dumps(c) + '\n')
	END
	atf_check -s exit:1 -o match:'regression     user.minor.anon_alloc: .*mean .*\+1.00' \
		"$faultline" compare one two
	atf_check -o match:'improvement    user.minor.anon_alloc' -o match:'Verdict: better' \
		"$faultline" compare two one
}

atf_test_case interrupted
interrupted_body() {
	setup
	# three short cells and one that takes minutes
	printf '[matrix]\n[anon-touch]\npages = 16 32 64\n[invalid-access]\niters = 16777216\n' >m.ini
	"$faultline" matrix -e linux --timeout 3000 -o run ./m.ini >out 2>err &
	pid=$!
	while [ "$(cat run/cells.jsonl 2>/dev/null | wc -l)" -lt 3 ] && kill -0 $pid; do sleep 0.05; done
	kill -INT $pid || atf_fail "it was over before the signal came: $(cat err)"
	wait $pid
	status=$?
	[ $status = 130 ] || atf_fail "exit status $status: $(cat err)"
	grep -q interrupted err || atf_fail "$(cat err)"
	grep -q '"complete": false' run/run.json || atf_fail "run.json says it is complete"
	atf_check -o ignore "$faultline" compare run run
}

# A guest that hangs does not hold up Ctrl-C until its time is up: that would be the end of this case's, too.
atf_test_case interrupted_hang
interrupted_hang_body() {
	setup
	printf '[matrix]\n[anon-touch]\npages = 16\n' >m.ini
	"$faultline" matrix -e tcg --timeout 3000 --stub "$(atf_config_get build)/guests/hang.elf" \
		-o run ./m.ini >out 2>err &
	pid=$!
	while ! [ -e run/cells.jsonl ] && kill -0 $pid; do sleep 0.05; done
	sleep 1
	kill -INT $pid
	wait $pid
	status=$?
	[ $status = 130 ] || atf_fail "exit status $status: $(cat err)"
}

atf_init_test_cases() {
	for t in usage wrong_use lists shipped_profiles dry_run run_and_compare default_directory \
		as_it_stands hostile_results plots plots_by_index plots_against_cpus no_gnuplot vma_indexes nothing_invented no_host_paths tcg_repeats qemu_by_name tcg_expectation regression interrupted_hang \
		interrupted; do
		atf_add_test_case $t
	done
}
