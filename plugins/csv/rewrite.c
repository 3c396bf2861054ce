/* SPDX-License-Identifier: MIT */
/* rewrite.c - writes a file anew beside itself and puts it in place: a kill leaves the old file or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"

/* The new file under way. Errors are sticky in `out`. */
struct writing {
    const struct rewrite *w;
    FILE *out;
    bool open_line; /* the last row has no line end yet */
};

static const char *eol(const struct writing *x)
{
    return x->w->file->crlf ? "\r\n" : "\n";
}

static void put(struct writing *x, const char *text, size_t n_bytes)
{
    if (n_bytes)
        fwrite(text, 1, n_bytes, x->out);
}

/* Quoted where the text needs it, and where a careless reader would cut blanks. */
static void put_text(struct writing *x, const char *text, size_t n_bytes)
{
    const char marks[] = {x->w->delimiter, '"', '\r', '\n'};
    bool quote = !n_bytes || strchr(" \t", text[0]) || strchr(" \t", text[n_bytes - 1]);
    for (size_t i = 0; !quote && i < sizeof(marks); i++)
        quote = memchr(text, marks[i], n_bytes) != NULL;
    if (!quote) {
        put(x, text, n_bytes);
        return;
    }
    putc('"', x->out);
    for (size_t i = 0; i < n_bytes; i++) {
        if (text[i] == '"')
            putc('"', x->out);
        putc(text[i], x->out);
    }
    putc('"', x->out);
}

static void put_cells(struct writing *x, const struct cell *cells)
{
    for (size_t i = 0; i < x->w->n_columns; i++) {
        if (!x->w->used[i])
            continue;
        if (i)
            putc(x->w->delimiter, x->out);
        if (cells[i].raw)
            put(x, cells[i].raw, cells[i].raw_size);
        else if (!cells[i].null)
            put_text(x, cells[i].text, cells[i].size);
    }
}

static void end_line(struct writing *x)
{
    if (x->open_line)
        fputs(eol(x), x->out);
    x->open_line = false;
}

static void put_header(struct writing *x)
{
    const struct file *f = x->w->file;
    if (f->bom)
        put(x, "\xef\xbb\xbf", 3);
    put(x, f->header, f->header_size);
    for (size_t i = 0; f->fd < 0 && i < f->n_columns; i++) {
        if (i)
            putc(x->w->delimiter, x->out);
        put_text(x, f->columns[i], strlen(f->columns[i]));
    }
    for (size_t i = f->n_columns; i < x->w->n_columns; i++) {
        if (!x->w->used[i])
            continue;
        if (i) /* an archive that is not there yet has no column but new ones */
            putc(x->w->delimiter, x->out);
        put_text(x, x->w->columns[i], strlen(x->w->columns[i]));
    }
    x->open_line = true;
    if (!f->header_open)
        end_line(x);
}

/* A row of other length than the header gets the new columns too: it stays as unreadable as it was. */
static void put_row(struct writing *x, const struct reader *r)
{
    bool drop = false;
    const struct cell *cells = r->blank ? NULL : x->w->row(x->w->self, r, &drop);
    if (drop)
        return;
    end_line(x);
    if (cells)
        put_cells(x, cells);
    else
        put(x, r->raw, r->raw_size - r->eol_size);
    for (size_t i = x->w->file->n_columns; !cells && !r->blank && i < x->w->n_columns; i++) {
        if (x->w->used[i])
            putc(x->w->delimiter, x->out);
    }
    put(x, r->raw + r->raw_size - r->eol_size, r->eol_size);
    x->open_line = r->eol_size == 0;
}

static int put_file(struct csv *c, struct writing *x)
{
    const struct file *f = x->w->file;
    struct reader r = {0};
    enum reader_end end = READER_END;
    put_header(x);
    if (f->fd >= 0) {
        reader_begin(&r, f->fd, x->w->delimiter, f->body, f->body_line);
        while ((end = reader_next(&r)) == READER_ROW)
            put_row(x, &r);
    }
    int result = end == READER_END ? SL_OK : reader_fault(c, f, &r, end);
    reader_fini(&r);
    for (size_t i = 0; i < x->w->n_added; i++) {
        end_line(x);
        put_cells(x, x->w->added[i]);
        x->open_line = true;
        end_line(x);
    }
    return result;
}

/* The name is fixed, so that what a kill left behind is cleared away by the next write. */
static int temp_open(struct csv *c, const struct rewrite *w, char temp[320], FILE **out)
{
    const struct file *f = w->file;
    bool old = f->fd >= 0;
    snprintf(temp, 320, ".%s.syncline", f->name);
    unlinkat(f->folder, temp, 0);
    int fd = openat(f->folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, old ? 0600 : 0666);
    if (fd < 0)
        return csv_errno(c, errno, temp);
    if (old && (fchown(fd, f->st.st_uid, f->st.st_gid) || fchmod(fd, f->st.st_mode & 07777)))
        fchmod(fd, f->st.st_mode & 0777);
    *out = sl_checked(fdopen(fd, "w"));
    setvbuf(*out, NULL, _IOFBF, 1 << 16);
    return SL_OK;
}

int rewrite_make(struct csv *c, const struct rewrite *w, char temp[320])
{
    struct writing x = {.w = w};
    int result = temp_open(c, w, temp, &x.out);
    if (result)
        return result;
    result = put_file(c, &x);
    errno = 0;
    bool bad = ferror(x.out) || fflush(x.out) || fsync(fileno(x.out));
    int code = errno ? errno : EIO;
    bad = fclose(x.out) || bad;
    if (!result && bad)
        result = csv_errno(c, code, w->file->name);
    if (result)
        unlinkat(w->file->folder, temp, 0);
    return result;
}

static int changed(struct csv *c, const struct file *f)
{
    return csv_why(c, SL_CONFLICT, "%s/%s is being written to by another program; close it or run again", c->root,
                   f->name);
}

int rewrite_place(struct csv *c, const struct rewrite *w, const char *temp, bool *in_place)
{
    const struct file *f = w->file;
    struct stat now;
    *in_place = false;
    bool there = !fstatat(f->folder, f->name, &now, AT_SYMLINK_NOFOLLOW);
    if (there != (f->fd >= 0) || (there && !same_stamps(&now, &f->st))) {
        unlinkat(f->folder, temp, 0);
        return changed(c, f);
    }
    if (renameat(f->folder, temp, f->folder, f->name)) {
        int result = csv_errno(c, errno, f->name);
        unlinkat(f->folder, temp, 0);
        return result;
    }
    *in_place = true;
    return fsync(f->folder) ? csv_errno(c, errno, f->name) : SL_OK;
}
