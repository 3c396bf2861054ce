/* SPDX-License-Identifier: MIT */
/* fields.c - the table of a ticket's fields: their names here, their members there, and the way between. */
#include <string.h>

#include "zendesk.h"

#define COUNT(list) (uint32_t)(sizeof(list) / sizeof(*(list)))
#define W SL_FIELD_WRITABLE
#define ONCE (SL_FIELD_WRITABLE | SL_FIELD_CREATE_ONLY)

static const char *const statuses[] = {"new", "open", "pending", "on_hold", "resolved", "closed"};
static const char *const priorities[] = {"low", "normal", "high", "urgent"};
static const char *const types[] = {"question", "incident", "problem", "task"};

#define WORDS(list) .values = (list), .n_values = COUNT(list)
#define PERSON .type = SL_REF, .flags = W | SL_FIELD_EMAIL, .ref_object = "users"

const struct way_field ticket_fields[] = {
    {{.name = "title", .type = SL_STRING, .flags = W}, "subject", WAY_PLAIN},
    {{.name = "body", .type = SL_STRING, .flags = ONCE, .max_bytes = BODY_MOST}, "description", WAY_BODY},
    {{.name = "status", .type = SL_ENUM, .flags = W, WORDS(statuses)}, "status", WAY_WORD},
    {{.name = "priority", .type = SL_ENUM, .flags = W, WORDS(priorities)}, "priority", WAY_WORD},
    {{.name = "type", .type = SL_ENUM, .flags = W, WORDS(types)}, "type", WAY_WORD},
    {{.name = "tags", .type = SL_SET, .flags = W}, "tags", WAY_TAGS},
    {{.name = "assignee", PERSON}, "assignee_id", WAY_PERSON},
    {{.name = "reporter", PERSON}, "requester_id", WAY_PERSON},
    {{.name = "due_date", .type = SL_DATE, .flags = W}, "due_at", WAY_DATE},
    {{.name = "created_at", .type = SL_TIMESTAMP}, "created_at", WAY_TIME},
    {{.name = "updated_at", .type = SL_TIMESTAMP}, "updated_at", WAY_TIME},
    {{.name = "external_key", .type = SL_STRING}, "external_id", WAY_PLAIN},
    {{.name = "url", .type = SL_STRING}, "url", WAY_URL},
    {{.name = "assignee_name", .type = SL_STRING}, "assignee_id", WAY_NAME},
    {{.name = "reporter_name", .type = SL_STRING}, "requester_id", WAY_NAME},
    {{.name = "native.custom_status_id", .type = SL_INT, .flags = W}, "custom_status_id", WAY_PLAIN},
    {{.name = "native.group_id", .type = SL_INT, .flags = W}, "group_id", WAY_PLAIN},
    {{.name = "native.organization_id", .type = SL_INT, .flags = W}, "organization_id", WAY_PLAIN},
    {{.name = "native.brand_id", .type = SL_INT, .flags = W}, "brand_id", WAY_PLAIN},
    {{.name = "native.ticket_form_id", .type = SL_INT, .flags = W}, "ticket_form_id", WAY_PLAIN},
    {{.name = "native.problem_id", .type = SL_INT, .flags = W}, "problem_id", WAY_PLAIN},
    {{.name = "native.recipient", .type = SL_STRING, .flags = W}, "recipient", WAY_PLAIN},
    {{.name = "native.is_public", .type = SL_BOOL, .flags = ONCE}, "is_public", WAY_PUBLIC},
    {{.name = "native.has_incidents", .type = SL_BOOL}, "has_incidents", WAY_PLAIN},
    {{.name = "native.submitter_id", .type = SL_INT}, "submitter_id", WAY_PLAIN},
    {{.name = "native.via", .type = SL_JSON}, "via", WAY_PLAIN},
    {{.name = "native.satisfaction_rating", .type = SL_JSON}, "satisfaction_rating", WAY_PLAIN},
};
const uint32_t n_ticket_fields = COUNT(ticket_fields);

const struct sl_field user_fields[] = {
    {.name = "name", .type = SL_STRING},         {.name = "email", .type = SL_STRING},
    {.name = "active", .type = SL_BOOL},         {.name = "role", .type = SL_STRING},
    {.name = "external_key", .type = SL_STRING},
};
const uint32_t n_user_fields = COUNT(user_fields);

const char *status_word(const char *text, bool out)
{
    static const char *const words[][2] = {{"on_hold", "hold"}, {"resolved", "solved"}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(text, words[i][!out]) == 0)
            return words[i][out];
    return text;
}
