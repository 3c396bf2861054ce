/* SPDX-License-Identifier: MIT */
/* deadly.c - takes creates of whole batches at once, and dies of one record among them. */
#define NAME "deadly"
#include <syncline/syncline.h>

static int describe_one(void *session, const char *object);
static int get_known(void *session, const struct sl_get *get);
static int write_all(void *session, const struct sl_batch *batch);
#define OFFERS (SL_CAP_DELTA | SL_CAP_CREATE | SL_CAP_GET | SL_CAP_RESERVED_ID)
#define MORE .get = get_known
#define CAPS OFFERS
#define DESCRIBE describe_one
#define WRITE write_all
#include "hostile.h"

static int act(const struct sl_host *host)
{
    const struct sl_page page = {.size = sizeof page, .kind = SL_PAGE_DONE, .cursor = "1"};
    host->page(host->ctx, &page);
    return SL_OK;
}

static int describe_one(void *session, const char *object)
{
    const struct sl_host *host = session;
    static const struct sl_field title = {.name = "title", .type = SL_STRING, .flags = SL_FIELD_WRITABLE};
    const struct sl_object o = {.size = sizeof o,
                                .id_rule = SL_ID_NAME,
                                .name = "o",
                                .caps = OFFERS,
                                .fields = &title,
                                .n_fields = 1,
                                .field_size = sizeof title};
    if (!object || strcmp(object, "o") == 0)
        host->object(host->ctx, &o);
    return SL_OK;
}

/* It keeps nothing: what it was given is known by its id, rN is titled tN. */
static int get_known(void *session, const struct sl_get *get)
{
    const struct sl_host *host = session;
    for (uint32_t i = 0; i < get->n_ids; i++) {
        char title[32];
        snprintf(title, sizeof title, "t%.20s", get->ids[i] + 1);
        const struct sl_value v = {
            .name = "title", .type = SL_STRING, .text = title, .text_size = (uint32_t)strlen(title)};
        const struct sl_record r = {
            .size = sizeof r, .id = get->ids[i], .fields = &v, .n_fields = 1, .field_size = sizeof v};
        const struct sl_item here = {.size = sizeof here, .kind = SL_ITEM_RECORD, .record = &r};
        const struct sl_item gone = {.size = sizeof gone, .kind = SL_ITEM_TOMBSTONE, .id = get->ids[i]};
        host->emit(host->ctx, strcmp(get->ids[i], "r7") == 0 ? &gone : &here);
    }
    return SL_OK;
}

static int write_all(void *session, const struct sl_batch *batch)
{
    const struct sl_host *host = session;
    for (uint32_t i = 0; i < batch->n_writes; i++)
        if (strcmp(sl_write_at(batch, i)->id, "r7") == 0)
            raise(SIGSEGV);
    for (uint32_t i = 0; i < batch->n_writes; i++) {
        const struct sl_outcome o = {.size = sizeof o, .index = i, .result = SL_APPLIED};
        host->outcome(host->ctx, &o);
    }
    return SL_OK;
}
