/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * /run/ifsteer/COOKIE/, where everything stands that is true until the next boot, apart for each
 * network namespace.
 *
 * A small note is a symbolic link that is never followed: the text is its target. It is there in
 * one system call, whole or not at all, even where /run is full, and there is no half-written file
 * after a kill.
 */
#pragma once

#include "base/base.h"

/* Longest text of a note; tmpfs keeps up to 128 bytes without taking a page. */
#define NOTE_SIZE 128

/* A descriptor of the directory itself, or of one below it; -errno, -ENOENT where it is missing and
 * not to be made. A directory that is not root's alone is refused: -EPERM. */
MUST_CHECK int run_dir_open(const char *below, bool create);

/* Whether this network namespace has a cookie (kernel 5.14), which no other one ever had. */
bool run_dir_is_certain(void);

/* Calls `each` for the name of everything in the directory, until it returns other than 0; that, or
 * -errno. */
int run_dir_list(int dir, int (*each)(int dir, const char *name, void *ctx), void *ctx);

/* -EEXIST: there is one of that name, and it stays. */
MUST_CHECK int note_add(int dir, const char *name, const char *text);
/* Puts a note in the place of another; `scratch` is a directory of the same file system in which
 * nobody else writes. */
MUST_CHECK int note_replace(int scratch, int dir, const char *name, const char *text);
/* -EINVAL for what is not a note. */
MUST_CHECK int note_read(int dir, const char *name, char ret[static NOTE_SIZE]);
void note_remove(int dir, const char *name);

/* The next word of a note; NULL at its end. */
char *note_word(char **rest);
