/* SPDX-License-Identifier: MIT */
/* sandbox.c - closes a runner in before it loads anything: no network, no other files, no other processes; and the process that listens. */
#include "runner/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refused(const char *what, struct err *e)
{
    return err_set(e, ERR_FAILED, "the sandbox cannot be closed: %s: %s; set isolation to none to go without", what,
                   strerror(errno));
}

/* --- system calls: what is not in a table is refused with EPERM --- */

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

/* Memory, time, its own descriptors, and reading files. */
static const int for_all[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_close,
    SYS_close_range,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_lseek,
    SYS_mmap,
    SYS_mprotect,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_openat,
    SYS_openat2,
    SYS_getdents64,
    SYS_getcwd,
    SYS_readlinkat,
    SYS_fcntl,
    SYS_dup,
    SYS_dup3,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_syncfs,
    SYS_sync_file_range,
    SYS_fstatfs,
    SYS_statfs,
    SYS_umask,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_futex,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sysinfo,
    SYS_uname,
    SYS_getrusage,
    SYS_exit,
    SYS_exit_group,
    SYS_ppoll,
    SYS_pselect6,
    SYS_sendto,
    SYS_recvfrom,
    SYS_pipe2,
    SYS_restart_syscall,
    SYS_mincore,
    SYS_membarrier,
    SYS_fadvise64,
#if defined(__x86_64__)
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_open,
    SYS_readlink,
    SYS_dup2,
    SYS_getdents,
    SYS_time,
    SYS_poll,
    SYS_select,
    SYS_arch_prctl,
    SYS_getrlimit,
#endif
};
/* Changing files; which ones is Landlock's to say. */
static const int for_files[] = {
    SYS_ftruncate,       SYS_truncate, SYS_fallocate, SYS_renameat, SYS_renameat2, SYS_linkat,    SYS_unlinkat,
    SYS_mkdirat,         SYS_fchmod,   SYS_fchmodat,  SYS_fchown,   SYS_fchownat,  SYS_utimensat, SYS_fgetxattr,
    SYS_copy_file_range, SYS_msync,
#if defined(__x86_64__)
    SYS_rename,          SYS_link,     SYS_unlink,    SYS_mkdir,    SYS_rmdir,     SYS_chmod,     SYS_creat,
#endif
};
static const int for_databases[] = {
    SYS_socket,  SYS_connect,       SYS_getsockopt, SYS_setsockopt,  SYS_getsockname, SYS_getpeername,
    SYS_sendmsg, SYS_recvmsg,       SYS_sendmmsg,   SYS_recvmmsg,    SYS_shutdown,    SYS_bind,
    SYS_ioctl,   SYS_epoll_create1, SYS_epoll_ctl,  SYS_epoll_pwait, SYS_eventfd2,
};

/* Of a process that has its sockets: no file is opened, no socket made. */
static const int for_servers[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_mmap,
    SYS_mprotect,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_fcntl,
    SYS_getpid,
    SYS_gettid,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_futex,
    SYS_rseq,
    SYS_sched_yield,
    SYS_exit,
    SYS_exit_group,
    SYS_restart_syscall,
    SYS_ppoll,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendfile,
    SYS_accept4,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_shutdown,
#if defined(__x86_64__)
    SYS_poll,
    SYS_epoll_wait,
    SYS_time,
#endif
};

struct program {
    struct sock_filter at[512];
    unsigned short n;
};

static void add(struct program *p, unsigned code, unsigned char yes, unsigned char no, uint32_t k)
{
    p->at[p->n++] = (struct sock_filter){.code = (unsigned short)code, .jt = yes, .jf = no, .k = k};
}

static void answer(struct program *p, uint32_t what)
{
    add(p, BPF_RET | BPF_K, 0, 0, what);
}

static void load(struct program *p, size_t at)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)at);
}

static void allow(struct program *p, const int *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)numbers[i]);
        answer(p, SECCOMP_RET_ALLOW);
    }
}

/* The argument's low word; the high one of a small number is zero. */
#define LOW(i) (offsetof(struct seccomp_data, args) + 8 * (i))

