/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A fuzz target without a fuzzer: fuzz-NAME runs over every file of corpus/NAME, or over the files
 * it is given.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target aborts where it finds something wrong: a point that is reached is good. */
static void replay(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = NULL;
	long size = -1;

	if (f && fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (size >= 0)
		data = malloc((size_t)size + 1);
	if (data) {
		rewind(f);
		if (fread(data, 1, (size_t)size, f) == (size_t)size)
			LLVMFuzzerTestOneInput(data, (size_t)size);
		else
			size = -1;
	}
	ok(data && size >= 0, "%s", path);
	free(data);
	if (f)
		fclose(f);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool enter_corpus(const char *srcdir, const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = strstr(slash ? slash : program, "fuzz-");

	return chdir(srcdir ? srcdir : ".") == 0 && chdir("tests/fuzz/corpus") == 0 && name &&
	       chdir(name + strlen("fuzz-")) == 0;
}

int main(int argc, char **argv)
{
	struct dirent **inputs = NULL;
	int count = 0;

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1) {
		if (enter_corpus(getenv("srcdir"), argv[0]))
			count = scandir(".", &inputs, is_input, alphasort);
		ok(count > 0, "there is a corpus");
	}
	for (int i = 0; i < count; i++) {
		replay(inputs[i]->d_name);
		free(inputs[i]);
	}
	free(inputs);
	return tap_done();
}
