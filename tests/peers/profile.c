/* SPDX-License-Identifier: MIT */
/* profile.c - the APIs the peer can be, as one table. */
#include <string.h>

#include "github.h"
#include "zendesk.h"

#define ZENDESK(called)                                                                                                \
    {                                                                                                                  \
        .name = (called), .collection = "/api/v2/tickets", .id = "id", .created = "created_at",                        \
        .updated = "updated_at", .key = "external_id",                                                                 \
        .defaults =                                                                                                    \
            "{\"subject\":null,\"raw_subject\":null,\"description\":\"\",\"priority\":null,\"status\":\"open\","       \
            "\"custom_status_id\":2,\"type\":null,\"due_at\":null,\"requester_id\":102,\"submitter_id\":102,"          \
            "\"assignee_id\":null,\"group_id\":null,\"organization_id\":null,\"brand_id\":1,\"ticket_form_id\":1,"     \
            "\"external_id\":null,\"problem_id\":null,\"recipient\":null,\"is_public\":true,"                          \
            "\"has_incidents\":false,\"via\":{\"channel\":\"api\"},\"tags\":[],\"custom_fields\":" CUSTOM_DEFAULTS     \
            "}",                                                                                                       \
        .granular_ms = 1000, .numbers = true, .serve = zendesk_serve, .order = zendesk_order                           \
    }

const struct profile profiles[] = {
    {.name = "generic",
     .collection = "/items",
     .id = "id",
     .created = "created_at",
     .updated = "updated_at",
     .list = "items",
     .since = "updated_since",
     .limit = "limit",
     .page = "page",
     .offset = "offset",
     .token = "page_token",
     .key = "external_id",
     .defaults = "{}",
     .page_usual = 50,
     .page_most = 200,
     .granular_ms = 1,
     .deletes = true,
     .puts = true,
     .etags = true,
     .idempotent = true,
     .batches = true},
    {.name = "github",
     .collection = "/repos/acme/desk/issues",
     .id = "number",
     .created = "created_at",
     .updated = "updated_at",
     .since = "since",
     .limit = "per_page",
     .page = "page",
     .token = "after",
     .sort = "sort",
     .direction = "direction",
     .filter = "state",
     .filter_usual = "open",
     .defaults = "{\"title\":\"\",\"body\":null,\"state\":\"open\",\"state_reason\":null,\"labels\":[],"
                 "\"assignees\":[],\"milestone\":null,\"type\":null,\"locked\":false,\"closed_at\":null,"
                 "\"closed_by\":null,\"user\":{\"login\":\"octocat\",\"id\":1}}",
     .page_usual = 30,
     .page_most = 100,
     .granular_ms = 1000,
     .numbers = true,
     .newest_first = true,
     .serve = github_serve,
     .order = github_order,
     .show = github_show},
    ZENDESK("zendesk"),
    ZENDESK("zendesk-at-once"), /* whose export leaves out nothing */
    {.name = NULL},
};

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; profiles[i].name; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}
