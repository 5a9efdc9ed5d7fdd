/* Families of models against what Hugging Face transformers 4.40 (and torch, for the recurrent
 * ones) computes: every pattern, every residual stream, logits, greedy and beam continuations, and
 * padded batches, whose padded keys must weigh exactly nothing. */
#include "tests/model/engine.h"

#include <stdio.h>
#include <string.h>

#include "model/base/file.h"
#include "model/generate.h"
#include "model/pattern.h"
#include "tests/model/scratch.h"

static const char *const cases[] = {"albert-groups",
                                    "deit",
                                    "gpt-neo",
                                    "llama-mqa",
                                    "mistral",
                                    "opt",
                                    "roberta",
                                    "t5-relu",
                                    "whisper",
                                    "rnn-gru-bi-bahdanau",
                                    "rnn-rnn-bi-luong",
                                    "rnn-lstm-bi-luong",
                                    "marian"};
enum { N_CASES = sizeof cases / sizeof *cases, MOST_LAYERS_HERE = 8 };

/* Largest difference, relative to the largest number where numbers are large. */
static int compare(const Golden *g, const Trace *trace, const char *hook, const char *name) {
    Tensor want = golden_row(g, name, 0);
    if (!want.data) return 0;
    double most = 1, off = tensor_distance(trace_tensor_of(trace, hook), want);
    for (int64_t i = 0, n = tensor_count(want); i < n; i++)
        most = fmax(most, fabs((double)want.data[i]));
    if (!(off / most < 2e-4)) fail_msg("%s: %s is %g off %s", g->model->path, hook, off, name);
    return 1;
}

static void activations(void **state) {
    (void)state;
    static const char *const kinds[][2] = {{"attn.%d", "blocks.%d.attn.hook_pattern"},
                                           {"hidden.%d", "blocks.%d.hook_resid_pre"},
                                           {"enc_attn.%d", "encoder.%d.attn.hook_pattern"},
                                           {"dec_attn.%d", "decoder.%d.attn.hook_pattern"},
                                           {"cross_attn.%d", "decoder.%d.cross_attn.hook_pattern"},
                                           {"enc_hidden.%d", "encoder.%d.hook_resid_pre"},
                                           {"dec_hidden.%d", "decoder.%d.hook_resid_pre"}};
    static const char *const sites[] = {"*", NULL};
    for (int c = 0; c < N_CASES; c++) {
        Golden g = golden_open(cases[c]);
        Trace *trace = golden_trace(&g, &(TraceOptions){.sites = sites});
        int n = 0;
        if (g.model->config.family == FAMILY_RECURRENT) {
            n += compare(&g, trace, "decoder.attn.hook_pattern", "cross_attn.0");
        } else {
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
                for (int l = 0; l < MOST_LAYERS_HERE; l++) {
                    char hook[64], name[64];
                    Tensor next;
                    snprintf(name, sizeof name, kinds[k][0], l + 1);
                    next = golden_row(&g, name, 0);
                    bool is_hidden = strstr(kinds[k][0], "hidden") != NULL;
                    if (is_hidden && !next.data) break; /* the last one is behind the last layer */
                    snprintf(name, sizeof name, kinds[k][0], l);
                    snprintf(hook, sizeof hook, kinds[k][1], l);
                    n += compare(&g, trace, hook, name);
                }
        }
        n += compare(&g, trace, "logits", "logits");
        if (n < 2) fail_msg("%s: nothing was compared", cases[c]);
        trace_release(trace);
        golden_close(&g);
    }
}

/* CLIP's towers, each a model of its own; the text's is opened from a folder with its own config.
 */
static void clip_towers(void **state) {
    (void)state;
    static const char *const sites[] = {"*", NULL};
    static const char text_config[] =
        "{\"model_type\": \"clip_text_model\", \"hidden_size\": 36, \"intermediate_size\": 40, "
        "\"max_position_embeddings\": 20, \"num_attention_heads\": 4, \"num_hidden_layers\": 2, "
        "\"vocab_size\": 105}";
    Error error = {0};
    Golden g = golden_open("clip");
    Str weights;
    assert_true(
        file_read("tests/data/golden/clip/model.safetensors", 0, g.arena, &weights, &error));
    scratch_write("text/model.safetensors", weights);
    scratch_write("text/config.json", str(text_config));
    for (int text = 0; text < 2; text++) {
        if (text) {
            model_free(g.model);
            g.model = model_open(scratch_path("text"), &error);
            expect_ok(&error);
            g.input = (Input){.source = golden_tokens(&g, "input_ids", 0)};
        }
        Trace *trace = golden_trace(&g, &(TraceOptions){.sites = sites});
        int n = 0;
        for (int l = 0; l < 2; l++) {
            char hook[64], name[64];
            snprintf(name, sizeof name, "%s_attn.%d", text ? "text" : "vision", l);
            snprintf(hook, sizeof hook, "blocks.%d.attn.hook_pattern", l);
            n += compare(&g, trace, hook, name);
            snprintf(name, sizeof name, "%s_hidden.%d", text ? "text" : "vision", l);
            snprintf(hook, sizeof hook, "blocks.%d.hook_resid_pre", l);
            n += compare(&g, trace, hook, name);
        }
        n += compare(&g, trace, "blocks.1.hook_resid_post",
                     text ? "text_hidden.2" : "vision_hidden.2");
        assert_int_equal(n, 5);
        trace_release(trace);
    }
    golden_close(&g);
}

static void expect_ids(const Golden *g, const char *name, const GenerateOptions *options) {
    const RawTensor *t = safetensors_find(g->expected, name);
    if (!t) return;
    Error error = {0};
    Generation got;
    generate(g->model, &g->input, options, g->arena, &got, &error);
    expect_ok(&error);
    assert_int_equal(got.n, t->shape[t->rank - 1]);
    for (int i = 0; i < got.n; i++)
        assert_int_equal(got.ids[i], ((const int64_t *)t->data)[i]);
}

