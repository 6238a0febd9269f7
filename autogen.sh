#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes ./configure.
set -eu
cd "$(dirname "$0")"
autoreconf --install --force --warnings=all
