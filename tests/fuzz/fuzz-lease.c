/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzz target: the text of a lease file, read as each client's. What is found can be a way out, and
 * a lease that is not over now was not over before.
 */
#include <stdlib.h>
#include <string.h>

#include "events/lease.h"
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct lease_clock past = { 1700000000, "2023/11/14 22:13:20" };
static const struct lease_clock now = { 1800000000, "2027/01/15 08:00:00" };

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* False: no lease was found. */
static bool read_as(bool dhclient, const uint8_t *data, size_t size,
		    const struct lease_clock *clock)
{
	char *text = fuzz_text(data, size);
	struct addr router;
	bool found = dhclient ? lease_read_dhclient(text, "eth2", clock, &router)
			      : lease_read_variables(text, past.seconds, clock, &router);

	if (found)
		check(router.family == FAMILY_IPV4 && router.bytes[0] != 0 &&
		      router.bytes[0] != 127 && (router.bytes[0] & 0xf0) != 0xe0);
	free(text);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int dhclient = 0; dhclient < 2; dhclient++) {
		bool before = read_as(dhclient, data, size, &past);

		check(before || !read_as(dhclient, data, size, &now));
	}
	return 0;
}
