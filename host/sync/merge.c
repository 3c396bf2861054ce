/* SPDX-License-Identifier: MIT */
/* merge.c - the per-field three-way decision: unchanged, one side changed, both changed, and the conflict policies. */
#include <string.h>

#include "sync/plan.h"

/* One rule's values while it is decided. */
struct field {
    const struct rule *rule;
    const char *name[2]; /* in the base */
    struct sl_value now[2], base[2];
    bool known[2]; /* the base holds it */
    bool dirty[2];
    struct sl_value mapped[2]; /* mapped[t]: what t would get from 1-t; valid if to_ok[t] */
    bool to_ok[2];
    const char *error; /* mapping refused it */
    bool equal;
    bool doubted; /* an old base called one side unchanged, and nothing proves it */
    int winner; /* 0 or 1; -1: leave both, nothing to do; -2: left to a person; 2: both get merged */
    int reason;
    int wait;
    struct sl_value merged[2];
};

static struct sl_value named(struct sl_value v, const char *name)
{
    v.name = name;
    return v;
}

static struct sl_value value_of(const struct sl_record *r, const char *name)
{
    const struct sl_value *v = r ? record_field(r, name) : NULL;
    return v ? *v : value_absent(name);
}

/* The fields of a base made here, which are not yet anybody else's. */
static struct sl_value *base_fields(struct sl_record *r)
{
    return (struct sl_value *)(uintptr_t)r->fields;
}

const char *rule_base_name(const struct rule *r, int s, struct arena *a)
{
    return r->field[s] ? r->field[s] : arena_printf(a, "=%s", r->field[1 - s]);
}

/* What side t holds, or held before it was deleted: a value that comes back gets its type. */
static const struct sl_value *prior(const struct field *f, int t)
{
    const struct sl_value *held = f->now[t].type != SL_ABSENT ? &f->now[t] : &f->base[t];
    return held->type != SL_ABSENT ? held : NULL;
}

static void map_to(const struct plan_in *in, struct field *f, int t, struct arena *a)
{
    struct err e = {0};
    if (!f->rule->to[t] || !in->side[1 - t].now)
        return;
    if (map_value(f->rule, t, in->side[1 - t].now, prior(f, t), in->now_ms, a, &f->mapped[t], &e))
        f->error = f->error ? f->error : arena_text(a, e.text);
    else
        f->to_ok[t] = true;
}

static void load_values(const struct plan_in *in, struct field *f, struct arena *a)
{
    const struct rule *r = f->rule;
    for (int s = 0; s < 2; s++) {
        f->name[s] = rule_base_name(r, s, a);
        f->base[s] = value_of(in->side[s].base, f->name[s]);
        f->known[s] = f->base[s].type != SL_ABSENT;
        f->now[s] = value_of(in->side[s].now, f->name[s]);
    }
    for (int t = 0; t < 2; t++)
        map_to(in, f, t, a);
    for (int s = 0; s < 2; s++) /* a computed rule's source side holds what it computes */
        if (!r->field[s] && f->to_ok[1 - s])
            f->now[s] = named(f->mapped[1 - s], f->name[s]);
    for (int s = 0; s < 2; s++)
        f->dirty[s] = f->now[s].type != SL_ABSENT && !(f->known[s] && value_same(&f->now[s], &f->base[s]));
}

/* ABSENT and NULL on both sides are the same nothing. */
static bool same_nothing(const struct sl_value *x, const struct sl_value *y)
{
    return x->type <= SL_NULL && y->type <= SL_NULL;
}

static bool values_agree(const struct field *f)
{
    for (int t = 1; t >= 0; t--)
        if (f->to_ok[t])
            return same_nothing(&f->mapped[t], &f->now[t]) || value_equal(&f->mapped[t], &f->now[t]);
    return false;
}

static void leave(struct field *f, int wait)
{
    f->winner = -2;
    f->wait = wait;
}

static void take(struct field *f, int winner, int reason)
{
    f->winner = winner;
    f->reason = reason;
}

static void by_time(const struct plan_in *in, struct field *f)
{
    int64_t at[2] = {in->side[0].now->modified_ms, in->side[1].now->modified_ms};
    if (at[0] <= 0 || at[1] <= 0 || at[0] == at[1])
        leave(f, WAIT_CONFLICT);
    else
        take(f, at[0] > at[1] ? 0 : 1, REASON_NEWEST);
}

static void by_size(struct field *f, int policy)
{
    if (!f->to_ok[0]) {
        leave(f, WAIT_CONFLICT);
        return;
    }
    int order = value_compare(&f->now[0], &f->mapped[0]);
    if (policy == POLICY_MIN)
        take(f, order <= 0 ? 0 : 1, REASON_MIN);
    else
        take(f, order >= 0 ? 0 : 1, REASON_MAX);
}

