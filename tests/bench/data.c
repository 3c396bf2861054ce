/* SPDX-License-Identifier: MIT */
/* data.c - makes and edits the records that every program of the benchmark is given: files or SQL, about 400 bytes or 60 fields each. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 240, SHORT_BYTES = 32, WIDE_FIELDS = 60 };

struct form {
    const char *name;
    const char *suffix; /* of a file; NULL: SQL to stdout */
    void (*begin)(void);
    void (*put)(FILE *out, unsigned long i, unsigned edit);
};

/* Words up to room - 1 bytes. */
static void words_put(char *out, size_t room, unsigned long i, unsigned edit)
{
    static const char *const words[] = {"river ",  "stone ",  "quiet ", "market ",
                                        "signal ", "winter ", "paper ", "garden "};
    unsigned long long x = i * 2654435761u + edit + 1;
    size_t n = 0;
    while (n < room - 8) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        const char *word = words[x >> 61];
        size_t size = strlen(word);
        for (size_t k = 0; k < size; k++)
            out[n++] = word[k];
    }
    out[n - 1] = 0;
}

static void filler(char out[TEXT_BYTES + 1], unsigned long i, unsigned edit)
{
    words_put(out, TEXT_BYTES, i, edit);
}

static void put_json(FILE *out, unsigned long i, unsigned edit)
{
    char text[TEXT_BYTES + 1];
    filler(text, i, edit);
    fprintf(out,
            "{\n  \"name\": \"Record %lu\",\n  \"email\": \"r%lu@example.test\",\n  \"status\": \"%s\",\n"
            "  \"priority\": %lu,\n  \"amount\": %lu.%02lu,\n  \"edit\": %u,\n  \"notes\": \"%s\"\n}\n",
            i, i, i % 3 ? "open" : "closed", i % 5, i * 7, i % 100, edit, text);
}

static void put_vcf(FILE *out, unsigned long i, unsigned edit)
{
    char text[TEXT_BYTES + 1];
    filler(text, i, edit);
    fprintf(
        out,
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:r%07lu\r\nFN:Record %lu\r\nN:%lu;Record;;;\r\nEMAIL:r%lu@example.test\r\n"
        "TITLE:%s\r\nREV:%u\r\nNOTE:%s\r\nEND:VCARD\r\n",
        i, i, i, i, i % 3 ? "open" : "closed", edit, text);
}

/* Rows are made in the table itself; edits go through another, because a record may have another id on the other side. */
static const char *into = "records";

static void put_row(FILE *out, unsigned long i, unsigned edit)
{
    char text[TEXT_BYTES + 1];
    filler(text, i, edit);
    fprintf(out, "INSERT INTO %s VALUES(%lu,'Record %lu','r%lu@example.test','%s',%lu,%lu,%u,'%s',%lu);\n", into, i, i,
            i, i % 3 ? "open" : "closed", i % 5, i * 7, edit, text, 1700000000000ul + i + edit);
}

static void begin_rows(void)
{
    puts("CREATE TABLE records(id INTEGER PRIMARY KEY, name TEXT, email TEXT, status TEXT, priority INTEGER, "
         "amount INTEGER, edit INTEGER, notes TEXT, modified INTEGER);\nCREATE INDEX by_modified ON "
         "records(modified);");
}

/* An edit shows in one field of the many. */
static void put_wide(FILE *out, unsigned long i, unsigned edit)
{
    char text[SHORT_BYTES + 1];
    fprintf(out, "{\n");
    for (unsigned f = 1; f < WIDE_FIELDS; f++) {
        words_put(text, SHORT_BYTES, i * WIDE_FIELDS + f, f == 7 ? edit : 0);
        fprintf(out, "  \"field_%02u\": \"%s\",\n", f, text);
    }
    fprintf(out, "  \"edit\": %u\n}\n", edit);
}

static void begin_wide_rows(void)
{
    printf("CREATE TABLE records(id INTEGER PRIMARY KEY, name TEXT");
    for (unsigned f = 2; f < WIDE_FIELDS; f++)
        printf(", field_%02u TEXT", f);
    puts(");");
}

