# Syncline: build, test, check and install. `make help` lists the targets.

BUILD  ?= build
MODE   ?= release
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC     := gcc
endif
VERSION := $(shell sed -n 's/^#define SYNCLINE_VERSION "\(.*\)"/\1/p' host/main.c)
FUZZ_SECONDS ?= 30
PYTHON ?= python3

# One line a file; V=1 shows the commands.
Q := $(if $(V),,@)
# A first build uses every core, unless -j says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

# --- flags ---
# What asks pkg-config is expanded when a recipe runs, that is after .ci/setup has installed what is missing.

WARN  := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
HARD  := -fstack-protector-strong -fvisibility=hidden
ifeq ($(MODE),asan)
OPT   := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDOPT := -fsanitize=address,undefined
else ifeq ($(MODE),fuzz)
OPT   := -O1 -g -fsanitize=fuzzer-no-link,address -fno-omit-frame-pointer
LDOPT := -fsanitize=fuzzer,address
else ifeq ($(MODE),debug)
OPT   := -O0 -g
else
OPT   := -O2 -g -D_FORTIFY_SOURCE=2
endif
STD   := -std=c11 -D_GNU_SOURCE
CPPFLAGS += -Isdk/include -Ihost $(EXTRA_CPPFLAGS)
HOST_PKGS := libcjson lmdb libxxhash $(if $(wildcard host/net/*.c),libcurl libcrypto) $(if $(wildcard host/daemon/gateway.c),libmicrohttpd)
CFLAGS_ALL = $(STD) $(OPT) $(WARN) $(HARD) -fPIE $(CPPFLAGS) $(shell pkg-config --cflags $(HOST_PKGS) 2>/dev/null) $(CFLAGS)
LD_HARD := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LIBS_HOST = $(shell pkg-config --libs $(HOST_PKGS) 2>/dev/null) -ljq -ldl -lm

# --- what is there ---

HOST_SRC := $(filter-out host/main.c,$(wildcard host/*/*.c))
HOST_OBJ := $(HOST_SRC:%.c=$(BUILD)/obj/%.o)
PLUGINS  := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard plugins/*/*.c)))))
PLUGIN_SO := $(PLUGINS:%=$(BUILD)/plugins/%.so)
CERTIFY_SRC := $(wildcard sdk/certify/*.c)
CERTIFY  := $(if $(CERTIFY_SRC),$(BUILD)/certify)
UNIT_SRC := $(wildcard tests/unit/*.c tests/engine/test_*.c tests/abi/test_*.c tests/runner/test_*.c tests/faults/test_*.c)
UNIT_BIN := $(UNIT_SRC:tests/%.c=$(BUILD)/tests/%)
ENGINE_KIT := $(filter-out tests/engine/test_%,$(wildcard tests/engine/*.c)) $(wildcard plugins/memory/*.c)
ENGINE_KIT_OBJ := $(ENGINE_KIT:%.c=$(BUILD)/obj/%.o)
DISK_OBJ := $(addprefix $(BUILD)/obj/tests/faults/,disk.o unflushed.o nomem.o)
FAULT_SO := $(addprefix $(BUILD)/tests/faults/,disk.so nomem.so)
# Simulated APIs, one program.
PEER_SRC := $(wildcard tests/peers/*.c)
PEER     := $(if $(PEER_SRC),$(BUILD)/tests/peers/peer)
FUZZERS  := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

# The peer is among it: certify brings it for connectors over HTTP.
all: $(BUILD)/syncline plugins $(CERTIFY) $(PEER)
plugins: $(PLUGIN_SO)

# One look for all that this make will need: two installations at once would be in each other's way.
# Looked for again when what is needed changes; `make clean` asks anew.
GOAL := $(firstword $(filter check,$(MAKECMDGOALS)) $(if $(findstring test,$(MAKECMDGOALS))$(filter mutants,$(MAKECMDGOALS)),test) \
  $(if $(filter demo demo-escalation bench chaos,$(MAKECMDGOALS)),demo) build)
FOUND := $(BUILD)/.found-$(GOAL)
$(FOUND): .ci/setup $(wildcard plugins/*/libs)
	@CC="$(CC)" .ci/setup $(GOAL)
	@mkdir -p $(@D)
	@touch $@