static void by_content(struct field *f)
{
    bool empty[2] = {value_empty(&f->now[0]), value_empty(&f->now[1])};
    if (empty[0] == empty[1])
        leave(f, WAIT_CONFLICT);
    else
        take(f, empty[0] ? 1 : 0, REASON_NONEMPTY);
}

/* A value of side 1-t as side t would hold it. */
static bool map_one(const struct plan_in *in, const struct field *f, int t, const struct sl_value *v, struct arena *a,
                    struct sl_value *out)
{
    struct err e = {0};
    struct sl_record one = {.size = sizeof one, .id = "", .fields = v, .n_fields = 1, .field_size = sizeof *v};
    return map_value(f->rule, t, &one, prior(f, t), in->now_ms, a, out, &e) == 0;
}

static void by_elements(const struct plan_in *in, struct field *f, struct arena *a)
{
    struct err e = {0};
    struct sl_value base_y = f->base[1], merged;
    leave(f, WAIT_CONFLICT);
    if (!f->to_ok[0] || !f->to_ok[1] || (f->known[1] && !map_one(in, f, 0, &f->base[1], a, &base_y)))
        return;
    if (value_merge_set(a, f->known[0] ? &f->base[0] : NULL, f->known[1] ? &base_y : NULL, &f->now[0], &f->mapped[0],
                        &merged, &e))
        return;
    f->merged[0] = named(merged, f->name[0]);
    if (map_one(in, f, 1, &f->merged[0], a, &f->merged[1]))
        take(f, 2, REASON_MERGE);
}

/* Both sides changed to different values. */
static void decide_conflict(const struct plan_in *in, struct field *f, struct arena *a)
{
    switch (f->rule->policy) {
    case POLICY_A:
        take(f, 0, REASON_POLICY_A);
        break;
    case POLICY_B:
        take(f, 1, REASON_POLICY_B);
        break;
    case POLICY_NEWEST:
        by_time(in, f);
        break;
    case POLICY_NONEMPTY:
        by_content(f);
        break;
    case POLICY_MERGE:
        by_elements(in, f, a);
        break;
    case POLICY_MIN:
    case POLICY_MAX:
        by_size(f, f->rule->policy);
        break;
    default:
        leave(f, WAIT_CONFLICT);
    }
}

/* A field only side t is written by, changed there although 1-t owns it. */
static void decide_drift(struct field *f, int t)
{
    if (f->rule->drift == DRIFT_ALERT)
        leave(f, WAIT_DRIFT);
    else if (f->rule->drift == DRIFT_REVERT || f->dirty[1 - t])
        take(f, 1 - t, f->dirty[1 - t] ? REASON_CHANGED : REASON_REVERT);
}

/* No common base yet: the first agreement on this field. Filling in nothing loses nothing. */
static void decide_first(const struct plan_in *in, struct field *f, struct arena *a)
{
    const struct rule *r = f->rule;
    if (r->to[0] != r->to[1])
        take(f, r->to[1] ? 0 : 1, REASON_FIRST);
    else if (f->now[0].type <= SL_NULL)
        take(f, 1, REASON_FIRST);
    else if (f->now[1].type <= SL_NULL)
        take(f, 0, REASON_FIRST);
    else
        decide_conflict(in, f, a);
}

/* Where a side was written since its old base, that it holds the base's value may be somebody's edit back. */
static void doubt(const struct plan_in *in, struct field *f)
{
    for (int s = 0; s < 2; s++)
        if (in->doubt[s] && f->known[s] && !f->dirty[s] && f->dirty[1 - s] && f->now[s].type != SL_ABSENT)
            f->dirty[s] = f->doubted = true;
}

static void decide(const struct plan_in *in, struct field *f, struct arena *a)
{
    const struct rule *r = f->rule;
    bool first = !f->known[0] && !f->known[1];
    f->winner = -1;
    if (!f->dirty[0] && !f->dirty[1])
        return;
    f->equal = values_agree(f);
    if (f->equal)
        return;
    doubt(in, f);
    if (first) {
        decide_first(in, f, a);
        return;
    }
    if (r->to[0] != r->to[1]) {
        int t = r->to[1] ? 1 : 0;
        if (f->dirty[t] && f->known[t])
            decide_drift(f, t);
        else
            take(f, 1 - t, REASON_CHANGED);
        return;
    }
    if (f->dirty[0] && f->dirty[1])
        decide_conflict(in, f, a);
    else
        take(f, f->dirty[0] ? 0 : 1, REASON_CHANGED);
}

/* A side that does not report a field of the group which the other changed cannot be taken whole. */
static bool incomplete(const struct field *fields, size_t n, int group, int side)
{
    for (size_t i = 0; i < n; i++)
        if (fields[i].rule->group == group && !fields[i].equal && fields[i].dirty[1 - side] &&
            fields[i].now[side].type == SL_ABSENT)
            return true;
    return false;
}

