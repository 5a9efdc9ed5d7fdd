/* What must hold in any pass: the golden numbers, rows of weights that sum to 1, a residual stream
 * that adds up, heads that are columns of W_O, rows that do not see each other. */
#include "tests/model/engine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/forward.h"
#include "model/generate.h"
#include "model/ops.h"
#include "model/position.h"

static const char *const cases[] = {"marian", "vaswani-post", "vaswani-pre"};
enum { N_CASES = sizeof cases / sizeof *cases };
static const char *const all_sites[] = {"*", NULL};

/* ---- against the reference ---- */

static void expect_close(const Golden *g, const Trace *trace, const char *hook, const char *name) {
    Tensor want = golden_tensor(g, name);
    if (!want.data) return;
    double off = tensor_distance(trace_tensor_of(trace, hook), want);
    if (!(off < 2e-4)) fail_msg("%s: %s is %g off %s", g->model->path, hook, off, name);
}

static void golden_numbers(void **state) {
    (void)state;
    static const char *const kinds[][3] = {{"encoder", "attn.hook_pattern", "enc_attn"},
                                           {"decoder", "attn.hook_pattern", "dec_attn"},
                                           {"decoder", "cross_attn.hook_pattern", "cross_attn"},
                                           {"encoder", "hook_resid_pre", "enc_hidden"},
                                           {"decoder", "hook_resid_pre", "dec_hidden"}};
    for (int c = 0; c < N_CASES; c++) {
        Golden g = golden_open(cases[c]);
        Trace *trace = golden_trace(&g, &(TraceOptions){.sites = all_sites});
        for (int l = 0; l < 2; l++)
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
                expect_close(&g, trace,
                             arena_printf(g.arena, "%s.%d.%s", kinds[k][0], l, kinds[k][1]),
                             arena_printf(g.arena, "%s.%d", kinds[k][2], l));
        expect_close(&g, trace, "logits", "logits");
        if (g.model->config.stack[STACK_ENCODER].final_norm) {
            expect_close(&g, trace, "encoder.ln_final.hook_normalized", "encoder_output");
            expect_close(&g, trace, "decoder.ln_final.hook_normalized", "decoder_output");
        } else {
            expect_close(&g, trace, "encoder.1.hook_normalized_resid_post", "enc_hidden.2");
            expect_close(&g, trace, "decoder.1.hook_normalized_resid_post", "dec_hidden.2");
        }
        trace_release(trace);
        golden_close(&g);
    }
}

/* A padded batch, row by row: padded keys get exactly nothing. */
static void padded_keys_weigh_nothing(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    const RawTensor *mask = safetensors_find(g.expected, "pad.attention_mask");
    assert_non_null(mask);
    Tensor want = golden_tensor(&g, "pad.enc_attn.0"), logits = golden_tensor(&g, "pad.logits");
    bool any = false;
    for (int row = 0; row < 2; row++) {
        uint8_t keep[32];
        int n = (int)mask->shape[1];
        for (int i = 0; i < n; i++)
            keep[i] = ((const int64_t *)mask->data)[row * n + i] != 0;
        g.input.source = golden_tokens(&g, "pad.input_ids", row);
        g.input.target = golden_tokens(&g, "pad.decoder_input_ids", row);
        g.input.source_keep = keep;
        Trace *trace = golden_trace(&g, NULL);
        Tensor have = trace_tensor_of(trace, "encoder.0.attn.hook_pattern");
        Tensor cross = trace_tensor_of(trace, "decoder.1.cross_attn.hook_pattern");
        for (int h = 0; h < 4; h++)
            for (int k = 0; k < n; k++) {
                for (int q = 0; q < n; q++) {
                    if (!keep[k]) assert_true(*tensor_at(have, h, q, k, 0) == 0);
                    if (keep[q])
                        assert_true(fabsf(*tensor_at(have, h, q, k, 0) -
                                          *tensor_at(want, row, h, q, k)) < 2e-4f);
                }
                for (int q = 0; q < cross.shape[1]; q++)
                    if (!keep[k]) assert_true(*tensor_at(cross, h, q, k, 0) == 0);
                any = any || !keep[k];
            }
        assert_true(
            tensor_distance(trace_tensor_of(trace, "logits"), tensor_index(logits, 0, row)) < 2e-4);
        trace_release(trace);
    }
    assert_true(any);
    golden_close(&g);
}