$(BUILD)/libhost.a: $(HOST_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^
$(BUILD)/syncline: $(BUILD)/obj/host/main.o $(BUILD)/libhost.a
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDOPT) $(LD_HARD) -o $@ $< $(BUILD)/libhost.a $(LIBS_HOST)
$(BUILD)/certify: $(CERTIFY_SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/libhost.a
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDOPT) $(LD_HARD) -o $@ $(filter %.o,$^) $(BUILD)/libhost.a $(LIBS_HOST)
$(BUILD)/obj/%.o: %.c | $(FOUND)
	@mkdir -p $(@D)
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# A connector: every .c of its folder; its `libs` file names pkg-config packages and their Debian packages.
# The loader refuses files that others could have written, whatever the umask here is.
plugin_pkgs = $(shell test -f plugins/$(1)/libs && cut -d' ' -f1 plugins/$(1)/libs)
define PLUGIN_RULE
$(BUILD)/plugins/$(1).so: $(wildcard plugins/$(1)/*.c plugins/$(1)/*.h sdk/include/syncline/*.h) | $(FOUND)
	@mkdir -p $$(@D)
	@echo "$$(CC) $$@"
	$$(Q)$$(CC) $$(STD) $$(OPT) $$(WARN) $$(HARD) -fPIC -Isdk/include $$(CFLAGS) $$(LDOPT) -shared \
	  -Wl,-z,relro,-z,now,--as-needed -o $$@ $$(filter %.c,$$^) \
	  $$(if $$(call plugin_pkgs,$(1)),$$(shell pkg-config --cflags --libs $$(call plugin_pkgs,$(1))))
	@chmod go-w $$@ $$(@D)
endef
$(foreach p,$(PLUGINS),$(eval $(call PLUGIN_RULE,$(p))))

# --- tests: each file under tests/unit, and each test_* of tests/engine, abi, runner and faults, is one CUnit program ---

# Named one by one: as a mere pattern it would lose to the next one whenever a file of the kit is new.
$(filter $(BUILD)/tests/engine/%,$(UNIT_BIN)): $(BUILD)/tests/engine/%: $(BUILD)/obj/tests/engine/%.o $(ENGINE_KIT_OBJ) $(BUILD)/libhost.a
	@mkdir -p $(@D)
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDOPT) -o $@ $< $(ENGINE_KIT_OBJ) $(BUILD)/libhost.a $(LIBS_HOST) -lcunit
# The failing disk and memory stand before the C library's functions, so they are in the program itself, or preloaded.
$(filter $(BUILD)/tests/faults/%,$(UNIT_BIN)): $(BUILD)/tests/faults/%: $(BUILD)/obj/tests/faults/%.o $(DISK_OBJ) $(ENGINE_KIT_OBJ) $(BUILD)/libhost.a
	@mkdir -p $(@D)
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDOPT) -o $@ $< $(DISK_OBJ) $(ENGINE_KIT_OBJ) $(BUILD)/libhost.a $(LIBS_HOST) -lcunit
$(BUILD)/tests/faults/disk.so: $(addprefix tests/faults/,disk.c unflushed.c preload.c disk.h unflushed.h)
$(BUILD)/tests/faults/nomem.so: $(addprefix tests/faults/,nomem.c nomem.h)
$(FAULT_SO):
	@mkdir -p $(@D)
	@echo "$(CC) $@"
	$(Q)$(CC) $(STD) -O2 -g $(WARN) $(HARD) -fPIC -shared -o $@ $(filter %.c,$^)
$(PEER): $(PEER_SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/libhost.a
	@mkdir -p $(@D)
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDOPT) -o $@ $^ $(LIBS_HOST) -lpthread
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/libhost.a
	@mkdir -p $(@D)
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDOPT) -o $@ $< $(BUILD)/libhost.a $(LIBS_HOST) -lcunit
$(addprefix $(BUILD)/tests/unit/test_,net_auth peers github github_edges github_talk): | $(PEER)
tests-bin: $(UNIT_BIN) $(FAULT_SO) $(PEER)

test: all tests-bin | $(FOUND)
	@BUILD=$(BUILD) CC="$(CC)" tests/run

# What tests/mutants compiles a source, links a test and builds a connector with, a line each.
flags:
	@echo '$(CC) $(CFLAGS_ALL) $(LDOPT)'
	@echo '$(ENGINE_KIT_OBJ) $(BUILD)/libhost.a $(LIBS_HOST) -lcunit'
	@echo '$(CC) $(STD) $(OPT) $(HARD) -fPIC -Isdk/include $(CFLAGS) $(LDOPT) -shared'
mutants: all tests-bin | $(FOUND)
	@BUILD=$(BUILD) CC="$(CC)" tests/mutants/run $(MUTANT)

check: all | $(FOUND)
	@BUILD=$(BUILD) CC="$(CC)" tests/check/run

format:
	@find host plugins tests -name '*.[ch]' -not -path 'tests/abi/frozen-*' -exec clang-format -i {} +

asan:
	@TEST_SCALE=$${TEST_SCALE:-10} $(MAKE) MODE=asan BUILD=build-asan test

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/libhost.a
	@mkdir -p $(@D)
	@echo "$(CC) $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDOPT) -o $@ $< $(BUILD)/libhost.a $(LIBS_HOST)
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)
fuzz:
	@CC=clang .ci/setup fuzz
	@$(MAKE) CC=clang MODE=fuzz BUILD=build-fuzz fuzzers
	@BUILD=build-fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

# Without SEEDS it goes on until something breaks.
soak: $(BUILD)/tests/engine/test_sim | $(FOUND)
	@SEEDS=$(SEEDS) SIM_FROM=$(or $(SIM_FROM),1) $< soak

# The one in `make test` is short.
chaos: all $(PEER) | $(FOUND)
	@BUILD=$(BUILD) CHAOS_SECONDS=$(or $(CHAOS_SECONDS),180) tests/e2e/chaos.sh
bench: all $(PEER) $(BUILD)/tests/bench/bench_http | $(FOUND)
	@BUILD=$(BUILD) tests/bench/run
demo: all | $(FOUND)
	@BUILD=$(BUILD) configs/demo/run
demo-escalation: all $(PEER) | $(FOUND)
	@BUILD=$(BUILD) configs/demo/escalate

# --- installing ---

D = $(DESTDIR)$(PREFIX)
# Lines of `mode file target`: what install puts there and uninstall takes away again.
define INSTALLED
755 $(BUILD)/syncline bin/syncline
$(if $(CERTIFY),755 $(CERTIFY) bin/syncline-certify)
$(if $(PEER),755 $(PEER) lib/syncline/peer)
$(foreach p,$(PLUGINS),755 $(BUILD)/plugins/$(p).so lib/syncline/plugins/$(p).so
)$(foreach h,$(wildcard sdk/include/syncline/*.h),644 $(h) include/syncline/$(notdir $(h))
)644 $(BUILD)/syncline.pc lib/pkgconfig/syncline.pc
$(foreach m,$(wildcard configs/man/*.[157]),644 $(m) share/man/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m))
)644 configs/completion/syncline.bash share/bash-completion/completions/syncline
644 configs/completion/_syncline share/zsh/site-functions/_syncline
$(foreach u,$(wildcard configs/*.service),644 $(u) lib/systemd/system/$(notdir $(u))
)$(foreach f,$(EXAMPLES),$(if $(shell test -x $(f) && echo y),755,644) $(f) share/doc/syncline/examples/$(f:configs/%=%)
)$(foreach f,$(TEMPLATE),644 $(f) share/syncline/template/$(f:sdk/template/%=%)
)
endef
EXAMPLES := $(shell find configs -type f -not -path 'configs/man/*' -not -path 'configs/completion/*' \
  -not -path 'configs/demo/*' -not -name '.*' -not -name '*.service' 2>/dev/null)
TEMPLATE := $(shell find sdk/template -type f 2>/dev/null)
export INSTALLED

$(BUILD)/syncline.pc: sdk/syncline.pc.in FORCE
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< >$@
install: all $(BUILD)/syncline.pc
	@printf '%s\n' "$$INSTALLED" | while read -r mode file target; do \
	  [ -z "$$mode" ] || install -D -m "$$mode" "$$file" "$(D)/$$target" || exit 1; done
	@echo "installed into $(D)"
uninstall:
	@printf '%s\n' "$$INSTALLED" | while read -r mode file target; do \
	  [ -z "$$mode" ] || rm -f "$(D)/$$target" "$(D)/$${target%.so}.proven"; done
	@cd "$(D)" 2>/dev/null && find lib/syncline include/syncline share/doc/syncline share/syncline -depth -type d -empty -delete 2>/dev/null; true
	@echo "removed from $(D)"

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))
#: make            build/syncline and build/plugins/*.so; sets up what is missing first
#: make demo       the main job on real data, from a fresh clone
#: make demo-escalation  Zendesk and GitHub, simulated: escalated tickets, comments both ways
#: make test       every test; the last line is 'N passed, N failed[, N skipped]'
#: make mutants    breaks the code one line at a time: each fault must trip the invariant it should; MUTANT=NAME for one
#: make check      layering, symbols, the header alone, formatting, static analysis, clang
#: make format     clang-format over the tree
#: make asan       the tests under AddressSanitizer and UBSan, in build-asan
#: make soak       SEEDS histories of the simulation, or without end; SIM_SEED=n make soak shows one
#: make chaos      50 pairs under `run`, its processes killed, stopped and crashed for CHAOS_SECONDS (180), CHAOS_SEED=6
#: make fuzz       every fuzzer for FUZZ_SECONDS (30) each, in build-fuzz
#: make bench      the benchmarks; writes build/bench.json
#: make install    into PREFIX (/usr/local) below DESTDIR; make uninstall takes it away
#: make clean      removes build/
#: variables: V=1 BUILD=build CC=gcc MODE=release|debug|asan PREFIX= DESTDIR= CFLAGS=

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: all plugins tests-bin test flags mutants check format asan fuzzers fuzz soak chaos bench demo demo-escalation install uninstall clean help FORCE
.SECONDARY:
