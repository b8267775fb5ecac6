# SPDX-License-Identifier: GPL-2.0-or-later
# The median cost of each call, as ring 3 sees it, against the number of VMAs present.
dir = ARG1
kind = ARG2
load ARG3.'/style.gp'
file = dir.'/vma-cost.csv'
stats file skip 1 using (add_curve(strcol(1))) nooutput
stats file skip 1 using 2 nooutput
if (STATS_min == STATS_max) { set xrange [STATS_min / 2.0:STATS_max * 2.0] }

set output dir.'/vma-cost.'.kind
set title heading('Median cost of a call as ring 3 sees it, against the number of VMAs') noenhanced
set logscale x 10
set logscale y 10
set format x '%.0f'
set format y '%.0f'
set xlabel 'VMAs (log scale)'
set ylabel unit.', p50 (log scale)'
plot for [i = 1:words(curves)] file using (pick(word(curves, i), column('x'))):(column('p50')) \
	with linespoints ls i title word(curves, i)
