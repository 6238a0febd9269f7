/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Numbers, ranges, marks, and arrays that grow.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/vec.h"
#include "tests/tap.h"

static void test_number(void)
{
	static const struct {
		const char *text;
		uint32_t max;
		int want;
		uint32_t value;
	} cases[] = {
		{ "0", 10, 0, 0 },
		{ "10", 10, 0, 10 },
		{ "11", 10, -ERANGE, 0 },
		{ "4294967295", UINT32_MAX, 0, UINT32_MAX },
		{ "4294967296", UINT32_MAX, -ERANGE, 0 },
		{ "99999999999999999999999999", UINT32_MAX, -ERANGE, 0 },
		{ "99999999999999999999999999x", UINT32_MAX, -EINVAL, 0 },
		{ "0xff", 255, 0, 255 },
		{ "0XFf", 255, 0, 255 },
		{ "0x00ff", 255, 0, 255 },
		{ "0x100", 255, -ERANGE, 0 },
		{ "0x", 255, -EINVAL, 0 },
		{ "0xg", 255, -EINVAL, 0 },
		{ "", 10, -EINVAL, 0 },
		{ "01", 10, -EINVAL, 0 },
		{ "00", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ "+1", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "1a", 10, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t value = 4711;
		int err = number_parse(cases[i].text, cases[i].max, &value);

		ok(err == cases[i].want && value == (err ? 4711 : cases[i].value), "number \"%s\"",
		   cases[i].text);
	}
}

static void test_range(void)
{
	static const struct {
		const char *text;
		int want;
		uint32_t from, to;
	} cases[] = {
		{ "80", 0, 80, 80 },	      { "8000-8100", 0, 8000, 8100 },
		{ "5-5", 0, 5, 5 },	      { "0-65535", 0, 0, 65535 },
		{ "8100-8000", -EDOM, 0, 0 }, { "1-65536", -ERANGE, 0, 0 },
		{ "70000-1", -ERANGE, 0, 0 }, { "-5", -EINVAL, 0, 0 },
		{ "5-", -EINVAL, 0, 0 },      { "1-2-3", -EINVAL, 0, 0 },
		{ "1 - 2", -EINVAL, 0, 0 },   { "http", -EINVAL, 0, 0 },
		{ "70000-x", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct number_range r = { 1, 2 };
		int err = number_range_parse(cases[i].text, 65535, &r);

		ok(err == cases[i].want && r.from == (err ? 1 : cases[i].from) &&
			   r.to == (err ? 2 : cases[i].to),
		   "range \"%s\"", cases[i].text);
	}
}

static void test_mark(void)
{
	static const struct {
		const char *text;
		int want;
		uint32_t value, mask;
	} cases[] = {
		{ "0x1/0xff", 0, 1, 0xff },
		{ "7", 0, 7, UINT32_MAX },
		{ "0xffffffff", 0, UINT32_MAX, UINT32_MAX },
		{ "0/0xff000000", 0, 0, 0xff000000 },
		{ "0x100/0xff", -EDOM, 0, 0 },
		{ "0x1/", -EINVAL, 0, 0 },
		{ "/0xff", -EINVAL, 0, 0 },
		{ "0x1ffffffff/0xff", -ERANGE, 0, 0 },
		{ "1/4294967296", -ERANGE, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t value = 0, mask = 0;

		ok(mark_parse(cases[i].text, &value, &mask) == cases[i].want &&
			   value == cases[i].value && mask == cases[i].mask,
		   "mark \"%s\"", cases[i].text);
	}
}

/* A canonical list contains exactly what the ranges that went in contain. */
static void test_normalise(void)
{
	unsigned int wrong = 0;

	srandom(1);
	for (int round = 0; round < 500; round++) {
		CLEANUP(numbers_done) struct numbers list = { 0 };
		bool in[258] = { false };
		int n = random() % 20;

		for (int i = 0; i < n; i++) {
			uint32_t from = random() % 256,
				 to = from + random() % (256 - from) / (1 + random() % 30);

			if (numbers_add(&list, (struct number_range){ from, to }) < 0)
				wrong++;
			for (uint32_t k = from; k <= to; k++)
				in[k] = true;
		}
		numbers_normalise(&list);
		for (uint32_t k = 0; k < 258; k++)
			wrong += numbers_contain(&list, k) != in[k];
		for (size_t i = 1; i < list.count; i++)
			wrong += list.v[i].from <= list.v[i - 1].to + 1;
	}
	ok(wrong == 0, "500 random lists are canonical and contain what they should");
}

static void random_list(struct numbers *list, bool in[static 256])
{
	int n = random() % 12;

	for (int i = 0; i < n; i++) {
		uint32_t from = random() % 256,
			 to = from + random() % (256 - from) / (1 + random() % 9);

		if (numbers_add(list, (struct number_range){ from, to }) < 0)
			printf("# out of memory\n");
		for (uint32_t k = from; k <= to; k++)
			in[k] = true;
	}
	numbers_normalise(list);
}

static void test_subtract(void)
{
	unsigned int wrong = 0;

	for (int round = 0; round < 500; round++) {
		CLEANUP(numbers_done) struct numbers a = { 0 }, b = { 0 };
		bool in_a[256] = { false }, in_b[256] = { false };

		random_list(&a, in_a);
		random_list(&b, in_b);
		wrong += numbers_subtract(&a, &b) != 0;
		for (uint32_t k = 0; k < 256; k++)
			wrong += numbers_contain(&a, k) != (in_a[k] && !in_b[k]);
		for (size_t i = 0; i < a.count; i++)
			wrong += a.v[i].from > a.v[i].to || (i && a.v[i].from <= a.v[i - 1].to + 1);
	}
	ok(wrong == 0, "500 random differences");
}

static void test_normalise_end(void)
{
	CLEANUP(numbers_done) struct numbers list = { 0 };
	int err = 0;

	err |= numbers_add(&list, (struct number_range){ 0, UINT32_MAX });
	err |= numbers_add(&list, (struct number_range){ 0, 0 });
	err |= numbers_add(&list, (struct number_range){ UINT32_MAX, UINT32_MAX });
	numbers_normalise(&list);
	ok(!err && list.count == 1 && list.v[0].from == 0 && list.v[0].to == UINT32_MAX,
	   "ranges at both ends of the space merge");
}

static void test_vec(void)
{
	uint64_t *v = NULL, *slot;
	size_t n = 0;
	bool fine = true;

	for (uint64_t i = 0; i < 1000; i++) {
		slot = VEC_PUSH(v, n);
		fine = fine && slot && *slot == 0;
		if (!slot)
			break;
		*slot = ~i;
	}
	for (size_t i = 0; i < n; i++)
		fine = fine && v[i] == ~(uint64_t)i;
	ok(fine && n == 1000, "an array grows, zeroed, and keeps what it has");

	/* A list that shrank has more room than its count implies, never less. */
	n = 700;
	while (n < 1500 && (slot = VEC_PUSH(v, n)))
		*slot = 1;
	ok(n == 1500 && v[699] == ~(uint64_t)699, "an array that shrank grows again");
	ok(vec_room(&v, SIZE_MAX / 2 + 1, sizeof(*v)) == -ENOMEM,
	   "no room beyond the address space");
	free(v);
}

/* In place of libc's: how often arrays are resized. */
static unsigned int resized;

void *reallocarray(void *v, size_t count, size_t size)
{
	resized++;
	return count && size > SIZE_MAX / count ? NULL : realloc(v, count * size);
}

/* What is appended one by one is not copied each time. */
static void test_vec_append_one(void)
{
	uint64_t *v = NULL, one = 1;
	size_t n = 0;

	resized = 0;
	while (n < 1000 && vec_append(&v, &n, &one, 1, sizeof(*v)) == 0)
		one++;
	ok(n == 1000 && v[999] == 1000 && resized == 11, "1000 appended, resized %u times", resized);
	free(v);
}

/* What is appended at once leaves the room that one by one would. */
static void test_vec_append(void)
{
	uint64_t *v = NULL, more[40], *slot = NULL;
	size_t n = 0, appended = 0;
	bool fine = true;

	for (size_t k = 0; k < 40 && fine; k++) {
		for (size_t i = 0; i < k; i++)
			more[i] = n + i;
		appended += k;
		fine = vec_append(&v, &n, more, k, sizeof(*v)) == 0 && n == appended + k;
		slot = fine ? VEC_PUSH(v, n) : NULL;
		fine = slot && *slot == 0;
		if (slot)
			*slot = n - 1;
	}
	for (size_t i = 0; i < n && fine; i++)
		fine = v[i] == i;
	ok(fine && n == 820, "an array takes many at once, and one after them");
	free(v);
}

int main(void)
{
	test_number();
	test_range();
	test_mark();
	test_normalise();
	test_subtract();
	test_normalise_end();
	test_vec();
	test_vec_append();
	test_vec_append_one();
	return tap_done();
}
