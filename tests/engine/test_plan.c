/* SPDX-License-Identifier: MIT */
/* test_plan.c - the pure planner on generated links: whatever a base, two sides and rules are, the plan keeps its promises. */
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "record/value.h"
#include "sync/plan.h"

enum { MAX_RULES = 4, CASES = 200000, MAX_SHOWN = 5 };

/* One generated link: rules, both bases, both sides. */
struct world {
    uint64_t seed, random;
    struct conf_pair pair;
    struct rule rules[MAX_RULES];
    size_t n_rules;
    bool first; /* nothing was agreed yet */
    struct sl_record base[2], now[2];
    struct sl_value base_fields[2][MAX_RULES], now_fields[2][MAX_RULES];
    struct arena a;
    bool bad;
};

static const char *const names[2][MAX_RULES] = {{"p", "q", "r", "s"}, {"p", "q", "r2", "s2"}};

static uint32_t roll(struct world *w, uint32_t n)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->random >> 33) % n;
}

static void broken(struct world *w, const char *what, const char *field)
{
    if (!w->bad)
        fprintf(stderr, "\n  %s: field %s, seed %llu\n", what, field, (unsigned long long)w->seed);
    w->bad = true;
}

/* --- making one --- */

static struct sl_value any_text(struct world *w, const char *name)
{
    static const char *const texts[] = {"x", "y", "z", ""};
    uint32_t n = roll(w, 8);
    return n == 0 ? value_absent(name) : n == 1 ? value_null(name) : value_string(name, texts[n % 4]);
}

/* Of three elements those whose bit is set. */
static struct sl_value any_set(struct world *w, const char *name)
{
    static const char *const texts[] = {"u", "v", "w"};
    struct sl_value *items = arena_alloc(&w->a, 3 * sizeof *items);
    struct sl_value v = {.name = name, .type = SL_SET, .items = items, .item_size = sizeof *items};
    uint32_t bits = roll(w, 8);
    for (uint32_t i = 0; i < 3; i++)
        if (bits >> i & 1)
            items[v.n_items++] = value_string(NULL, texts[i]);
    return v;
}

static struct sl_value any_value(struct world *w, const struct rule *r, int s)
{
    return r->policy == POLICY_MERGE ? any_set(w, r->field[s]) : any_text(w, r->field[s]);
}

static void make_rule(struct world *w, size_t i)
{
    struct rule *r = &w->rules[i];
    uint32_t way = roll(w, 6);
    *r = (struct rule){.field = {names[0][i], names[1][i]},
                       .to = {way != 0, way != 1},
                       .policy = POLICY_A + (int)roll(w, POLICY_MANUAL),
                       .drift = DRIFT_ALERT + (int)roll(w, 3)};
}

/* The first two fields may be a group: two ways, of one policy. */
static void make_group(struct world *w)
{
    if (w->n_rules < 2 || roll(w, 3) || w->rules[0].policy == POLICY_MERGE)
        return;
    w->rules[1].policy = w->rules[0].policy;
    for (size_t i = 0; i < 2; i++) {
        w->rules[i].group = 1;
        w->rules[i].to[0] = w->rules[i].to[1] = true;
    }
}

/* The sides start where the bases are; a base may hold what the other side stores in another way. */
static void make_field(struct world *w, size_t i)
{
    struct rule *r = &w->rules[i];
    for (int s = 0; s < 2; s++) {
        struct sl_value *base = &w->base_fields[s][i], *now = &w->now_fields[s][i];
        bool other_form = roll(w, 5) == 0 && r->policy != POLICY_MERGE;
        *base = s == 0 || other_form ? any_value(w, r, s) : w->base_fields[0][i];
        base->name = r->field[s];
        *now = roll(w, 3) == 0 || w->first ? any_value(w, r, s) : *base;
    }
}

static void make(struct world *w, uint64_t seed)
{
    w->seed = w->random = seed;
    w->pair = (struct conf_pair){.name = "p", .mode = MODE_TWO_WAY};
    w->n_rules = 1 + roll(w, MAX_RULES);
    w->first = roll(w, 8) == 0;
    for (size_t i = 0; i < w->n_rules; i++)
        make_rule(w, i);
    make_group(w);
    for (size_t i = 0; i < w->n_rules; i++)
        make_field(w, i);
    for (int s = 0; s < 2; s++) {
        struct sl_record r = {.size = sizeof r, .id = "1", .n_fields = (uint32_t)w->n_rules};
        r.field_size = sizeof(struct sl_value);
        w->base[s] = w->now[s] = r;
        w->base[s].fields = w->base_fields[s];
        w->now[s].fields = w->now_fields[s];
        w->now[s].modified_ms = 1000 + roll(w, 3);
    }
}