/* That call is allowed while one of these bits of an argument is set. */
static void allow_with(struct program *p, int number, size_t at, uint32_t bits)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)number);
    load(p, at);
    add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
    answer(p, SECCOMP_RET_ALLOW);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}

/* That call is allowed while an argument is what it should be. */
static void allow_when(struct program *p, int number, size_t at, uint32_t value)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)number);
    load(p, at);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    answer(p, SECCOMP_RET_ALLOW);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}

#define ALL(table) table, sizeof(table) / sizeof(*(table))

#ifdef OUR_ARCH
static void begin(struct program *p)
{
    load(p, offsetof(struct seccomp_data, arch));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, OUR_ARCH);
    answer(p, SECCOMP_RET_KILL_PROCESS);
    load(p, offsetof(struct seccomp_data, nr));
}

static void fill_server(struct program *p)
{
    begin(p);
    allow(p, ALL(for_servers));
    allow_when(p, SYS_tgkill, LOW(0), (uint32_t)getpid());
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}

static void fill(struct program *p, uint64_t reach)
{
    begin(p);
    allow(p, ALL(for_all));
    if (reach & (SL_REACH_FILES | SL_REACH_DATABASE))
        allow(p, ALL(for_files));
    if (reach & SL_REACH_DATABASE)
        allow(p, ALL(for_databases));
    /* abort() kills itself; nobody else may be */
    allow_when(p, SYS_tgkill, LOW(0), (uint32_t)getpid());
    /* limits may be read, not set: those of our own host would be in reach */
    allow_when(p, SYS_prlimit64, LOW(2), 0);
    /* threads are its own affair, processes are not; clone3, whose flags cannot be seen, makes the C library use clone */
    allow_with(p, SYS_clone, LOW(0), CLONE_THREAD);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_clone3);
    answer(p, SECCOMP_RET_ERRNO | ENOSYS);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}
#endif

static bool has_seccomp(void)
{
#ifdef OUR_ARCH
    const uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#else
    return false;
#endif
}

static void limit(int what, rlim_t most)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_max < most)
        most = now.rlim_max;
    setrlimit((__rlimit_resource_t)what, &(struct rlimit){most, most});
}

#ifdef OUR_ARCH
static int close_by(struct program *p, struct err *e)
{
    const struct sock_fprog program = {.len = p->n, .filter = p->at};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0 ? refused("seccomp", e) : 0;
}
#endif

static int close_calls(uint64_t reach, struct err *e)
{
#ifdef OUR_ARCH
    struct program p = {.n = 0};
    if (!has_seccomp())
        return 0;
    fill(&p, reach);
    return close_by(&p, e);
#endif
    (void)reach;
    (void)e;
    return 0;
}

int sandbox_serve_only(struct err *e)
{
    limit(RLIMIT_CORE, 0);
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused("no_new_privs", e);
#ifdef OUR_ARCH
    struct program p = {.n = 0};
    if (!has_seccomp())
        return 0;
    fill_server(&p);
    return close_by(&p, e);
#endif
    return 0;
}

/* --- files: Landlock --- */

/* As of its ABI 6; the kernel is told how much of it it knows. */
struct ruleset {
    uint64_t files, net, scoped;
};
enum { RULESET_BYTES_1 = 8, RULESET_BYTES_4 = 16, NET_TCP = 3, SCOPED_BOTH = 3 };
static const uint64_t read_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/* What each ABI knows of files, from ABI 1. */
static const uint64_t known_rights[] = {0x1FFF, 0x3FFF, 0x7FFF, 0x7FFF, 0xFFFF};
enum { ABIS_KNOWN = sizeof known_rights / sizeof *known_rights };
/* Of these no connector makes any: devices, sockets, pipes, programs to be run. */
static const uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                              LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

/* Libraries, and what the C library reads. */
static const char *const readable[] = {"/usr",           "/lib",         "/lib64",           "/etc/ld.so.cache",
                                       "/etc/localtime", "/dev/urandom", "/etc/alternatives"};
/* How a name becomes a server, and whom to trust. */
static const char *const readable_for_databases[] = {"/etc"};

static int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

