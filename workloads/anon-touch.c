/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first touch of each page of a private anonymous mapping: one fault, one sample a page.
 *
 * A read must find zero, whatever was in the frame before; after a write the page holds what was
 * written at one place and zero elsewhere. Both are checked, page by page.
 */
#include <sys/mman.h>

#include "workload.h"

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_READWRITE };
enum order { ORDER_SEQ, ORDER_RANDOM, ORDER_STRIDED };

struct anon_touch {
	uint64_t pages;
	char *base;
	uint32_t *order; /* page numbers in the order of their touches */
	size_t order_bytes;
};

static void order_shuffle(uint32_t *order, uint64_t n, struct random *random)
{
	for (uint64_t i = n; i > 1; i--) {
		uint64_t j = random_below(random, i);
		uint32_t page = order[i - 1];

		order[i - 1] = order[j];
		order[j] = page;
	}
}

/* 0, s, 2s, …, 1, 1 + s, …: each page once. */
static void order_stride(uint32_t *order, uint64_t n, uint64_t stride)
{
	uint64_t k = 0;

	for (uint64_t first = 0; first < stride && first < n; first++)
		for (uint64_t i = first; i < n; i += stride)
			order[k++] = (uint32_t)i;
}

static void order_fill(struct wl_run *run, struct anon_touch *t)
{
	for (uint64_t i = 0; i < t->pages; i++)
		t->order[i] = (uint32_t)i;
	if (wl_enum(run, "order") == ORDER_RANDOM)
		order_shuffle(t->order, t->pages, &run->random);
	else if (wl_enum(run, "order") == ORDER_STRIDED)
		order_stride(t->order, t->pages, wl_uint(run, "stride"));
}

/* The place in the page that is touched moves from page to page; it stays 8-byte aligned. */
static inline uint64_t *touch_place(const struct anon_touch *t, uint32_t page)
{
	return (uint64_t *)(t->base + (uint64_t)page * WL_PAGE + (page * 8u) % WL_PAGE);
}

static inline uint64_t touch_value(const struct wl_run *run, uint32_t page)
{
	return (run->seed ^ page) | 1;
}

static void touch_read(struct wl_run *run, struct anon_touch *t, struct wl_row *row)
{
	uint64_t seen = 0, value;

	for (uint64_t i = 0; i < t->pages; i++) {
		wl_sample(row, timing_read(touch_place(t, t->order[i]), &value));
		seen |= value;
	}
	if (seen)
		wl_fail(run, "a first read did not find zero");
}

static void touch_write(struct wl_run *run, struct anon_touch *t, struct wl_row *row)
{
	for (uint64_t i = 0; i < t->pages; i++) {
		uint32_t page = t->order[i];

		wl_sample(row, timing_write(touch_place(t, page), touch_value(run, page)));
	}
}

static void check_page(struct wl_run *run, const struct anon_touch *t, uint32_t page, bool written)
{
	const uint64_t *p = (const uint64_t *)(t->base + (uint64_t)page * WL_PAGE);
	const uint64_t *place = touch_place(t, page);
	uint64_t other = 0;

	for (unsigned i = 0; i < WL_PAGE / sizeof *p; i++)
		if (&p[i] != place)
			other |= p[i];
	if (other || *place != (written ? touch_value(run, page) : 0))
		wl_fail(run, "page %u does not hold what it should", page);
}

static void anon_touch(struct wl_run *run)
{
	unsigned access = wl_enum(run, "access");
	struct anon_touch t = {.pages = wl_rounds(run, wl_uint(run, "pages"))};
	struct wl_row *read = NULL, *write = NULL;

	if (access != ACCESS_WRITE)
		read = wl_row(run, "read", 0, TIMING_ACCESS);
	if (access != ACCESS_READ)
		write = wl_row(run, "write", 0, TIMING_ACCESS);
	t.order_bytes = t.pages * sizeof *t.order;
	t.order = wl_map(run, t.order_bytes, PROT_READ | PROT_WRITE);
	order_fill(run, &t);
	t.base = wl_map(run, t.pages * WL_PAGE, PROT_READ | PROT_WRITE);
	wl_begin(run);
	if (read)
		touch_read(run, &t, read);
	if (write)
		touch_write(run, &t, write);
	wl_end(run);
	for (uint64_t i = 0; i < t.pages; i++)
		check_page(run, &t, (uint32_t)i, write != NULL);
	wl_unmap(run, t.base, t.pages * WL_PAGE);
	wl_unmap(run, t.order, t.order_bytes);
}

const struct workload workload = {
	.name = "anon-touch",
	.doc = "first touch of anonymous pages: demand-zero faults, the zero page, its copy on "
	       "write",
	.params = WL_PARAMS(WL_NUMBER("pages", "4096", 1, 1u << 24, "4 KiB pages to touch"),
			    WL_CHOICE("access", "write", "read|write|readwrite",
				      "readwrite: all are read first, then all written"),
			    WL_CHOICE("order", "seq", "seq|random|strided", "of the touches"),
			    WL_NUMBER("stride", "16", 1, 1u << 20, "in pages, for order=strided")),
	.phases = WL_PHASES({"read", "one load from each page"},
			    {"write", "one store to each page; after the loads if there were any"}),
	.body = anon_touch,
};
