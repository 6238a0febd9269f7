#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The pure rooms ask nothing of the machine: what libcore.a needs from outside is on this list, and
# the list knows no file, no socket, no clock, no environment and no stream.
set -u

allowed='
__assert_fail __ctype_b_loc __ctype_tolower_loc __errno_location __isoc23_strtoul __stack_chk_fail
asprintf bsearch calloc free htonl htons inet_ntop inet_pton malloc memchr memcmp memcpy memmem
memmove memset ntohl ntohs qsort realloc reallocarray snprintf sprintf strcasecmp strchr strchrnul
strcmp strcpy strcspn strdup strerror strlen strncasecmp strncmp strndup strnlen strpbrk strrchr
strspn strstr strtok_r strtoul tolower vasprintf vsnprintf
config_destroy config_error_line config_error_text config_init config_read_string
config_root_setting config_setting_get_bool config_setting_get_elem config_setting_get_int64
config_setting_get_member config_setting_get_string config_setting_index
config_setting_is_aggregate config_setting_is_root config_setting_length config_setting_name
config_setting_parent config_setting_set_hook config_setting_source_line config_setting_type
mnl_attr_get_len mnl_attr_get_payload mnl_attr_get_payload_len mnl_attr_get_str mnl_attr_get_type
mnl_attr_get_u16 mnl_attr_get_u32 mnl_attr_get_u64 mnl_attr_get_u8 mnl_attr_nest_end
mnl_attr_nest_start mnl_attr_next mnl_attr_ok mnl_attr_parse mnl_attr_parse_nested mnl_attr_put
mnl_attr_put_str mnl_attr_put_strz mnl_attr_put_u16 mnl_attr_put_u32 mnl_attr_put_u64
mnl_attr_put_u8 mnl_attr_type_valid mnl_attr_validate mnl_attr_validate2 mnl_nlmsg_get_payload
mnl_nlmsg_get_payload_len mnl_nlmsg_get_payload_offset mnl_nlmsg_get_payload_tail mnl_nlmsg_next
mnl_nlmsg_ok mnl_nlmsg_put_extra_header mnl_nlmsg_put_header
'

# What the compiler adds by itself: fortified functions, bit counts, sanitizers, coverage.
by_compiler='^(__[a-z]+_chk$|__[a-z]+[sdt]i2$|_GLOBAL_OFFSET_TABLE_$|'
by_compiler="${by_compiler}__(asan|ubsan|lsan|tsan|sanitizer|gcov|llvm|sancov)_)"

library=${LIBCORE:-libcore.a}
names=$(nm --print-file-name "$library") || { echo "Bail out! no $library"; exit 1; }

# What one member defines for another is not outside.
foreign=$(echo "$names" | awk -v allowed="$allowed" -v by_compiler="$by_compiler" '
	BEGIN { n = split(allowed, list); for (i = 1; i <= n; i++) known[list[i]] = 1 }
	$(NF - 1) == "U" { sub(/:$/, "", $1); users[$NF] = users[$NF] " " $1 }
	$(NF - 1) ~ /^[TDBRCVW]$/ { known[$NF] = 1 }
	END { for (s in users) if (!(s in known) && s !~ by_compiler) print s ":" users[s] }' | sort)

echo "1..1"
if [ -z "$foreign" ]; then
	echo "ok 1 - libcore.a needs nothing but what is on the list"
else
	echo "not ok 1 - libcore.a needs nothing but what is on the list"
	echo "$foreign" | sed 's/^/# /'
fi
