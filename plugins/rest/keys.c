/* SPDX-License-Identifier: MIT */
/* keys.c - the tables of what the config of a resource may hold. */
#include "rest.h"

#define AT(group, member) .offset = offsetof(struct group, member)
#define LAST                                                                                                           \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }

static const struct key spot_keys[] = {{"in", KEY_WORD, AT(spot, in), .words = "query|header", .fallback = IN_QUERY},
                                       {"name", KEY_TEXT, AT(spot, name), .required = true},
                                       LAST};
static const struct key size_keys[] = {{"in", KEY_WORD, AT(spot, in), .words = "query|header", .fallback = IN_QUERY},
                                       {"name", KEY_TEXT, AT(spot, name), .required = true},
                                       {"value", KEY_INT, AT(spot, value), .required = true},
                                       LAST};
static const struct key stop_keys[] = {{"field", KEY_POINTER, AT(stop, field)},
                                       {"eq", KEY_SCALAR, AT(stop, eq)},
                                       {"on", KEY_WORD, AT(stop, on), .words = "empty_page|short_page"},
                                       {"total", KEY_POINTER, AT(stop, total)},
                                       LAST};
static const struct key page_keys[] = {
    {"type", KEY_WORD, AT(paging, type), .words = "none|link_header|next_url|cursor|page|offset", .required = true},
    {"token_from", KEY_POINTER, AT(paging, token_from)},
    {"token_to", KEY_GROUP, AT(paging, token_to), .inner = spot_keys},
    {"size_to", KEY_GROUP, AT(paging, size_to), .inner = size_keys},
    {"stop", KEY_GROUP, AT(paging, stop), .inner = stop_keys},
    {"first", KEY_INT, AT(paging, first), .fallback = -1},
    {"same_host_only", KEY_BOOL, AT(paging, same_host_only), .fallback = 1},
    {"max_pages", KEY_INT, AT(paging, max_pages), .fallback = 100000},
    LAST};
static const struct key since_keys[] = {
    {"to", KEY_GROUP, AT(since, to), .inner = spot_keys, .required = true},
    {"format", KEY_WORD, AT(since, format), .words = "rfc3339|epoch_s", .fallback = STAMP_RFC3339},
    {"field", KEY_POINTER, AT(since, field)},
    {"inclusive", KEY_BOOL, AT(since, inclusive)},
    {"overlap_s", KEY_INT, AT(since, overlap_s), .fallback = 60},
    {"server_lag_s", KEY_INT, AT(since, server_lag_s)},
    {"order", KEY_WORD, AT(since, order), .words = "none|asc|desc", .fallback = ORDER_NONE},
    {"opaque_cursor", KEY_POINTER, AT(since, opaque_cursor)},
    LAST};
static const struct key drop_keys[] = {{"has", KEY_POINTER, AT(drop, has), .required = true}, LAST};
static const struct key list_keys[] = {{"path", KEY_PATH, AT(listing, path), .required = true},
                                       {"records", KEY_POINTER, AT(listing, records)},
                                       {"query", KEY_PAIRS, AT(listing, query)},
                                       {"filter_drop", KEY_GROUP, AT(listing, drop), .inner = drop_keys},
                                       {"page", KEY_GROUP, AT(listing, page), .inner = page_keys},
                                       {"since", KEY_GROUP, AT(listing, since), .inner = since_keys},
                                       LAST};
static const struct key feed_keys[] = {{"path", KEY_PATH, AT(listing, path), .required = true},
                                       {"records", KEY_POINTER, AT(listing, records)},
                                       {"query", KEY_PAIRS, AT(listing, query)},
                                       {"page", KEY_GROUP, AT(listing, page), .inner = page_keys},
                                       {"since", KEY_GROUP, AT(listing, since), .inner = since_keys},
                                       LAST};
static const struct key get_keys[] = {
    {"path", KEY_PATH, AT(reading, path), .required = true}, {"record", KEY_POINTER, AT(reading, record)}, LAST};
static const struct key create_keys[] = {
    {"method", KEY_WORD, AT(creating, method), .words = "POST", .fallback = 1},
    {"path", KEY_PATH, AT(creating, path), .required = true},
    {"wrap", KEY_POINTER, AT(creating, wrap)},
    {"record", KEY_POINTER, AT(creating, record)},
    {"ok", KEY_STATUSES, AT(creating, ok)},
    {"idempotency_header", KEY_TEXT, AT(creating, idempotency_header)},
    {"idempotency_ttl_s", KEY_INT, AT(creating, idempotency_ttl_s)},
    {"find_before_retry", KEY_WORD, AT(creating, find_before_retry), .words = "external_key"},
    {"warnings", KEY_POINTER, AT(creating, warnings)},
    {"read_back", KEY_BOOL, AT(creating, read_back)},
    {"set", KEY_OBJECT, AT(creating, set)},
    LAST};
static const struct key guard_keys[] = {
    {"type", KEY_WORD, AT(guard, type), .words = "none|if_match|body_stamp", .required = true},
    {"fields", KEY_OBJECT, AT(guard, fields)},
    LAST};
static const struct key update_keys[] = {
    {"method", KEY_WORD, AT(updating, method), .words = "PATCH|PUT", .fallback = UPDATE_PATCH},
    {"path", KEY_PATH, AT(updating, path), .required = true},
    {"wrap", KEY_POINTER, AT(updating, wrap)},
    {"record", KEY_POINTER, AT(updating, record)},
    {"ok", KEY_STATUSES, AT(updating, ok)},
    {"guard", KEY_GROUP, AT(updating, guard), .inner = guard_keys},
    {"replace_arrays", KEY_NAMES, AT(updating, replace_arrays)},
    {"warnings", KEY_POINTER, AT(updating, warnings)},
    {"read_back", KEY_BOOL, AT(updating, read_back)},
    LAST};
