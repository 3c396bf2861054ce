/* SPDX-License-Identifier: MIT */
/* layout.c - the layout of ABI 1.0, for good: compiling it proves that offsets, sizes and numbers have not moved. */
#include <syncline/syncline.h>

/*
 * A later minor adds rows for its new members and raises no number here. A new member's offset is at least the
 * AT_LEAST of its struct: one put into the padding at the end is not told by `size`.
 */
#define MEMBER(type, member, offset, size)                                                                             \
    _Static_assert(offsetof(struct type, member) == (offset), #type "." #member " has moved");                         \
    _Static_assert(sizeof(((struct type *)0)->member) == (size), #type "." #member " has another size")
#define AT_LEAST(type, size) _Static_assert(sizeof(struct type) >= (size), #type " is smaller than in 1.0")
#define NUMBER(name, number) _Static_assert((name) == (number), #name " has another number")

_Static_assert(SL_ABI_MAJOR == 1, "another major has its own layout file");
_Static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8, "the numbers below are for 64-bit machines");

MEMBER(sl_value, name, 0, 8);
MEMBER(sl_value, type, 8, 4);
MEMBER(sl_value, grain_ms, 12, 4);
MEMBER(sl_value, number, 16, 8);
MEMBER(sl_value, text, 24, 8);
MEMBER(sl_value, text_size, 32, 8);
MEMBER(sl_value, object, 40, 8);
MEMBER(sl_value, items, 48, 8);
MEMBER(sl_value, n_items, 56, 4);
MEMBER(sl_value, item_size, 60, 4);
AT_LEAST(sl_value, 64);

MEMBER(sl_record, size, 0, 4);
MEMBER(sl_record, modified_grain_ms, 4, 4);
MEMBER(sl_record, id, 8, 8);
MEMBER(sl_record, version, 16, 8);
MEMBER(sl_record, modified_ms, 24, 8);
MEMBER(sl_record, created_ms, 32, 8);
MEMBER(sl_record, label, 40, 8);
MEMBER(sl_record, parent_id, 48, 8);
MEMBER(sl_record, correlation, 56, 8);
MEMBER(sl_record, fields, 64, 8);
MEMBER(sl_record, n_fields, 72, 4);
MEMBER(sl_record, field_size, 76, 4);
AT_LEAST(sl_record, 80);

MEMBER(sl_item, size, 0, 4);
MEMBER(sl_item, kind, 4, 4);
MEMBER(sl_item, id, 8, 8);
MEMBER(sl_item, version, 16, 8);
MEMBER(sl_item, record, 24, 8);
MEMBER(sl_item, successor_id, 32, 8);
MEMBER(sl_item, error_class, 40, 4);
MEMBER(sl_item, message, 48, 8);
AT_LEAST(sl_item, 56);

MEMBER(sl_page, size, 0, 4);
MEMBER(sl_page, kind, 4, 4);
MEMBER(sl_page, cursor, 8, 8);
MEMBER(sl_page, epoch, 16, 8);
AT_LEAST(sl_page, 24);

MEMBER(sl_field, name, 0, 8);
MEMBER(sl_field, type, 8, 4);
MEMBER(sl_field, flags, 12, 4);
MEMBER(sl_field, label, 16, 8);
MEMBER(sl_field, values, 24, 8);
MEMBER(sl_field, n_values, 32, 4);
MEMBER(sl_field, max_bytes, 36, 4);
MEMBER(sl_field, ref_object, 40, 8);
AT_LEAST(sl_field, 48);

MEMBER(sl_object, size, 0, 4);
MEMBER(sl_object, id_rule, 4, 4);
MEMBER(sl_object, name, 8, 8);
MEMBER(sl_object, model, 16, 8);
MEMBER(sl_object, caps, 24, 8);
MEMBER(sl_object, fields, 32, 8);
MEMBER(sl_object, n_fields, 40, 4);
MEMBER(sl_object, field_size, 44, 4);
MEMBER(sl_object, id_max_bytes, 48, 4);
MEMBER(sl_object, batch_max, 52, 4);
MEMBER(sl_object, next_id, 56, 8);
MEMBER(sl_object, late_ms, 64, 4);
MEMBER(sl_object, index_lag_ms, 68, 4);
MEMBER(sl_object, stale_ms, 72, 4);
MEMBER(sl_object, idempotency_ttl_s, 76, 4);
AT_LEAST(sl_object, 80);

MEMBER(sl_option, name, 0, 8);
MEMBER(sl_option, kind, 8, 4);
MEMBER(sl_option, required, 12, 4);
MEMBER(sl_option, fallback, 16, 8);
MEMBER(sl_option, values, 24, 8);
MEMBER(sl_option, help, 32, 8);
AT_LEAST(sl_option, 40);

MEMBER(sl_outcome, size, 0, 4);
MEMBER(sl_outcome, index, 4, 4);
MEMBER(sl_outcome, result, 8, 4);
MEMBER(sl_outcome, error_class, 12, 4);
MEMBER(sl_outcome, record, 16, 8);
MEMBER(sl_outcome, message, 24, 8);
MEMBER(sl_outcome, read_back, 32, 4);
MEMBER(sl_outcome, retry_after_ms, 40, 8);
AT_LEAST(sl_outcome, 48);

MEMBER(sl_header, name, 0, 8);
MEMBER(sl_header, value, 8, 8);
AT_LEAST(sl_header, 16);

MEMBER(sl_http_request, size, 0, 4);
MEMBER(sl_http_request, timeout_ms, 4, 4);
MEMBER(sl_http_request, method, 8, 8);
MEMBER(sl_http_request, url, 16, 8);
MEMBER(sl_http_request, headers, 24, 8);
MEMBER(sl_http_request, n_headers, 32, 4);
MEMBER(sl_http_request, header_size, 36, 4);
MEMBER(sl_http_request, body, 40, 8);
MEMBER(sl_http_request, body_bytes, 48, 8);
MEMBER(sl_http_request, idempotency_key, 56, 8);
MEMBER(sl_http_request, repeatable, 64, 4);
AT_LEAST(sl_http_request, 72);

MEMBER(sl_http_response, size, 0, 4);
MEMBER(sl_http_response, end, 4, 4);
MEMBER(sl_http_response, status, 8, 4);
MEMBER(sl_http_response, advice, 12, 4);
MEMBER(sl_http_response, headers, 16, 8);
MEMBER(sl_http_response, n_headers, 24, 4);
MEMBER(sl_http_response, header_size, 28, 4);
MEMBER(sl_http_response, body, 32, 8);
MEMBER(sl_http_response, body_bytes, 40, 8);
MEMBER(sl_http_response, retry_after_ms, 48, 8);
MEMBER(sl_http_response, next_url, 56, 8);
MEMBER(sl_http_response, message, 64, 8);
AT_LEAST(sl_http_response, 72);

MEMBER(sl_host, size, 0, 4);
MEMBER(sl_host, abi_major, 4, 2);
MEMBER(sl_host, abi_minor, 6, 2);
MEMBER(sl_host, ctx, 8, 8);
MEMBER(sl_host, emit, 16, 8);
MEMBER(sl_host, page, 24, 8);
MEMBER(sl_host, outcome, 32, 8);
MEMBER(sl_host, object, 40, 8);
MEMBER(sl_host, fail, 48, 8);
MEMBER(sl_host, log, 56, 8);
MEMBER(sl_host, now_ms, 64, 8);
MEMBER(sl_host, random, 72, 8);
MEMBER(sl_host, sleep_ms, 80, 8);
MEMBER(sl_host, stopping, 88, 8);
MEMBER(sl_host, json_read, 96, 8);
MEMBER(sl_host, json_write, 104, 8);
MEMBER(sl_host, json_free, 112, 8);
MEMBER(sl_host, http, 120, 8);
MEMBER(sl_host, http_many, 128, 8);
MEMBER(sl_host, check_signature, 136, 8);
AT_LEAST(sl_host, 144);

MEMBER(sl_pull, size, 0, 4);
MEMBER(sl_pull, flags, 4, 4);
MEMBER(sl_pull, object, 8, 8);
MEMBER(sl_pull, cursor, 16, 8);
MEMBER(sl_pull, page_max, 24, 4);
AT_LEAST(sl_pull, 32);

MEMBER(sl_get, size, 0, 4);
MEMBER(sl_get, n_ids, 4, 4);
MEMBER(sl_get, object, 8, 8);
MEMBER(sl_get, ids, 16, 8);
AT_LEAST(sl_get, 24);

MEMBER(sl_find, size, 0, 4);
MEMBER(sl_find, max_items, 4, 4);
MEMBER(sl_find, object, 8, 8);
MEMBER(sl_find, correlation, 16, 8);
MEMBER(sl_find, value, 24, 8);
AT_LEAST(sl_find, 32);

MEMBER(sl_write, kind, 0, 4);
MEMBER(sl_write, flags, 4, 4);
MEMBER(sl_write, id, 8, 8);
MEMBER(sl_write, parent_id, 16, 8);
MEMBER(sl_write, correlation, 24, 8);
MEMBER(sl_write, idempotency_key, 32, 8);
MEMBER(sl_write, expected_version, 40, 8);
MEMBER(sl_write, fields, 48, 8);
MEMBER(sl_write, n_fields, 56, 4);
MEMBER(sl_write, field_size, 60, 4);
AT_LEAST(sl_write, 64);

MEMBER(sl_batch, size, 0, 4);
MEMBER(sl_batch, n_writes, 4, 4);
MEMBER(sl_batch, write_size, 8, 4);
MEMBER(sl_batch, object, 16, 8);
MEMBER(sl_batch, writes, 24, 8);
AT_LEAST(sl_batch, 32);

MEMBER(sl_hook, size, 0, 4);
MEMBER(sl_hook, n_headers, 4, 4);
MEMBER(sl_hook, header_size, 8, 4);
MEMBER(sl_hook, headers, 16, 8);
MEMBER(sl_hook, body, 24, 8);
MEMBER(sl_hook, body_bytes, 32, 8);
MEMBER(sl_hook, received_ms, 40, 8);
AT_LEAST(sl_hook, 48);

MEMBER(sl_settings, size, 0, 4);
MEMBER(sl_settings, n_values, 4, 4);
MEMBER(sl_settings, value_size, 8, 4);
MEMBER(sl_settings, values, 16, 8);
MEMBER(sl_settings, connection, 24, 8);
AT_LEAST(sl_settings, 32);

MEMBER(sl_plugin, size, 0, 4);
MEMBER(sl_plugin, abi_major, 4, 2);
MEMBER(sl_plugin, abi_minor, 6, 2);
MEMBER(sl_plugin, name, 8, 8);
MEMBER(sl_plugin, version, 16, 8);
MEMBER(sl_plugin, summary, 24, 8);
MEMBER(sl_plugin, caps, 32, 8);
MEMBER(sl_plugin, needs, 40, 8);
MEMBER(sl_plugin, options, 48, 8);
MEMBER(sl_plugin, n_options, 56, 4);
MEMBER(sl_plugin, option_size, 60, 4);
MEMBER(sl_plugin, open, 64, 8);
MEMBER(sl_plugin, close, 72, 8);
MEMBER(sl_plugin, check, 80, 8);
MEMBER(sl_plugin, describe, 88, 8);
MEMBER(sl_plugin, pull, 96, 8);
MEMBER(sl_plugin, get, 104, 8);
MEMBER(sl_plugin, find, 112, 8);
MEMBER(sl_plugin, write, 120, 8);
MEMBER(sl_plugin, webhook, 128, 8);
AT_LEAST(sl_plugin, 136);

NUMBER(SL_ABSENT, 0);
NUMBER(SL_NULL, 1);
NUMBER(SL_BOOL, 2);
NUMBER(SL_INT, 3);
NUMBER(SL_DECIMAL, 4);
NUMBER(SL_STRING, 5);
NUMBER(SL_DATE, 6);
NUMBER(SL_TIMESTAMP, 7);
NUMBER(SL_ENUM, 8);
NUMBER(SL_REF, 9);
NUMBER(SL_SET, 10);
NUMBER(SL_JSON, 11);

NUMBER(SL_OK, 0);
NUMBER(SL_REJECTED, 1);
NUMBER(SL_CONFLICT, 2);
NUMBER(SL_GONE, 3);
NUMBER(SL_AUTH, 4);
NUMBER(SL_RATE, 5);
NUMBER(SL_RETRY, 6);
NUMBER(SL_CONFIG, 7);
NUMBER(SL_UNSUPPORTED, 8);
NUMBER(SL_EXISTS, 9);
NUMBER(SL_BUSY, 10);
NUMBER(SL_BROKEN, 11);
NUMBER(SL_ITEM_RECORD, 1);
NUMBER(SL_ITEM_STUB, 2);
NUMBER(SL_ITEM_TOMBSTONE, 3);
NUMBER(SL_ITEM_HINT, 4);
NUMBER(SL_ITEM_UNREADABLE, 5);
NUMBER(SL_PAGE_MORE, 1);
NUMBER(SL_PAGE_DONE, 2);
NUMBER(SL_PAGE_COMPLETE, 3);

NUMBER(SL_ID_SERVER, 1);
NUMBER(SL_ID_TEXT, 2);
NUMBER(SL_ID_NAME, 3);
NUMBER(SL_ID_INTEGER, 4);
NUMBER(SL_OPT_STRING, 1);
NUMBER(SL_OPT_PATH, 2);
NUMBER(SL_OPT_INT, 3);
NUMBER(SL_OPT_BOOL, 4);
NUMBER(SL_OPT_SECRET, 5);
NUMBER(SL_OPT_ENUM, 6);
NUMBER(SL_OPT_URL, 7);
NUMBER(SL_OPT_JSON, 8);
NUMBER(SL_OPT_LIST, 9);
NUMBER(SL_CAP_CREATE, 1ULL << 0);
NUMBER(SL_CAP_UPDATE, 1ULL << 1);
NUMBER(SL_CAP_DELETE, 1ULL << 2);
NUMBER(SL_CAP_ARCHIVE, 1ULL << 3);
NUMBER(SL_CAP_DELTA, 1ULL << 4);
NUMBER(SL_CAP_COMPLETE, 1ULL << 5);
NUMBER(SL_CAP_DELETE_FEED, 1ULL << 6);
NUMBER(SL_CAP_GET, 1ULL << 7);
NUMBER(SL_CAP_FIND_CORRELATION, 1ULL << 8);
NUMBER(SL_CAP_FIND_KEY, 1ULL << 9);
NUMBER(SL_CAP_IDEMPOTENT, 1ULL << 10);
NUMBER(SL_CAP_RESERVED_ID, 1ULL << 11);
NUMBER(SL_CAP_CONDITIONAL, 1ULL << 12);
NUMBER(SL_CAP_VERSION_ORDER, 1ULL << 13);
NUMBER(SL_CAP_WEBHOOK, 1ULL << 14);
NUMBER(SL_CAP_OPEN_SCHEMA, 1ULL << 15);
NUMBER(SL_REACH_FILES, 1ULL << 32);
NUMBER(SL_REACH_DATABASE, 1ULL << 33);
NUMBER(SL_REACH_PROCESS, 1ULL << 34);
NUMBER(SL_FIELD_WRITABLE, 1u << 0);
NUMBER(SL_FIELD_REQUIRED, 1u << 1);
NUMBER(SL_FIELD_KEY, 1u << 2);
NUMBER(SL_FIELD_UNIQUE, 1u << 3);
NUMBER(SL_FIELD_CUSTOM, 1u << 4);
NUMBER(SL_FIELD_CREATE_ONLY, 1u << 5);

NUMBER(SL_APPLIED, 1);
NUMBER(SL_NOT_APPLIED, 2);
NUMBER(SL_UNCERTAIN, 3);
NUMBER(SL_HTTP_ANSWERED, 1);
NUMBER(SL_HTTP_NOT_SENT, 2);
NUMBER(SL_HTTP_NO_ANSWER, 3);
NUMBER(SL_HTTP_REFUSED, 4);
NUMBER(SL_LOG_ERROR, 1);
NUMBER(SL_LOG_WARN, 2);
NUMBER(SL_LOG_INFO, 3);
NUMBER(SL_LOG_DEBUG, 4);
NUMBER(SL_HMAC_SHA256, 1);
NUMBER(SL_HMAC_SHA1, 2);
NUMBER(SL_HMAC_SHA512, 3);
NUMBER(SL_NEED_JSON, 1ULL << 0);
NUMBER(SL_NEED_HTTP, 1ULL << 1);
NUMBER(SL_NEED_SIGNATURE, 1ULL << 2);

NUMBER(SL_CREATE, 1);
NUMBER(SL_UPDATE, 2);
NUMBER(SL_DELETE, 3);
NUMBER(SL_ARCHIVE, 4);
NUMBER(SL_PULL_RECORDS, 1u << 0);
NUMBER(SL_PULL_FULL, 1u << 1);
NUMBER(SL_WRITE_REPEAT, 1u << 0);

/* --- what 1.1 added; the frozen headers have not got it --- */
#if SL_ABI_MINOR >= 1
MEMBER(sl_object, parent_object, 80, 8);
MEMBER(sl_pull, parent_id, 32, 8);
MEMBER(sl_find, parent_id, 32, 8);
MEMBER(sl_plugin, http, 136, 8);
#endif
