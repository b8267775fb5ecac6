/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process under watch: its streams read into sinks, a deadline, its process group killed at
 * the end whatever happens, and by the kernel if the harness dies first.
 */
#ifndef ENGINE_CHILD_H
#define ENGINE_CHILD_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "proc/sink.h"

#define CHILD_STREAMS 6u

/* One pipe from the child. read_fd and write_fd are made by child_stream(). */
struct child_stream {
	struct sink *sink;
	int read_fd, write_fd;
};

struct child {
	pid_t pid;
	int pid_fd;
	const char *program; /* to run instead of searching PATH for argv[0]; NULL: do that */
	unsigned pin_cpus;   /* it may run on the first so many of placement_cpu(); 0: on any */
	struct child_stream streams[CHILD_STREAMS];
	unsigned nr_streams;
	int keep_fds[8]; /* further descriptors that the child inherits under the same numbers */
	unsigned nr_keep;
	bool timed_out;
	int wait_status; /* as waitpid() gives it */
	struct rusage usage;
};

void child_init(struct child *c);
/* A pipe whose write end the child inherits, under the number that is returned; -1 with errno. */
int child_stream(struct child *c, struct sink *sink);
void child_keep(struct child *c, int fd);

/* Starts argv (searched in PATH) with standard input from /dev/null and standard output and error
 * on those descriptors. envp NULL: the harness's. 0, or -errno (also if exec itself failed). */
int child_start(struct child *c, const char *const *argv, const char *const *envp, int out_fd,
		int err_fd);

/* Reads its streams until it is gone. At the deadline (now_seconds()) calls on_timeout(arg) if
 * there is one, then kills it. */
void child_wait(struct child *c, double deadline, void (*on_timeout)(void *), void *arg);

/* Closes what is open. A child that still runs is killed first. */
void child_close(struct child *c);

#endif
