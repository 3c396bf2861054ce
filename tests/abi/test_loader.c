/* SPDX-License-Identifier: MIT */
/* test_loader.c - files that are no connector, or none for this host, are refused in words; the right ones are found. */
#include "built.h"
#include "plugin/session.h"

/* One fault each, and its sentence. */
static const struct {
    const char *name;
    const char *flags;
    const char *sentence;
} faults[] = {
    {"bad", "-DMAJOR=2", "it is built for connector ABI 2.0, this host has 1."},
    {"bad", "-DSYMBOL=other_symbol", "it exports no symbol syncline_plugin"},
    {"bad", "-DSIZE=16", "its table has 16 bytes and says ABI 1.0; ABI 1.0 has 136 bytes (this host: 1."},
    {"bad", "-DSIZE=4096", "bytes, its table says more"},
    {"bad", "'-DNEEDS=1ULL<<39'", "connector bad 0.1 (ABI 1.0) needs services this host (ABI 1."},
    {"bad", "'-DNEEDS=1ULL<<39'", "does not offer: number 39; use a newer syncline"},
    {"bad", "'-DNEEDS=SL_NEED_SIGNATURE|SL_NEED_JSON|(1ULL<<40)'", "does not offer: number 40;"},
    {"good", "", "it calls itself 'bad'; name the file bad.so"},
    {"bad", "-DNAME='\"Bad\"'", "its name is not made of 1 to 64 lower case letters"},
    {"bad", "-DNAME=0", "its name is not made of"},
    {"bad", "-DPULL=0", "has no pull, but must by what it declares; tell its author"},
    {"bad", "-DCAPS=SL_CAP_UPDATE", "has no write, but must"},
    {"bad", "-DCAPS=SL_CAP_WEBHOOK", "has no webhook, but must"},
    {"bad", "-DOPTION_SIZE=3", "its options cannot be read: 1 of them, 3 bytes apart"},
    {"bad", "-DOPTION_NAME=0", "its option 0 has no name; tell its author"},
    {"bad", "-DOPTION_KIND=99", "its option 'root' is of kind 99 (ABI 1.0), which this host (ABI 1."},
    {"bad", "-DMISSING", "the linker refuses it: undefined symbol: missing_function"},
};

static void test_faults(void)
{
    char flags[200];
    for (size_t i = 0; i < COUNT(faults); i++) {
        snprintf(flags, sizeof(flags), "-Itests/abi/frozen-1.0 %s", faults[i].flags);
        refused(build("bad.c", faults[i].name, flags), faults[i].sentence);
    }
}

static const char *sound(const char *name)
{
    char flags[200];
    snprintf(flags, sizeof(flags), "-Itests/abi/frozen-1.0 -DNAME='\"%s\"'", name);
    return build("bad.c", name, flags);
}

static void test_files(void)
{
    static const char text[] = "connector, please\n";
    refused(put_file("text.so", text, sizeof(text), 0644), "it is not an ELF object");
    refused(put_file("empty.so", text, 0, 0644), "it is not an ELF object");
    refused(in_folder("nowhere.so"), "No such file");
    CU_ASSERT_EQUAL(mkdir(in_folder("folder.so"), 0755), 0);
    refused(in_folder("folder.so"), "it is not a regular file");
    CU_ASSERT_EQUAL(mkfifo(in_folder("pipe.so"), 0644), 0);
    refused(in_folder("pipe.so"), "it is not a regular file");
}

