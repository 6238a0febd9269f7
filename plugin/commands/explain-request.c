/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer explain's command line: a packet, said in the words of the policy language.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/explain.h"
#include "commands/message.h"
#include "kernel/kernel.h"

const struct option_spec explain_options[EXPLAIN_OPTIONS + 1] = {
	[EXPLAIN_JSON] = { "--json", NULL },
	[EXPLAIN_FROM] = { "--from", "A" },
	[EXPLAIN_PROTOCOL] = { "--protocol", "P" },
	[EXPLAIN_SPORT] = { "--sport", "N" },
	[EXPLAIN_DPORT] = { "--dport", "N" },
	[EXPLAIN_USER] = { "--user", "U" },
	[EXPLAIN_GROUP] = { "--group", "G" },
	[EXPLAIN_CGROUP] = { "--cgroup", "C" },
	[EXPLAIN_IN] = { "--in", "IF" },
	[EXPLAIN_MAC] = { "--mac", "M" },
	[EXPLAIN_DSCP] = { "--dscp", "D" },
	[EXPLAIN_MARK] = { "--mark", "M" },
	[EXPLAIN_TIME] = { "--time", "\"mon 09:30\"" },
};

/* The command line while it is read. */
struct reading {
	const struct options *options;
	const struct names *names;
	struct explain_request *request;
};

static const char *value(const struct reading *r, enum explain_option o)
{
	return r->options->given[o];
}

static enum exit_code bad(const struct reading *r, enum explain_option o, const char *what)
{
	return usage_error(r->options->command, "%s: \"%s\" is not %s", explain_options[o].name,
			   value(r, o), what);
}

/* ---- what the policy language reads: a policy with this one selector ---- */

static char *selector_text(const struct reading *r, enum explain_option o)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, "policies = ( { name = \"explain\"; action = \"main\"; ");
	if (o == EXPLAIN_SPORT || o == EXPLAIN_DPORT)
		strbuf_printf(&b, "protocol = %u; ", r->request->flow.protocol);
	strbuf_printf(&b, "%s = \"", explain_options[o].name + 2);
	for (const char *c = value(r, o); *c; c++) {
		if (*c == '"' || *c == '\\')
			strbuf_add(&b, "\\");
		strbuf_add_bytes(&b, c, 1);
	}
	strbuf_add(&b, "\"; } );");
	return strbuf_take(&b);
}

/* Its complaint, `policy "explain": KEY: …`, from behind the key on. */
static enum exit_code complain(const struct reading *r, enum explain_option o, const struct diag *d)
{
	static const char before[] = "\"explain\": ";
	const char *text = d->count && d->items[0].text ? d->items[0].text : "";
	const char *at = strstr(text, before);

	at = at ? strchr(at + strlen(before), ':') : NULL;
	return usage_error(r->options->command, "%s%s", explain_options[o].name,
			   at ? at : ": not understood");
}

static enum exit_code read_selector(const struct reading *r, enum explain_option o,
				    struct config *ret)
{
	char path[] = "command line";
	struct source source = { .path = path, .text = selector_text(r, o) };
	struct diag d = { 0 };
	enum exit_code code = EXIT_UNEXPECTED;
	int err = -ENOMEM;

	if (source.text) {
		source.len = strlen(source.text);
		err = config_parse(&source, 1, r->names, NULL, NULL, ret, &d);
	}
	if (err == 0)
		code = EXIT_DONE;
	else if (err == -EINVAL)
		code = complain(r, o, &d);
	else
		message_errno(explain_options[o].name, err);
	diag_done(&d);
	free(source.text);
	return code;
}

/* One number, neither a range nor a negation. */
static enum exit_code read_number(const struct reading *r, enum explain_option o, uint32_t *ret)
{
	CLEANUP(config_done) struct config c = { 0 };
	const struct number_match *m;
	enum exit_code code;

	if (!value(r, o))
		return EXIT_DONE;
	code = read_selector(r, o, &c);
	if (code)
		return code;
	m = o == EXPLAIN_PROTOCOL ? &c.policies[0].protocol
	    : o == EXPLAIN_SPORT  ? &c.policies[0].sport
	    : o == EXPLAIN_DPORT  ? &c.policies[0].dport
				  : &c.policies[0].dscp;
	if (m->yes.count != 1 || m->yes.v[0].from != m->yes.v[0].to)
		return bad(r, o, "a single value");
	*ret = m->yes.v[0].from;
	return EXIT_DONE;
}

static enum exit_code read_mac(const struct reading *r)
{
	CLEANUP(config_done) struct config c = { 0 };
	enum exit_code code;

	if (!value(r, EXPLAIN_MAC))
		return EXIT_DONE;
	code = read_selector(r, EXPLAIN_MAC, &c);
	if (code)
		return code;
	if (c.policies[0].mac.v[0].negated)
		return bad(r, EXPLAIN_MAC, "a single value");
	strcpy(r->request->mac, c.policies[0].mac.v[0].text);
	r->request->flow.mac = r->request->mac;
	return EXIT_DONE;
}