/* ---- within a pass ---- */

static Tensor site(const Trace *trace, const char *stack, int layer, const char *name) {
    char full[96];
    snprintf(full, sizeof full, "%s.%d.%s", stack, layer, name);
    return trace_tensor_of(trace, full);
}

/* a + b = sum, to the last bit but one. */
static void expect_sum(Tensor a, Tensor b, Tensor sum) {
    for (int64_t i = 0; i < tensor_count(sum); i++)
        assert_true(fabsf(a.data[i] + b.data[i] - sum.data[i]) < 1e-5f);
}

static void weights_are_softmax_of_scores(void **state) {
    (void)state;
    for (int c = 0; c < N_CASES; c++) {
        Golden g = golden_open(cases[c]);
        Trace *trace = golden_trace(&g, &(TraceOptions){.sites = all_sites});
        for (int i = 0; i < 6; i++) {
            const char *stack = i < 2 ? "encoder" : "decoder";
            const char *at = i < 4 ? "attn" : "cross_attn";
            char name[64];
            snprintf(name, sizeof name, "%s.hook_pattern", at);
            Tensor p = site(trace, stack, i % 2, name);
            snprintf(name, sizeof name, "%s.hook_attn_scores", at);
            Tensor s = site(trace, stack, i % 2, name);
            bool causal = i == 2 || i == 3;
            for (int64_t h = 0; h < p.shape[0]; h++)
                for (int64_t q = 0; q < p.shape[1]; q++) {
                    double sum = 0, total = 0;
                    for (int64_t k = 0; k < p.shape[2]; k++) {
                        sum += *tensor_at(p, h, q, k, 0);
                        total += exp(*tensor_at(s, h, q, k, 0));
                        if (causal && k > q) {
                            assert_true(*tensor_at(p, h, q, k, 0) == 0);
                            assert_true(isinf(*tensor_at(s, h, q, k, 0)));
                        }
                    }
                    assert_true(fabs(sum - 1) < 1e-5);
                    for (int64_t k = 0; k < p.shape[2]; k++)
                        assert_true(fabs(exp(*tensor_at(s, h, q, k, 0)) / total -
                                         *tensor_at(p, h, q, k, 0)) < 1e-5);
                }
            snprintf(name, sizeof name, "%s.hook_v", at);
            Tensor v = site(trace, stack, i % 2, name);
            snprintf(name, sizeof name, "%s.hook_z", at);
            Tensor z = site(trace, stack, i % 2, name);
            for (int64_t q = 0; q < z.shape[0]; q++)
                for (int64_t h = 0; h < z.shape[1]; h++)
                    for (int64_t d = 0; d < z.shape[2]; d++) {
                        double mix = 0;
                        for (int64_t k = 0; k < v.shape[0]; k++)
                            mix += (double)*tensor_at(p, h, q, k, 0) * *tensor_at(v, k, h, d, 0);
                        assert_true(fabs(mix - *tensor_at(z, q, h, d, 0)) < 1e-5);
                    }
        }
        trace_release(trace);
        golden_close(&g);
    }
}

