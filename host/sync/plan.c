/* SPDX-License-Identifier: MIT */
/* plan.c - the record-level decisions of one link: create, update, delete, leave, and how bases move. */
#include "sync/plan.h"

#include <string.h>

struct sl_record *base_shell(const struct sl_record *now, struct arena *a, size_t room)
{
    struct sl_record *r = arena_alloc(a, sizeof *r);
    *r = *now;
    r->fields = arena_alloc(a, (room + 1) * sizeof *r->fields);
    r->n_fields = 0;
    r->field_size = sizeof(struct sl_value);
    return r;
}

void record_set(struct sl_record *r, struct arena *a, const struct sl_value *v)
{
    struct sl_value *grown = arena_alloc(a, (r->n_fields + 1) * sizeof *grown);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct sl_value *old = sl_value_at(r->fields, r->field_size, i);
        if (strcmp(old->name, v->name) != 0)
            grown[n++] = *old;
    }
    if (v->type != SL_ABSENT)
        grown[n++] = *v;
    r->fields = grown;
    r->n_fields = n;
    r->field_size = sizeof *grown;
}

struct sl_record *plan_base(const struct sl_record *old, const struct sl_record *now,
                            const struct field_change *changes, size_t n_changes, bool written_side, struct arena *a)
{
    size_t n_old = old ? old->n_fields : 0;
    struct sl_value *fields = arena_alloc(a, (n_old + n_changes + 1) * sizeof *fields);
    size_t n = 0;
    for (size_t i = 0; i < n_old; i++) {
        const struct sl_value *v = sl_value_at(old->fields, old->field_size, (uint32_t)i);
        bool moved = false;
        for (size_t c = 0; c < n_changes && !moved; c++) {
            const char *name = written_side ? changes[c].name : changes[c].source;
            moved = name && !changes[c].keeps_bases && name[0] == v->name[0] && strcmp(name, v->name) == 0;
        }
        if (!moved)
            fields[n++] = *v;
    }
    for (size_t c = 0; c < n_changes; c++) {
        const char *name = changes[c].keeps_bases ? NULL : written_side ? changes[c].name : changes[c].source;
        /* on the written side the base is what the system says it stored, which may differ from what was sent */
        const struct sl_value *stored = written_side && name ? record_field(now, name) : &changes[c].origin;
        struct sl_value v = stored ? *stored : written_side ? changes[c].after : value_absent(name);
        v.name = name;
        if (name && v.type != SL_ABSENT)
            fields[n++] = v;
    }
    struct sl_record *r = arena_alloc(a, sizeof *r);
    *r = *now;
    r->fields = fields;
    r->n_fields = (uint32_t)n;
    r->field_size = sizeof *fields;
    return r;
}

bool guard_allows(const struct conf_pair *pair, uint64_t n_deletes, uint64_t n_links, int64_t approved)
{
    uint64_t percent = n_links * (uint64_t)pair->delete_max_percent / 100;
    uint64_t ceiling = (uint64_t)pair->delete_max > percent ? (uint64_t)pair->delete_max : percent;
    if (n_deletes <= ceiling)
        return true;
    return approved >= 0 && n_deletes <= (uint64_t)approved;
}

static void create_on(const struct plan_in *in, int t, bool again, int reason, struct arena *a, struct plan_out *out)
{
    merge_create(in, t, a, out);
    out->write[t].again = again;
    out->write[t].reason = reason;
    for (size_t i = 0; i < out->write[t].n_changes; i++)
        out->write[t].changes[i].reason = (uint8_t)reason;
}

/* True if the survivor of a delete holds an edit that the other side has not seen. */
static bool edited(const struct plan_in *in, int s, struct arena *a)
{
    const struct view *v = &in->side[s];
    if (!v->base)
        return false;
    for (size_t i = 0; i < in->n_rules; i++) {
        const struct rule *r = &in->rules[i];
        if (!r->field[s] || !r->to[1 - s])
            continue;
        const struct sl_value *now = record_field(v->now, r->field[s]);
        const struct sl_value *base = record_field(v->base, rule_base_name(r, s, a));
        if (now && now->type != SL_ABSENT && base && !value_same(now, base))
            return true;
    }
    return false;
}

static bool one_way(const struct plan_in *in)
{
    return in->pair->mode == MODE_ONE_WAY;
}

static void remove_on(const struct plan_in *in, int s, int kind, int reason, struct plan_out *out)
{
    bool may = !(one_way(in) && s == 0);
    if (!may) { /* the source of a one-way pair is never written */
        out->unlink = true;
        return;
    }
    out->write[s].kind = kind;
    out->write[s].reason = reason;
    out->write[s].guarded = true;
}

/* Side `gone` is deleted, the other is still here. */
static void plan_deleted(const struct plan_in *in, int gone, struct arena *a, struct plan_out *out)
{
    int here = 1 - gone, policy = in->pair->delete_policy;
    bool can_create = !(one_way(in) && gone == 0);
    if (policy == DELETE_IGNORE) {
        out->filtered = true;
    } else if (in->older) { /* decided when it is approved */
        out->unlink = true;
    } else if (policy == DELETE_RECREATE && can_create) {
        create_on(in, gone, true, REASON_RECREATE, a, out);
    } else if (can_create && edited(in, here, a)) {
        create_on(in, gone, true, REASON_EDIT_BEATS_DELETE, a, out);
    } else if (policy == DELETE_DELETE) {
        remove_on(in, here, SL_DELETE, REASON_DELETED, out);
    } else if (policy == DELETE_ARCHIVE) {
        remove_on(in, here, SL_ARCHIVE, REASON_DELETED, out);
    } else {
        out->unlink = true;
    }
    out->guarded = out->unlink || out->write[here].guarded;
}

/* A linked record left the filter on side s. */
static void plan_left(const struct plan_in *in, int s, struct plan_out *out)
{
    out->filtered = true;
    if (in->side[s].left) /* the config moved, not the record */
        return;
    if (in->pair->on_leave == LEAVE_UNLINK)
        out->unlink = true;
    else if (in->pair->on_leave == LEAVE_ARCHIVE && in->side[1 - s].kind == VIEW_HERE && !(one_way(in) && s == 1))
        remove_on(in, 1 - s, SL_ARCHIVE, REASON_LEFT, out);
}

static void plan_half(const struct plan_in *in, int here, struct arena *a, struct plan_out *out)
{
    int t = 1 - here;
    if (in->side[here].out || !in->pair->create[t] || !(in->caps[t] & SL_CAP_CREATE))
        out->filtered = true;
    else
        create_on(in, t, false, REASON_NEW, a, out);
}

void plan_link(const struct plan_in *in, struct arena *a, struct plan_out *out)
{
    const struct view *v = in->side;
    memset(out, 0, sizeof *out);
    for (int s = 0; s < 2; s++) {
        if (v[s].kind == VIEW_HERE && v[1 - s].kind == VIEW_NONE) {
            plan_half(in, s, a, out);
            return;
        }
        if (v[s].kind == VIEW_GONE && v[1 - s].kind != VIEW_HERE) {
            out->forget = true;
            return;
        }
    }
    for (int s = 0; s < 2; s++)
        if (v[s].kind == VIEW_HERE && v[s].out) {
            plan_left(in, s, out);
            return;
        }
    for (int s = 0; s < 2; s++)
        if (v[s].kind == VIEW_GONE) {
            plan_deleted(in, s, a, out);
            return;
        }
    if (!in->pair->append) /* else it was said once and stays as it is */
        merge_fields(in, a, out);
}