/* ---- what it would read otherwise: sets, ranges, patterns, spans of time ---- */

static enum exit_code read_from(const struct reading *r)
{
	struct flow *f = &r->request->flow;

	if (!value(r, EXPLAIN_FROM))
		return EXIT_DONE;
	if (addr_parse(value(r, EXPLAIN_FROM), &f->src))
		return bad(r, EXPLAIN_FROM, "an address");
	f->has_src = true;
	return EXIT_DONE;
}

static enum exit_code read_id(const struct reading *r, enum explain_option o, uint32_t *ret)
{
	int err;

	if (!value(r, o) || !number_parse(value(r, o), UINT32_MAX - 1, ret))
		return EXIT_DONE;
	err = (o == EXPLAIN_USER ? r->names->user : r->names->group)(r->names->ctx, value(r, o),
								     ret);
	if (err == -ENOENT && r->options->facts)
		return bad(r, o, "among the names of these facts (an id always works)");
	if (err == -ENOENT)
		return bad(r, o,
			   o == EXPLAIN_USER ? "a user of this host" : "a group of this host");
	if (err)
		message_errno(value(r, o), err);
	return err ? EXIT_UNEXPECTED : EXIT_DONE;
}

static enum exit_code read_mark(const struct reading *r)
{
	uint32_t mask;

	if (value(r, EXPLAIN_MARK) &&
	    mark_parse(value(r, EXPLAIN_MARK), &r->request->flow.mark, &mask))
		return bad(r, EXPLAIN_MARK, "a mark, like 0x100");
	return EXIT_DONE;
}

static bool read_digits(const char *text, uint32_t max, uint32_t *ret)
{
	*ret = (uint32_t)(text[0] - '0') * 10 + (uint32_t)(text[1] - '0');
	return text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9' && *ret <= max;
}

static enum exit_code read_time(const struct reading *r)
{
	static const char days[] = "mon tue wed thu fri sat sun ";
	const char *text = value(r, EXPLAIN_TIME), *day;
	uint32_t hour, minute;
	char word[5] = "";

	if (!text)
		return EXIT_DONE;
	memcpy(word, text, strnlen(text, 4));
	day = strlen(text) == 9 && word[3] == ' ' ? strstr(days, word) : NULL;
	if (!day || text[6] != ':' || !read_digits(text + 4, 23, &hour) ||
	    !read_digits(text + 7, 59, &minute))
		return bad(r, EXPLAIN_TIME, "a time like \"mon 09:30\"");
	r->request->flow.minute = (uint32_t)(day - days) / 4 * MINUTES_OF_DAY + hour * 60 + minute;
	r->request->has_time = true;
	return EXIT_DONE;
}

static enum exit_code read_forwarded(const struct reading *r)
{
	struct flow *f = &r->request->flow;

	f->in = value(r, EXPLAIN_IN);
	f->forwarded = f->in || f->mac;
	if (f->in && (!*f->in || strlen(f->in) >= NAME_SIZE || !strcmp(f->in, "lo")))
		return bad(r, EXPLAIN_IN, "an interface by which packets come in");
	for (enum explain_option o = EXPLAIN_USER; o <= EXPLAIN_CGROUP; o++)
		if (f->forwarded && value(r, o))
			return usage_error(r->options->command,
					   "%s is of the host's own packets, %s of forwarded ones",
					   explain_options[o].name,
					   explain_options[f->in ? EXPLAIN_IN : EXPLAIN_MAC].name);
	f->cgroup = value(r, EXPLAIN_CGROUP);
	return EXIT_DONE;
}

/* ---- the destination ---- */

/* As sockets take them: IPv4 in an IPv6 address (::ffff:10.0.1.9) goes out as IPv4, and who connects
 * to 0.0.0.0 or :: means this host. */
static struct addr as_sockets_do(struct addr a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	if (a.family == FAMILY_IPV6 && !memcmp(a.bytes, mapped, sizeof(mapped))) {
		struct addr ipv4 = { .family = FAMILY_IPV4 };

		memcpy(ipv4.bytes, a.bytes + sizeof(mapped), 4);
		return ipv4;
	}
	if (addr_is_zero(&a)) {
		a.bytes[family_bits(a.family) / 8 - 1] = 1;
		a.bytes[0] = a.family == FAMILY_IPV4 ? 127 : 0;
	}
	return a;
}

static void add_destination(struct explain_request *r, const struct addr *named)
{
	struct addr a = as_sockets_do(*named);

	for (size_t i = 0; i < r->destination_count; i++)
		if (r->destinations[i].family == a.family)
			return;
	if (!r->flow.has_src || r->flow.src.family == a.family)
		r->destinations[r->destination_count++] = a;
}

static enum exit_code resolve(const struct reading *r, const char *name)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int err = getaddrinfo(name, NULL, &hints, &found);

	if (err) {
		message(LEVEL_ERROR, "%s: %s", name, gai_strerror(err));
		return EXIT_UNEXPECTED;
	}
	for (const struct addrinfo *i = found; i; i = i->ai_next) {
		char text[ADDR_TEXT_SIZE];
		struct addr a;

		if (!getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof(text), NULL, 0,
				 NI_NUMERICHOST) &&
		    !addr_parse(text, &a))
			add_destination(r->request, &a);
	}
	freeaddrinfo(found);
	return EXIT_DONE;
}

