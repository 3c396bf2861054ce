/* SPDX-License-Identifier: MIT */
/* digest.c - one number a side for all that a full compare saw of it: equal numbers, equal content, in whatever order it came. */
#include <string.h>

#include "sync/engine.h"

/* A rule's value on side s; what is not reported is taken to be as it was. */
static const struct sl_value *held(const struct unit *u, const struct rule *r, int s)
{
    const char *name = r->field[s];
    const struct sl_value *v = name && u->view[s].now ? record_field(u->view[s].now, name) : NULL;
    return v || !name || !u->base[s] ? v : record_field(u->base[s], name);
}

static struct sl_value seen_from(struct engine *g, const struct unit *u, const struct rule *r, int t,
                                 const struct sl_value *prior, bool *ok)
{
    struct err why = {0};
    struct sl_value mapped, one = {0};
    struct sl_record only = {.size = sizeof only, .id = "", .fields = &one, .field_size = sizeof one};
    const struct sl_value *source = held(u, r, 1 - t);
    if (source) {
        one = *source;
        only.n_fields = 1;
    }
    const struct sl_record *from = r->expr[t] && u->view[1 - t].now ? u->view[1 - t].now : &only;
    *ok = map_value(r, t, from, prior, g->now_ms, &g->chunk, &mapped, &why) == 0;
    return mapped;
}

static void put_alike(struct buf *out, const struct sl_value *v)
{
    struct buf text = {0};
    if (v->type != SL_JSON) {
        put_unnamed(out, v);
        return;
    }
    value_put_canonical(&text, v);
    put_blob(out, text.data, text.size);
    buf_fini(&text);
}

/* Both sides' value as the written side sees it: the same bytes where they agree, whatever each system makes of them. */
static void put_field(struct engine *g, const struct unit *u, const struct rule *r, struct buf side[2])
{
    int t = r->to[1] ? 1 : 0;
    bool one_way = r->to[0] != r->to[1], ok = false;
    if (one_way && r->drift == DRIFT_IGNORE) /* it may differ */
        return;
    const struct sl_value *there = held(u, r, t);
    struct sl_value here = there ? *there : value_absent(NULL);
    struct sl_value mapped = seen_from(g, u, r, t, there, &ok);
    if (ok && mapped.type == SL_ABSENT && one_way)
        return;
    bool nothing = mapped.type <= SL_NULL && here.type <= SL_NULL;
    bool agree = ok && (nothing || value_equal(&mapped, &here));
    for (int s = 0; s < 2 && !(agree && nothing); s++) {
        put_text(&side[s], r->field[t]);
        put_u8(&side[s], ok || s == t);
        put_alike(&side[s], s == t || agree || !ok ? &here : &mapped);
    }
}

/* Addition modulo 2^128: no order, and the same record twice does not cancel itself. */
static void add(struct hash128 *sum, const struct buf *bytes)
{
    struct hash128 h = hash128(bytes->data, bytes->size);
    unsigned carry = 0;
    for (size_t i = sizeof h.bytes; i-- > 0;) {
        carry += (unsigned)sum->bytes[i] + h.bytes[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static bool outside(const struct unit *u)
{
    return u->link.state == LINK_UNLINKED || u->link.state == LINK_UNDONE || u->plan.filtered;
}

void digest_unit(struct engine *g, const struct unit *u)
{
    struct buf side[2] = {{0}, {0}};
    bool looked_at = u->view[0].kind != 0;
    for (int s = 0; s < 2; s++) {
        buf_add(&side[s], u->link.key.bytes, sizeof u->link.key.bytes);
        put_u8(&side[s], looked_at ? 2 : (uint8_t)s); /* what could not be read is like nothing on the other side */
    }
    for (size_t i = 0; looked_at && i < u->n_rules; i++)
        put_field(g, u, &u->rules[i], side);
    for (int s = 0; s < 2 && !outside(u); s++)
        if (u->link.id[s] && (!looked_at || u->view[s].kind == VIEW_HERE))
            add(&g->report->digest[s], &side[s]);
    for (int s = 0; s < 2; s++)
        buf_fini(&side[s]);
}