static struct plan_in input(const struct world *w)
{
    struct plan_in in = {.pair = &w->pair, .rules = w->rules, .n_rules = w->n_rules, .now_ms = 5000};
    for (int s = 0; s < 2; s++) {
        in.side[s] = (struct view){.kind = VIEW_HERE, .now = &w->now[s], .base = w->first ? NULL : &w->base[s]};
        in.caps[s] = UINT64_MAX;
    }
    return in;
}

/* --- what one field is, by the words of the invariants --- */

struct seen {
    const struct rule *rule;
    struct sl_value now[2], base[2];
    bool known[2], dirty[2], equal, two_way, lone;
    const struct field_change *change[2];
    const struct plan_wait *wait;
};

static bool nothing(const struct sl_value *v)
{
    return v->type <= SL_NULL;
}

static bool alike(const struct sl_value *x, const struct sl_value *y)
{
    return (nothing(x) && nothing(y)) || value_equal(x, y);
}

static struct sl_value value_in(const struct sl_record *r, const char *name)
{
    const struct sl_value *v = r ? record_field(r, name) : NULL;
    return v ? *v : value_absent(name);
}

static const struct field_change *change_of(struct world *w, const struct plan_write *p, const char *name)
{
    const struct field_change *found = NULL;
    for (size_t i = 0; i < p->n_changes; i++)
        if (strcmp(p->changes[i].name, name) == 0) {
            if (found)
                broken(w, "I33: a field is written twice", name);
            found = &p->changes[i];
        }
    return found;
}

static struct seen look(struct world *w, const struct plan_in *in, const struct plan_out *out, size_t i)
{
    const struct rule *r = &in->rules[i];
    struct seen f = {.rule = r, .two_way = r->to[0] && r->to[1], .lone = r->group == 0};
    for (int s = 0; s < 2; s++) {
        f.now[s] = value_in(in->side[s].now, r->field[s]);
        f.base[s] = value_in(in->side[s].base, r->field[s]);
        f.known[s] = f.base[s].type != SL_ABSENT;
        f.dirty[s] = f.now[s].type != SL_ABSENT && !(f.known[s] && value_same(&f.now[s], &f.base[s]));
        f.change[s] = change_of(w, &out->write[s], r->field[s]);
    }
    f.equal = alike(&f.now[0], &f.now[1]);
    for (size_t n = 0; n < out->n_waits; n++)
        if (out->waits[n].rule == r)
            f.wait = &out->waits[n];
    return f;
}

/* --- the promises --- */

static bool one_of(const struct sl_value *v, const struct seen *f)
{
    for (int s = 0; s < 2; s++)
        if (alike(v, &f->now[s]) || alike(v, &f->base[s]))
            return true;
    return f->rule->policy == POLICY_MERGE;
}

static void check_written(struct world *w, const struct seen *f, int t)
{
    const struct field_change *c = f->change[t];
    const char *name = f->rule->field[t];
    if (!c)
        return;
    if (!f->rule->to[t])
        broken(w, "I34: written against its direction", name);
    if (c->after.type == SL_ABSENT || f->now[1 - t].type == SL_ABSENT)
        broken(w, "I35: absent is written", name);
    if (alike(&c->after, &f->now[t]))
        broken(w, "I36: what is there is written", name);
    if (!one_of(&c->after, f))
        broken(w, "I7: a value that nobody had", name);
    if (f->lone && f->two_way && f->known[0] && f->known[1] && f->dirty[t] && !f->dirty[1 - t])
        broken(w, "I6: the only edit is taken back", name);
    if (f->wait)
        broken(w, "I4: what waits is written", name);
    bool lost = f->dirty[0] && f->dirty[1] && !nothing(&f->now[t]) && f->rule->policy != POLICY_MERGE;
    if (lost && f->two_way && f->lone && !value_equal(&c->lost, &f->now[t]))
        broken(w, "I5: the loser is not kept", name);
}

