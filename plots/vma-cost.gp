# SPDX-License-Identifier: GPL-2.0-or-later
# The median cost of each call, as ring 3 sees it, against the number of VMAs present.
dir = ARG1
kind = ARG2
load ARG3.'/style.gp'
file = dir.'/vma-cost.csv'
stats file skip 1 using (add_curve(strcol(1))) nooutput
stats file skip 1 using 2 nooutput
one_x = STATS_min == STATS_max ? STATS_min : 0

set output dir.'/vma-cost.'.kind
set title heading('Median cost of a call as ring 3 sees it, against the number of VMAs') noenhanced
set logscale x 10
set logscale y 10
set format x '%.0s%c'
set format y '%.0s%c'
set xlabel 'VMAs (log scale)'
set ylabel unit.', p50 (log scale)'
if (one_x) {
	set xrange [one_x / 2.0:one_x * 2.0]
	set xtics (sprintf('%.0f', one_x) one_x)
}
plot for [i = 1:words(curves)] file using (pick(word(curves, i), column('x'))):(column('p50')) \
	with linespoints ls look(i) title word(curves, i)
