# attnscope. `make run` builds the program and opens it, `make test` builds and passes the tests;
# both install what is missing first (`make deps`, the table in README.md). `make help` lists the
# rest. Sources are found by themselves: a new .c file under model/, render/ or app/, a new
# tests/**/test_*.c or tests/fuzz/fuzz_*.c needs no line here.

# ---- what may be set: make HEADLESS=1 SANITIZE=1 PREFIX=/usr DESTDIR=/tmp/x CC=clang ----
HEADLESS ?=
SANITIZE ?=
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
VERSION := $(shell sed -n 's/.*ATTNSCOPE_VERSION "\(.*\)"/\1/p' app/version.h)

BUILD ?= $(if $(SANITIZE),build-sanitize,build)
CFLAGS ?= $(if $(SANITIZE),-O1 -g -fno-omit-frame-pointer,-O2 -g)
SANITIZERS = $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined)
comma := ,
CCACHE := $(shell command -v ccache 2>/dev/null)
# Worktrees side by side share what was compiled.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
# V=1 shows the whole command lines.
V ?=
Q = $(if $(V),,@)

# Homebrew keeps OpenBLAS out of the way of the system's own.
ifneq ($(shell command -v brew 2>/dev/null),)
export PKG_CONFIG_PATH := $(shell brew --prefix)/opt/openblas/lib/pkgconfig:$(shell brew --prefix)/opt/jpeg-turbo/lib/pkgconfig:$(PKG_CONFIG_PATH)
endif

# ---- libraries: the window's are apart, so that a build without it needs none of them ----
PACKAGES = openblas cairo pango pangocairo fontconfig jansson libutf8proc libpcre2-8 libzip zlib \
  libpng libjpeg sndfile
WINDOW_PACKAGES = sdl2 SDL2_ttf
PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
ifeq ($(HEADLESS),)
WINDOW_CFLAGS := $(shell pkg-config --cflags $(WINDOW_PACKAGES) 2>/dev/null)
WINDOW_LIBS := $(shell pkg-config --libs $(WINDOW_PACKAGES) 2>/dev/null)
endif

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. -MMD -MP $(CFLAGS) $(SANITIZERS) $(WARNINGS) \
  $(PACKAGE_CFLAGS) $(HOT_CFLAGS) $(OWN_CFLAGS)
AS_NEEDED := $(if $(filter Linux,$(shell uname -s)),-Wl$(comma)--as-needed)
LINK = $(CC) $(CFLAGS) $(SANITIZERS) $(LDFLAGS) $(AS_NEEDED)
LIBS = $(PACKAGE_LIBS) $(WINDOW_LIBS) -lpthread -lm

# ---- sources: what belongs to the window alone lies in app/window* and stays out without it ----
WINDOW_ONLY = app/window% app/widget% app/command_window.c tests/app/test_window% tests/window%
FOUND := $(shell find model render app -name '*.c' ! -path app/main.c 2>/dev/null | LC_ALL=C sort)
FOUND_TESTS := $(shell find tests -name 'test_*.c' 2>/dev/null | LC_ALL=C sort)
SOURCES := $(if $(HEADLESS),$(filter-out $(WINDOW_ONLY),$(FOUND)),$(FOUND))
TESTS := $(if $(HEADLESS),$(filter-out $(WINDOW_ONLY),$(FOUND_TESTS)),$(FOUND_TESTS))
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
HEADERS := $(shell find model render app -name '*.h' 2>/dev/null | LC_ALL=C sort)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
TEST_PROGRAMS := $(TESTS:%.c=$(BUILD)/%)
FUZZ_PROGRAMS := $(FUZZERS:%.c=$(BUILD)/%)
# Helpers that several test programs share: tests/**/*.c that are neither test_* nor fuzz_*.
TEST_HELPERS := $(filter-out tests/fuzz/%,$(shell find tests -name '*.c' ! -name 'test_*' ! -name 'fuzz_*' 2>/dev/null))
TEST_HELPER_OBJECTS := $(TEST_HELPERS:%.c=$(BUILD)/%.o)