static void residual_stream_adds_up(void **state) {
    (void)state;
    for (int c = 0; c < N_CASES; c++) {
        Golden g = golden_open(cases[c]);
        Trace *t = golden_trace(&g, &(TraceOptions){.sites = all_sites});
        for (int s = 0; s < 2; s++) {
            const char *stack = s ? "decoder" : "encoder";
            const StackConfig *config = &g.model->config.stack[s ? STACK_DECODER : STACK_ENCODER];
            bool post = config->norm_place == NORM_POST;
            expect_sum(trace_tensor_of(t, arena_printf(g.arena, "%s.hook_embed", stack)),
                       trace_tensor_of(t, arena_printf(g.arena, "%s.hook_pos_embed", stack)),
                       site(t, stack, 0, "hook_resid_pre"));
            for (int l = 0; l < config->n_layers; l++) {
                Tensor mid = site(t, stack, l, "hook_resid_mid");
                expect_sum(site(t, stack, l, "hook_resid_pre"), site(t, stack, l, "hook_attn_out"),
                           mid);
                if (post) mid = site(t, stack, l, "hook_normalized_resid_mid");
                if (config->has_cross) {
                    Tensor cross = site(t, stack, l, "hook_resid_mid_cross");
                    expect_sum(mid, site(t, stack, l, "hook_cross_attn_out"), cross);
                    mid = post ? site(t, stack, l, "hook_normalized_resid_mid_cross") : cross;
                }
                Tensor out = site(t, stack, l, "hook_resid_post");
                expect_sum(mid, site(t, stack, l, "hook_mlp_out"), out);
                if (post) out = site(t, stack, l, "hook_normalized_resid_post");
                if (post)
                    assert_true(tensor_distance(out, site(t, stack, l, "ln2.hook_normalized")) ==
                                0);
                if (l + 1 < config->n_layers)
                    assert_true(tensor_distance(out, site(t, stack, l + 1, "hook_resid_pre")) == 0);
            }
        }
        trace_release(t);
        golden_close(&g);
    }
}

/* ---- a head is some columns of W_O ---- */

/* The checkpoint with columns begin..end of one matrix at 0, in a folder of its own. */
static Model *without_columns(const Golden *g, const char *name, int64_t begin, int64_t end) {
    Error error = {0};
    char *folder = temporary_path(g->arena, "columns");
    char *weights = path_join(g->arena, folder, "model.safetensors");
    char *config = path_join(g->arena, folder, "config.json");
    assert_true(folder_make(folder, &error));
    SafetensorsWriter *w = safetensors_create(weights, &error);
    bool found = false;
    Safetensors *file =
        safetensors_open(arena_printf(g->arena, "%s/model.safetensors", g->model->path), &error);
    for (int i = 0; i < safetensors_n_tensors(file); i++) {
        const RawTensor *t = safetensors_tensor(file, i);
        float *data = arena_alloc(g->arena, t->n_bytes);
        memcpy(data, t->data, t->n_bytes);
        if (strcmp(t->name, name) == 0) {
            found = true;
            assert_int_equal(t->dtype, DTYPE_F32);
            for (int64_t r = 0; r < t->shape[0]; r++)
                memset(data + r * t->shape[1] + begin, 0, (size_t)(end - begin) * sizeof *data);
        }
        safetensors_add(w, t->name, t->dtype, t->rank, t->shape, data);
    }
    assert_true(found);
    safetensors_commit(w, &error);
    safetensors_close(file);
    Str text;
    assert_true(file_read(arena_printf(g->arena, "%s/config.json", g->model->path), 0, g->arena,
                          &text, &error));
    assert_true(file_save(config, text.data, text.n, &error));
    Model *model = model_open(folder, &error);
    expect_ok(&error);
    unlink(weights);
    unlink(config);
    rmdir(folder);
    return model;
}

static void ablated_head_is_zeroed_columns(void **state) {
    (void)state;
    static const struct {
        const char *model, *place, *matrix;
        int head, d_head;
    } heads[] = {{"marian", "decoder.1.cross_attn:H2",
                  "model.decoder.layers.1.encoder_attn.out_proj.weight", 2, 9},
                 {"vaswani-post", "encoder.0.attn:H3",
                  "transformer.encoder.layers.0.self_attn.out_proj.weight", 3, 9},
                 {"vaswani-pre", "decoder.0.attn:H1",
                  "transformer.decoder.layers.0.self_attn.out_proj.weight", 1, 16}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        Golden g = golden_open(heads[i].model);
        Edits edits = {0};
        edit_add(&edits, EDIT_ABLATE, heads[i].place, g.model, g.arena);
        Trace *plain = golden_trace(&g, NULL);
        Trace *ablated = golden_trace(&g, &(TraceOptions){.edits = &edits});
        int64_t begin = heads[i].head * heads[i].d_head;
        Model *copy = without_columns(&g, heads[i].matrix, begin, begin + heads[i].d_head);
        Error error = {0};
        Trace *cut = trace_run(copy, &g.input, NULL, &error);
        expect_ok(&error);
        for (int t = 0; t < trace_n_tensors(cut); t++) {
            const char *name = trace_tensor_name(cut, t);
            assert_true(tensor_distance(*trace_tensor(cut, t), trace_tensor_of(ablated, name)) <
                        2e-5);
        }
        assert_true(tensor_distance(trace_tensor_of(plain, "logits"),
                                    trace_tensor_of(ablated, "logits")) > 1e-3);
        trace_release(plain);
        trace_release(ablated);
        trace_release(cut);
        model_free(copy);
        golden_close(&g);
    }
}

