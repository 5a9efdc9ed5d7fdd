/* Many figures in one start: names, shards, failures, and the same files under GNU parallel. */
#include "app/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/app/spawn.h"

static void runs(const char *command, int status, const char *in_err) {
    Spawned r = spawn_shell(command);
    if (r.status != status || (in_err && !strstr(r.err, in_err)))
        fail_msg("%s\nstatus %d, expected %d; stderr: %s", command, r.status, status, r.err);
    spawn_free(&r);
}

static int make_lines(void **unused) {
    (void)unused;
    static const char lines[] = "the cat is on the mat.\n"
                                "she loves cats.\tkissa on matolla.\n"
                                "\n"
                                "a house\n"
                                "one\ttwo\tthree\n"
                                "the mat is on the cat.\n"
                                "she is here.\n";
    spawn_file("lines.txt", lines, sizeof lines - 1);
    return 0;
}

static void names(void **unused) {
    (void)unused;
    StrBuf out = {0};
    BatchName name = {7, "heatmap", 2, -1};
    assert_true(batch_path("out/{line}-{kind}-L{layer}H{head}.svg", &name, &out, NULL));
    assert_string_equal(out.data, "out/7-heatmap-L2Hmean.svg");
    out.n = 0;
    assert_false(batch_path("{lien}.svg", &name, &out, NULL));
    assert_false(batch_path("{line.svg", &name, &out, NULL));
    strbuf_free(&out);
    int part, parts;
    assert_true(batch_shard("3/16", &part, &parts, NULL) && part == 3 && parts == 16);
    static const char *const wrong[] = {"0/3", "4/3", "3",    "/3",   "3/",
                                        "a/b", "1/0", "-1/3", "1/3/5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(batch_shard(wrong[i], &part, &parts, NULL));
}

/* One bad line does not stop the rest; the exit status and the summary say it. */
static void draws_all_but_the_bad_line(void **unused) {
    (void)unused;
    runs("cd . && $ATTNSCOPE figure heatmap,cross --model tests/data/tiny "
         "--batch $SCRATCH/lines.txt -o \"$SCRATCH/all/{line}-{kind}.svg\"",
         1, "line 5: two tabs");
    runs("ls $SCRATCH/all | tr '\\n' ' ' | grep -qx '1-cross.svg 1-heatmap.svg 2-cross.svg "
         "2-heatmap.svg 4-cross.svg 4-heatmap.svg 6-cross.svg 6-heatmap.svg 7-cross.svg "
         "7-heatmap.svg '",
         0, NULL);
    /* A pair is forced. */
    runs("grep -q 'target_text&quot;:&quot;kissa on matolla.' $SCRATCH/all/2-cross.svg", 0, NULL);
}

static void a_file_for_each_head(void **unused) {
    (void)unused;
    runs("printf 'the cat\\n' > $SCRATCH/one.txt; $ATTNSCOPE figure heatmap --model "
         "tests/data/tiny --batch $SCRATCH/one.txt --encoder --layer all --head 1,3 -o "
         "\"$SCRATCH/heads/{line}-L{layer}H{head}.svg\" && ls $SCRATCH/heads | tr '\\n' ' ' | "
         "grep -qx '1-L0H1.svg 1-L0H3.svg 1-L1H1.svg 1-L1H3.svg '",
         0, NULL);
    runs("$ATTNSCOPE figure heatmap --model tests/data/tiny --text 'the cat' --encoder --layer 1 "
         "--head 3 -o $SCRATCH/alone.svg && sed 's/{.*}//' $SCRATCH/alone.svg > $SCRATCH/a && "
         "sed 's/{.*}//' $SCRATCH/heads/1-L1H3.svg | cmp - $SCRATCH/a",
         0, NULL);
}

static void goes_on_where_it_stopped(void **unused) {
    (void)unused;
    runs("rm -f $SCRATCH/all/4-cross.svg; echo old > $SCRATCH/all/1-cross.svg; "
         "$ATTNSCOPE figure heatmap,cross --model tests/data/tiny --batch $SCRATCH/lines.txt "
         "--resume -o \"$SCRATCH/all/{line}-{kind}.svg\"",
         1, "1 figure written");
    runs("test -s $SCRATCH/all/4-cross.svg && grep -qx old $SCRATCH/all/1-cross.svg", 0, NULL);
}

static void wrong_usage(void **unused) {
    (void)unused;
    assert_true(spawn_refused("$ATTNSCOPE figure cross --model tests/data/tiny --batch "
                              "$SCRATCH/lines.txt -o $SCRATCH/x.svg",
                              2, "{line}"));
    assert_true(spawn_refused("$ATTNSCOPE figure cross,heatmap --model tests/data/tiny --batch "
                              "$SCRATCH/lines.txt -o $SCRATCH/{line}.svg",
                              2, "{kind}"));
    assert_true(spawn_refused("$ATTNSCOPE figure cross --model tests/data/tiny --batch "
                              "$SCRATCH/lines.txt",
                              2, "where to"));
    assert_true(spawn_refused("$ATTNSCOPE figure cross --batch /nonexistent -o '{line}.svg'", 1,
                              "/nonexistent"));
}

/* Three shards under GNU parallel make the same files as one run; skipped where it is not there. */
static void shards_are_the_whole(void **unused) {
    (void)unused;
    runs("grep -v two $SCRATCH/lines.txt > $SCRATCH/good.txt; $ATTNSCOPE figure cross --model "
         "tests/data/tiny --batch $SCRATCH/good.txt -o \"$SCRATCH/whole/{line}.svg\"",
         0, NULL);
    Spawned there = spawn_shell("parallel --version 2>/dev/null | grep -q GNU");
    bool has_parallel = there.status == 0;
    spawn_free(&there);
    if (!has_parallel) skip();
    runs("parallel --will-cite -j2 $ATTNSCOPE figure cross --model tests/data/tiny --batch "
         "$SCRATCH/good.txt --shard '{}/3' -o \"$SCRATCH/parts/\"'\\{line\\}.svg' ::: 1 2 3 && "
         "diff -r $SCRATCH/whole $SCRATCH/parts",
         0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(draws_all_but_the_bad_line),
        cmocka_unit_test(a_file_for_each_head),
        cmocka_unit_test(goes_on_where_it_stopped),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(shards_are_the_whole),
    };
    return cmocka_run_group_tests(tests, make_lines, spawn_clean);
}
