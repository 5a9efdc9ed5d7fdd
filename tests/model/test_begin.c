/* What Whisper's decoder is given before it writes: forced ids, the language asked of the model. */
#include "tests/model/engine.h"

#include "model/begin.h"

static void expect_ids(const Golden *g, const int32_t *want, int n_want) {
    Error error = {0};
    const int32_t *ids;
    int n;
    assert_true(begin_ids(g->model, &g->input, NULL, g->arena, &ids, &n, &error));
    assert_int_equal(n, n_want);
    for (int i = 0; i < n; i++)
        assert_int_equal(ids[i], want[i]);
}

static void whisper_is_told_language_and_task(void **state) {
    (void)state;
    static const int32_t languages[] = {20, 21, 22, 23}, open[] = {-1, 9}, closed[] = {22, 9};
    Golden g = golden_open("whisper");
    GenerationConfig *c = &g.model->config.generation;
    expect_ids(&g, NULL, 0); /* its config says nothing */
    c->forced = closed;
    c->n_forced = 2;
    expect_ids(&g, (const int32_t[]){c->start_id, 22, 9}, 3);
    c->forced = open;
    c->language_ids = languages;
    c->n_language_ids = 4;
    c->no_timestamps_id = 11;
    expect_ids(&g, (const int32_t[]){c->start_id, 21, 9, 11}, 4);
    c->n_forced = 0;
    expect_ids(&g, (const int32_t[]){c->start_id, 21, 11}, 3);
    golden_close(&g);
}

/* Other models begin as ever. */
static void others_are_told_nothing(void **state) {
    (void)state;
    static const int32_t forced[] = {5};
    Golden g = golden_open("marian");
    g.model->config.generation.forced = forced;
    g.model->config.generation.n_forced = 1;
    expect_ids(&g, NULL, 0);
    golden_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whisper_is_told_language_and_task),
                                       cmocka_unit_test(others_are_told_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