/* A group that one side owns goes as a field does: the other side's edits are drift. */
static void decide_owned(struct field *whole, const bool dirty[2], bool first)
{
    int t = whole->rule->to[1] ? 1 : 0;
    whole->dirty[0] = dirty[0];
    whole->dirty[1] = dirty[1];
    whole->winner = -1;
    if (first || !dirty[t])
        take(whole, 1 - t, first ? REASON_FIRST : REASON_CHANGED);
    else
        decide_drift(whole, t);
}

/* A group takes one side whole, by the fields that differ: the side that changed, or by the policy of its first conflicting field. */
static void decide_group(const struct plan_in *in, struct field *fields, size_t n, int group, struct arena *a)
{
    bool dirty[2] = {false, false}, first = true;
    struct field *lead = NULL;
    for (size_t i = 0; i < n; i++) {
        struct field *f = &fields[i];
        if (f->rule->group != group || f->equal)
            continue;
        dirty[0] |= f->dirty[0];
        dirty[1] |= f->dirty[1];
        if (f->dirty[0] || f->dirty[1]) {
            first &= !f->known[0] && !f->known[1];
            lead = lead && lead->dirty[0] && lead->dirty[1] ? lead : f;
        }
    }
    if (!lead)
        return;
    struct field whole = *lead;
    if (lead->rule->to[0] != lead->rule->to[1]) {
        decide_owned(&whole, dirty, first);
    } else if (dirty[0] && dirty[1]) {
        if (first)
            decide_first(in, &whole, a);
        else
            decide_conflict(in, &whole, a);
        bool merged = whole.winner == 2; /* elements of one field cannot be merged without tearing the group */
        if (merged || (whole.winner >= 0 && incomplete(fields, n, group, whole.winner)))
            leave(&whole, WAIT_CONFLICT);
    } else if (whole.winner >= -1) {
        take(&whole, dirty[0] ? 0 : 1, REASON_CHANGED);
    }
    for (size_t i = 0; i < n; i++) {
        struct field *f = &fields[i];
        if (f->rule->group != group || (whole.winner >= 0 && f->equal) ||
            (!f->dirty[0] && !f->dirty[1] && values_agree(f)))
            continue;
        f->winner = whole.winner;
        f->wait = whole.wait;
        f->reason = f == lead ? whole.reason : whole.reason == REASON_CHANGED ? REASON_CHANGED : REASON_GROUP;
    }
}

static void add_change(struct plan_out *out, const struct field *f, int t, const struct sl_value *after, bool conflict)
{
    struct plan_write *w = &out->write[t];
    struct field_change *c = &w->changes[w->n_changes++];
    memset(c, 0, sizeof *c);
    c->name = f->rule->field[t];
    c->source = f->name[1 - t];
    c->before = f->now[t];
    c->after = named(*after, c->name);
    c->origin = named(f->winner == 2 ? f->merged[1 - t] : f->now[1 - t], f->name[1 - t]);
    c->lost = conflict ? f->now[t] : value_absent(NULL);
    c->reason = (uint8_t)f->reason;
    w->kind = SL_UPDATE;
    w->reason = w->reason ? w->reason : f->reason;
}

static void add_wait(struct plan_out *out, const struct field *f, int kind, const char *reason)
{
    struct plan_wait *w = &out->waits[out->n_waits++];
    w->kind = kind;
    w->rule = f->rule;
    w->reason = reason;
    for (int s = 0; s < 2; s++) {
        w->base[s] = f->base[s];
        w->value[s] = f->now[s];
    }
}

static const char *wait_text(const struct field *f)
{
    if (f->wait == WAIT_DRIFT)
        return "changed on the side that does not own it; take a or b with `syncline conflicts resolve`";
    return "changed on both sides; take a or b, or give a value, with `syncline conflicts resolve`";
}

/* The old base, or none, in a record with room for a field of every rule more. */
static struct sl_record *base_begin(const struct plan_in *in, int s, struct arena *a)
{
    const struct sl_record *old = in->side[s].base;
    struct sl_record *r = base_shell(old ? old : in->side[s].now, a, (old ? old->n_fields : 0) + in->n_rules);
    for (uint32_t i = 0; old && i < old->n_fields; i++)
        base_fields(r)[r->n_fields++] = *sl_value_at(old->fields, old->field_size, i);
    return r;
}

static void set_base(const struct plan_in *in, struct plan_out *out, const struct field *f, int s,
                     const struct sl_value *value, struct arena *a)
{
    struct sl_record *base = (struct sl_record *)(uintptr_t)out->settle[s];
    if (!base)
        out->settle[s] = base = base_begin(in, s, a);
    const struct sl_value *old = record_field(base, f->name[s]);
    uint32_t at = old ? (uint32_t)(old - base->fields) : base->n_fields++;
    base_fields(base)[at] = named(*value, f->name[s]);
}