/* ---- rows ---- */

static TokenRows rows_of(const int32_t *begin, int n_rows, const int32_t *ids) {
    return (TokenRows){.n_rows = n_rows, .begin = begin, .ids = ids};
}

/* Rows of 5, 1 and 9 tokens packed, and each by itself. */
static void packed_rows_equal_single_ones(void **state) {
    (void)state;
    static const int32_t source_begin[] = {0, 5, 6, 15}, target_begin[] = {0, 3, 7, 8};
    for (int c = 0; c < N_CASES; c++) {
        Golden g = golden_open(cases[c]);
        int32_t source[15], target[8];
        for (int i = 0; i < 15; i++)
            source[i] = 3 + i * 5;
        for (int i = 0; i < 8; i++)
            target[i] = 2 + i * 9;
        Run run = {.model = g.model, .arena = g.arena};
        Error error = {0};
        TokenRows sources = rows_of(source_begin, 3, source);
        TokenRows targets = rows_of(target_begin, 3, target);
        Tensor memory, hidden;
        assert_true(forward_stack(&run, STACK_ENCODER, &sources, NULL, NULL, &memory, &error));
        assert_true(forward_stack(&run, STACK_DECODER, &targets,
                                  &(Memory){.hidden = memory, .rows = &sources}, NULL, &hidden,
                                  &error));
        Tensor logits = forward_logits(&run, STACK_DECODER, hidden);
        for (int r = 0; r < 3; r++) {
            int32_t begin[2] = {0, source_begin[r + 1] - source_begin[r]};
            int32_t target_span[2] = {0, target_begin[r + 1] - target_begin[r]};
            TokenRows one = rows_of(begin, 1, source + source_begin[r]);
            TokenRows one_target = rows_of(target_span, 1, target + target_begin[r]);
            Tensor m, x;
            assert_true(forward_stack(&run, STACK_ENCODER, &one, NULL, NULL, &m, &error));
            assert_true(forward_stack(&run, STACK_DECODER, &one_target,
                                      &(Memory){.hidden = m, .rows = &one}, NULL, &x, &error));
            Tensor single = forward_logits(&run, STACK_DECODER, x);
            assert_true(tensor_distance(single, tensor_slice(logits, 0, target_begin[r],
                                                             target_begin[r + 1])) < 1e-5);
        }
        golden_close(&g);
    }
}

/* More [head, query, key] than is held at once: walked in blocks of queries, the same numbers as
 * with a tape, which holds all. */
static void blocks_of_queries_equal_the_whole(void **state) {
    (void)state;
    enum { N = 600 };
    Golden g = golden_open("vaswani-post");
    int32_t ids[N];
    for (int i = 0; i < N; i++)
        ids[i] = 3 + i * 7 % 80;
    g.input.source = tokens_of(g.arena, ids, N);
    g.input.target = tokens_of(g.arena, ids, N);
    static const char *const sites[] = {"decoder.*.hook_pattern", "decoder.0.attn.hook_attn_scores",
                                        "logits", NULL};
    Trace *blocks = golden_trace(&g, &(TraceOptions){.sites = sites});
    Trace *whole = golden_trace(&g, &(TraceOptions){.sites = sites, .grad = "loss"});
    for (int i = 0; i < trace_n_tensors(blocks); i++)
        assert_true(tensor_distance(*trace_tensor(blocks, i),
                                    trace_tensor_of(whole, trace_tensor_name(blocks, i))) < 2e-5);
    trace_release(blocks);
    trace_release(whole);
    golden_close(&g);
}

