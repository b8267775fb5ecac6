# SPDX-License-Identifier: GPL-2.0-or-later
# The share of faults that took at most so long.
dir = ARG1
kind = ARG2
load ARG3.'/style.gp'
file = dir.'/cdf.csv'
stats file skip 1 using (add_curve(strcol(1))) nooutput

set output dir.'/cdf.'.kind
set title heading('Cumulative distribution of latency, for each fault class') noenhanced
set logscale x 10
set format x '%.0s%c'
set yrange [0:1.02]
set ytics ('0 %%' 0, '25 %%' 0.25, '50 %%' 0.5, '75 %%' 0.75, '90 %%' 0.9, '100 %%' 1)
set xlabel unit.' (log scale)'
set ylabel 'share of the faults that took at most so long'
plot for [i = 1:words(curves)] file using (pick(word(curves, i), column('value'))):(column('share')) \
	with lines ls look(i) title word(curves, i)