/* What is not there needs no permission. */
static void permit(int rules, const char *path, uint64_t rights)
{
    struct stat st;
    const uint64_t of_a_file =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | 0xC000; /* truncate, ioctl */
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return;
    bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    struct landlock_path_beneath_attr rule = {.allowed_access = folder ? rights : rights & of_a_file, .parent_fd = fd};
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(fd);
}

/* A database in a file makes others beside it, so a file's folder is what it gets. */
static void permit_setting(int rules, const char *path, uint64_t rights)
{
    struct stat st;
    char *copy = mem_dup(path);
    permit(rules, stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? path : dirname(copy), rights);
    mem_free(copy);
}

static void permit_all(int rules, const struct frame_start *start, const char *file, int open_fd, uint64_t all)
{
    char *copy = mem_dup(file), itself[64];
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
        permit(rules, readable[i], read_rights);
    for (size_t i = 0; (start->reach & SL_REACH_DATABASE) && i < 1; i++)
        permit(rules, readable_for_databases[i], read_rights);
    permit(rules, "/dev/null", read_rights | LANDLOCK_ACCESS_FS_WRITE_FILE);
    permit(rules, dirname(copy), read_rights);
    /* the very file, even if another has its name by now */
    snprintf(itself, sizeof itself, "/proc/self/fd/%d", open_fd);
    permit(rules, itself, read_rights);
    for (uint32_t i = 0; (start->reach & SL_REACH_FILES) && i < start->n_paths; i++)
        permit_setting(rules, start->paths[i], all & ~never);
    mem_free(copy);
}

static int close_files(const struct frame_start *start, const char *file, int open_fd, struct err *e)
{
    int abi = landlock_abi();
    if (abi < 1)
        return 0;
    uint64_t all = known_rights[abi < ABIS_KNOWN ? abi - 1 : ABIS_KNOWN - 1];
    struct ruleset set = {.files = all, .net = start->reach & SL_REACH_DATABASE ? 0 : NET_TCP, .scoped = SCOPED_BOTH};
    size_t size = abi < 4 ? RULESET_BYTES_1 : abi < 6 ? RULESET_BYTES_4 : sizeof set;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
    if (rules >= 0)
        permit_all(rules, start, file, open_fd, all);
    if (rules < 0 || syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        refused("Landlock", e);
    if (rules >= 0)
        close(rules);
    return e->code;
}

/* --- the rest --- */

static void close_between(int after, int before)
{
    if (before - after > 1)
        close_range((unsigned)after + 1, (unsigned)before - 1, 0);
}

static void close_others(int x, int y)
{
    int low = x < y ? x : y, high = x < y ? y : x;
    close_between(2, low);
    close_between(low, high);
    close_range((unsigned)high + 1, ~0U, 0);
}

/* A command in the settings is a program of its own: what it needs is not known here, and what it may is its user's. */
int sandbox_enter(const struct frame_start *start, const char *file, int fd, int open_fd, struct err *e)
{
    enum { FILES_MAX = 4096 };
    close_others(fd, open_fd);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FILES_MAX);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused("no_new_privs", e);
    if (start->reach & SL_REACH_PROCESS)
        return 0;
    return close_files(start, file, open_fd, e) ? e->code : close_calls(start->reach, e);
}

const char *sandbox_tells(uint64_t reach)
{
    if (reach & SL_REACH_PROCESS)
        return "in a process of its own: crashes and hangs are kept apart; what its command may do, that may, too";
    if (reach & SL_REACH_DATABASE)
        return "in a process of its own: no other processes, and no files but those in its settings";
    if (reach & SL_REACH_FILES)
        return "in a process of its own: no network, no other processes, and no files but those in its settings";
    return "in a process of its own: no network, no other processes, no files";
}

const char *sandbox_lacks(void)
{
    bool files = landlock_abi() >= 1;
    bool calls = has_seccomp();
    if (files && calls)
        return NULL;
    return files ? "this kernel has no seccomp for a runner: its connector may make any system call"
           : calls
               ? "this kernel has no Landlock: a connector in a runner may reach every file that this user may"
               : "this kernel has neither Landlock nor seccomp: a connector in a runner may do all that this user may";
}