/* Without the check the linker dies of SIGBUS on some of these. */
static void test_cut_short(void)
{
    static char data[100000];
    const char *file = sound("whole");
    FILE *f = fopen(file, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    size_t n_bytes = fread(data, 1, sizeof(data), f);
    fclose(f);
    CU_ASSERT_FATAL(n_bytes > 4096 && n_bytes < sizeof(data));
    for (size_t cut = 4; cut < n_bytes; cut += 1 + n_bytes / 60)
        refused(put_file("cut.so", data, cut, 0644), "it is cut short at");
    refused(put_file("cut.so", data, n_bytes - 1, 0644), "it is cut short at");
    refused(put_file("cut.so", data, 3, 0644), "it is not an ELF object");
    data[16] = 2; /* ET_EXEC */
    refused(put_file("cut.so", data, n_bytes, 0644), "not a shared object of this machine");
}

static void test_modes(void)
{
    const char *file = sound("mode");
    CU_ASSERT_EQUAL(chmod(file, 0646), 0);
    refused(file, "its whole world may write to it; chmod go-w");
    CU_ASSERT_EQUAL(chmod(file, 0664), 0);
    refused(file, "its group may write to it; chmod go-w");
    CU_ASSERT_EQUAL(chmod(file, 0644), 0);
    CU_ASSERT_EQUAL(chmod(folder, 0777), 0);
    refused(file, "everybody may write to its folder");
    CU_ASSERT_EQUAL(chmod(folder, 01777), 0);
    plugin_unload(loaded(file));
    CU_ASSERT_EQUAL(chmod(folder, 0755), 0);
    if (geteuid() != 0)
        return;
    CU_ASSERT_EQUAL(chown(file, 4321, (gid_t)-1), 0);
    refused(file, "it belongs to user 4321, neither root nor you");
    CU_ASSERT_EQUAL(chown(file, 0, (gid_t)-1), 0);
    CU_ASSERT_EQUAL(chown(folder, 4321, (gid_t)-1), 0);
    refused(file, "its folder belongs to user 4321");
    CU_ASSERT_EQUAL(chown(folder, 0, (gid_t)-1), 0);
}

static bool is_named(const struct plugin_lib *lib, const char *name)
{
    return strcmp(plugin_table(lib)->name, name) == 0;
}

/* The linker knows objects by the name they were opened by, here a descriptor's number: none may be taken for another. */
static void test_no_mixing(void)
{
    char one[256];
    char two[256];
    strcpy(one, sound("one"));
    strcpy(two, sound("two"));
    struct plugin_lib *first = loaded(one);
    struct plugin_lib *again = loaded(one);
    CU_ASSERT_PTR_EQUAL(first, again);
    plugin_unload(first);
    CU_ASSERT(is_named(again, "one"));
    struct plugin_lib *other = loaded(two);
    CU_ASSERT(is_named(other, "two") && is_named(again, "one"));
    plugin_unload(again);
    plugin_unload(other);
    for (int i = 0; i < 3; i++) {
        struct plugin_lib *lib = loaded(i % 2 ? one : two);
        CU_ASSERT(is_named(lib, i % 2 ? "one" : "two"));
        CU_ASSERT_STRING_EQUAL(plugin_file(lib), i % 2 ? one : two);
        plugin_unload(lib);
    }
    plugin_unload(NULL);
}

static void test_resident(void)
{
    struct plugin_lib *lib =
        loaded(build("bad.c", "stays", "-Itests/abi/frozen-1.0 -DNAME='\"stays\"' -Wl,-z,nodelete"));
    plugin_unload(lib);
    lib = loaded(sound("next"));
    CU_ASSERT(is_named(lib, "next"));
    plugin_unload(lib);
}

static void test_find(void)
{
    struct arena a = {0};
    struct plugin_path path;
    struct plugin_lib *lib = NULL;
    struct err e = {0};
    const char **files = NULL;
    CU_ASSERT_EQUAL(mkdir(in_folder("empty"), 0755), 0);
    CU_ASSERT_EQUAL(mkdir(in_folder("second"), 0755), 0);
    const char *const folders[] = {arena_text(&a, in_folder("absent")), arena_text(&a, in_folder("second")), folder};
    sound("finder");
    put_file("second/finder.so", "no", 2, 0644);
    plugin_path_init(&path, &a, folders, COUNT(folders));
    CU_ASSERT_EQUAL(path.n_folders, 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(path.folders[4], "/../lib/syncline/plugins"));
    CU_ASSERT(plugin_list(&path, &a, &files) > 3 && strstr(files[0], "/second/finder.so"));
    /* the first of a name decides, even if it is refused */
    CU_ASSERT_EQUAL(plugin_find(&path, "finder", &lib, &e), ERR_CONFIG);
    CU_ASSERT(strstr(e.text, "/second/finder.so: it is not an ELF object") != NULL);
    unlink(in_folder("second/finder.so"));
    err_clear(&e);
    CU_ASSERT_EQUAL(plugin_find(&path, "finder", &lib, &e), 0);
    CU_ASSERT(lib && is_named(lib, "finder"));
    plugin_unload(lib);
    CU_ASSERT_EQUAL(plugin_find(&path, "findre", &lib, &e), ERR_CONFIG);
    CU_ASSERT(!lib && strstr(e.text, "connector 'findre' is in none of the folders") &&
              strstr(e.text, "did you mean 'finder'?"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, folder));
    err_clear(&e);
    CU_ASSERT_EQUAL(plugin_find(&path, "../finder", &lib, &e), ERR_CONFIG);
    arena_fini(&a);
}

/* A table in the same process is negotiated by the same function. */
static void test_negotiate(void)
{
    struct sl_plugin mine = {.size = sizeof(mine), .abi_major = SL_ABI_MAJOR + 1, .abi_minor = 3};
    struct sl_plugin out;
    struct err e = {0};
    CU_ASSERT_EQUAL(plugin_negotiate(&mine, "mine.so", SESSION_SERVICES, &out, &e), ERR_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "mine.so: it is built for connector ABI 2.3, this host has 1."));
}

static const struct check tests[] = {
    {"tables with one fault each", test_faults},
    {"files that are no connector", test_files},
    {"a shared object that is cut short", test_cut_short},
    {"files and folders others may write to, or own", test_modes},
    {"one connector is never taken for another", test_no_mixing},
    {"nor for one that cannot be unloaded", test_resident},
    {"finding and listing", test_find},
    {"negotiation is a pure function", test_negotiate},
};

int main(void)
{
    built_init();
    int code = check_run("loader", tests, COUNT(tests));
    built_fini();
    return code;
}