static void continuations(void **state) {
    (void)state;
    for (int c = 0; c < N_CASES; c++) {
        Golden g = golden_open(cases[c]);
        bool whisper = strcmp(cases[c], "whisper") == 0;
        bool stops = g.model->config.family == FAMILY_ENCODER_DECODER && !whisper;
        int32_t prompt[2];
        for (int i = 0; whisper && i < 2; i++)
            prompt[i] = g.input.target.items[i].id;
        GenerateOptions options = {.n_beams = 1,
                                   .max_new_tokens = 10,
                                   .ignore_eos = !stops,
                                   .prompt = whisper ? prompt : NULL,
                                   .n_prompt = whisper ? 2 : 0};
        expect_ids(&g, "gen_ids", &options);
        options.n_beams = 4;
        expect_ids(&g, "beam_ids", &options);
        golden_close(&g);
    }
}

static void padding(void **state) {
    (void)state;
    static const char *const padded[] = {"albert-groups", "gpt-neo", "opt", "roberta"};
    for (size_t c = 0; c < sizeof padded / sizeof *padded; c++) {
        Golden g = golden_open(padded[c]);
        const RawTensor *mask = safetensors_find(g.expected, "pad.attention_mask");
        assert_non_null(mask);
        const RawTensor *given = safetensors_find(g.expected, "pad.position_ids");
        int n = (int)mask->shape[1];
        uint8_t *keep = arena_alloc(g.arena, (size_t)n);
        int32_t *positions = arena_alloc(g.arena, (size_t)n * sizeof *positions);
        for (int i = 0; i < n; i++) {
            keep[i] = (uint8_t)((const int64_t *)mask->data)[n + i];
            if (given) positions[i] = (int32_t)((const int64_t *)given->data)[n + i];
        }
        g.input = (Input){.source = golden_tokens(&g, "pad.input_ids", 1),
                          .source_keep = keep,
                          .types = golden_types(&g, "pad.token_type_ids", 1),
                          .positions = given ? positions : NULL};
        Trace *trace = golden_trace(&g, NULL);
        Tensor have = trace_tensor_of(trace, "blocks.0.attn.hook_pattern");
        Tensor want = golden_row(&g, "pad.attn.0", 1);
        int n_masked = 0;
        for (int64_t h = 0; h < have.shape[0]; h++)
            for (int q = 0; q < n; q++)
                for (int k = 0; k < n && keep[q]; k++) {
                    float x = *tensor_at(have, h, q, k, 0), y = *tensor_at(want, h, q, k, 0);
                    if (!keep[k] && x != 0) fail_msg("%s: a padded key weighs %g", padded[c], x);
                    n_masked += !keep[k];
                    assert_true(fabsf(x - y) < 2e-4f);
                }
        assert_true(n_masked > 0);
        trace_release(trace);
        golden_close(&g);
    }
}

/* One attention, tile by tile, stored and recomputed from queries and keys. */
static void compare_tiles(const char *name, const Pattern *p, const Pattern *q) {
    enum { SIDE = 5 };
    float x[SIDE * SIDE], y[SIDE * SIDE];
    for (int head = 0; head < p->n_heads; head++)
        for (int64_t row = 0; row < p->n_queries; row += SIDE)
            for (int64_t key = 0; key < p->n_keys; key += SIDE) {
                int64_t row_end = row + SIDE < p->n_queries ? row + SIDE : p->n_queries;
                int64_t key_end = key + SIDE < p->n_keys ? key + SIDE : p->n_keys;
                pattern_tile(p, head, row, row_end, key, key_end, x);
                pattern_tile(q, head, row, row_end, key, key_end, y);
                for (int64_t i = 0; i < (row_end - row) * (key_end - key); i++)
                    if (!(fabsf(x[i] - y[i]) < 1e-5f) || (x[i] == 0) != (y[i] == 0))
                        fail_msg("%s: stored %g, recomputed %g", name, x[i], y[i]);
            }
}

/* Windows, grouped queries, rotary and T5's positions, masks: what a figure of a long text draws is
 * what the pass computed. */
static void recomputed_patterns(void **state) {
    (void)state;
    for (int c = 0; c < N_CASES; c++) {
        Golden g = golden_open(cases[c]);
        uint8_t keep[64];
        int n_compared = 0;
        for (int i = 0; i < 64; i++)
            keep[i] = i != 2 && i != 3;
        if (!g.input.features.data && g.input.source.n <= 64) g.input.source_keep = keep;
        Trace *stored = golden_trace(&g, NULL);
        Trace *lazy = golden_trace(&g, &(TraceOptions){.lazy_patterns = true});
        for (StackId stack = 0; stack < STACK_COUNT; stack++)
            for (int a = 0; a < 2 * g.model->config.stack[stack].n_layers; a++) {
                Pattern p, q;
                if (!trace_pattern(stored, stack, a / 2, a % 2, &p)) continue;
                assert_true(trace_pattern(lazy, stack, a / 2, a % 2, &q));
                if (!q.stored.data) n_compared++;
                compare_tiles(cases[c], &p, &q);
            }
        if (g.model->config.family != FAMILY_RECURRENT && n_compared < 2)
            fail_msg("%s: nothing was recomputed", cases[c]);
        trace_release(stored);
        trace_release(lazy);
        golden_close(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(activations), cmocka_unit_test(clip_towers),
                                       cmocka_unit_test(continuations), cmocka_unit_test(padding),
                                       cmocka_unit_test(recomputed_patterns)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