static void check_field(struct world *w, const struct plan_out *out, const struct seen *f)
{
    const char *name = f->rule->field[0];
    bool agreed = f->known[0] && f->known[1];
    for (int t = 0; t < 2; t++)
        check_written(w, f, t);
    if (f->equal && f->lone && (f->change[0] || f->change[1] || f->wait))
        broken(w, "I3: equal, and yet written or asked about", name);
    for (int s = 0; s < 2 && agreed && f->two_way && f->lone && !f->equal; s++)
        if (f->dirty[s] && !f->dirty[1 - s] && !(f->change[1 - s] && alike(&f->change[1 - s]->after, &f->now[s])))
            broken(w, "I2: a one-sided edit is not written", name);
    if (f->two_way && f->lone && !f->equal && (f->dirty[0] || f->dirty[1]) && !f->change[0] && !f->change[1] &&
        !f->wait)
        broken(w, "I8: an edit is left without a word", name);
    for (int s = 0; s < 2 && f->wait; s++)
        if (out->settle[s] && !alike(&f->base[s], &(struct sl_value){0}) &&
            !value_same(&f->base[s], &(struct sl_value){0})) {
            struct sl_value moved = value_in(out->settle[s], f->rule->field[s]);
            if (!value_same(&moved, &f->base[s]))
                broken(w, "I4: what waits moves its base", name);
        }
}

/* One side whole: no field of the group is written on a side while another is on the other. */
static void check_group(struct world *w, const struct plan_in *in, const struct plan_out *out)
{
    bool writes[2] = {false, false}, waits = false;
    for (size_t i = 0; i < in->n_rules; i++) {
        struct seen f = look(w, in, out, i);
        if (f.lone)
            continue;
        waits |= f.wait != NULL;
        for (int t = 0; t < 2; t++)
            writes[t] |= f.change[t] != NULL;
    }
    if ((writes[0] && writes[1]) || (waits && (writes[0] || writes[1])))
        broken(w, "I10: a group is torn", "p, q");
}

static void check_plan(struct world *w, const struct plan_in *in, const struct plan_out *out)
{
    for (size_t i = 0; i < in->n_rules; i++) {
        struct seen f = look(w, in, out, i);
        check_field(w, out, &f);
    }
    for (int t = 0; t < 2; t++)
        for (size_t c = 0; c < out->write[t].n_changes; c++) {
            bool mapped = false;
            for (size_t i = 0; i < in->n_rules; i++)
                mapped |= strcmp(in->rules[i].field[t], out->write[t].changes[c].name) == 0;
            if (!mapped)
                broken(w, "I33: a field that is not mapped is written", out->write[t].changes[c].name);
        }
    check_group(w, in, out);
}

/* --- the plan as text: to be the same again, and mirrored --- */

static const char *plan_text(struct world *w, const struct plan_in *in, const struct plan_out *out, bool mirrored)
{
    struct buf b = {0};
    for (size_t i = 0; i < in->n_rules; i++) {
        struct seen f = look(w, in, out, i);
        for (int s = 0; s < 2; s++) {
            const struct field_change *c = f.change[mirrored ? 1 - s : s];
            buf_printf(&b, "%zu%c", i, c ? '=' : '-');
            if (c)
                value_put_canonical(&b, &c->after);
        }
        buf_printf(&b, "%s;", f.wait ? " waits" : "");
    }
    const char *text = arena_text(&w->a, b.data);
    buf_fini(&b);
    return text;
}

static void mirror(const struct world *w, struct plan_in *in, struct rule rules[MAX_RULES])
{
    *in = input(w);
    struct view a = in->side[0];
    in->side[0] = in->side[1];
    in->side[1] = a;
    in->rules = rules;
    for (size_t i = 0; i < w->n_rules; i++) {
        const struct rule *r = &w->rules[i];
        rules[i] = *r;
        for (int s = 0; s < 2; s++) {
            rules[i].field[s] = r->field[1 - s];
            rules[i].to[s] = r->to[1 - s];
        }
        if (r->policy == POLICY_A || r->policy == POLICY_B)
            rules[i].policy = r->policy == POLICY_A ? POLICY_B : POLICY_A;
    }
}

static void check_again(struct world *w, const char *plan)
{
    struct plan_in in = input(w);
    struct plan_out out;
    plan_link(&in, &w->a, &out);
    if (strcmp(plan, plan_text(w, &in, &out, false)) != 0)
        broken(w, "I17: the same again is another plan", "any");
    struct rule rules[MAX_RULES];
    mirror(w, &in, rules);
    plan_link(&in, &w->a, &out);
    if (strcmp(plan, plan_text(w, &in, &out, true)) != 0)
        broken(w, "I15: the mirror image is another plan", "any");
}

