/* SPDX-License-Identifier: MIT */
/* header.c - our own reading of an LMDB data file, before the library is trusted with it. */
#include "store/header.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* The file format of LMDB 0.9 on a 64-bit machine, whose byte order it takes. */
enum {
    N_METAS = 2,
    GAP_MAX_PAGES = 1 << 20, /* counted but not written: far above what one commit can free at the end of the file */
    META_VERSION = 1,
    PAGE_BRANCH = 0x01,
    PAGE_LEAF = 0x02,
    PAGE_OVERFLOW = 0x04,
    PAGE_META = 0x08,
    NODE_BIG = 0x01, /* the value is in overflow pages */
    NODE_TREE = 0x02, /* the value is the root of a named database */
    DEPTH_MAX = 32,
    PAGE_MIN_BYTES = 512,
    PAGE_MAX_BYTES = 32768
};
static const uint32_t META_MAGIC = 0xBEEFC0DE;
static const uint64_t NO_PAGE = UINT64_MAX;

struct page_head {
    uint64_t number;
    uint16_t pad;
    uint16_t flags;
    union {
        struct {
            uint16_t lower, upper; /* leaf and branch: where the node offsets end, where the nodes begin */
        };
        uint32_t n_overflow; /* overflow: how many pages the value fills */
    };
};
struct tree_head {
    uint32_t pad; /* of the free tree: the page size */
    uint16_t flags, depth;
    uint64_t n_branch, n_leaf, n_overflow, n_entries, root;
};
struct meta {
    struct page_head page;
    uint32_t magic, version;
    uint64_t address, map_bytes;
    struct tree_head free_tree, main_tree;
    uint64_t last_page, txnid;
};
struct node_head {
    uint16_t low, high; /* a leaf's value size, or two thirds of a branch's page number */
    uint16_t flags; /* the last third */
    uint16_t key_bytes;
};
_Static_assert(sizeof(struct page_head) == 16 && sizeof(struct tree_head) == 48 && sizeof(struct meta) == 152 &&
                   sizeof(struct node_head) == 8,
               "LMDB's file format has no other padding");

static bool read_at(int fd, void *to, size_t n_bytes, uint64_t offset)
{
    return pread(fd, to, n_bytes, (off_t)offset) == (ssize_t)n_bytes;
}

static bool page_size_sane(uint32_t n_bytes)
{
    return n_bytes >= PAGE_MIN_BYTES && n_bytes <= PAGE_MAX_BYTES && (n_bytes & (n_bytes - 1)) == 0;
}

static bool root_sane(const struct tree_head *t, uint64_t last_page)
{
    if (t->depth > DEPTH_MAX)
        return false;
    return t->root == NO_PAGE ? t->depth == 0 : t->depth > 0 && t->root >= N_METAS && t->root <= last_page;
}

/* What both meta pages hold to, the older one too. */
static const char *meta_fault(const struct meta *m, uint64_t number, uint32_t page_bytes)
{
    if (m->magic != META_MAGIC || !(m->page.flags & PAGE_META))
        return "it is no LMDB file";
    if (m->version != META_VERSION)
        return "it is of another LMDB version";
    if (m->page.number != number || !page_size_sane(m->free_tree.pad) || (page_bytes && m->free_tree.pad != page_bytes))
        return "its page size is wrong";
    if (m->last_page < N_METAS - 1 || m->last_page >= (uint64_t)INT64_MAX / m->free_tree.pad)
        return "its page count is wrong";
    return NULL;
}

/*
 * Only the newest one's roots are followed. Where LMDB 0.9.24 could not write a meta page it puts the old transaction's number
 * and page count back but leaves the new roots: that page is older than the other, and no damage.
 */
static const char *roots_fault(const struct meta *newest)
{
    bool sane = root_sane(&newest->free_tree, newest->last_page) && root_sane(&newest->main_tree, newest->last_page);
    return sane ? NULL : "its roots are wrong";
}

