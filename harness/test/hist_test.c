/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <atf-c.h>
#include <stdlib.h>

#include "base/hist.h"
#include "faultline_abi.h"

static void add(struct hist *h, uint64_t value, uint64_t n)
{
	hist_add_bucket(h, fl_hist_bucket(value), n);
	h->sum += value * n;
}

ATF_TC_WITHOUT_HEAD(buckets);
ATF_TC_BODY(buckets, tc)
{
	/* Every bucket starts where the one before ends, and none is wider than 1/128. */
	for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++) {
		uint64_t low = fl_hist_low(b), high = fl_hist_high(b);

		ATF_REQUIRE_EQ(fl_hist_bucket(low), b);
		ATF_REQUIRE_EQ(fl_hist_bucket(high), b);
		ATF_REQUIRE(high - low <= low / 128);
		if (b + 1 < FL_HIST_BUCKETS)
			ATF_REQUIRE_EQ(fl_hist_low(b + 1), high + 1);
	}
	ATF_CHECK_EQ(fl_hist_high(FL_HIST_BUCKETS - 1), UINT64_MAX);
}

ATF_TC_WITHOUT_HEAD(order_and_merge);
ATF_TC_BODY(order_and_merge, tc)
{
	struct hist one = {0}, two = {0}, both = {0};

	srandom(1);
	for (int i = 0; i < 5000; i++) {
		uint64_t v = (uint64_t)random() >> (random() % 31);

		add(i % 2 ? &one : &two, v, 1);
		add(&both, v, 1);
	}
	hist_merge(&one, &two);
	ATF_REQUIRE_EQ(one.count, 5000);
	ATF_REQUIRE_EQ(one.sum, both.sum);
	ATF_REQUIRE_EQ(one.nr_pairs, both.nr_pairs);
	for (size_t i = 0; i < one.nr_pairs; i++) {
		ATF_REQUIRE_EQ(one.pairs[i].bucket, both.pairs[i].bucket);
		ATF_REQUIRE_EQ(one.pairs[i].count, both.pairs[i].count);
		ATF_REQUIRE(!i || one.pairs[i - 1].bucket < one.pairs[i].bucket);
	}
	hist_free(&one);
	hist_free(&two);
	hist_free(&both);
	ATF_CHECK_EQ(one.count, 0);
}

/* Made in one go it can grow like any other. */
ATF_TC_WITHOUT_HEAD(set);
ATF_TC_BODY(set, tc)
{
	for (size_t n = 0; n < 40; n++) {
		struct hist_pair pairs[40];
		struct hist h;

		for (size_t i = 0; i < n; i++)
			pairs[i] = (struct hist_pair){.bucket = (uint32_t)(2 * i), .count = i + 1};
		hist_set(&h, pairs, n, n * (n + 1) / 2, 7);
		for (uint32_t b = 1; b < 40; b += 2)
			hist_add_bucket(&h, b, 1);
		ATF_CHECK_EQ(h.nr_pairs, n + 20);
		ATF_CHECK_EQ(h.count, n * (n + 1) / 2 + 20);
		ATF_CHECK_EQ(h.sum, 7);
		for (size_t i = 1; i < h.nr_pairs; i++)
			ATF_CHECK(h.pairs[i - 1].bucket < h.pairs[i].bucket);
		hist_free(&h);
	}
}

ATF_TC_WITHOUT_HEAD(empty);
ATF_TC_BODY(empty, tc)
{
	struct hist h = {0};
	uint64_t v = 42;

	ATF_CHECK_EQ(hist_min(&h), 0);
	ATF_CHECK_EQ(hist_max(&h), 0);
	ATF_CHECK_EQ(hist_mean(&h), 0.0);
	ATF_CHECK(!hist_quantile(&h, 0.5, &v));
	hist_add_bucket(&h, 7, 0);
	ATF_CHECK_EQ(h.nr_pairs, 0);
	ATF_CHECK_EQ(v, 42);
}

ATF_TC_WITHOUT_HEAD(quantiles);
ATF_TC_BODY(quantiles, tc)
{
	struct hist h = {0};
	uint64_t v = 0;

	for (uint64_t i = 1; i <= 100; i++)
		add(&h, i, 1);
	ATF_REQUIRE(hist_quantile(&h, 0.5, &v));
	ATF_CHECK_EQ(v, 50);
	ATF_REQUIRE(hist_quantile(&h, 0.9, &v));
	ATF_CHECK_EQ(v, 90);
	ATF_CHECK_EQ(hist_min(&h), 1);
	ATF_CHECK_EQ(hist_max(&h), 100);
	ATF_CHECK_EQ(hist_mean(&h), 50.5);
	hist_free(&h);
}

/* No percentile with fewer than ten samples beyond it. */
ATF_TC_WITHOUT_HEAD(ten_samples_beyond);
ATF_TC_BODY(ten_samples_beyond, tc)
{
	struct hist h = {0};
	uint64_t v = 0;

	add(&h, 5, 19);
	ATF_CHECK(!hist_quantile(&h, 0.5, &v));
	add(&h, 5, 1);
	ATF_REQUIRE(hist_quantile(&h, 0.5, &v));
	ATF_CHECK_EQ(v, 5);
	ATF_CHECK(!hist_quantile(&h, 0.9, &v));
	add(&h, 5, 79);
	ATF_CHECK(!hist_quantile(&h, 0.9, &v));
	add(&h, 5, 1);
	ATF_CHECK(hist_quantile(&h, 0.9, &v));
	ATF_CHECK(!hist_quantile(&h, 0.99, &v));
	add(&h, 5, 900);
	ATF_CHECK(hist_quantile(&h, 0.99, &v));
	ATF_CHECK(!hist_quantile(&h, 0.999, &v));
	add(&h, 5, 9000);
	ATF_CHECK(hist_quantile(&h, 0.999, &v));
	hist_free(&h);
}

/* The upper bound of the bucket is reported, as HdrHistogram does. */
ATF_TC_WITHOUT_HEAD(upper_bound);
ATF_TC_BODY(upper_bound, tc)
{
	struct hist h = {0};
	uint64_t v = 0;

	add(&h, 1001, 30);
	ATF_REQUIRE(hist_quantile(&h, 0.5, &v));
	ATF_CHECK_EQ(v, 1003);
	ATF_CHECK_EQ(hist_min(&h), 1000);
	ATF_CHECK_EQ(hist_max(&h), 1003);
	hist_free(&h);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, buckets);
	ATF_TP_ADD_TC(tp, order_and_merge);
	ATF_TP_ADD_TC(tp, set);
	ATF_TP_ADD_TC(tp, empty);
	ATF_TP_ADD_TC(tp, quantiles);
	ATF_TP_ADD_TC(tp, ten_samples_beyond);
	ATF_TP_ADD_TC(tp, upper_bound);
	return atf_no_error();
}