static void put_wide_row(FILE *out, unsigned long i, unsigned edit)
{
    char text[SHORT_BYTES + 1];
    fprintf(out, "INSERT INTO %s VALUES(%lu,'Record %lu'", into, i, i);
    for (unsigned f = 2; f < WIDE_FIELDS; f++) {
        words_put(text, SHORT_BYTES, i * WIDE_FIELDS + f, f == 7 ? edit : 0);
        fprintf(out, ",'%s'", text);
    }
    fprintf(out, ");\n");
}

static const struct form forms[] = {
    {"json", ".json", NULL, put_json},
    {"vcf", ".vcf", NULL, put_vcf},
    {"sql", NULL, begin_rows, put_row},
    {"wide", ".json", NULL, put_wide},
    {"widesql", NULL, begin_wide_rows, put_wide_row},
};

static void put(const struct form *f, const char *folder, unsigned long i, unsigned edit)
{
    char path[4096];
    if (!f->suffix) {
        f->put(stdout, i, edit);
        return;
    }
    snprintf(path, sizeof path, "%s/r%07lu%s", folder, i, f->suffix);
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
    f->put(out, i, edit);
    if (fclose(out) != 0) {
        perror(path);
        exit(1);
    }
}

static void drop(const struct form *f, const char *folder, unsigned long i)
{
    char path[4096];
    if (!f->suffix) {
        printf("INSERT INTO gone VALUES('Record %lu');\n", i);
        return;
    }
    snprintf(path, sizeof path, "%s/r%07lu%s", folder, i, f->suffix);
    if (unlink(path) != 0)
        perror(path);
}

static void begin_edits(void)
{
    puts("CREATE TEMP TABLE edited AS SELECT * FROM records WHERE 0;\nCREATE TEMP TABLE gone(name TEXT);");
    into = "edited";
}

/* A record is known by its name. */
static void end_edits(void)
{
    puts("CREATE TEMP TABLE known AS SELECT name, id FROM records;\nCREATE UNIQUE INDEX temp.known_name ON "
         "known(name);\n"
         "UPDATE edited SET id = (SELECT k.id FROM known k WHERE k.name = edited.name)"
         " WHERE name IN (SELECT name FROM known);\n"
         "INSERT OR REPLACE INTO records SELECT * FROM edited;\n"
         "DELETE FROM records WHERE id IN (SELECT k.id FROM known k JOIN gone g USING (name));");
}

/* The residues keep the sides' edits, deletes and conflicts apart: no record is in two of them. */
static void change(const struct form *f, const char *folder, unsigned long n, unsigned side)
{
    for (unsigned long i = 0; i < n; i++) {
        if (i % 100 == 10 + side)
            put(f, folder, i, 1 + side);
        if (i % 400 == 50 + side)
            drop(f, folder, i);
        if (i % 200 == 0)
            put(f, folder, n + i / 200 + side * n, 0);
    }
}

static void disagree(const struct form *f, const char *folder, unsigned long n, unsigned side)
{
    for (unsigned long i = 20; i < n; i += 200)
        put(f, folder, i, 11 + side);
}

static void make(const struct form *f, const char *folder, unsigned long n, unsigned side)
{
    if (f->begin)
        f->begin();
    for (unsigned long i = 0; side == 0 && i < n; i++)
        put(f, folder, i, 0);
}

static const struct stage {
    const char *name;
    void (*run)(const struct form *, const char *, unsigned long, unsigned);
    bool edits;
} stages[] = {{"make", make, false}, {"change", change, true}, {"disagree", disagree, true}};

static void run_stage(const struct stage *s, const struct form *f, char **argv)
{
    if (!f->suffix)
        puts("BEGIN;");
    if (!f->suffix && s->edits)
        begin_edits();
    s->run(f, argv[2], strtoul(argv[3], NULL, 10), argv[4][0] == 'b');
    if (!f->suffix && s->edits)
        end_edits();
    if (!f->suffix)
        puts("COMMIT;");
}

/* data FORM FOLDER N SIDE STAGE */
int main(int argc, char **argv)
{
    for (size_t f = 0; argc == 6 && f < sizeof forms / sizeof *forms; f++)
        for (size_t s = 0; s < sizeof stages / sizeof *stages; s++)
            if (!strcmp(argv[1], forms[f].name) && !strcmp(argv[5], stages[s].name)) {
                run_stage(&stages[s], &forms[f], argv);
                return 0;
            }
    fprintf(stderr, "usage: data json|vcf|sql|wide|widesql FOLDER N a|b make|change|disagree\n");
    return 2;
}