static void show_value(struct buf *b, const struct sl_value *v)
{
    if (v->type == SL_ABSENT)
        buf_text(b, "absent");
    else
        value_put_json(b, v);
}

/* For a failing seed: what each side held and holds. */
static void show(struct world *w)
{
    static const char *const policies[] = {"", "a", "b", "newest", "nonempty", "merge", "min", "max", "manual"};
    struct buf b = {0};
    for (size_t i = 0; i < w->n_rules; i++) {
        const struct rule *r = &w->rules[i];
        buf_printf(&b, "    %s %s%s %s%s:", r->field[0], r->to[0] ? "<" : "", r->to[1] ? ">" : "", policies[r->policy],
                   r->group ? " grouped" : "");
        for (int s = 0; s < 2; s++) {
            buf_text(&b, s ? ", b " : " a ");
            show_value(&b, &w->base_fields[s][i]);
            buf_text(&b, w->first ? " (not agreed) now " : " now ");
            show_value(&b, &w->now_fields[s][i]);
        }
        buf_byte(&b, '\n');
    }
    fprintf(stderr, "%.*s", (int)b.size, b.data);
    buf_fini(&b);
}

/* --- carried out, as the engine does: one side, both bases, then planned again --- */

static const struct sl_record *stored(struct world *w, const struct sl_record *now, const struct plan_write *p)
{
    struct sl_record *r = record_copy(&w->a, now);
    for (size_t i = 0; i < p->n_changes; i++)
        record_set(r, &w->a, &p->changes[i].after);
    return r;
}

static bool carry_out(struct world *w, struct plan_in *in)
{
    struct plan_out out;
    plan_link(in, &w->a, &out);
    check_plan(w, in, &out);
    for (int s = 0; s < 2; s++)
        if (out.settle[s])
            in->side[s].base = out.settle[s];
    int t = out.write[1].kind ? 1 : out.write[0].kind ? 0 : -1;
    if (t < 0)
        return false;
    const struct plan_write *p = &out.write[t];
    const struct sl_record *now[2] = {in->side[0].now, in->side[1].now};
    now[t] = stored(w, now[t], p);
    for (int s = 0; s < 2; s++) {
        in->side[s].base = plan_base(in->side[s].base, now[s], p->changes, p->n_changes, s == t, &w->a);
        in->side[s].now = now[s];
    }
    return true;
}

static void check_rest(struct world *w)
{
    struct plan_in in = input(w);
    int n = 0;
    while (n < 6 && carry_out(w, &in))
        n++;
    if (n > 2)
        broken(w, "I11: it does not come to rest", "any");
    struct plan_out out;
    plan_link(&in, &w->a, &out);
    for (size_t i = 0; i < w->n_rules; i++) {
        struct seen f = look(w, &in, &out, i);
        bool unsaid = f.now[0].type == SL_ABSENT || f.now[1].type == SL_ABSENT;
        if (f.two_way && !f.wait && !f.equal && !unsaid && (f.dirty[0] || f.dirty[1]))
            broken(w, "I12: at rest and not in step", f.rule->field[0]);
    }
}

static bool run_seed(struct world *w, uint64_t seed)
{
    struct plan_out out;
    w->bad = false;
    make(w, seed);
    struct plan_in in = input(w);
    plan_link(&in, &w->a, &out);
    check_plan(w, &in, &out);
    check_again(w, plan_text(w, &in, &out, false));
    check_rest(w);
    if (w->bad)
        show(w);
    arena_reset(&w->a);
    return !w->bad;
}

static void test_generated(void)
{
    struct world *w = mem_alloc(sizeof *w);
    const char *one = getenv("PLAN_SEED");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, n = one ? 1 : check_scaled(CASES);
    unsigned bad = 0;
    for (uint64_t seed = from; seed < from + n && bad < MAX_SHOWN; seed++)
        bad += !run_seed(w, seed);
    CU_ASSERT_EQUAL(bad, 0);
    check_cases(n);
    printf("counts: plans %llu\n", (unsigned long long)n);
    arena_fini(&w->a);
    mem_free(w);
}

static const struct check tests[] = {
    {"I2 I3 I4 I5 I6 I7 I8 I10 I11 I12 I15 I17 I33 I34 I35 I36: generated links", test_generated},
};
CHECK_MAIN("plan", tests)
