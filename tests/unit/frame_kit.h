/* SPDX-License-Identifier: MIT */
/* frame_kit.h - one struct of every shape that crosses between host and runner, with every member set. */
#ifndef TESTS_FRAME_KIT_H
#define TESTS_FRAME_KIT_H

#include "runner/frame.h"

static const struct sl_value kit_items[] = {
    {.type = SL_STRING, .text = "red", .text_size = 3},
    {.type = SL_INT, .number = -9},
};
static const struct sl_value kit_fields[] = {
    {.name = "title", .type = SL_STRING, .text = "a\xc3\xa9", .text_size = 3},
    {.name = "none", .type = SL_NULL},
    {.name = "not told", .type = SL_ABSENT},
    {.name = "empty", .type = SL_STRING, .text = "", .text_size = 0},
    {.name = "n", .type = SL_INT, .number = INT64_MIN},
    {.name = "when", .type = SL_TIMESTAMP, .number = 1700000000123, .grain_ms = 1000},
    {.name = "who", .type = SL_REF, .text = "u1", .text_size = 2, .object = "users"},
    {.name = "tags", .type = SL_SET, .items = kit_items, .n_items = 2, .item_size = sizeof(struct sl_value)},
};
#define KIT_FIELDS .fields = kit_fields, .n_fields = 8, .field_size = sizeof(struct sl_value)
static const struct sl_record kit_record = {.size = sizeof(struct sl_record),
                                            .modified_grain_ms = 1,
                                            .id = "r1",
                                            .version = "",
                                            .modified_ms = -5,
                                            .created_ms = 1700000000000,
                                            .label = "a record",
                                            .parent_id = "p1",
                                            .correlation = "00112233445566778899aabbccddeeff",
                                            KIT_FIELDS};
static const struct sl_item kit_item = {.size = sizeof(struct sl_item),
                                        .kind = SL_ITEM_RECORD,
                                        .id = "r1",
                                        .version = "v",
                                        .record = &kit_record,
                                        .successor_id = "r2",
                                        .error_class = SL_GONE,
                                        .message = "why",
                                        .object = "tickets"};
static const struct sl_page kit_page = {
    .size = sizeof(struct sl_page), .kind = SL_PAGE_MORE, .cursor = "c", .epoch = "e"};
static const struct sl_outcome kit_outcome = {.size = sizeof(struct sl_outcome),
                                              .index = 4000000000u,
                                              .result = SL_APPLIED,
                                              .error_class = SL_RATE,
                                              .record = &kit_record,
                                              .message = "m",
                                              .read_back = 1,
                                              .retry_after_ms = 77};
static const char *const kit_texts[] = {"open", "", "closed"};
static const struct sl_field kit_described[] = {{.name = "status",
                                                 .type = SL_ENUM,
                                                 .flags = SL_FIELD_WRITABLE,
                                                 .label = "Status",
                                                 .values = kit_texts,
                                                 .n_values = 3,
                                                 .max_bytes = 9,
                                                 .ref_object = "users"},
                                                {.name = "plain"}};
static const struct sl_object kit_object = {.size = sizeof(struct sl_object),
                                            .id_rule = SL_ID_INTEGER,
                                            .name = "tickets",
                                            .model = "ticket",
                                            .caps = UINT64_MAX,
                                            .fields = kit_described,
                                            .n_fields = 2,
                                            .field_size = sizeof(struct sl_field),
                                            .id_max_bytes = 1,
                                            .batch_max = 2,
                                            .next_id = 3,
                                            .late_ms = 4,
                                            .index_lag_ms = 5,
                                            .stale_ms = 6,
                                            .idempotency_ttl_s = 7,
                                            .parent_object = "accounts"};
static const struct sl_header kit_headers[] = {{"accept", "text/plain"}, {"x", ""}};
#define KIT_HEADERS .headers = kit_headers, .n_headers = 2, .header_size = sizeof(struct sl_header)
static const struct sl_http_request kit_request = {.size = sizeof(struct sl_http_request),
                                                   .timeout_ms = 5,
                                                   .method = "POST",
                                                   .url = "/a",
                                                   KIT_HEADERS,
                                                   .body = "a\0b",
                                                   .body_bytes = 3,
                                                   .idempotency_key = "k",
                                                   .repeatable = 1};
static const struct sl_http_response kit_response = {.size = sizeof(struct sl_http_response),
                                                     .end = SL_HTTP_ANSWERED,
                                                     .status = 200,
                                                     .advice = SL_OK,
                                                     KIT_HEADERS,
                                                     .body = "",
                                                     .body_bytes = 0,
                                                     .retry_after_ms = -1,
                                                     .next_url = "/next",
                                                     .message = "m"};
