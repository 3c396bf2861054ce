/* SPDX-License-Identifier: MIT */
/* check_values.c - checks of values of every type, there and back: kept, refused, or told as what they became. */
#include <string.h>

#include "certify.h"

/* A change that is told is not a lie: the next change is measured against it. */
static void compare(struct trial *t, const struct sl_value *sent, const struct write_outcome *o, const char *id)
{
    const struct sl_record *r = read_record(t, id);
    const struct sl_value *held = r ? record_field(r, sent->name) : NULL;
    const struct sl_value *told = o->record ? record_field(o->record, sent->name) : NULL;
    struct buf text = {0};
    if (!r)
        return;
    if (o->record && (told ? !held || !value_same(told, held) : held && held->type != SL_NULL))
        wrong(t, "field %s is answered as something else than is stored", sent->name);
    else if (!value_kept(&t->a, sent, held)) {
        if (held)
            value_put_brief(&text, held, 40);
        if (!o->record && !o->read_back)
            note(t, "becomes %s", text.size ? text.data : "absent");
        else
            note(t, "becomes %s, and that is told", text.size ? text.data : "absent");
    }
    buf_fini(&text);
}

static void created(struct trial *t, struct sl_value v)
{
    struct sl_write w = create_with(t, 1000, &v);
    struct write_outcome o = write_one(t, &w);
    if (o.result == SL_NOT_APPLIED && o.error_class == SL_REJECTED) {
        note(t, "refused: %.160s", o.message ? o.message : "no reason given");
        if (w.id && read_id(t, w.id).kind == SL_ITEM_RECORD)
            wrong(t, "refused, and stored all the same");
    } else if (applied(t, &o, "create")) {
        settle(t);
        compare(t, &v, &o, o.record ? o.record->id : w.id);
    }
}

static void updated(struct trial *t, struct sl_value v)
{
    const char *id = done(t) ? NULL : make_one(t, 1000);
    if (done(t) || !can(t, SL_CAP_UPDATE))
        return;
    struct sl_write w = update_of(t, id, v);
    struct write_outcome o = write_one(t, &w);
    if (o.result == SL_NOT_APPLIED && o.error_class == SL_REJECTED)
        return;
    if (applied(t, &o, "update")) {
        settle(t);
        compare(t, &v, &o, id);
    }
}

static void there_and_back(struct trial *t, struct sl_value v)
{
    struct sl_field f = field_for(t, &v);
    if (!f.name) {
        left_out(t, "no field takes one");
        return;
    }
    v.name = f.name;
    created(t, v);
    updated(t, v);
}

static struct sl_value text_of(uint32_t type, const char *text)
{
    struct sl_value v = value_string(NULL, text);
    v.type = type;
    return v;
}

/* Name of the function, type, text: each a check of its own. */
#define TEXTS(X)                                                                                                       \
    X(plain_text, SL_STRING, "Ann")                                                                                    \
    X(empty_text, SL_STRING, "")                                                                                       \
    X(blanks, SL_STRING, "  two before, one behind ")                                                                  \
    X(only_blank, SL_STRING, " ")                                                                                      \
    X(unicode, SL_STRING, "Zo\xc3\xab \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x8e\x81 e\xcc\x81 \xe2\x80\xae")               \
    X(line_ends, SL_STRING, "one\r\ntwo\nthree\rfour\n")                                                               \
    X(tabs_quotes, SL_STRING, "tab\there, \"quoted\", 'it', `x`, back\\slash; a,b;c|d")                                \
    X(control, SL_STRING, "bell \x07 escape \x1b del \x7f")                                                            \
    X(looks_number, SL_STRING, "007")                                                                                  \
    X(looks_null, SL_STRING, "null")                                                                                   \
    X(looks_true, SL_STRING, "true")                                                                                   \
    X(formula, SL_STRING, "=1+1")                                                                                      \
    X(markup, SL_STRING, "a < b && c > d &amp; <script>x</script> %41 ${x}")                                           \
    X(looks_json, SL_STRING, "{\"a\": 1.50}")                                                                          \
    X(byte_mark, SL_STRING, "\xef\xbb\xbfmark")                                                                        \
    X(decimal_tenth, SL_DECIMAL, "0.10")                                                                               \
    X(decimal_huge, SL_DECIMAL, "1e400")                                                                               \
    X(decimal_long, SL_DECIMAL, "12345678901234567890.123456789")                                                      \
    X(decimal_negative, SL_DECIMAL, "-0.5")                                                                            \
    X(json_list, SL_JSON, "[3,1,2,[]]")                                                                                \
    X(json_object, SL_JSON, "{\"b\":1,\"a\":{\"n\":null,\"x\":0.10}}")
#define TEXT_FUNCTION(name, type, text)                                                                                \
    static void name(struct trial *t)                                                                                  \
    {                                                                                                                  \
        there_and_back(t, text_of(type, text));                                                                        \
    }
TEXTS(TEXT_FUNCTION)

#define NUMBERS(X)                                                                                                     \
    X(int_zero, SL_INT, 0)                                                                                             \
    X(int_negative, SL_INT, -1)                                                                                        \
    X(int_53, SL_INT, 9007199254740993)                                                                                \
    X(int_most, SL_INT, INT64_MAX)                                                                                     \
    X(int_least, SL_INT, INT64_MIN)                                                                                    \
    X(bool_true, SL_BOOL, 1)                                                                                           \
    X(bool_false, SL_BOOL, 0)                                                                                          \
    X(date, SL_DATE, 20780)                                                                                            \
    X(date_old, SL_DATE, -25567)                                                                                       \
    X(timestamp, SL_TIMESTAMP, 1795424400123)                                                                          \
    X(timestamp_old, SL_TIMESTAMP, -1000)                                                                              \
    X(null, SL_NULL, 0)
