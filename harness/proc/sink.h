/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink takes what a guest prints, in bounded memory however much that is: the first `limit` bytes
 * (what a program wrote), or the last (a kernel console, whose end tells why it stopped). The rest
 * is counted.
 */
#ifndef ENGINE_SINK_H
#define ENGINE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sink_keep { SINK_HEAD, SINK_TAIL };

#define SINK_CONSOLE_LIMIT (256u << 10)
#define SINK_STDIO_LIMIT (1u << 20)

struct sink {
	enum sink_keep keep;
	size_t limit;
	int pass_fd; /* every byte goes here too as it comes; -1: nowhere */
	char *data;
	size_t len;
	uint64_t dropped;
	int error; /* errno of the write to pass_fd that failed, EPIPE aside; 0: none did */
};

void sink_init(struct sink *s, enum sink_keep keep, size_t limit, int pass_fd);
void sink_write(struct sink *s, const void *data, size_t n);
/* What was kept, NUL-terminated, malloc'ed; the sink is empty afterwards. */
char *sink_take(struct sink *s, size_t *len, uint64_t *dropped);

/* The three streams of a guest, each on its port. */
struct guest_output {
	struct sink console, out, err;
};

#endif