/* ---- threads ---- */

typedef struct Sharer {
    const Golden *golden;
    Trace *trace;
    Generation written;
    Arena *arena;
    pthread_t thread;
} Sharer;

static void *trace_and_write(void *argument) {
    Sharer *s = argument;
    for (int i = 0; i < 5; i++) {
        trace_release(s->trace);
        s->trace = trace_run(s->golden->model, &s->golden->input,
                             &(TraceOptions){.sites = all_sites, .grad = "logit:5@1"}, NULL);
        generate(s->golden->model, &s->golden->input,
                 &(GenerateOptions){.n_beams = 1 + i % 3, .max_new_tokens = 8}, s->arena,
                 &s->written, NULL);
    }
    return NULL;
}

/* A model is read only: threads share it, and none sees the others. */
static void threads_share_a_model(void **state) {
    (void)state;
    enum { N = 4 };
    Golden g = golden_open("marian");
    Sharer sharers[N];
    for (int i = 0; i < N; i++) {
        sharers[i] = (Sharer){.golden = &g, .arena = arena_new()};
        assert_int_equal(pthread_create(&sharers[i].thread, NULL, trace_and_write, &sharers[i]), 0);
    }
    for (int i = 0; i < N; i++)
        pthread_join(sharers[i].thread, NULL);
    for (int i = 0; i < N; i++) {
        assert_non_null(sharers[i].trace);
        for (int t = 0; t < trace_n_tensors(sharers[0].trace); t++)
            assert_true(tensor_distance(*trace_tensor(sharers[0].trace, t),
                                        *trace_tensor(sharers[i].trace, t)) == 0);
        assert_int_equal(sharers[i].written.n, sharers[0].written.n);
        assert_memory_equal(sharers[i].written.ids, sharers[0].written.ids,
                            (size_t)sharers[0].written.n * sizeof(int32_t));
    }
    for (int i = 0; i < N; i++) {
        trace_release(sharers[i].trace);
        arena_free(sharers[i].arena);
    }
    golden_close(&g);
}

/* BLOOM: a word that the mask leaves out takes no place; slopes 2^-4 and 2^-8 for two heads. */
static void alibi_counts_kept_keys(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Run run = {.arena = arena};
    StackConfig config = {.position = POSITION_ALIBI, .n_heads = 2};
    static const uint8_t keep[] = {1, 0, 0, 1, 1};
    static const float all[] = {0, 1, 2, 3, 4}, kept[] = {0, 1, 1, 1, 2};
    Tensor q = random_new(arena, 1, 1, 3, 1, 2, 4), k = random_new(arena, 2, 1, 3, 5, 2, 4);
    for (int masked = 0; masked < 2; masked++) {
        PositionBias storage;
        assert_non_null(position_bias(&storage, &config, &(AttentionWeights){0}, false));
        storage.keep = masked ? keep : NULL;
        Tensor bias = position_bias_block(&run, &storage, q, k, 4);
        for (int j = 0; j < 5; j++) {
            float at = masked ? kept[j] : all[j];
            assert_true(*tensor_at(bias, 0, 0, j, 0) == at / 16);
            assert_true(*tensor_at(bias, 1, 0, j, 0) == at / 256);
        }
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_numbers),
                                       cmocka_unit_test(padded_keys_weigh_nothing),
                                       cmocka_unit_test(weights_are_softmax_of_scores),
                                       cmocka_unit_test(residual_stream_adds_up),
                                       cmocka_unit_test(ablated_head_is_zeroed_columns),
                                       cmocka_unit_test(packed_rows_equal_single_ones),
                                       cmocka_unit_test(blocks_of_queries_equal_the_whole),
                                       cmocka_unit_test(threads_share_a_model),
                                       cmocka_unit_test(alibi_counts_kept_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