/* Order is important: the size is read after the meta pages. A running writer only makes the file longer. */
const char *header_read(int fd, struct header *out)
{
    struct meta metas[N_METAS] = {0};
    uint32_t page_bytes = 0;
    for (uint64_t i = 0; i < N_METAS; i++) {
        if (!read_at(fd, &metas[i], sizeof(metas[i]), i * page_bytes))
            return "it is cut short";
        const char *fault = meta_fault(&metas[i], i, page_bytes);
        if (fault)
            return fault;
        page_bytes = metas[i].free_tree.pad;
    }
    const struct meta *newest = &metas[metas[1].txnid > metas[0].txnid];
    const char *fault = roots_fault(newest);
    struct stat st;
    if (fault)
        return fault;
    if (fstat(fd, &st) != 0 || st.st_size < (off_t)(N_METAS * page_bytes))
        return "it is cut short";
    *out = (struct header){
        .page_bytes = page_bytes,
        .n_pages = newest->last_page + 1,
        .n_whole = (uint64_t)st.st_size / page_bytes,
        .free_root = newest->free_tree.root,
        .main_root = newest->main_tree.root,
        .txnid = newest->txnid,
    };
    return out->n_pages > out->n_whole + GAP_MAX_PAGES ? "it is cut short" : NULL;
}

struct walk {
    int fd;
    const struct header *header;
    uint64_t n_visits; /* a damaged tree may run in circles */
};

static bool visit(struct walk *w, uint64_t number, int depth);

static bool values_whole(const struct walk *w, uint64_t number)
{
    struct page_head p = {0};
    uint64_t n_whole = w->header->n_whole;
    if (number >= n_whole || !read_at(w->fd, &p, sizeof(p), number * w->header->page_bytes))
        return false;
    return p.number == number && (p.flags & PAGE_OVERFLOW) && p.n_overflow && p.n_overflow <= n_whole - number;
}

/* The node at offset of a page, and what hangs on it. */
static bool visit_node(struct walk *w, const uint8_t *page, size_t offset, bool branch, int depth)
{
    struct node_head n;
    struct tree_head tree;
    uint64_t big = 0;
    size_t page_bytes = w->header->page_bytes;
    if (offset + sizeof(n) > page_bytes)
        return false;
    memcpy(&n, page + offset, sizeof(n));
    if (branch)
        return visit(w, n.low | (uint64_t)n.high << 16 | (uint64_t)n.flags << 32, depth + 1);
    size_t value = offset + sizeof(n) + n.key_bytes;
    size_t value_bytes = n.low | (size_t)n.high << 16;
    size_t stored = n.flags & NODE_BIG ? sizeof(big) : value_bytes;
    if (value + stored > page_bytes)
        return false;
    if (n.flags & NODE_BIG) {
        memcpy(&big, page + value, sizeof(big));
        return values_whole(w, big);
    }
    if (!(n.flags & NODE_TREE))
        return true;
    if (value_bytes != sizeof(tree))
        return false;
    memcpy(&tree, page + value, sizeof(tree));
    return tree.root == NO_PAGE || visit(w, tree.root, depth + 1);
}

static bool visit(struct walk *w, uint64_t number, int depth)
{
    struct page_head p;
    size_t page_bytes = w->header->page_bytes;
    if (depth > 2 * DEPTH_MAX || ++w->n_visits > w->header->n_whole || number < N_METAS || number >= w->header->n_whole)
        return false;
    uint8_t *page = mem_alloc(page_bytes);
    bool whole = read_at(w->fd, page, page_bytes, number * page_bytes);
    memcpy(&p, page, sizeof(p));
    bool branch = p.flags & PAGE_BRANCH;
    whole = whole && p.number == number && (p.flags & (PAGE_BRANCH | PAGE_LEAF)) && p.lower >= sizeof(p) &&
            p.lower <= p.upper && p.upper <= page_bytes;
    for (size_t at = sizeof(p); whole && at < p.lower; at += sizeof(uint16_t)) {
        uint16_t offset = 0;
        memcpy(&offset, page + at, sizeof(offset));
        whole = visit_node(w, page, offset, branch, depth);
    }
    mem_free(page);
    return whole;
}

bool header_trees_whole(int fd, const struct header *h)
{
    struct walk w = {.fd = fd, .header = h};
    bool free_whole = h->free_root == NO_PAGE || visit(&w, h->free_root, 0);
    return free_whole && (h->main_root == NO_PAGE || visit(&w, h->main_root, 0));
}

void header_fill_out(int fd, uint64_t n_bytes)
{
    struct stat st;
    bool shorter = fstat(fd, &st) == 0 && (uint64_t)st.st_size < n_bytes;
    int rc = shorter ? ftruncate(fd, (off_t)n_bytes) : 0;
    (void)rc;
}

size_t header_map_bytes(size_t at_least, uint64_t used_bytes)
{
    size_t n_bytes = at_least;
    while (n_bytes / 5 * 4 < used_bytes)
        n_bytes *= 2;
    return n_bytes;
}
