#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The random worlds once more, with a program that makes a map of each run of policies, short ones
# too: packets must go where explain says, which knows the policies one by one and no map.

set -eu
built=$(dirname "${PROBE:?}")
IFSTEER=$built/ifsteer-runs exec "$built/test-random-runs"