static const struct sl_pull kit_pull = {.size = sizeof(struct sl_pull),
                                        .flags = SL_PULL_FULL,
                                        .object = "tickets",
                                        .cursor = "c",
                                        .page_max = 7,
                                        .parent_id = "p"};
static const struct sl_get kit_get = {.size = sizeof(struct sl_get), .n_ids = 3, .object = "tickets", .ids = kit_texts};
static const struct sl_find kit_find = {.size = sizeof(struct sl_find),
                                        .max_items = 2,
                                        .object = "tickets",
                                        .correlation = "c",
                                        .value = &kit_fields[0],
                                        .parent_id = "p"};
static const struct sl_write kit_writes[] = {{.kind = SL_CREATE,
                                              .flags = SL_WRITE_REPEAT,
                                              .id = "r",
                                              .parent_id = "p",
                                              .correlation = "c",
                                              .idempotency_key = "i",
                                              .expected_version = "v",
                                              KIT_FIELDS},
                                             {.kind = SL_DELETE, .id = "r2"}};
static const struct sl_batch kit_batch = {.size = sizeof(struct sl_batch),
                                          .n_writes = 2,
                                          .write_size = sizeof(struct sl_write),
                                          .object = "tickets",
                                          .writes = kit_writes};
static const struct sl_hook kit_hook = {
    .size = sizeof(struct sl_hook), KIT_HEADERS, .body = "{}", .body_bytes = 2, .received_ms = 9};
static const struct sl_settings kit_settings = {.size = sizeof(struct sl_settings),
                                                .n_values = 8,
                                                .value_size = sizeof(struct sl_value),
                                                .values = kit_fields,
                                                .connection = "desk"};
static const struct sl_option kit_options[] = {
    {.name = "root", .kind = SL_OPT_PATH, .required = 1, .fallback = "f", .values = "a|b", .help = "help"}};
static const struct sl_http_rules kit_rules = {.size = sizeof(struct sl_http_rules),
                                               .n_auths = 3,
                                               .base_url = "https://{x}.example.com",
                                               .auths = kit_texts,
                                               .origins = kit_texts,
                                               .n_origins = 2,
                                               .idempotency_header = "Key"};
static const struct sl_plugin kit_plugin = {.size = sizeof(struct sl_plugin),
                                            .abi_major = 1,
                                            .abi_minor = 65535,
                                            .name = "desk",
                                            .version = "1",
                                            .summary = "s",
                                            .caps = 1ULL << 63,
                                            .needs = 5,
                                            .options = kit_options,
                                            .n_options = 1,
                                            .option_size = sizeof(struct sl_option),
                                            .http = &kit_rules};
static const struct frame_start kit_start = {.reach = SL_REACH_FILES, .n_paths = 3, .paths = kit_texts};
static const struct frame_hello kit_hello = {.refused = "no", .calls = 511, .plugin = &kit_plugin};
static const struct frame_return kit_return = {
    .error_class = SL_AUTH, .why = "w", .page = &kit_page, .n_objects = 1, .objects = &kit_object};

/* By shape. */
static const void *const kit_all[N_SHAPES] = {
    [SHAPE_VALUE] = &kit_fields[7],   [SHAPE_RECORD] = &kit_record,     [SHAPE_ITEM] = &kit_item,
    [SHAPE_PAGE] = &kit_page,         [SHAPE_OUTCOME] = &kit_outcome,   [SHAPE_FIELD] = &kit_described[0],
    [SHAPE_OBJECT] = &kit_object,     [SHAPE_HEADER] = &kit_headers[0], [SHAPE_REQUEST] = &kit_request,
    [SHAPE_RESPONSE] = &kit_response, [SHAPE_PULL] = &kit_pull,         [SHAPE_GET] = &kit_get,
    [SHAPE_FIND] = &kit_find,         [SHAPE_WRITE] = &kit_writes[0],   [SHAPE_BATCH] = &kit_batch,
    [SHAPE_HOOK] = &kit_hook,         [SHAPE_SETTINGS] = &kit_settings, [SHAPE_OPTION] = &kit_options[0],
    [SHAPE_RULES] = &kit_rules,       [SHAPE_PLUGIN] = &kit_plugin,     [SHAPE_START] = &kit_start,
    [SHAPE_HELLO] = &kit_hello,       [SHAPE_RETURN] = &kit_return,
};

#endif
