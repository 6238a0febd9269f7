/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The line that says what takes so long. A thread draws it, since what takes long is a single call
 * of a library; it touches nothing but the terminal and what stands here.
 */
#include "commands/progress.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 1000 /* before the line appears */
#define REDRAW_MS 250

static struct {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below, and of the terminal while the line is on it */
	pthread_cond_t over;
	bool running;
	bool visible;
	const char *doing;
	size_t objects;
	struct timespec since;
} progress = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void put(const char *text)
{
	/* A terminal that is gone is no trouble of ours. */
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void erase(void)
{
	if (progress.visible)
		put("\r\033[K");
	progress.visible = false;
}

static void draw(const struct timespec *now)
{
	struct winsize w = { 0 };
	char line[160];

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w))
		w.ws_col = 0;
	progress_line(progress.doing, progress.objects,
		      (unsigned int)(now->tv_sec - progress.since.tv_sec), w.ws_col, line,
		      sizeof(line));
	erase();
	put(line);
	progress.visible = true;
}

static void add_ms(struct timespec *t, long ms)
{
	t->tv_nsec += ms * 1000000;
	t->tv_sec += t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
}

static void *draw_until_over(void *unused)
{
	struct timespec next = progress.since;

	(void)unused;
	pthread_mutex_lock(&progress.lock);
	add_ms(&next, PATIENCE_MS);
	while (progress.running) {
		struct timespec now;

		pthread_cond_timedwait(&progress.over, &progress.lock, &next);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (!progress.running || now.tv_sec < next.tv_sec ||
		    (now.tv_sec == next.tv_sec && now.tv_nsec < next.tv_nsec))
			continue;
		draw(&now);
		next = now;
		add_ms(&next, REDRAW_MS);
	}
	erase();
	pthread_mutex_unlock(&progress.lock);
	return NULL;
}

/* Signals are for the thread that works. */
static bool start_thread(void)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&progress.thread, NULL, draw_until_over, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void progress_begin(const struct options *o)
{
	const char *term = o->env(NULL, "TERM");
	pthread_condattr_t monotonic;

	if (progress.running || o->quiet || !isatty(STDERR_FILENO) ||
	    tcgetpgrp(STDERR_FILENO) != getpgrp() || !term || strcmp(term, "dumb") == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &progress.since);
	progress.doing = "at work";
	progress.objects = 0;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&progress.over, &monotonic);
	pthread_condattr_destroy(&monotonic);
	progress.running = true;
	progress.running = start_thread();
}

void progress_end(void)
{
	if (!progress.running)
		return;
	pthread_mutex_lock(&progress.lock);
	progress.running = false;
	pthread_cond_signal(&progress.over);
	pthread_mutex_unlock(&progress.lock);
	pthread_join(progress.thread, NULL);
	pthread_cond_destroy(&progress.over);
}

void progress_stage(const char *doing, size_t objects)
{
	pthread_mutex_lock(&progress.lock);
	progress.doing = doing;
	progress.objects = objects;
	pthread_mutex_unlock(&progress.lock);
}

void progress_hide(void)
{
	pthread_mutex_lock(&progress.lock);
	erase();
}

void progress_draw(void)
{
	pthread_mutex_unlock(&progress.lock);
}
