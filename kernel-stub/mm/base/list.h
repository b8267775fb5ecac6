/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Circular doubly linked lists with an embedded node. The list's own lock protects them. */
#ifndef MM_LIST_H
#define MM_LIST_H

#include "port/port.h"

struct list_node {
	struct list_node *next, *prev;
};

static inline void list_init(struct list_node *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

static inline void list_add(struct list_node *n, struct list_node *after)
{
	n->next = after->next;
	n->prev = after;
	after->next->prev = n;
	after->next = n;
}

static inline void list_add_tail(struct list_node *n, struct list_node *head)
{
	list_add(n, head->prev);
}

static inline void list_del(struct list_node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
}

/* The same, and the node stands by itself again: then it may be removed once more. */
static inline void list_del_init(struct list_node *n)
{
	list_del(n);
	list_init(n);
}

/* All of `from`, which is empty then, behind what `to` has. */
static inline void list_splice_tail(struct list_node *from, struct list_node *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

#define list_for_each(pos, head)                                                                   \
	for (struct list_node *pos = (head)->next; pos != (head); pos = pos->next)

#endif
