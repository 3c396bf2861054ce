# Syncline: build, test, check and install. `make help` lists the targets.

BUILD  ?= build
CC     ?= gcc
PREFIX ?= /usr/local
MODE   ?= release

# What must be there: pkg-config name (or a header) and its Debian package.
NEED_LIBS := libcurl:libcurl4-openssl-dev libcjson:libcjson-dev lmdb:liblmdb-dev cunit:libcunit1-dev \
             libxxhash:libxxhash-dev libcrypto:libssl-dev
HOST_PKGS := libcjson lmdb libxxhash

WARN  := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
HARD  := -fstack-protector-strong -fPIE -fvisibility=hidden
ifeq ($(MODE),asan)
OPT   := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDOPT := -fsanitize=address,undefined
else ifeq ($(MODE),debug)
OPT   := -O0 -g
else
OPT   := -O2 -g -D_FORTIFY_SOURCE=2
endif
STD   := -std=c11 -D_GNU_SOURCE
CPPFLAGS += -Isdk/include -Ihost $(EXTRA_CPPFLAGS)
CFLAGS_ALL = $(STD) $(OPT) $(WARN) $(HARD) $(CPPFLAGS) $(shell pkg-config --cflags $(HOST_PKGS) 2>/dev/null) $(CFLAGS)
LD_HARD := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LIBS_HOST = $(shell pkg-config --libs $(HOST_PKGS) 2>/dev/null) -ljq -ldl -lm

HOST_SRC := $(filter-out host/main.c,$(wildcard host/*/*.c))
HOST_OBJ := $(HOST_SRC:%.c=$(BUILD)/obj/%.o)
PLUGINS  := $(notdir $(patsubst %/,%,$(dir $(wildcard plugins/*/*.c))))
PLUGINS  := $(sort $(PLUGINS))
PLUGIN_SO := $(PLUGINS:%=$(BUILD)/plugins/%.so)
UNIT_SRC := $(wildcard tests/unit/*.c tests/engine/test_*.c tests/abi/test_*.c)
UNIT_BIN := $(UNIT_SRC:tests/%.c=$(BUILD)/tests/%)
ENGINE_KIT := $(filter-out tests/engine/test_%,$(wildcard tests/engine/*.c)) plugins/memory/memory.c
ENGINE_KIT_OBJ := $(ENGINE_KIT:%.c=$(BUILD)/obj/%.o)

all: $(BUILD)/syncline plugins
plugins: $(PLUGIN_SO)

$(BUILD)/libhost.a: $(HOST_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^
$(BUILD)/syncline: $(BUILD)/obj/host/main.o $(BUILD)/libhost.a
	$(CC) $(CFLAGS_ALL) $(LDOPT) $(LD_HARD) -o $@ $< $(BUILD)/libhost.a $(LIBS_HOST)
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(dir $@)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# A connector: every .c of its folder; its `libs` file names pkg-config packages and their Debian packages.
plugin_pkgs = $(shell test -f plugins/$(1)/libs && cut -d' ' -f1 plugins/$(1)/libs)
define PLUGIN_RULE
$(BUILD)/plugins/$(1).so: $(wildcard plugins/$(1)/*.c plugins/$(1)/*.h sdk/include/syncline/*.h)
	@mkdir -p $$(dir $$@)
	$$(CC) $$(STD) $$(OPT) $$(WARN) -fPIC -fvisibility=hidden -fstack-protector-strong -Isdk/include $$(CFLAGS) $$(LDOPT) -shared \
	  -Wl,-z,relro,-z,now,--as-needed -o $$@ $$(filter %.c,$$^) \
	  $$(if $$(call plugin_pkgs,$(1)),$$(shell pkg-config --cflags --libs $$(call plugin_pkgs,$(1))))
endef
$(foreach p,$(PLUGINS),$(eval $(call PLUGIN_RULE,$(p))))

# Tests: each file under tests/unit, tests/engine/test_* and tests/abi/test_* is one CUnit program.
$(BUILD)/tests/engine/%: $(BUILD)/obj/tests/engine/%.o $(ENGINE_KIT_OBJ) $(BUILD)/libhost.a
	@mkdir -p $(dir $@)
	$(CC) $(CFLAGS_ALL) $(LDOPT) -o $@ $< $(ENGINE_KIT_OBJ) $(BUILD)/libhost.a $(LIBS_HOST) -lcunit
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/libhost.a
	@mkdir -p $(dir $@)
	$(CC) $(CFLAGS_ALL) $(LDOPT) -o $@ $< $(BUILD)/libhost.a $(LIBS_HOST) -lcunit
tests-bin: $(UNIT_BIN)

test: all tests-bin
	@BUILD=$(BUILD) tests/run

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: all plugins tests-bin test clean
.SECONDARY:
