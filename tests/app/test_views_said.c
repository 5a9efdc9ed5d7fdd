/* What views say: no choice and no cut is silent, what is hidden is counted, and a wish that cannot
 * be met is named. */
#include <stdlib.h>

#include "model/pattern.h"
#include "tests/app/views_ground.h"

static void the_quiet_line_says_what_was_done(void **unused) {
    (void)unused;
    Drawn d = draw("cross", "layer=0;head=0");
    says(&d, "query: decoder step, named by the word it writes");
    says(&d, "key: encoder word");
    done(&d);
    d = draw("heatmap", "attention=cross;layer=0;head=0;rows=reads");
    says(&d, "named by the token it reads");
    done(&d);
    d = draw("heatmap", "attention=cross;layer=0;head=0;hide_special=true");
    says(&d, "% of the weight on >>fin<<, </s> hidden");
    done(&d);
    static const char *const kinds[] = {"heatmap", "cross", "model", "neuron", "steps", "head"};
    for (int i = 0; i < 6; i++) {
        d = draw(kinds[i], "attention=cross;layer=0;head=0;edits=set decoder.0.attn:q2:k1=1");
        says(&d, "edited: set decoder.0.attn:q2:k1=1 (the rest of the row scaled");
        done(&d);
    }
    d = draw("heatmap", "attention=cross;layer=0;head=0;top_k=2");
    says(&d, "top 2 of each query");
    says(&d, "% of the weight left out");
    done(&d);
    d = draw("heatmap", "attention=cross;layer=0;head=0;hide=.;renormalise=true");
    says(&d, "renormalised");
    done(&d);
    d = draw("heatmap", "base=1;attention=cross;layer=0;head=0");
    says(&d, "counted from 1");
    assert_string_equal(d.report.title.data, "Cross-attention, layer 1, head 1");
    done(&d);
    d = draw("heatmap", "attention=encoder;layer=max;head=mean");
    assert_non_null(strstr(d.report.title.data, "largest of 2 layers, of the mean of 4 heads"));
    done(&d);
    d = draw("cross", "theme=light");
    says(&d, "lowest entropy off the special tokens");
    done(&d);
}

static int count_cells(const Figure *figure) {
    int n, n_cells = 0;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++)
        n_cells += items[i].mark && items[i].mark->role == FIGURE_CELL && items[i].mark->has_weight;
    return n_cells;
}

/* What is cut is not there: neither a cell of weight 0 nor a masked one. */
static void cells_left_out_are_absent(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=cross;layer=0;head=0;top_k=2");
    int n_queries = trace_target(d.scene.trace).n;
    assert_int_equal(count_cells(d.figure), 2 * n_queries);
    done(&d);
    d = draw("sentence", "attention=cross;layer=0;head=0;token=1;top_k=1");
    assert_int_equal(count_cells(d.figure), 1);
    done(&d);
    d = draw("model", "attention=cross;top_k=2");
    says(&d, "top 2 of each query");
    done(&d);
    d = draw("model", "attention=cross;units=words;hide_special=true;renormalise=true");
    says(&d, "sub-words joined");
    says(&d, "renormalised");
    done(&d);
}

/* A table has only so many rows. */
static void positions_beyond_the_table(void **unused) {
    (void)unused;
    static const char *const kinds[] = {"positions", "position-map", "position-similarity"};
    for (int i = 0; i < 3; i++) {
        Drawn d = draw(kinds[i], "n_positions=5000");
        says(&d, "the table has 96 positions");
        done(&d);
    }
}

/* Hidden mass, computed by hand. */
static void hidden_mass_is_right(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=encoder;layer=0;head=0;hide_special=true");
    Pattern p;
    assert_true(trace_pattern(d.scene.trace, STACK_ENCODER, 0, false, &p));
    Tokens source = trace_source(d.scene.trace);
    double mass = 0;
    int rows = 0;
    for (int q = 0; q < source.n; q++) {
        if (source.items[q].special) continue;
        rows++;
        for (int k = 0; k < source.n; k++) {
            float w;
            pattern_tile(&p, 0, q, q + 1, k, k + 1, &w);
            if (source.items[k].special) mass += (double)w;
        }
    }
    char expected[64];
    snprintf(expected, sizeof expected, "%.1f %% of the weight on", 100 * mass / rows);
    says(&d, expected);
    done(&d);
}

/* A largest of several heads sums to more than 1, and one picked row of many is all there is: the
 * shares are of what is drawn. */
