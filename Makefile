# attnscope: `make run` builds and does the main job, `make test` builds and passes the tests.
BUILD ?= build
CC ?= cc
PKGS = cairo pango pangocairo fontconfig jansson libutf8proc libpcre2-8 libzip libpng libjpeg sndfile zlib
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. -MMD -MP $(CFLAGS) -Wall -Wextra -Wshadow -Wconversion \
  -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes $(shell pkg-config --cflags $(PKGS) openblas)
LIBS = $(shell pkg-config --libs $(PKGS) openblas) -lpthread -lm
SOURCES = $(shell find model render app -name '*.c' ! -path app/main.c)
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)
TESTS = $(shell find tests -name 'test_*.c')

all: attnscope
attnscope: $(BUILD)/attnscope
$(BUILD)/attnscope: $(BUILD)/app/main.o $(BUILD)/libattnscope.a
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/libattnscope.a: $(OBJECTS)
	rm -f $@; ar rcs $@ $^
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libattnscope.a
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS) -lcmocka
test: $(BUILD)/attnscope $(TESTS:%.c=$(BUILD)/%)
	@for t in $(TESTS:%.c=$(BUILD)/%); do $$t || exit 1; done
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
clean:
	rm -rf $(BUILD)
.PHONY: all attnscope test format clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