# The loops that the time goes into. No -ffast-math anywhere: masks are minus infinity.
HOT := render/chart_cells.c render/image.c render/canvas_images.c render/canvas_lines.c $(wildcard model/ops*.c model/ops/*.c model/attention*.c model/kernels*.c model/kernels/*.c)
$(HOT:%.c=$(BUILD)/%.o): HOT_CFLAGS = $(if $(SANITIZE),,-O3 -fno-math-errno -ffp-contract=fast)
$(BUILD)/app/window%.o $(BUILD)/app/widget%.o $(BUILD)/tests/app/test_window%.o: OWN_CFLAGS = $(WINDOW_CFLAGS)
$(BUILD)/app/command_window.o: OWN_CFLAGS = $(WINDOW_CFLAGS)
$(BUILD)/app/commands.o $(BUILD)/app/command_bench.o: OWN_CFLAGS = $(if $(HEADLESS),-DATTNSCOPE_HEADLESS)

# ---- the program ----
all: attnscope
attnscope: $(BUILD)/attnscope
$(BUILD)/attnscope: $(BUILD)/app/main.o $(BUILD)/libattnscope.a
	$(Q)$(LINK) -o $@ $^ $(LIBS)
$(BUILD)/libattnscope.a: $(OBJECTS) $(BUILD)/objects.stamp
	@rm -f $@
	@ar rcs $@ $(OBJECTS)
$(BUILD)/%.o: %.c $(BUILD)/flags.stamp
	@mkdir -p $(@D)
	$(if $(V),,@echo 'cc $<')
	$(Q)$(CCACHE) $(CC) $(ALL_CFLAGS) -c -o $@ $<
$(BUILD)/app/commands.o $(BUILD)/app/command_bench.o: $(BUILD)/headless.stamp

# Other flags or another set of sources than last time: made again, else left alone.
$(BUILD)/flags.stamp: STAMP = $(CC) $(CFLAGS) $(SANITIZERS) $(WARNINGS) $(PACKAGE_CFLAGS)
$(BUILD)/headless.stamp: STAMP = $(HEADLESS)
$(BUILD)/objects.stamp: STAMP = $(OBJECTS)
$(BUILD)/%.stamp: FORCE
	@mkdir -p $(@D)
	@echo '$(STAMP)' | cmp -s - $@ || echo '$(STAMP)' > $@

# ---- make run ----
parallel = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))
run: deps-run
	@$(MAKE) --no-print-directory $(parallel) attnscope
	@sh assets/packages/run $(BUILD)/attnscope $(if $(HEADLESS),headless,window)

# ---- make test ----
test: deps-test
	@$(MAKE) --no-print-directory $(parallel) run-tests
build-tests: $(BUILD)/attnscope $(TEST_PROGRAMS) $(FUZZ_PROGRAMS) $(HEADERS:%=$(BUILD)/%.alone)
run-tests: build-tests
	@BUILD=$(BUILD) JOBS=$(JOBS) sh tests/run $(TEST_PROGRAMS) $(FUZZ_PROGRAMS)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_HELPER_OBJECTS) $(BUILD)/libattnscope.a
	$(Q)$(LINK) -o $@ $^ $(LIBS) -lcmocka
# A fuzz target without a fuzzer: goes once through its seeds.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libattnscope.a
	$(Q)$(LINK) -o $@ $^ $(LIBS)
# Every header compiles alone.
$(BUILD)/%.h.alone: %.h
	@mkdir -p $(@D)
	$(Q)$(CCACHE) $(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(if $(filter app/window% app/widget%,$<),$(WINDOW_CFLAGS)) \
	  -Wno-unused-function -x c -c -o $@ $<
# Golden files are written again by the tests that compare with them; read the diff.
golden: build-tests
	@GOLDEN=write BUILD=$(BUILD) JOBS=$(JOBS) sh tests/run $(TEST_PROGRAMS); git diff --stat -- tests

fuzz:
	@command -v clang >/dev/null || { echo 'make fuzz needs clang with libFuzzer: make deps-develop'; exit 1; }
	@$(MAKE) --no-print-directory $(parallel) CC=clang BUILD=build-fuzz CFLAGS='-O1 -g' HEADLESS=1 \
	  SANITIZERS='-fsanitize=address,undefined,fuzzer-no-link' build-fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz/run $(FUZZERS:%.c=build-fuzz/%.fuzzer)
build-fuzzers: $(FUZZERS:%.c=$(BUILD)/%.fuzzer)
$(BUILD)/tests/fuzz/%.fuzzer: $(BUILD)/tests/fuzz/%.o $(BUILD)/libattnscope.a
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# ---- what the machine must have ----
WINDOW_GROUP = $(if $(HEADLESS),,window)
deps deps-run:
	@sh assets/packages/install build $(WINDOW_GROUP)
deps-test:
	@sh assets/packages/install build $(WINDOW_GROUP) test
deps-develop:
	@sh assets/packages/install build window test develop format

# ---- docs that the program writes ----
docs/models.md: $(BUILD)/attnscope
	$(BUILD)/attnscope models --families --markdown -o $@

# ---- house-keeping ----
OWN_SOURCES = $(shell git ls-files '*.c' '*.h' 2>/dev/null)
format:
	clang-format -i $(OWN_SOURCES)
check-format:
	@command -v clang-format >/dev/null || { echo 'make check-format needs clang-format: make deps-develop'; exit 1; }
	@clang-format --dry-run -Werror $(OWN_SOURCES) && echo 'format: $(words $(OWN_SOURCES)) files as .clang-format wants them'
clean:
	rm -rf build build-sanitize build-fuzz

# ---- make install: everything below PREFIX; uninstall takes away exactly that ----
ICON_SIZES = 48 128 256
ICONS = share/icons/hicolor
INSTALLED = bin/attnscope share/attnscope share/doc/attnscope share/man/man1/attnscope.1 \
  share/bash-completion/completions/attnscope share/zsh/site-functions/_attnscope \
  share/fish/vendor_completions.d/attnscope.fish share/applications/attnscope.desktop \
  $(ICONS)/scalable/apps/attnscope.svg \
  $(foreach s,$(ICON_SIZES),$(ICONS)/$(s)x$(s)/apps/attnscope.png)
INSTALL_FOLDERS = $(sort share/attnscope share/doc/attnscope $(patsubst %/,%,$(dir $(INSTALLED))))
install: attnscope
	@mkdir -p '$(DESTDIR)$(PREFIX)/'
	@cd '$(DESTDIR)$(PREFIX)/' && mkdir -p $(INSTALL_FOLDERS)
	install -m 755 $(BUILD)/attnscope '$(DESTDIR)$(PREFIX)/bin/attnscope'
	for part in models lessons; do [ ! -d assets/$$part ] || cp -R assets/$$part '$(DESTDIR)$(PREFIX)/share/attnscope/'; done
	chmod -R u=rwX,go=rX '$(DESTDIR)$(PREFIX)/share/attnscope'
	$(BUILD)/attnscope help --format man > '$(DESTDIR)$(PREFIX)/share/man/man1/attnscope.1'
	$(BUILD)/attnscope help --format bash > '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/attnscope'
	$(BUILD)/attnscope help --format zsh > '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_attnscope'
	$(BUILD)/attnscope help --format fish > '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/attnscope.fish'
	install -m 644 assets/desktop/attnscope.desktop '$(DESTDIR)$(PREFIX)/share/applications/attnscope.desktop'
	install -m 644 assets/icon/attnscope.svg '$(DESTDIR)$(PREFIX)/$(ICONS)/scalable/apps/attnscope.svg'
	for s in $(ICON_SIZES); do install -m 644 assets/icon/attnscope-$$s.png \
	  '$(DESTDIR)$(PREFIX)'/$(ICONS)/$${s}x$$s/apps/attnscope.png; done
	install -m 644 LICENSE README.md '$(DESTDIR)$(PREFIX)/share/doc/attnscope/'
# Folders that are empty now go too, but for those that every system has.
uninstall:
	[ ! -d '$(DESTDIR)$(PREFIX)/' ] || { cd '$(DESTDIR)$(PREFIX)/' && rm -rf $(INSTALLED); }
	-@[ ! -d '$(DESTDIR)$(PREFIX)/' ] || [ -z '$(DESTDIR)$(filter-out /usr /usr/local,$(PREFIX))' ] || { \
	  (cd '$(DESTDIR)$(PREFIX)/' && rmdir -p $(patsubst %/,%,$(dir $(INSTALLED)))); \
	  $(if $(DESTDIR),cd '$(DESTDIR)' && rmdir -p '.$(PREFIX)',rmdir '$(PREFIX)'); } 2>/dev/null || true

help:
	@echo 'make run              build, and open the window (or write figures into out/)'
	@echo 'make test             build and pass the tests; SANITIZE=1: under ASan and UBSan'
	@echo 'make                  build build/attnscope; HEADLESS=1: without the window'
	@echo 'make deps             install what building needs (table in README.md)'
	@echo 'make install          PREFIX=$(PREFIX) DESTDIR=; make uninstall takes it away'
	@echo 'make fuzz             every parser for FUZZ_SECONDS=$(FUZZ_SECONDS) under libFuzzer'
	@echo 'make format           clang-format over the sources; make check-format only looks'
	@echo 'make golden           write the golden files of the tests again'
	@echo 'make clean            remove the build folders'

.PHONY: all attnscope run test run-tests build-tests golden fuzz build-fuzzers deps deps-run \
  deps-test deps-develop format check-format clean install uninstall help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