static const struct key delete_keys[] = {
    {"mode", KEY_WORD, AT(deleting, mode), .words = "delete|none|close", .required = true},
    {"method", KEY_WORD, AT(deleting, method), .words = "DELETE|PATCH|PUT|POST"},
    {"path", KEY_PATH, AT(deleting, path)},
    {"set", KEY_OBJECT, AT(deleting, set)},
    {"wrap", KEY_POINTER, AT(deleting, wrap)},
    {"ok", KEY_STATUSES, AT(deleting, ok)},
    LAST};

const struct key field_keys[] = {{"type", KEY_WORD, AT(field, word),
                                  .words = "string|int64|decimal|bool|date|timestamp|enum|set|json", .required = true},
                                 {"write", KEY_BOOL, AT(field, write), .fallback = 1},
                                 {"required", KEY_BOOL, AT(field, required)},
                                 {"create_only", KEY_BOOL, AT(field, create_only)},
                                 {"max", KEY_INT, AT(field, max)},
                                 {"values", KEY_VALUES, AT(field, values)},
                                 LAST};

static const struct key when_keys[] = {{"header", KEY_TEXT, AT(condition, header)},
                                       {"field", KEY_POINTER, AT(condition, field)},
                                       {"eq", KEY_SCALAR, AT(condition, eq), .required = true},
                                       LAST};
static const struct key delivery_keys[] = {{"header", KEY_TEXT, AT(delivery, header), .required = true}, LAST};

const struct key about_keys[] = {{"key", KEY_POINTER, AT(about, key), .required = true},
                                 {"when", KEY_GROUP, AT(about, when), .inner = when_keys},
                                 LAST};
const struct key webhook_keys[] = {
    {"alg", KEY_WORD, AT(webhook, alg), .words = "hmac-sha256|hmac-sha1|hmac-sha512", .fallback = SL_HMAC_SHA256},
    {"header", KEY_TEXT, AT(webhook, header), .required = true},
    {"prefix", KEY_TEXT, AT(webhook, prefix)},
    {"encoding", KEY_WORD, AT(webhook, encoding), .words = "hex|base64|base64url", .fallback = ENCODING_HEX},
    {"strip_pad", KEY_BOOL, AT(webhook, strip_pad)},
    {"signed", KEY_WORD, AT(webhook, signs), .words = "body|timestamp+body", .fallback = SIGNED_BODY},
    {"timestamp_header", KEY_TEXT, AT(webhook, timestamp_header)},
    {"window_s", KEY_INT, AT(webhook, window_s), .fallback = 300},
    {"delivery_id", KEY_GROUP, AT(webhook, delivery_id), .inner = delivery_keys},
    {"events", KEY_POINTER, AT(webhook, events)},
    {"resource", KEY_TEXT, AT(webhook, resource)},
    {"key", KEY_POINTER, AT(webhook, key)},
    {"about", KEY_ABOUT, AT(webhook, about)},
    LAST};

/* Groups that are no struct of their own: their offsets are the resource's, less that of the group. */
#define IN(group, member) .offset = offsetof(struct resource, group.member) - offsetof(struct resource, group)
static const struct key version_keys[] = {
    {"field", KEY_POINTER, IN(version, field)},
    {"kind", KEY_WORD, IN(version, kind), .words = "timestamp|etag|hash", .required = true},
    LAST};
static const struct key external_keys[] = {{"field", KEY_MEMBER, IN(external_key, field), .required = true},
                                           {"unique", KEY_BOOL, IN(external_key, unique)},
                                           {"path", KEY_PATH, IN(external_key, path)},
                                           {"records", KEY_POINTER, IN(external_key, records)},
                                           {"to", KEY_GROUP, IN(external_key, to), .inner = spot_keys},
                                           {"filter", KEY_TEXT, IN(external_key, filter)},
                                           LAST};
static const struct key deleted_keys[] = {
    {"mode", KEY_WORD, IN(deleted, mode), .words = "field|status|sweep|feed", .required = true},
    {"field", KEY_POINTER, IN(deleted, field)},
    {"eq", KEY_SCALAR, IN(deleted, eq)},
    {"query", KEY_PAIRS, IN(deleted, query)},
    {"list", KEY_GROUP, IN(deleted, list), .inner = feed_keys},
    {"key", KEY_POINTER, IN(deleted, key)},
    LAST};

const struct key resource_keys[] = {{"key", KEY_POINTER, AT(resource, key), .required = true},
                                    {"label", KEY_POINTER, AT(resource, label)},
                                    {"version", KEY_GROUP, AT(resource, version), .inner = version_keys},
                                    {"external_key", KEY_GROUP, AT(resource, external_key), .inner = external_keys},
                                    {"list", KEY_GROUP, AT(resource, list), .inner = list_keys, .required = true},
                                    {"get", KEY_GROUP, AT(resource, get), .inner = get_keys},
                                    {"create", KEY_GROUP, AT(resource, create), .inner = create_keys},
                                    {"update", KEY_GROUP, AT(resource, update), .inner = update_keys},
                                    {"delete", KEY_GROUP, AT(resource, del), .inner = delete_keys},
                                    {"deleted", KEY_GROUP, AT(resource, deleted), .inner = deleted_keys},
                                    {"fields", KEY_FIELDS, AT(resource, fields)},
                                    {"late_s", KEY_INT, AT(resource, late_s), .fallback = 60},
                                    {"index_lag_s", KEY_INT, AT(resource, index_lag_s)},
                                    {"stale_s", KEY_INT, AT(resource, stale_s)},
                                    LAST};
