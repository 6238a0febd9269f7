/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer status for programs: JSON as plugin/dist/status.schema.json says, and Prometheus' text
 * format.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "commands/status.h"

/* The length belongs to the address as the interface has it. */
static void put_address(struct json *j, const struct status *st, const struct path *p,
			const struct addr *a)
{
	const struct facts *f = &st->session->facts;
	char text[PREFIX_TEXT_SIZE], addr[ADDR_TEXT_SIZE];
	unsigned int len = family_bits(a->family);

	for (size_t i = 0; p->link && i < f->address_count; i++)
		if (f->addresses[i].link == p->link->index &&
		    !addr_compare(&f->addresses[i].addr, a))
			len = f->addresses[i].len;
	snprintf(text, sizeof(text), "%s/%u", addr_print(a, addr), len);
	json_string(j, NULL, text);
}

static void put_half(struct json *j, const struct status *st, const struct path *p, enum family f)
{
	const struct path_half *half = &p->half[f];
	char gateway[ADDR_TEXT_SIZE];

	json_open(j, family_name(f), '{');
	json_open(j, "addresses", '[');
	for (size_t i = 0; i < half->address_count; i++)
		put_address(j, st, p, &half->addresses[i]);
	json_close(j, ']');
	json_string(j, "gateway", half->has_gateway ? addr_print(&half->gateway, gateway) : NULL);
	json_bool(j, "usable", half->usable);
	json_string(j, "reason", half->usable ? NULL : half->reason);
	json_close(j, '}');
}

static void put_counter(struct json *j, struct counter c)
{
	json_number(j, "packets", c.packets);
	json_number(j, "bytes", c.bytes);
}

static void put_path(struct json *j, const struct status *st, const struct path *p)
{
	char mark[16];

	json_open(j, NULL, '{');
	json_string(j, "name", p->name);
	json_number(j, "slot", p->slot);
	snprintf(mark, sizeof(mark), "0x%08" PRIx32, p->mark);
	json_string(j, "mark", mark);
	json_number(j, "table", p->table);
	json_bool(j, "usable", p->usable);
	json_bool(j, "offline", p->told && p->told->offline);
	json_string(j, "reason", path_reason(p));
	put_counter(j, status_path_counter(st, p));
	for (int f = 0; f < FAMILY_COUNT; f++)
		put_half(j, st, p, (enum family)f);
	json_close(j, '}');
}

static void put_verdict(struct json *j, const struct plan *plan, const struct verdict *v)
{
	json_open(j, "active", '[');
	for (size_t i = 0; v && i < v->active_count; i++)
		json_string(j, NULL, plan->paths[v->active[i]].name);
	json_close(j, ']');
	json_string(j, "outcome", v ? outcome_word(v->outcome) : NULL);
}

static void put_policy(struct json *j, const struct status *st, const struct policy_plan *pp)
{
	const struct plan *plan = &st->session->plan;
	const struct policy *p = pp->policy;
	CLEANUP(strbuf_done) struct strbuf where = { 0 };

	json_open(j, NULL, '{');
	json_string(j, "name", p->name);
	strbuf_printf(&where, "%s:%u", p->at.file, p->at.line);
	json_string(j, "where", where.text);
	json_open(j, "wanted", '[');
	for (size_t i = 0; i < p->member_count; i++)
		json_string(j, NULL, p->members[i].name);
	json_close(j, ']');
	put_verdict(j, plan, policy_verdict(pp));
	for (int f = 0; f < FAMILY_COUNT; f++) {
		if (!pp->verdict[f].covered) {
			json_string(j, family_name((enum family)f), NULL);
			continue;
		}
		json_open(j, family_name((enum family)f), '{');
		put_verdict(j, plan, &pp->verdict[f]);
		json_close(j, '}');
	}
	put_counter(j, status_policy_counter(st, pp));
	json_close(j, '}');
}

void status_json(const struct status *st, struct strbuf *out)
{
	const struct plan *plan = &st->session->plan;
	struct json j = { .out = out };

	json_open(&j, NULL, '{');
	json_string(&j, "version", VERSION);
	json_bool(&j, "in_sync", st->session->steps.count == 0);
	json_open(&j, "interfaces", '[');
	for (size_t i = 0; i < plan->path_count; i++)
		put_path(&j, st, &plan->paths[i]);
	json_close(&j, ']');
	json_open(&j, "policies", '[');
	for (size_t i = 0; i < plan->policy_count; i++)
		put_policy(&j, st, &plan->policies[i]);
	json_close(&j, ']');
	json_close(&j, '}');
}

/* A label's value; names have no newline, but may have anything else. */
static void put_label(struct strbuf *out, const char *text)
{
	CLEANUP(strbuf_done) struct strbuf visible = { 0 };

	strbuf_add_visible(&visible, text);
	strbuf_add(out, "\"");
	for (const char *c = visible.text ? visible.text : ""; *c; c++) {
		if (*c == '"' || *c == '\\')
			strbuf_add(out, "\\");
		strbuf_add_bytes(out, c, 1);
	}
	strbuf_add(out, "\"");
	out->failed |= visible.failed;
}

static void put_metric(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_printf(out, "# HELP ifsteer_%s %s\n# TYPE ifsteer_%s %s\n", name, help, name, type);
}

static void put_sample(struct strbuf *out, const char *name, const char *label, const char *value,
		       uint64_t n)
{
	strbuf_printf(out, "ifsteer_%s{%s=", name, label);
	put_label(out, value);
	strbuf_printf(out, "} %" PRIu64 "\n", n);
}

static void put_usable(struct strbuf *out, const struct plan *plan)
{
	put_metric(out, "interface_usable", "gauge",
		   "Whether the interface is usable for a family");
	for (size_t i = 0; i < plan->path_count; i++)
		for (int f = 0; f < FAMILY_COUNT; f++) {
			strbuf_add(out, "ifsteer_interface_usable{interface=");
			put_label(out, plan->paths[i].name);
			strbuf_printf(out, ",family=\"%s\"} %d\n", family_name((enum family)f),
				      plan->paths[i].half[f].usable);
		}
}

void status_metrics(const struct status *st, struct strbuf *out)
{
	const struct plan *plan = &st->session->plan;

	put_metric(out, "policy_packets_total", "counter", "Packets that a policy judged");
	for (size_t i = 0; i < plan->policy_count; i++)
		put_sample(out, "policy_packets_total", "policy", plan->policies[i].policy->name,
			   status_policy_counter(st, &plan->policies[i]).packets);
	put_metric(out, "policy_bytes_total", "counter",
		   "Bytes of the packets that a policy judged");
	for (size_t i = 0; i < plan->policy_count; i++)
		put_sample(out, "policy_bytes_total", "policy", plan->policies[i].policy->name,
			   status_policy_counter(st, &plan->policies[i]).bytes);
	put_metric(out, "interface_packets_total", "counter", "Packets steered by an interface");
	for (size_t i = 0; i < plan->path_count; i++)
		put_sample(out, "interface_packets_total", "interface", plan->paths[i].name,
			   status_path_counter(st, &plan->paths[i]).packets);
	put_metric(out, "interface_bytes_total", "counter", "Bytes steered by an interface");
	for (size_t i = 0; i < plan->path_count; i++)
		put_sample(out, "interface_bytes_total", "interface", plan->paths[i].name,
			   status_path_counter(st, &plan->paths[i]).bytes);
	put_usable(out, plan);
	put_metric(out, "in_sync", "gauge", "Whether the kernel agrees with the policy");
	strbuf_printf(out, "ifsteer_in_sync %d\n", st->session->steps.count == 0);
}
