# SPDX-License-Identifier: GPL-2.0-or-later
#
# crashpod: `make help` lists the targets. Knobs, with their defaults:
#
#   BUILD=build          where everything made goes
#   CC=gcc               the compiler of objects; CC=clang works too (gcc links)
#   WERROR=1             0: warnings stay warnings
#   KERNEL=6.1-cloud     the Debian kernel that demo and the QEMU tests crash
#   V=                   1: show the commands
#   CRASHPOD_MIRROR=     Debian mirror for sources and test kernels
#
BUILD ?= build
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
WERROR ?= 1
KERNEL ?= 6.1-cloud
SYSROOT ?= $(BUILD)/sysroot
VERSION := 0.1.0

DUMPER_SRC := $(wildcard dumper/base/*.c dumper/*.c)
CMD_SRC    := $(wildcard dumper/cmd/*.c service/*.c)
INIT_SRC   := $(wildcard init/*.c)
LIB_SRC    := $(DUMPER_SRC) $(filter-out init/main.c,$(INIT_SRC)) \
	      $(filter-out service/cmd_%.c,$(wildcard service/*.c))
TEST_SRC   := $(wildcard dumper/tests/test_*.c init/tests/test_*.c service/tests/test_*.c)
TESTLIB_SRC := $(wildcard dumper/tests/lib_*.c)
C_FILES    := $(wildcard dumper/base/*.[ch] dumper/*.[ch] dumper/cmd/*.[ch] dumper/tests/*.[ch] \
	      service/*.[ch] service/tests/*.[ch] init/*.[ch] init/tests/*.[ch] \
	      qemu-tests/guest/*.[ch] qemu-tests/oracle/*.[ch])
SH_FILES   := mkinitrd/mkinitrd $(wildcard mkinitrd/*.sh mkinitrd/tests/*.sh service/tests/*.sh scripts/*.sh \
	      qemu-tests/*.sh qemu-tests/guest/*.sh) .ci/run

# --- flags -----------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings \
	-Wformat=2 $(if $(filter 1,$(WERROR)),-Werror)
# expanded when used: on a fresh machine the compiler is installed by then
MUSL_INCLUDE = $(if $(findstring clang,$(CC)),--target=x86_64-linux-musl -nostdlibinc,\
	      -nostdinc -isystem $(shell $(CC) -print-file-name=include)) \
	      -isystem /usr/include/x86_64-linux-musl -isystem $(SYSROOT)/include \
	      -idirafter $(SYSROOT)/kernel
BASE_CFLAGS := -std=gnu11 -Idumper -D_GNU_SOURCE -DCRASHPOD_VERSION='"$(VERSION)"' -MMD -MP $(WARN)
CFLAGS ?= -O2 -g
# clang 14 wants another option beside that for zeroed variables
HARDEN = -fstack-protector-strong -fstack-clash-protection \
	      $(if $(findstring clang,$(CC)),,-ftrivial-auto-var-init=zero)
TARGET_CFLAGS = $(BASE_CFLAGS) $(CFLAGS) -fPIE $(HARDEN) -fno-plt \
	      -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=. \
	      -ffile-prefix-map=$(abspath $(SYSROOT))=sysroot $(MUSL_INCLUDE)
TARGET_LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--as-needed
LINK := $(SYSROOT)/bin/musl-cc $(TARGET_LDFLAGS)
CMD_LIBS  := $(SYSROOT)/lib/libblkid.a $(SYSROOT)/lib/libelf.a $(SYSROOT)/lib/libzstd.a \
	     $(SYSROOT)/lib/libz.a
TEST_CFLAGS := $(BASE_CFLAGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	     -fno-omit-frame-pointer
TEST_LIBS := -lcmocka -lblkid -lelf -lzstd -lz -lpthread

target_obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
test_obj   = $(patsubst %.c,$(BUILD)/test-obj/%.o,$(1))
TESTS := $(patsubst %.c,$(BUILD)/tests/%,$(TEST_SRC))

COMMA := ,
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# --- programs --------------------------------------------------------------------------------
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps kernel footprint sysroot tests tsan tsan-tests check check-all bench lint format format-check \
	clang demo clean help

all: $(BUILD)/crashpod $(BUILD)/init ## build/crashpod and build/init, static against musl

deps: ## install with apt what building and testing need; fetch and build the libraries
	sh scripts/deps.sh
	sh scripts/sysroot.sh $(SYSROOT)

sysroot: $(SYSROOT)/versions.txt ## zlib, zstd, libelf, libblkid against musl

$(SYSROOT)/versions.txt: scripts/deps.sh scripts/sysroot.sh
	sh scripts/deps.sh
	sh scripts/sysroot.sh $(SYSROOT)
	touch $@

$(BUILD)/libdumper.a: $(call target_obj,$(DUMPER_SRC))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

$(BUILD)/crashpod.debug: $(call target_obj,$(CMD_SRC)) $(BUILD)/libdumper.a
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(CMD_LIBS)

$(BUILD)/init.debug: $(call target_obj,$(INIT_SRC)) $(BUILD)/libdumper.a
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(CMD_LIBS)

$(BUILD)/crashpod $(BUILD)/init: %: %.debug
	$(Q)strip -o $@ $<

$(BUILD)/obj/%.o: %.c | $(SYSROOT)/versions.txt
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(TARGET_CFLAGS) -c -o $@ $<

# --- tests -----------------------------------------------------------------------------------
$(BUILD)/test-obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,TESTCC,$<)
	$(Q)gcc $(TEST_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/test-obj/%.o $(BUILD)/libtest.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)
	$(Q)gcc -fsanitize=address,undefined -o $@ $< $(BUILD)/libtest.a $(TEST_LIBS)

# Tests in which allocations fail (lib_allocfail.h), those of the static libraries too.
ALLOC_TESTS := $(addprefix $(BUILD)/tests/,dumper/tests/test_alloc init/tests/test_keep \
	      init/tests/test_record init/tests/test_resolve)
ALLOC_WRAP := malloc calloc realloc reallocarray posix_memalign free strdup strndup asprintf mmap \
	      munmap pthread_create opendir fdopendir closedir
$(ALLOC_TESTS): TEST_LIBS := $(addprefix -Wl$(COMMA)--wrap=,$(ALLOC_WRAP)) -lcmocka -l:libblkid.a \
	      -l:libelf.a -l:libzstd.a -l:libz.a -lpthread

$(BUILD)/libtest.a: $(call test_obj,$(LIB_SRC) $(TESTLIB_SRC))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

# The tests that dump with several threads, with four of them, under ThreadSanitizer.
TSAN_TESTS := $(addprefix $(BUILD)/tsan/dumper/tests/test_,block changed dump golden readback \
	      sink threads)
# the instrumented code hides from gcc that a variable has been set
TSAN_CFLAGS := $(BASE_CFLAGS) -O1 -g -fsanitize=thread -fno-omit-frame-pointer \
	      -Wno-maybe-uninitialized
tsan_obj = $(patsubst %.c,$(BUILD)/tsan/obj/%.o,$(1))

$(BUILD)/tsan/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,TSANCC,$<)
	$(Q)gcc $(TSAN_CFLAGS) -c -o $@ $<

$(BUILD)/tsan/%: $(BUILD)/tsan/obj/%.o $(BUILD)/tsan/libtest.a
	@mkdir -p $(@D)
	$(call say,TSAN,$@)
	$(Q)gcc -fsanitize=thread -o $@ $< $(BUILD)/tsan/libtest.a $(TEST_LIBS)

$(BUILD)/tsan/libtest.a: $(call tsan_obj,$(LIB_SRC) $(TESTLIB_SRC))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

tsan-tests: $(TSAN_TESTS)

tsan: tsan-tests ## the tests that dump with threads, under ThreadSanitizer
	$(Q)BUILD=$(BUILD) sh scripts/check.sh tsan

tests: $(TESTS) ## the unit tests, built with ASan and UBSan

check: ## everything: format, both compilers, unit tests, goldens, shell, QEMU
	sh scripts/check.sh

check-all: ## check, and every kernel, flavour, level, source and damage: hours
	sh scripts/check.sh deps format gcc clang hardening unit tsan shellcheck install packages mkinitrd qemu \
		all-kernels

format: ## clang-format in place
	clang-format -i $(C_FILES)

format-check: ## clang-format, without changing anything
	clang-format --dry-run -Werror $(C_FILES)

clang: ## the same programs compiled by clang, in BUILD/clang
	$(MAKE) CC=clang BUILD=$(BUILD)/clang SYSROOT=$(SYSROOT) all

lint: ## shellcheck, and the manual pages
	shellcheck -x $(SH_FILES)
	mandoc -Tlint -W warning docs/man/*

# --- installing and packages -----------------------------------------------------------------
# DESTDIR, PREFIX=/usr, SYSCONFDIR, UNITDIR, SBINDIR, LIBDIR, DATADIR: see scripts/install.sh
SH_FILES += $(filter-out %.rules,$(wildcard service/hooks/*)) $(wildcard scripts/tests/*.sh debian/crashpod.p*) debian/built-using completions/crashpod.bash
.PHONY: install uninstall
install: all ## programs, builder, units, hooks, documentation; DESTDIR=, PREFIX=/usr
	$(Q)BUILD=$(BUILD) sh scripts/install.sh install

uninstall: ## what install has put there; the configuration and initramfs images stay
	$(Q)BUILD=$(BUILD) sh scripts/install.sh uninstall

.PHONY: deb rpm
deb: $(SYSROOT)/versions.txt ## the Debian package, in BUILD/deb
	$(Q)sh scripts/deps.sh --packaging
	$(Q)BUILD=$(BUILD) SYSROOT=$(SYSROOT) VERSION=$(VERSION) sh scripts/package.sh deb

rpm: all ## the RPM package, in BUILD/rpm
	$(Q)sh scripts/deps.sh --packaging
	$(Q)BUILD=$(BUILD) SYSROOT=$(SYSROOT) VERSION=$(VERSION) sh scripts/package.sh rpm

demo: ## crash a Debian kernel under QEMU, save it, show its backtrace
	sh scripts/deps.sh
	$(MAKE) all
	python3 qemu-tests/run.py demo --kernel $(KERNEL)

bench: all ## makedumpfile and crashpod side by side: on one vmcore, in a capture kernel; pass 1
	sh scripts/deps.sh
	python3 qemu-tests/run.py bench --kernel $(KERNEL)
	python3 qemu-tests/run.py synth --sizes 64G
	python3 qemu-tests/run.py compare --kernel $(KERNEL) --mem 64G --guest-cpu max,la57=off --runs 3

kernel: ## a small capture kernel from configs/kernel (FRAGMENTS, KERNEL_SOURCE), in BUILD/kernel
	sh scripts/deps.sh
	BUILD=$(BUILD) sh scripts/kernel.sh $(FRAGMENTS)

footprint: all ## where each MiB of a capture kernel goes
	sh scripts/deps.sh
	python3 qemu-tests/run.py footprint --kernel $(KERNEL) --crashkernel 84

clean: ## remove objects and programs (the sysroot and test ground stay)
	rm -rf $(BUILD)/obj $(BUILD)/test-obj $(BUILD)/tests $(BUILD)/tsan $(BUILD)/clang $(BUILD)/fuzz $(BUILD)/*.a \
		$(BUILD)/crashpod* $(BUILD)/init*

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 - /p' $(MAKEFILE_LIST) | sort

# --- fuzzing ---------------------------------------------------------------------------------
# clang's libFuzzer against the host's libraries; test_fuzz_replay runs the same targets in check
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 2
FUZZ_DIR := dumper/tests/fuzz
FUZZ_SHARED := $(addprefix $(FUZZ_DIR)/fuzz_,seeds.c seeds_mem.c support.c text.c)
FUZZ_TARGET_SRC := $(filter-out $(FUZZ_SHARED) $(FUZZ_DIR)/fuzz_tool.c, \
	      $(wildcard $(FUZZ_DIR)/fuzz_*.c))
FUZZ_TARGETS := $(patsubst $(FUZZ_DIR)/fuzz_%.c,%,$(FUZZ_TARGET_SRC))
FUZZ_CFLAGS := $(BASE_CFLAGS) -O1 -g -fno-omit-frame-pointer \
	      -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
C_FILES += $(wildcard $(FUZZ_DIR)/*.[ch])
SH_FILES += $(FUZZ_DIR)/run.sh
fuzz_obj = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(1))

.PHONY: fuzz
fuzz: $(addprefix $(BUILD)/fuzz/bin/,$(FUZZ_TARGETS) fuzz_tool) ## FUZZ_SECONDS=60 for each target
	sh $(FUZZ_DIR)/run.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZ_JOBS) $(FUZZ_TARGETS)

$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)clang $(FUZZ_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/libfuzz.a: $(call fuzz_obj,$(LIB_SRC) $(TESTLIB_SRC) $(FUZZ_SHARED))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

$(BUILD)/fuzz/bin/fuzz_tool: $(call fuzz_obj,$(FUZZ_DIR)/fuzz_tool.c) $(BUILD)/fuzz/libfuzz.a
	@mkdir -p $(@D)
	$(Q)clang -fsanitize=address,undefined -o $@ $^ $(TEST_LIBS)

$(BUILD)/fuzz/bin/%: $(BUILD)/fuzz/obj/$(FUZZ_DIR)/fuzz_%.o $(BUILD)/fuzz/libfuzz.a
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(TEST_LIBS)

-include $(shell find $(BUILD)/fuzz/obj -name '*.d' 2>/dev/null)

-include $(shell find $(BUILD)/obj $(BUILD)/test-obj $(BUILD)/tsan/obj -name '*.d' 2>/dev/null)
