/* SPDX-License-Identifier: MIT */
/* hooks.c - webhooks, signed, and what goes wrong with them; a test takes them and gives them to the receiver itself. */
#include <stdio.h>
#include <string.h>

#include "jwt.h"
#include "peer.h"

/* By value: the list it may come from moves. */
static void deliver(struct peer *p, struct hook h)
{
    p->hooks = mem_grow(p->hooks, (p->n_hooks + 1) * sizeof *p->hooks);
    h.body = mem_dup(h.body);
    p->hooks[p->n_hooks++] = h;
}

static void sign(struct hook *h, const char *secret)
{
    memcpy(h->signature, "sha256=", 7);
    jwt_hmac(secret, h->body, h->signature + 7);
}

static void forge(struct peer *p, const char *id)
{
    struct buf body = {0};
    struct hook h = {.id = "forged"};
    buf_printf(&body,
               p->profile->numbers ? "{\"action\":\"deleted\",\"record\":{\"%s\":%s}}"
                                   : "{\"action\":\"deleted\",\"record\":{\"%s\":\"%s\"}}",
               p->profile->id, id);
    h.body = body.data;
    sign(&h, "a guess");
    deliver(p, h);
    buf_fini(&body);
}

static void make(struct peer *p, const struct record *r, struct hook *h)
{
    struct buf body = {0};
    const char *action = record_now(r)->gone ? "deleted" : r->n_versions > 1 ? "edited" : "created";
    buf_printf(&body, "{\"action\":\"%s\",\"record\":", action);
    put_record(p, r, record_now(r), &body);
    buf_byte(&body, '}');
    snprintf(h->id, sizeof h->id, "%llu", (unsigned long long)p->serial);
    h->body = body.data;
    sign(h, p->hook_secret);
}

void hooks_send(struct peer *p, const struct record *r)
{
    struct hook h = {0};
    if (!trait(p, KNOB_HOOKS))
        return;
    make(p, r, &h);
    if (!struck(p, KNOB_HOOK_LOST))
        deliver(p, h);
    if (struck(p, KNOB_HOOK_TWICE))
        deliver(p, h);
    if (struck(p, KNOB_HOOK_ORDER) && p->n_hooks - p->hooks_told > 1) {
        struct hook last = p->hooks[p->n_hooks - 1];
        p->hooks[p->n_hooks - 1] = p->hooks[p->n_hooks - 2];
        p->hooks[p->n_hooks - 2] = last;
    }
    if (struck(p, KNOB_HOOK_AGAIN) && p->n_hooks)
        deliver(p, p->hooks[0]);
    if (struck(p, KNOB_HOOK_FORGED))
        forge(p, p->records[0]->id);
    mem_free(h.body);
}

void hooks_tell(struct peer *p, struct answer *a)
{
    buf_byte(&a->body, '[');
    for (size_t i = p->hooks_told; i < p->n_hooks; i++) {
        const struct hook *h = &p->hooks[i];
        buf_printf(&a->body,
                   "%s{\"X-Delivery\":\"%s\",\"X-Signature-256\":\"%s\",\"body\":", i > p->hooks_told ? "," : "", h->id,
                   h->signature);
        json_put_string(&a->body, h->body, strlen(h->body));
        buf_byte(&a->body, '}');
    }
    buf_byte(&a->body, ']');
    p->hooks_told = p->n_hooks;
}
