# organizer: `make run` tries it, `make test` tests it, `make` builds build/organizer.
#
#   make run [CABINET=/srv/matters]   installs what is missing, builds, watches (and makes) a cabinet
#   make test                         installs what tests need, builds, runs every test
#   make lint sanitize valgrind       what else must be clean
#   make coverage mutants             what the tests see
#   make bench torture                long: measurements; all fault points
#   make install [DESTDIR= PREFIX=]   program, rules, hooks, unit, man pages
#
# Targets that need packages install them through apt when run as root or with sudo.

CC       ?= gcc
PKGS     := libuv libpcre2-8 libmagic libcrypto yaml-0.1 jansson sqlite3 libutf8proc libseccomp libacl \
            poppler-glib gmime-3.0 libgsf-1 libarchive libxml-2.0 libzstd uchardet
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes \
            -Wvla -Wformat=2 -Wnull-dereference -Wundef -Wwrite-strings -Wcast-qual -Wpointer-arith
OPT      ?= -O3 -g
HARDEN   ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
WERROR   ?= -Werror
B        ?= build
# make Q= shows whole commands.
Q        ?= @
PREFIX   ?= /usr
CABINET  ?= Matters
CPPFLAGS += -D_GNU_SOURCE -DPCRE2_CODE_UNIT_WIDTH=8 -Iorganizer
CFLAGS   += -std=gnu17 $(OPT) $(WARN) $(WERROR) $(HARDEN)
# As needed: libraries that parse documents are in organizer-parsers only.
LDFLAGS  += -pie -Wl,-z,relro,-z,now,--as-needed

