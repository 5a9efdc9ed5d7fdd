/* What a figure says when nobody said what to draw, and of what the vocabulary does not know. */
#include "tests/app/views_ground.h"

static void a_layer_nobody_asked_for_is_said(void **unused) {
    (void)unused;
    Drawn d = draw("heatmap", "attention=encoder");
    says(&d, "no layer was asked for: the last");
    done(&d);
    d = draw("heatmap", "attention=encoder;layer=0");
    assert_null(strstr(d.report.subtitle.data, "asked for"));
    done(&d);
    d = draw("heatmap", "");
    says(&d, "lowest entropy off the special tokens");
    done(&d);
}

static void unknown_words_are_shown_and_said(void **unused) {
    (void)unused;
    Drawn d = draw("cross", "text=the 漢字 cat 漢字 Ωmega");
    says(&d, "not in the vocabulary: 漢字, ");
    assert_true(strstr(strstr(d.report.subtitle.data, "漢字") + 1, "漢字") == NULL); /* once */
    int n, n_shown = 0;
    const FigureItem *items = figure_items(d.figure, &n);
    for (int i = 0; i < n; i++)
        n_shown += items[i].kind == FIGURE_TEXT && str_is(items[i].text->s, "漢字");
    assert_int_equal(n_shown, 2);
    done(&d);
    d = draw("heatmap", "text=the 漢字 cat"); /* token by token it is what the model reads */
    says(&d, "not in the vocabulary: 漢字");
    items = figure_items(d.figure, &n);
    n_shown = 0;
    for (int i = 0; i < n; i++)
        n_shown += items[i].kind == FIGURE_TEXT && str_is(items[i].text->s, "<unk>");
    assert_true(n_shown > 0);
    done(&d);
}

/* What is hidden has no part in the scale of what is shown. */
static void scales_are_of_what_is_shown(void **unused) {
    (void)unused;
    Drawn d =
        draw("heatmap", "attention=cross;layer=1;head=2;hide=the,on,is;renormalise=true;range=max");
    int n;
    double most = 0;
    const FigureItem *items = figure_items(d.figure, &n);
    for (int i = 0; i < n; i++)
        if (items[i].mark && items[i].mark->has_weight && items[i].mark->weight > most)
            most = items[i].mark->weight;
    char scale[64];
    snprintf(scale, sizeof scale, "scale 0..%.3g (largest)", most);
    says(&d, scale);
    done(&d);
}

static int open_roberta(void **unused) {
    (void)unused;
    return ground_open("tests/data/golden/roberta");
}

static Drawn of_roberta(const char *kind, const char *fields, bool drawn) {
    Drawn d = {0};
    state_init(&d.state);
    state_put_text(&d.state.text, "5 9 20");
    state_put_text(&d.state.view, kind);
    ground_set(&d.state, fields);
    const View *view = view_find(kind);
    bool ok = scene_open(&d.scene, &d.state, view, subject, &d.error);
    if (ok) {
        d.input = scene_input(&d.scene, &d.state);
        d.input.report = &d.report;
        d.figure = drawer_draw(&drawer, view, &d.input, &d.error);
    }
    if ((d.figure != NULL) != drawn) fail_msg("%s %s: %s", kind, fields, d.error.message);
    return d;
}

static void learned_positions_have_no_pairs(void **unused) {
    (void)unused;
    Drawn d = of_roberta("positions", "pair=2", false);
    assert_non_null(strstr(d.error.message, "--pair: no sines and cosines here (learned"));
    done(&d);
    d = of_roberta("positions", "dims=4-7", true);
    done(&d);
}

static void ids_have_no_pair(void **unused) {
    (void)unused;
    Drawn d = of_roberta("heatmap", "text_pair=7 8", false);
    assert_non_null(strstr(d.error.message, "--text-pair: no tokenizer"));
    done(&d);
}

static void the_first_head_is_said(void **unused) {
    (void)unused;
    Drawn d = of_roberta("heatmap", "base=0", true);
    says(&d, "no head was asked for: the first");
    done(&d);
}

/* In the window hundreds of words open on one of them; a file has room for all. */
static void long_sentences_open_on_one_word_in_the_window(void **unused) {
    (void)unused;
    static const char *const kinds[] = {"cross", "head"};
    char words[66 * 4 + 1] = "", fields[2 * sizeof words + 64];
    for (int i = 0; i < 66; i++)
        strcat(words, i % 2 ? "on " : "cat ");
    snprintf(fields, sizeof fields, "attention=cross;text=%s;target_text=%s", words, words);
    for (int i = 0; i < 2; i++) {
        Drawn d = draw(kinds[i], fields);
        assert_null(strstr(d.report.subtitle.data, "largest weights"));
        figure_free(d.figure);
        view_report_free(&d.report);
        d.input = scene_input(&d.scene, &d.state);
        d.input.report = &d.report;
        d.input.live = true;
        d.input.width_pt = 900;
        d.input.height_pt = 700;
        d.figure = drawer_draw(&drawer, view_find(kinds[i]), &d.input, &d.error);
        if (!d.figure) fail_msg("%s", d.error.message);
        says(&d, "and its 20 largest weights");
        done(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_nobody_asked_for_is_said),
        cmocka_unit_test(unknown_words_are_shown_and_said),
        cmocka_unit_test(scales_are_of_what_is_shown),
        cmocka_unit_test(long_sentences_open_on_one_word_in_the_window),
    };
    const struct CMUnitTest of_one_stack[] = {
        cmocka_unit_test(learned_positions_have_no_pairs),
        cmocka_unit_test(ids_have_no_pair),
        cmocka_unit_test(the_first_head_is_said),
    };
    int failed = cmocka_run_group_tests(tests, open_all, ground_close);
    return failed + cmocka_run_group_tests(of_one_stack, open_roberta, ground_close);
}
