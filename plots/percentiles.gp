# SPDX-License-Identifier: GPL-2.0-or-later
# Latency against percentile, the axis stretched by 1/(1-p) so that the tail has its room.
dir = ARG1
kind = ARG2
load ARG3.'/style.gp'
file = dir.'/percentiles.csv'
stats file skip 1 using (add_curve(strcol(1))) nooutput
stats file using 'inverse' nooutput

set output dir.'/percentiles.'.kind
set title heading('Latency by percentile, for each fault class') noenhanced
set logscale x 10
set logscale y 10
set xrange [1:(STATS_max < 100 ? 100 : STATS_max)]
set xtics ('0 %%' 1, '50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, '99.999 %%' 100000)
set xlabel 'percentile (as 1/(1−p), log scale)'
set ylabel unit.' (log scale)'
set format y '%.0s%c'
plot for [i = 1:words(curves)] file using (pick(word(curves, i), column('inverse'))):(column('value')) \
	with lines ls look(i) title word(curves, i)
