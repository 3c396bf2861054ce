/* SPDX-License-Identifier: MIT */
/* map.h - field rules between the two sides of a pair: rename, values, convert, compute, constants, direction. */
#ifndef MAP_MAP_H
#define MAP_MAP_H

#include <stdbool.h>

#include "map/jq.h"

/* The decision when both sides changed a field. Names are the config's words. */
enum policy {
    POLICY_A = 1,
    POLICY_B,
    POLICY_NEWEST,
    POLICY_NONEMPTY,
    POLICY_MERGE,
    POLICY_MIN,
    POLICY_MAX,
    POLICY_MANUAL
};
/* What happens to an edit on the side that does not own a one-way field. */
enum drift { DRIFT_ALERT = 1, DRIFT_REVERT, DRIFT_IGNORE };

/* One entry of a value map; texts as they print (a number or bool by its JSON text). */
struct value_pair {
    const char *side[2];
    uint32_t type
        [2]; /* enum sl_type of side[s] as the config wrote it (SL_NULL, SL_BOOL, SL_INT, ...); SL_ABSENT: a string, or "null" for NULL */
};

enum takes_user { USER_LISTED = 0, USER_EMAIL = 1, USER_ANY = 2 /* a plain text */ };

/* One person: what he is called on both sides. Handles compare without regard to case. */
struct who {
    const char *side[2];
};

/* One field rule. Filled by conf; all memory is the config's. */
struct rule {
    const char *field[2]; /* field[s]: the name on side s; NULL: side s has none (computed or constant for the other) */
    bool to[2]; /* to[s]: side s is written by this rule */
    const char
        *program[2]; /* program[s]: jq that computes side s's value from the other side's record; NULL: field[1-s] */
    struct jq_expr *expr[2]; /* the compiled program[s] */
    const struct sl_value *constant[2]; /* constant[s]: the value side s always gets; NULL: none */
    const struct value_pair *values; /* NULL: none */
    size_t n_values;
    const char *otherwise[2]; /* otherwise[s]: what side s gets for an unlisted value; NULL: the field is parked */
    uint32_t otherwise_type[2]; /* enum sl_type of otherwise[s] as the config wrote it */
    uint32_t type[2]; /* enum sl_type of the field by the side's schema; SL_ABSENT: unknown or any */
    int policy; /* enum policy */
    int drift; /* enum drift */
    bool names_user; /* both fields hold a user's handle: it goes through `who` */
    const struct who *who; /* the config's `users` that both sides know */
    size_t n_who;
    int takes_user[2]; /* enum takes_user: which handles side s takes beside those of `who` */
    bool signed_elsewhere; /* a user nobody knows is left out: a text of the same record is signed with his name */
    const char *byline
        [2]; /* byline[s]: side s's text is what somebody said on the other side, which is called so: signed there; NULL: not */
    bool takes_author[2]; /* with byline: side s lets the author be set, so that a known one signs by himself */
    int group; /* rules of one group (number > 0) take one side whole; 0: none */
    const char *group_name;
};

/* The rules of a pair. `open`: no fields were configured and a side is schema-less: same-named fields map as they come. */
struct map {
    struct rule *rules;
    size_t n_rules;
    bool open;
    const char *open_skip[2]; /* a key field of a side that an open map leaves out (the id column), or NULL */
    struct rule open_rule; /* the template of the rules an open map makes */
};

/*
 * The value side `to` should get by rule r from the other side's record `from`. `prior`: the value side `to` now or last held (its type is
 * restored when the schema gives none), or NULL. *out is named field[to]; ABSENT when the source does not report it: then nothing is written.
 * An unmapped enum value, a failed conversion or expression: ERR_INPUT, one line naming field and value.
 */
int map_value(const struct rule *r, int to, const struct sl_record *from, const struct sl_value *prior, int64_t now_ms,
              struct arena *a, struct sl_value *out, struct err *e);

/*
 * people.c: what side `to` calls the user that the other side calls v; v stays NULL or ABSENT as it is. ERR_INPUT, naming field and person:
 * nobody in `users` is that one there.
 */
int map_user(const struct rule *r, int to, struct sl_value *v, struct err *e);
/* people.c: the text v of `from`, signed for side `to` where its author cannot be set there, with links to what was attached to it. */
void map_byline(const struct rule *r, int to, const struct sl_record *from, struct arena *a, struct sl_value *v);

/* For an open map: the rules for the union of the given records' fields (either may be NULL), sorted by name, in the arena. */
struct rule *map_open_rules(const struct map *m, const struct sl_record *const side[2], struct arena *a, size_t *n);

/*
 * Checks a rule's value map: every value of `enums[s]` (NULL: not known) mapped for a written side, no two source values onto one in a two-way
 * rule, unless otherwise says. Appends one sentence a problem to *problems (newline-separated), each naming the values. Returns their number.
 */
size_t map_check_values(const struct rule *r, const char *const *const enums[2], const uint32_t n_enums[2],
                        struct buf *problems);

#endif
