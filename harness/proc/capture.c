/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/capture.h"

/* Reads until the end of file; what does not fit is read and dropped. False: time is up. */
static bool drain(int fd, double deadline, char *out, size_t room)
{
	size_t used = 0;
	char spill[4096];

	for (;;) {
		double left = deadline - now_seconds();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		bool full = used + 1 >= room;

		out[used] = '\0';
		if (left <= 0 || poll(&p, 1, (int)(left * 1000) + 1) == 0)
			return false;
		ssize_t n = full ? read(fd, spill, sizeof(spill))
				 : read(fd, out + used, room - used - 1);

		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0 && !full)
			used += (size_t)n;
	}
}

static int start(const char *const *argv, bool quiet, int stdout_fd, pid_t *pid)
{
	extern char **environ;
	posix_spawn_file_actions_t fa;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, stdout_fd, 1);
	if (quiet)
		posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
	/* posix_spawn's argv is const in all but type. */
	int err = posix_spawnp(pid, argv[0], &fa, NULL, (char *const *)(const void *)argv, environ);

	posix_spawn_file_actions_destroy(&fa);
	return err;
}

bool capture_stdout(const char *const *argv, double seconds, bool quiet, char *out, size_t room,
		    char *error, size_t error_room)
{
	int pipe_fd[2], status;
	pid_t pid;

	out[0] = '\0';
	if (pipe2(pipe_fd, O_CLOEXEC)) {
		snprintf(error, error_room, "pipe: %s", strerror(errno));
		return false;
	}
	int err = start(argv, quiet, pipe_fd[1], &pid);

	close(pipe_fd[1]);
	if (err) {
		close(pipe_fd[0]);
		snprintf(error, error_room, "can't start %s: %s", argv[0], strerror(err));
		return false;
	}
	bool done = drain(pipe_fd[0], now_seconds() + seconds, out, room);

	close(pipe_fd[0]);
	if (!done)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!done)
		snprintf(error, error_room, "%s did not end within %g s", argv[0], seconds);
	else if (WIFSIGNALED(status))
		snprintf(error, error_room, "%s died of signal %d", argv[0], WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(error, error_room, "%s exited with %d", argv[0], WEXITSTATUS(status));
	return done && WIFEXITED(status) && !WEXITSTATUS(status);
}