static enum exit_code read_destination(const struct reading *r)
{
	struct explain_request *q = r->request;
	const char *text = r->options->argv[0];
	enum exit_code code = EXIT_DONE;
	struct addr a;

	if (!addr_parse(text, &a))
		add_destination(q, &a);
	else if (strchr(text, '/'))
		return usage_error(r->options->command,
				   "\"%s\" is a prefix, expected one destination", text);
	else if (strchr(text, '%'))
		return usage_error(r->options->command,
				   "\"%s\" says itself by which interface, and policies don't see it",
				   text);
	else if (r->options->facts)
		return usage_error(
			r->options->command,
			"\"%s\" is not an address, and captured facts know no host names", text);
	else
		code = resolve(r, text);
	if (code == EXIT_DONE && !q->destination_count)
		return usage_error(r->options->command, "%s and \"%s\" are not of one family",
				   explain_options[EXPLAIN_FROM].name, text);
	return code;
}

enum exit_code request_read(const struct session *s, struct explain_request *ret)
{
	const struct options *o = s->options;
	struct name_book book = { .known = s->facts.names, .known_count = s->facts.name_count,
				  .ask = o->facts ? NULL : &host_names };
	struct names names = name_book_names(&book);
	struct reading r = { o, &names, ret };
	struct flow *f = &ret->flow;
	enum exit_code code;

	*ret = (struct explain_request){
		.flow = { .protocol = IPPROTO_TCP, .uid = getuid(), .gid = getgid() }
	};
	code = read_number(&r, EXPLAIN_PROTOCOL, &f->protocol) ?:
	       read_number(&r, EXPLAIN_SPORT, &f->sport) ?:
	       read_number(&r, EXPLAIN_DPORT, &f->dport) ?:
	       read_number(&r, EXPLAIN_DSCP, &f->dscp) ?:
	       read_id(&r, EXPLAIN_USER, &f->uid) ?:
	       read_id(&r, EXPLAIN_GROUP, &f->gid) ?:
	       read_from(&r) ?:
	       read_mark(&r) ?:
	       read_time(&r) ?:
	       read_mac(&r) ?:
	       read_forwarded(&r) ?:
	       read_destination(&r);
	fact_names_done(book.used, book.used_count);
	for (size_t i = 0; i < ret->destination_count; i++)
		ret->about[ret->about_count++] = ret->destinations[i];
	if (f->has_src)
		ret->about[ret->about_count++] = f->src;
	return code;
}

/* ---- what facts tell ---- */

static bool is_own_address(const struct facts *f, const struct addr *a)
{
	for (size_t i = 0; i < f->address_count; i++)
		if (!addr_compare(&f->addresses[i].addr, a))
			return true;
	return false;
}

static int add_name(struct explain_request *r, struct fact_name **names, const struct fact_name *n)
{
	struct fact_name *room = VEC_PUSH(*names, r->flow.name_count);

	if (!room)
		return -ENOMEM;
	*room = *n;
	r->flow.names = *names;
	return 0;
}

/* The names that the policy uses, and those of the command line; their texts are borrowed. */
static int collect_names(const struct session *s, struct explain_request *r,
			 struct fact_name **names)
{
	const char *const *given = s->options->given;
	int err = 0;

	for (size_t i = 0; i < s->read.name_count && err == 0; i++)
		err = add_name(r, names, &s->read.names[i]);
	for (int k = 0; k < 2 && err == 0; k++) {
		const char *name = given[k ? EXPLAIN_GROUP : EXPLAIN_USER];
		/* The struct is made for names that are owned; nobody writes to this one or frees
		 * it. */
		struct fact_name n = { k ? 'g' : 'u', (char *)(uintptr_t)name,
				       k ? r->flow.gid : r->flow.uid };

		if (!name && n.id == 0)
			n.name = (char *)(uintptr_t)"root";
		if (n.name && (n.name[0] < '0' || n.name[0] > '9'))
			err = add_name(r, names, &n);
	}
	return err;
}

int request_complete(const struct session *s, struct explain_request *r, struct fact_name **names)
{
	const char *const *given = s->options->given;
	struct flow *f = &r->flow;

	if (!r->has_time) {
		int64_t minutes = (s->facts.now + s->facts.utc_offset) / 60;

		/* The first of January 1970 was a Thursday. */
		f->minute = (uint32_t)((minutes + 3 * MINUTES_OF_DAY) % MINUTES_OF_WEEK);
	}
	/* Nobody else's packets leave this host but those that it forwards. */
	if (f->has_src && !is_own_address(&s->facts, &f->src) && !given[EXPLAIN_USER] &&
	    !given[EXPLAIN_GROUP] && !given[EXPLAIN_CGROUP])
		f->forwarded = true;
	return collect_names(s, r, names);
}
