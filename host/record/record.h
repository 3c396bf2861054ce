/* SPDX-License-Identifier: MIT */
/* record.h - records in the host: lookup, copy, canonical bytes, digests. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "record/value.h"
#include "syncline/record.h"

/* Copies a record deep into the arena; fields come out sizeof(struct sl_value) apart, in the order given. */
struct sl_record *record_copy(struct arena *a, const struct sl_record *r);
/* The field, or NULL if the record does not have it. */
const struct sl_value *record_field(const struct sl_record *r, const char *name);
/* What a person knows it by: label, else its title/name/subject/summary/number field, else the id. Never NULL. */
const char *record_label(struct arena *a, const struct sl_record *r);

/*
 * The canonical bytes: versioned, self-checking (a checksum at the end), the same on every machine and for every order of
 * fields, so that equal records have equal bytes. record_encode appends; record_decode returns NULL and
 * ERR_STATE on bytes that are damaged or of a newer encoding. Absent fields are not stored. Texts come back as they
 * went in, a JSON text too; the digest alone takes JSON canonically.
 */
void record_encode(struct buf *out, const struct sl_record *r);
struct sl_record *record_decode(struct arena *a, struct slice bytes, struct err *e);
/* The same inside a row that has a checksum of its own; NULL is a record, too. */
struct reader;
void put_record(struct buf *out, const struct sl_record *r);
const struct sl_record *get_record(struct reader *r, struct arena *a);
/* Digest of the fields alone (not of version or time): two reads of unchanged content agree. */
uint64_t record_digest(const struct sl_record *r);

/* As one JSON object of its fields. */
void record_put_json(struct buf *out, const struct sl_record *r);
/* Returns a record with the fields of a JSON object node (id and times unset). */
struct sl_record *record_from_json(struct arena *a, const char *id, const struct json *node);

/* The little binary encoding everything in the state uses: sticky errors, tested once at the end. */
struct reader {
    const uint8_t *at, *end;
    bool bad; /* sticky: something was missing or malformed; later gets return zeros and empty texts */
};
void put_u8(struct buf *out, uint8_t v);
void put_u64(struct buf *out, uint64_t v); /* LEB128 */
void put_i64(struct buf *out, int64_t v); /* zigzag */
void put_blob(struct buf *out, const void *data, size_t size); /* length first */
void put_text(struct buf *out, const char *text); /* NULL is kept apart from "" */
void put_value(struct buf *out, const struct sl_value *v); /* with its name */
void put_unnamed(struct buf *out, const struct sl_value *v);
uint8_t get_u8(struct reader *r);
uint64_t get_u64(struct reader *r);
int64_t get_i64(struct reader *r);
struct slice get_blob(struct reader *r);
const char *get_text(struct reader *r, struct arena *a);
struct sl_value get_value(struct reader *r, struct arena *a); /* every accepted value puts back to the same bytes */
struct sl_value get_unnamed(struct reader *r, struct arena *a, const char *name); /* the name is borrowed */
/* A row of the state: version byte, payload, 8-byte checksum. row_open verifies; `what` names the row in the error. */
void row_seal(struct buf *out, size_t from); /* appends the checksum over out[from..] */
int row_open(struct slice bytes, uint8_t newest_version, struct reader *r, uint8_t *version, const char *what,
             struct err *e);

#endif