/* The bases agree without a write: both sides hold the same. */
static void settle(const struct plan_in *in, struct plan_out *out, const struct field *f, struct arena *a)
{
    out->alike |= f->dirty[0] && f->dirty[1] && f->known[0] && f->known[1];
    for (int s = 0; s < 2; s++)
        if (f->now[s].type != SL_ABSENT && !(f->known[s] && value_same(&f->now[s], &f->base[s])))
            set_base(in, out, f, s, &f->now[s], a);
}

/* Both sides count as changed from now on, whichever run looks: each side's base is what the other holds. */
static void cross_bases(const struct plan_in *in, struct plan_out *out, const struct field *f, struct arena *a)
{
    for (int s = 0; s < 2; s++)
        if (f->to_ok[s])
            set_base(in, out, f, s, &f->mapped[s], a);
}

/* Where both sides lack something the bases stay until both have it: the same merge again finds the second half. */
static void add_merged(struct plan_out *out, const struct field *f)
{
    bool lacks[2];
    for (int t = 0; t < 2; t++)
        lacks[t] = !value_equal(&f->merged[t], &f->now[t]);
    for (int t = 0; t < 2; t++) {
        if (!lacks[t])
            continue;
        add_change(out, f, t, &f->merged[t], false);
        out->write[t].changes[out->write[t].n_changes - 1].keeps_bases = lacks[1 - t];
    }
}

static void carry_out(const struct plan_in *in, struct plan_out *out, const struct field *f, struct arena *a)
{
    int t = 1 - f->winner;
    if (f->winner == -2) {
        add_wait(out, f, f->wait, wait_text(f));
        if (f->doubted)
            cross_bases(in, out, f, a);
    } else if (f->winner == 2) {
        add_merged(out, f);
    } else if (f->winner >= 0) {
        if (!f->to_ok[t])
            add_wait(out, f, WAIT_PARKED, f->error ? f->error : "cannot be mapped; check the field's rule");
        else if (f->mapped[t].type != SL_ABSENT)
            add_change(out, f, t, &f->mapped[t], f->dirty[t] && f->dirty[1 - t]);
    } else if (f->equal) {
        settle(in, out, f, a);
    } else {
        out->aside |= f->dirty[0] || f->dirty[1];
    }
}

/* Room for just what is decided: the plans of a whole chunk of records are held at once. */
static void out_init(const struct field *fields, size_t n, struct arena *a, struct plan_out *out)
{
    size_t n_changes[2] = {0, 0}, n_waits = 0;
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        bool taken = f->winner == 0 || f->winner == 1;
        n_waits += f->winner == -2 || (taken && !f->to_ok[1 - f->winner]);
        for (int t = 0; t < 2; t++)
            n_changes[t] += f->winner == 2 || f->winner == 1 - t;
    }
    for (int t = 0; t < 2; t++)
        out->write[t].changes = n_changes[t] ? arena_alloc(a, n_changes[t] * sizeof *out->write[t].changes) : NULL;
    out->waits = n_waits ? arena_alloc(a, n_waits * sizeof *out->waits) : NULL;
}

void merge_fields(const struct plan_in *in, struct arena *a, struct plan_out *out)
{
    struct field *fields = mem_grow(NULL, (in->n_rules + 1) * sizeof *fields);
    int groups = 0;
    for (size_t i = 0; i < in->n_rules; i++) {
        fields[i] = (struct field){.rule = &in->rules[i]};
        load_values(in, &fields[i], a);
        decide(in, &fields[i], a);
        if (in->rules[i].group > groups)
            groups = in->rules[i].group;
    }
    for (int g = 1; g <= groups; g++)
        decide_group(in, fields, in->n_rules, g, a);
    out_init(fields, in->n_rules, a, out);
    for (size_t i = 0; i < in->n_rules; i++)
        carry_out(in, out, &fields[i], a);
    mem_free(fields);
}

void merge_create(const struct plan_in *in, int t, struct arena *a, struct plan_out *out)
{
    struct field *fields = mem_grow(NULL, (in->n_rules + 1) * sizeof *fields);
    size_t n = 0;
    for (size_t i = 0; i < in->n_rules; i++) {
        if (!in->rules[i].to[t])
            continue;
        fields[n] = (struct field){.rule = &in->rules[i], .winner = 1 - t, .reason = REASON_NEW};
        load_values(in, &fields[n++], a);
    }
    out_init(fields, n, a, out);
    for (size_t i = 0; i < n; i++) {
        fields[i].dirty[t] = false; /* nothing is lost to a create */
        carry_out(in, out, &fields[i], a);
    }
    mem_free(fields);
    out->write[t].kind = SL_CREATE;
    out->write[t].reason = REASON_NEW;
}