#define NUMBER_FUNCTION(name, of_type, n)                                                                              \
    static void name(struct trial *t)                                                                                  \
    {                                                                                                                  \
        there_and_back(t, (struct sl_value){.type = of_type, .number = n, .grain_ms = 1});                             \
    }
NUMBERS(NUMBER_FUNCTION)

static void long_text(struct trial *t)
{
    enum { SIZE = 65536 };
    char *text = arena_alloc(&t->a, SIZE + 1);
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i % 26);
    there_and_back(t, text_of(SL_STRING, text));
}

static void set(struct trial *t)
{
    struct sl_value items[] = {value_string(NULL, "red"), value_string(NULL, "a,b"), value_string(NULL, "")};
    there_and_back(t, (struct sl_value){.type = SL_SET, .items = items, .n_items = 3, .item_size = sizeof *items});
}

static void set_empty(struct trial *t)
{
    there_and_back(t, (struct sl_value){.type = SL_SET, .item_size = sizeof(struct sl_value)});
}

static void enums(struct trial *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->o.n_fields; i++)
        for (uint32_t j = 0; j < t->o.fields[i].n_values && n < 20; j++) {
            const struct sl_field *f = &t->o.fields[i];
            struct sl_value v = text_of(SL_ENUM, f->values[j]);
            v.name = f->name;
            if (!(f->flags & SL_FIELD_WRITABLE))
                continue;
            n++;
            created(t, v);
            if (t->note[0])
                wrong(t, "'%s', which field %s lists, %s", f->values[j], f->name, t->note);
        }
    if (!n)
        left_out(t, "no field lists values");
}

/* NULL clears what was there; what is not given stays. */
static void clears(struct trial *t)
{
    struct sl_field f = main_field(t, 0);
    const char *id = make_one(t, 1000);
    if (done(t) || !f.name || (f.flags & SL_FIELD_REQUIRED)) {
        left_out(t, "no field that may be empty");
        return;
    }
    struct sl_write w = update_of(t, id, value_null(f.name));
    struct write_outcome o = write_one(t, &w);
    if (o.result == SL_NOT_APPLIED && o.error_class == SL_REJECTED) {
        note(t, "refused: %.160s", o.message ? o.message : "no reason given");
        return;
    }
    applied(t, &o, "clearing a field");
    settle(t);
    const struct sl_record *r = read_record(t, id);
    const struct sl_value *v = r ? record_field(r, f.name) : NULL;
    if (v && !value_empty(v))
        wrong(t, "field %s was cleared and holds a value", f.name);
}

#define CREATES SL_CAP_CREATE, FOR_ALL
const struct check checks_values[] = {
    {"value.text", "plain text", CREATES, plain_text},
    {"value.empty", "the empty text", CREATES, empty_text},
    {"value.null", "null", CREATES, null},
    {"value.cleared", "null clears a field", SL_CAP_CREATE | SL_CAP_UPDATE, FOR_ALL, clears},
    {"value.blanks", "blanks at both ends", CREATES, blanks},
    {"value.blank", "a blank", CREATES, only_blank},
    {"value.unicode", "letters of many scripts", CREATES, unicode},
    {"value.lines", "CR LF, LF and CR", CREATES, line_ends},
    {"value.quotes", "tabs, quotes and separators", CREATES, tabs_quotes},
    {"value.control", "control characters", CREATES, control},
    {"value.markup", "markup and escapes", CREATES, markup},
    {"value.mark", "a byte order mark", CREATES, byte_mark},
    {"value.long", "64 KiB of text", CREATES, long_text},
    {"value.text-007", "text that looks like a number", CREATES, looks_number},
    {"value.text-null", "text that looks like null", CREATES, looks_null},
    {"value.text-true", "text that looks like true", CREATES, looks_true},
    {"value.text-formula", "text that looks like a formula", CREATES, formula},
    {"value.text-json", "text that looks like JSON", CREATES, looks_json},
    {"value.zero", "0", CREATES, int_zero},
    {"value.minus-one", "-1", CREATES, int_negative},
    {"value.int-53", "2^53 + 1", CREATES, int_53},
    {"value.int-most", "the largest integer", CREATES, int_most},
    {"value.int-least", "the smallest", CREATES, int_least},
    {"value.decimal", "0.10", CREATES, decimal_tenth},
    {"value.decimal-huge", "1e400", CREATES, decimal_huge},
    {"value.decimal-long", "29 digits", CREATES, decimal_long},
    {"value.decimal-negative", "-0.5", CREATES, decimal_negative},
    {"value.true", "true", CREATES, bool_true},
    {"value.false", "false", CREATES, bool_false},
    {"value.date", "a date", CREATES, date},
    {"value.date-1900", "a date of 1900", CREATES, date_old},
    {"value.time", "a time with milliseconds", CREATES, timestamp},
    {"value.time-1969", "a time before 1970", CREATES, timestamp_old},
    {"value.enum", "every listed value of an enum", CREATES, enums},
    {"value.set", "a set", CREATES, set},
    {"value.set-empty", "the empty set", CREATES, set_empty},
    {"value.list", "a JSON list", CREATES, json_list},
    {"value.object", "a JSON object", CREATES, json_object},
    {0},
};
