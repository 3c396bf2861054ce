/* SPDX-License-Identifier: MIT */
/* certify.h - what the checks share: a trial of one connection, the tables of checks, and how a trial reads and writes. */
#ifndef CERTIFY_CERTIFY_H
#define CERTIFY_CERTIFY_H

#include <sys/types.h>

#include "conf/conf.h"
#include "plugin/session.h"
#include "record/record.h"

/* own_peer.c: a simulated API of our own. */
struct own_peer {
    int port, stop;
    pid_t pid; /* 0: none */
};
int own_peer_start(struct own_peer *p, const char *profile, struct arena *a, struct err *e);
void own_peer_stop(struct own_peer *p);
bool own_peer_order(const struct own_peer *p, const char *what, const char *json); /* true: it was taken */

/* What is certified: a connector, the connection it is driven on, and what is known of its data. */
struct subject {
    const struct sl_plugin *plugin;
    const struct sl_value *settings;
    uint32_t n_settings;
    struct session_net net;
    const char *object; /* NULL: the one that can do most */
    const struct own *own; /* NULL: the connection of a config */
    const char *folder; /* of the connector's own data */
    struct own_peer peer;
};

/* Data of our own for a connector that comes with syncline. */
struct own {
    const char *plugin;
    const char *settings; /* JSON; @ stands for the folder, % for the example's program, # for the API's port */
    const char *peer; /* the profile of the simulated API; NULL: none */
    const char *file, *text; /* put into the folder first; NULL: nothing */
    const char *object; /* NULL: any */
    const char *broken_file, *broken_text, *broken_id; /* a record that cannot be read; NULL: cannot be planted */
    bool broken_append; /* the text goes behind what the file holds */
    bool forgets; /* at the end of each session */
    uint32_t most; /* records it has room for; 0: enough */
};

/* One check in a process of its own. The first thing wrong stays. */
struct trial {
    const struct subject *subject;
    const struct session_world *world;
    struct session *s;
    struct sl_object o;
    struct arena a;
    struct err e;
    char said[600]; /* what is wrong, or why it was left out */
    char note[200]; /* a fact worth telling though nothing is wrong */
    bool wrong, left;
    uint32_t n_made;
    const char *made[4000]; /* ids of records to be deleted again */
    uint32_t n_kept;
};

/* KEEPS: needs data that outlives a session; OFFLINE: opens by itself; ONLINE: needs a simulated API of our own. */
enum { FOR_ALL = 0, KEEPS = 1, OFFLINE = 2, ONLINE = 4 };

struct check {
    const char *name;
    const char *proves;
    uint64_t caps; /* declared by the object, or the check does not apply; what it proves */
    unsigned flags;
    void (*run)(struct trial *t);
};
/* Each ended by a row without a name. */
extern const struct check checks_session[], checks_describe[], checks_pull[], checks_seen[], checks_version[],
    checks_read[], checks_write[], checks_values[], checks_safe[], checks_batch[], checks_fault[], checks_online[],
    checks_clean[];

/* trial.c: sentences, and a session. */
void wrong(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void left_out(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void note(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool done(const struct trial *t); /* wrong or left out: the check is over */
void trial_open(struct trial *t);
struct session *trial_session(struct trial *t); /* another one; NULL after wrong() */
void trial_close(struct trial *t);
bool can(const struct trial *t, uint64_t caps);

/* What a read told of one id. */
struct told {
    int kind; /* enum sl_item_kind; 0: nothing */
    const char *id, *version;
    const struct sl_record *record;
};
struct listing {
    struct told *items;
    uint32_t n, room;
    uint32_t n_pages;
    struct page_end end;
};

/* drive.c: calls. What fails unexpectedly is wrong(). */
void list_from(struct trial *t, const char *cursor, uint32_t flags, uint32_t page_max, struct listing *out);
void list_all(struct trial *t, struct listing *out);
const struct told *listed(const struct listing *l, const char *id);
bool keep_item(struct trial *t, struct listing *out, const struct sl_item *item);
/* What is told of an id: by get where there is one, else by a listing. */
struct told read_id(struct trial *t, const char *id);
const struct sl_record *read_record(struct trial *t, const char *id); /* NULL after wrong() */
struct listing get_ids(struct trial *t, const char *const *ids, uint32_t n);
int find_by(struct trial *t, const struct sl_find *find, struct listing *out);
struct write_outcome *write_many(struct trial *t, const struct sl_write *writes, uint32_t n);
struct write_outcome write_one(struct trial *t, const struct sl_write *write);
void settle(struct trial *t); /* waits as long as the object says that a read may be behind */

/* make.c: records to work on. */
struct sl_value sample(struct trial *t, const struct sl_field *f, uint32_t k);
struct sl_field main_field(struct trial *t, uint32_t i); /* the i-th writable one; name NULL: there is none */
struct sl_field field_for(struct trial *t, const struct sl_value *v); /* one that takes the value; name NULL: none */
struct sl_write create_of(struct trial *t, uint32_t k);
struct sl_write create_with(struct trial *t, uint32_t k, const struct sl_value *v);
struct sl_write update_of(struct trial *t, const char *id, struct sl_value v);
struct sl_write plain(int kind, const char *id);
const char *make_one(struct trial *t, uint32_t k); /* creates and returns its id; NULL after wrong() */
void make_many(struct trial *t, uint32_t n, const char **ids);
const char *some_id(struct trial *t); /* a record: made, or found where none can be made */
const char *fresh_id(struct trial *t);
void made(struct trial *t, const char *id);
bool applied(struct trial *t, const struct write_outcome *o, const char *what); /* or wrong() */
bool refused(struct trial *t, const struct write_outcome *o, int error_class, const char *what);
bool value_kept(struct arena *a, const struct sl_value *sent, const struct sl_value *held);
bool records_same(const struct sl_record *x, const struct sl_record *y, const char *but, const char **field);
bool versions_differ(const char *x, const char *y);
uint32_t most(const struct trial *t, uint32_t n);
const char *result_name(const struct write_outcome *o);

/* given.c: the subject's connection. Returns 0, or an err code. */
struct conf *given_conf(const char *file, const char *config, const struct sl_plugin *p, struct arena *a,
                        struct subject *out, struct err *e);
void given_fini(struct subject *s);
/* sqlite_file.c */
void sqlite_file(struct buf *out, const char *create);

#endif