static void losses_are_shares_of_what_is_drawn(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=encoder;layer=max;head=max;hide=the,is,on,mat,.");
    const char *percent = strstr(d.report.subtitle.data, " % of the weight on");
    assert_non_null(percent);
    while (percent[-1] != ' ')
        percent--;
    double hidden = strtod(percent, NULL);
    assert_true(hidden > 0 && hidden < 100);
    done(&d);
    d = draw("heatmap", "attention=encoder;layer=0;head=0;top_k=1;token=3");
    Pattern p;
    assert_true(trace_pattern(d.scene.trace, STACK_ENCODER, 0, false, &p));
    float row[512], most = 0;
    pattern_tile(&p, 0, 3, 4, 0, (int)p.n_keys, row);
    for (int k = 0; k < (int)p.n_keys; k++)
        most = row[k] > most ? row[k] : most;
    char expected[64];
    snprintf(expected, sizeof expected, "%.1f %% of the weight left out", 100 * (1 - (double)most));
    says(&d, expected);
    says(&d, "only of \xe2\x80\x9c");
    done(&d);
    d = draw("sentence", "attention=encoder;layer=0;head=0;top_k=1;token=3;units=tokens");
    says(&d, expected);
    done(&d);
    d = draw("neuron", "attention=encoder;layer=0;head=0;hide_special=true;base=1");
    says(&d, "hidden");
    says(&d, "counted from 1");
    done(&d);
}

/* Each name once, and marks so that they are not read as the list's own. */
static void hidden_names_are_a_list(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=encoder;layer=0;head=0;hide_punctuation=true;"
                              "units=words;text=the cat, the mat, the cat.");
    says(&d, "on \xe2\x80\x9c,\xe2\x80\x9d, \xe2\x80\x9c.\xe2\x80\x9d hidden");
    done(&d);
}

/* Where no token sees a later one, no arc goes below, and none is spoken of. */
static void causal_arcs_go_back_only(void **unused) {
    (void)unused;
    Drawn d = draw("arcs", "attention=decoder;layer=0;head=0");
    says(&d, "above to earlier");
    assert_null(strstr(d.report.subtitle.data, "below"));
    done(&d);
    d = draw("arcs", "attention=encoder;layer=0;head=0;top_k=1");
    says(&d, "below to later");
    done(&d);
}

/* Hidden tokens have neither a row nor a column, and the labels stay beside theirs. */
static void masks_hide_rows_and_columns(void **unused) {
    (void)unused;
    Drawn d = draw("mask", "attention=encoder;hide_special=true");
    says(&d, "hidden");
    Tokens source = trace_source(d.scene.trace);
    int n_shown = 0;
    for (int i = 0; i < source.n; i++)
        n_shown += !source.items[i].special;
    int n, n_cells = 0;
    const FigureItem *items = figure_items(d.figure, &n);
    for (int i = 0; i < n; i++)
        n_cells += items[i].mark && items[i].mark->role == FIGURE_CELL;
    assert_int_equal(n_cells, n_shown * n_shown);
    done(&d);
}

static void wrong_wishes_are_named(void **unused) {
    (void)unused;
    refuses("heatmap", "layer=9", "expected 0 to 1");
    refuses("heatmap", "layer=1-0", "a range (0-1)");
    refuses("heatmap", "head=banana", "--head 'banana'");
    refuses("heatmap", "heads=L0H9", "L0H0 to L1H3");
    refuses("heatmap", "heads=decoder-L0H0,cross-L1H1", "another attention");
    refuses("heatmap", "attention=self", "there is encoder, decoder, cross");
    refuses("arcs", "attention=cross", "one sentence");
    refuses("sentence", "token=nowhere", "is no query here");
    refuses("heatmap", "token=1,nowhere", "'nowhere' is no query");
    refuses("positions", "pair=400", "--pair 400");
    refuses("positions", "dims=0-99", "--dims");
    refuses("blocks", "box=encoder.0.soul", "no such box");
    refuses("difference", "layer=0", "nothing to compare");
    refuses("difference", "edits=ablate decoder.7.attn:H1", "decoder.7");
    refuses("model", "head=mean", "one by one");
    refuses("model", "range=row", "--range unit or max");
    refuses("model", "heads=L0H9", "L0H0 to L1H3");
    refuses("neuron", "heads=L0H0,L1H1", "one head");
    refuses("steps", "heads=L0H0,L1H1", "one head");
    refuses("heatmap", "hide_special=true;hide_punctuation=true;hide=the,cat,is,on,mat", "hidden");
}

/* What finds nothing in this text is said. */
static void idle_wishes_are_remarked(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=cross;hide=nowhere,</s>;rows=reads");
    assert_string_equal(d.report.remarks.data, "--hide nowhere: no token is called so here\n");
    done(&d);
    d = draw("model", "attention=encoder;rows=reads");
    assert_non_null(strstr(d.report.remarks.data, "--rows changes nothing here"));
    done(&d);
    d = draw("cross", "hide_special=true");
    assert_int_equal(d.report.remarks.n, 0);
    done(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quiet_line_says_what_was_done),
        cmocka_unit_test(positions_beyond_the_table),
        cmocka_unit_test(hidden_mass_is_right),
        cmocka_unit_test(losses_are_shares_of_what_is_drawn),
        cmocka_unit_test(masks_hide_rows_and_columns),
        cmocka_unit_test(causal_arcs_go_back_only),
        cmocka_unit_test(hidden_names_are_a_list),
        cmocka_unit_test(cells_left_out_are_absent),
        cmocka_unit_test(wrong_wishes_are_named),
        cmocka_unit_test(idle_wishes_are_remarked),
    };
    return cmocka_run_group_tests(tests, open_all, ground_close);
}
