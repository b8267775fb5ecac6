/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "proc/sink.h"

void sink_init(struct sink *s, enum sink_keep keep, size_t limit, int pass_fd)
{
	*s = (struct sink){.keep = keep, .limit = limit, .pass_fd = pass_fd};
}

/* A reader that went away is the caller's wish (`| head`): nothing more is passed on. */
static void pass_on(struct sink *s, const char *p, size_t n)
{
	while (n && s->pass_fd >= 0) {
		ssize_t k = write(s->pass_fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			s->error = errno == EPIPE ? 0 : errno;
			s->pass_fd = -1;
			return;
		}
		p += k;
		n -= (size_t)k;
	}
}

static void keep_head(struct sink *s, const char *p, size_t n)
{
	size_t room = s->limit - s->len;
	size_t k = n < room ? n : room;

	s->dropped += n - k;
	if (!k)
		return;
	if (!s->data)
		s->data = xcalloc(1, s->limit + 1);
	memcpy(s->data + s->len, p, k);
	s->len += k;
}

/* Twice the limit is held, so that the move to the front happens once in `limit` bytes. */
static void keep_tail(struct sink *s, const char *p, size_t n)
{
	if (n > s->limit) {
		s->dropped += n - s->limit;
		p += n - s->limit;
		n = s->limit;
	}
	if (!s->data)
		s->data = xcalloc(2, s->limit + 1);
	if (s->len + n > 2 * s->limit) {
		size_t gone = s->len - (s->limit - n);

		memmove(s->data, s->data + gone, s->len - gone);
		s->len -= gone;
		s->dropped += gone;
	}
	memcpy(s->data + s->len, p, n);
	s->len += n;
}

void sink_write(struct sink *s, const void *data, size_t n)
{
	pass_on(s, data, n);
	if (s->keep == SINK_HEAD)
		keep_head(s, data, n);
	else
		keep_tail(s, data, n);
}

char *sink_take(struct sink *s, size_t *len, uint64_t *dropped)
{
	char *data = s->data ? s->data : xcalloc(1, 1);

	if (s->len > s->limit) {
		size_t gone = s->len - s->limit;

		memmove(data, data + gone, s->limit);
		s->len = s->limit;
		s->dropped += gone;
	}
	data[s->len] = '\0';
	if (len)
		*len = s->len;
	if (dropped)
		*dropped = s->dropped;
	s->data = NULL;
	s->len = 0;
	s->dropped = 0;
	return data;
}
