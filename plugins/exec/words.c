/* SPDX-License-Identifier: MIT */
/* words.c - the words of the protocol for the SDK's numbers. */
#include "words.h"

#include <string.h>
#include <syncline/syncline.h>

const struct word class_words[] = {
    {"rejected", SL_REJECTED}, {"conflict", SL_CONFLICT}, {"gone", SL_GONE},     {"auth", SL_AUTH},
    {"rate", SL_RATE},         {"retry", SL_RETRY},       {"config", SL_CONFIG}, {"unsupported", SL_UNSUPPORTED},
    {"exists", SL_EXISTS},     {"busy", SL_BUSY},         {"broken", SL_BROKEN}, {NULL, 0}};

const struct word cap_words[] = {{"create", SL_CAP_CREATE},
                                 {"update", SL_CAP_UPDATE},
                                 {"delete", SL_CAP_DELETE},
                                 {"archive", SL_CAP_ARCHIVE},
                                 {"delta", SL_CAP_DELTA},
                                 {"complete", SL_CAP_COMPLETE},
                                 {"delete_feed", SL_CAP_DELETE_FEED},
                                 {"get", SL_CAP_GET},
                                 {"find_correlation", SL_CAP_FIND_CORRELATION},
                                 {"find_key", SL_CAP_FIND_KEY},
                                 {"idempotent", SL_CAP_IDEMPOTENT},
                                 {"reserved_id", SL_CAP_RESERVED_ID},
                                 {"conditional", SL_CAP_CONDITIONAL},
                                 {"version_order", SL_CAP_VERSION_ORDER},
                                 {"open_schema", SL_CAP_OPEN_SCHEMA},
                                 {NULL, 0}};

const struct word type_words[] = {{"bool", SL_BOOL},     {"int", SL_INT},   {"decimal", SL_DECIMAL},
                                  {"string", SL_STRING}, {"date", SL_DATE}, {"timestamp", SL_TIMESTAMP},
                                  {"enum", SL_ENUM},     {"ref", SL_REF},   {"set", SL_SET},
                                  {"json", SL_JSON},     {NULL, 0}};

const struct word flag_words[] = {{"writable", SL_FIELD_WRITABLE},
                                  {"required", SL_FIELD_REQUIRED},
                                  {"key", SL_FIELD_KEY},
                                  {"unique", SL_FIELD_UNIQUE},
                                  {"custom", SL_FIELD_CUSTOM},
                                  {"create_only", SL_FIELD_CREATE_ONLY},
                                  {NULL, 0}};

const struct word rule_words[] = {
    {"server", SL_ID_SERVER}, {"text", SL_ID_TEXT}, {"name", SL_ID_NAME}, {"integer", SL_ID_INTEGER}, {NULL, 0}};

const struct word page_words[] = {
    {"more", SL_PAGE_MORE}, {"done", SL_PAGE_DONE}, {"complete", SL_PAGE_COMPLETE}, {NULL, 0}};

const struct word result_words[] = {
    {"applied", SL_APPLIED}, {"not_applied", SL_NOT_APPLIED}, {"uncertain", SL_UNCERTAIN}, {NULL, 0}};

const char *const kind_words[] = {
    [SL_CREATE] = "create", [SL_UPDATE] = "update", [SL_DELETE] = "delete", [SL_ARCHIVE] = "archive"};

uint64_t word_value(const struct word *words, const char *text)
{
    for (; text && words->text; words++)
        if (strcmp(words->text, text) == 0)
            return words->value;
    return 0;
}