# Programs are no part of the library: one has a main() and stands before libc.
LIB_SRC  := $(filter-out organizer/text/parsers.c organizer/verbs/front.c,$(sort $(wildcard organizer/*/*.c)))
LIB_OBJ  := $(LIB_SRC:organizer/%.c=$B/obj/%.o)
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$B/unit/%)
FUZZ_SRC := $(filter-out %/replay.c,$(sort $(wildcard tests/fuzz/*.c)))
REPLAYS  := $(FUZZ_SRC:tests/fuzz/%.c=$B/replay/%)

# pkg-config is asked only when something is compiled: before `deps` it may not be there.
# Their headers are not ours to warn about.
PKG_CFLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS)))
PKG_LIBS   = $(shell pkg-config --libs $(PKGS)) -lstemmer -lm

.PHONY: all run test unit units e2e deps deps-test deps-lint deps-bench deps-torture lint sanitize valgrind coverage mutants bench torture quick \
        fuzzers fuzzers-afl install clean format
PROGRAMS := $B/organizer $B/organizer-main $B/organizer-parsers
all: $(PROGRAMS)

# What people start: small, and over before a large program is loaded (organizer/verbs/front.c). It is linked
# statically, since half of its time would be the loader's; STATIC= for one that is not.
STATIC   ?= -static-pie
$B/organizer: $B/obj/verbs/front.o $B/liborganizer.a
	$(Q)echo "  LD $@"; $(CC) $(CFLAGS) $(if $(STATIC),$(filter-out -pie,$(LDFLAGS)) $(STATIC),$(LDFLAGS)) -o $@ $^ \
	    -ljansson -lutf8proc

$B/organizer-main: $B/obj/main.o $B/liborganizer.a
	$(Q)echo "  LD $@"; $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# What documents say is read by a program of its own (organizer/text/parsers.c).
$B/organizer-parsers: $B/obj/text/parsers.o $B/liborganizer.a
	$(Q)echo "  LD $@"; $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--export-dynamic-symbol=fopen -o $@ $^ $(PKG_LIBS)

$B/liborganizer.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$B/obj/%.o: organizer/%.c
	@mkdir -p $(@D)
	$(Q)echo "  CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

# Samples and vocabularies of the office, beside the checkout; tests skip aloud what is not there.
SHARED = -DSHARED='"$(abspath ../shared)"'

$B/unit/%: tests/unit/%.c $B/liborganizer.a
	@mkdir -p $(@D)
	$(Q)echo "  CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -Itests/unit $(SHARED) -MMD -MP $(LDFLAGS) -o $@ $< \
	    $B/liborganizer.a $(PKG_LIBS) -lcmocka

# Decides about the labelled set of documents; tests/labelled/run shows what came of it.
$B/labelled/judge: tests/labelled/judge.c $B/liborganizer.a
	@mkdir -p $(@D)
	$(Q)echo "  CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< \
	    $B/liborganizer.a $(PKG_LIBS)

# What a build and the tests need, each with its reason, in one place.
deps deps-test deps-lint deps-bench deps-torture:
	@tests/deps $@

# A trial: state and hooks stay in the user's own folders, the cabinet is ./Matters.
run: deps
	@$(MAKE) --no-print-directory all
	@tests/trial $B/organizer "$(CABINET)"

E2E = ORGANIZER_BUILD=$(abspath $B) ORGANIZER_RULES=$(CURDIR)/rules \
    /usr/bin/python3 -m pytest -q -o cache_dir=$(abspath $B)/pytest

# The kept inputs of the fuzz targets, given to the same code; tests/fuzz/run thinks up more.
$B/replay/%: tests/fuzz/%.c tests/fuzz/replay.c tests/fuzz/fuzz.h $B/liborganizer.a
	@mkdir -p $(@D)
	$(Q)echo "  CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -Itests/fuzz $(LDFLAGS) -o $@ $< \
	    tests/fuzz/replay.c $B/liborganizer.a $(PKG_LIBS)

# With clang, under its sanitizers: only what the targets reach is compiled so.
FUZZ      := $(FUZZ_SRC:tests/fuzz/%.c=%)
CLANG     ?= clang
FUZZ_FLAGS = CC="$(CLANG)" WERROR= HARDEN=-fPIC OPT="-O1 -g -fsanitize=fuzzer-no-link,address,undefined \
             -fno-sanitize-recover=undefined" LDFLAGS=
fuzzers:
	@$(MAKE) --no-print-directory B=build/fuzz $(FUZZ_FLAGS) build/fuzz/liborganizer.a $(FUZZ:%=build/fuzz/%)


# The same with AFL++, which thinks differently; its compiler wants no flags of libFuzzer.
AFL       ?= afl-clang-fast
AFL_FLAGS  = CC="$(AFL)" CLANG="$(AFL)" WERROR= HARDEN=-fPIC OPT="-O1 -g -fsanitize=address,undefined \
             -fno-sanitize-recover=undefined" LDFLAGS=
fuzzers-afl: export AFL_QUIET = 1
fuzzers-afl:
	@$(MAKE) --no-print-directory B=build/afl $(AFL_FLAGS) build/afl/liborganizer.a $(FUZZ:%=build/afl/%)

$B/%: tests/fuzz/%.c tests/fuzz/fuzz.h $B/liborganizer.a
	$(Q)echo "  CC $<"; $(CLANG) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -Itests/fuzz -fsanitize=fuzzer -o $@ $< \
	    $B/liborganizer.a $(PKG_LIBS)

units: $(UNIT_BIN) $B/organizer-parsers $B/labelled/judge $(REPLAYS)

# As many at a time as there are processors, each with what it said in one piece.
RUN_UNITS   := $(UNIT_BIN:$B/%=%)
RUN_REPLAYS := $(REPLAYS:$B/%=%)
.PHONY: $(RUN_UNITS) $(RUN_REPLAYS)
$(RUN_UNITS):
	@echo "== $B/$@"; $B/$@ || { echo "once more, on a machine that may be busy: $B/$@"; $B/$@; }
$(RUN_REPLAYS): replay/%:
	@echo "== $B/$@"; $B/$@ tests/fuzz/seeds/$*/*

# Of an archive in which each byte is damaged every third is; make torture has them all.
unit: export ORGANIZER_EVERY ?= 3
unit: units
	@$(MAKE) --no-print-directory -j$$(nproc) -k -O $(RUN_UNITS) $(RUN_REPLAYS)
	ORGANIZER_BUILD=$(abspath $B) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/unit

# Two files at a time: one test is seldom enough for two processors. Links and the like once more as in a unit with
# RestrictSUIDSGID=.
e2e: $(PROGRAMS)
	@$(E2E) -n 2 --dist loadfile tests/e2e || { echo "once more, on a machine that may be busy: what failed"; \
	    $(E2E) --last-failed tests/e2e; }
	@ORGANIZER_WITHOUT=openat2 $(E2E) -n 2 --dist loadfile tests/e2e/test_attacker.py tests/e2e/test_identity.py

test: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(MAKE) --no-print-directory -j$$(nproc) units
	@$(MAKE) --no-print-directory unit
	$B/organizer rules test
	@$(MAKE) --no-print-directory e2e

# gcc and clang, -fanalyzer, cppcheck, clang-tidy, shellcheck, and what style can be counted.
lint: deps-lint
	tests/lint

# Address, undefined-behaviour and leak sanitizers under every test; any report fails it. A run that was
# stopped goes on where it was.
# Tests get the flags, too: one has something built.
SANITIZED = STATIC= HARDEN=-fPIE \
    OPT="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
sanitize: deps-test
	$(MAKE) B=build/asan $(SANITIZED) all units
	@$(SANITIZED) tests/sanitize build/asan

# The unit tests only; children too, but not programs that they start.
valgrind: deps-lint
	$(MAKE) B=build/vg OPT="-O1 -g" CPPFLAGS="$(CPPFLAGS) -DPATTERN_NO_JIT" units
	@tests/valgrind build/vg

# Lines and branches per folder; decide, file and record must reach 95 % of their lines, file, record and watch 90 % of
# their branches.
coverage: deps-lint
	@find build/cov -name '*.gcda' -delete 2>/dev/null || true
	$(MAKE) B=build/cov STATIC= HARDEN=-fPIE OPT="-O0 -g --coverage -fprofile-update=atomic" \
	    LDFLAGS="-pie --coverage" all unit e2e
	tests/coverage build/cov

# Each safety taken out in turn: a test must fail.
mutants: deps-lint
	tests/mutants/run

# Every fault point, one after the other; hours. make torture TORTURE="--suite kill --every 3" for less. Points that
# were tried with the same program are not tried again. What people do meanwhile takes some ten minutes.
torture: deps-torture
	@$(MAKE) --no-print-directory -j$$(nproc) all quick $B/faults.so $B/recorder $B/unit/test_bag_damage
	tests/faults/run --build $B/quick-reading --quick $B/quick --seen $B/torture $(TORTURE)
	tests/faults/meanwhile --build $B/quick-reading --quick $B/quick --every 20
	tests/faults/meanwhile --build $B/quick-reading --quick $B/quick --call lease renameat2
	tests/faults/storm --build $B
	tests/faults/storm --build $B --watches 50
	tests/faults/storm --build $B --slow 20
	tests/faults/storm --build $B --slow 20 --watches 12
	tests/faults/storm --build $B --burst 50000 --seeds 2 --jobs 1
	tests/faults/power --build $B
	tests/faults/power --build $B/quick --fs xfs
	tests/faults/power --build $B/quick --while archiving
	tests/faults/power --build $B/quick --while archiving --fs xfs
	tests/faults/blocks --build $B
	tests/faults/badwrite --build $B
	tests/fuzz/run --both
	ORGANIZER_EVERY=1 $B/unit/test_bag_damage
	ORGANIZER_TORTURE=1 tests/faults/apart --also "tests/faults/life --build $B" env $(E2E) -s \
	    tests/e2e/test_archive_faults.py tests/e2e/test_archive.py::test_a_recording_of_10_gb \
	    tests/e2e/test_names.py tests/e2e/test_attacker.py \
	    tests/e2e/test_samba.py tests/e2e/test_sync_clients.py

# For the fault suites, which start it some hundred thousand times: the same objects, with what there is as an archive
# linked in, since half of a start is the loader's; with the program that reads what documents say, and without.
ARCHIVES := archive xml2 icuuc icudata pcre2-8 magic sqlite3 crypto yaml jansson utf8proc seccomp acl attr zstd stemmer \
            lzma bz2 z nettle
QUICK    := organizer organizer-main faults.so
quick: $(QUICK:%=$B/quick/%) $(QUICK:%=$B/quick-reading/%) $B/quick-reading/organizer-parsers
$B/quick/organizer-main: $B/obj/main.o $B/liborganizer.a
	@mkdir -p $(@D)
	$(Q)echo "  LD $@"; $(CC) $(CFLAGS) -no-pie -o $@ $^ -Wl,-Bstatic $(ARCHIVES:%=-l%) -lstdc++ -Wl,-Bdynamic -luv \
	    -l:liblz4.so.1 -lm
$B/quick-reading/organizer-main: $B/quick/organizer-main
	@mkdir -p $(@D); cp $< $@
$B/quick/%: $B/%
	@mkdir -p $(@D); cp $< $@
$B/quick-reading/%: $B/%
	@mkdir -p $(@D); cp $< $@

# Stands before libc in the organizer; under a sanitizer it would stand before that, too.
$B/faults.so: tests/faults/fault.c
	@mkdir -p $(@D)
	$(Q)echo "  CC $<"; $(CC) -std=gnu17 -D_GNU_SOURCE -O2 -g -Wall -Wextra $(WERROR) -fPIC -shared -o $@ $< -ldl

# A disk that notes down what reaches it, in a file system of its own.
$B/recorder: tests/faults/recorder.c
	@mkdir -p $(@D)
	$(Q)echo "  CC $<"; $(CC) -std=gnu17 -D_GNU_SOURCE -O2 -g -Wall -Wextra $(WERROR) $$(pkg-config --cflags fuse3) \
	    -o $@ $< $$(pkg-config --libs fuse3)

# Beside peers and floors, in one run; make bench BENCH="--json --runs 5" for more.
bench: deps-bench
	@$(MAKE) --no-print-directory -j$$(nproc) all
	ORGANIZER_BUILD=$(abspath $B) tests/bench/run $(BENCH)

# Everything below PREFIX, and empty hook folders in /etc; DESTDIR for packages.
SHARE := $(DESTDIR)$(PREFIX)/share
EVENTS := before-filing filed needs-attention case-opened case-closed integrity text archived nightly
install: all
	install -Dm755 $B/organizer $(DESTDIR)$(PREFIX)/bin/organizer
	install -Dm755 -t $(DESTDIR)$(PREFIX)/lib/organizer $B/organizer-main $B/organizer-parsers
	for f in $$(cd rules && find . -type f); do install -Dm644 rules/$$f $(SHARE)/organizer/rules/$$f; done
	for f in $$(cd hooks && find . -type f -o -type l); do install -Dm755 hooks/$$f $(SHARE)/organizer/hooks/$$f; done
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for u in organizer@.service organizer-nightly@.service organizer-nightly@.timer; do \
	    sed 's,/usr/bin/organizer,$(PREFIX)/bin/organizer,' organizer/service/$$u \
	        >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$u; done
	install -Dm644 organizer/service/organizer-sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/organizer.conf
	install -Dm644 organizer/service/organizer-tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/organizer.conf
	install -Dm644 -t $(SHARE)/organizer/service organizer/service/smb.conf organizer/service/mail-hook.conf organizer/service/offsite-hook.conf
	install -Dm644 -t $(SHARE)/man/man1 organizer/man/organizer.1
	install -Dm644 -t $(SHARE)/man/man5 organizer/man/organizer.yaml.5 organizer/man/organizer-rules.5
	install -Dm644 organizer/completions/organizer.bash $(SHARE)/bash-completion/completions/organizer
	for e in $(EVENTS); do install -dm755 $(DESTDIR)/etc/organizer/hooks/$$e; done

clean:
	rm -rf build

format:
	clang-format -i organizer/*.c organizer/*/*.[ch] tests/unit/*.c

-include $(shell find $B -name '*.d' 2>/dev/null)
