/* Continuations: the reference's ids, steps with a cache against one forced pass, beams against a
 * search that has no cache. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/generate.h"
#include "model/logits.h"
#include "model/tokenizer.h"

static const char *const all_sites[] = {"*", NULL};

/* ---- against the reference ---- */

static void expect_ids(const Golden *g, const Generation *out, const char *name) {
    const RawTensor *t = safetensors_find(g->expected, name);
    assert_non_null(t);
    if (out->n != t->shape[1]) fail_msg("%s: %d ids", name, out->n);
    for (int i = 0; i < out->n; i++)
        assert_int_equal(out->ids[i], ((const int64_t *)t->data)[i]);
}

static void golden_ids(void **state) {
    (void)state;
    static const char *const cases[] = {"marian", "vaswani-post", "vaswani-pre"};
    for (int c = 0; c < 3; c++) {
        Golden g = golden_open(cases[c]);
        Error error = {0};
        Generation out;
        int32_t start =
            (int32_t)((const int64_t *)safetensors_find(g.expected, "gen_ids")->data)[0];
        GenerateOptions options = {
            .max_new_tokens = 10, .ignore_eos = c > 0, .prompt = &start, .n_prompt = 1};
        generate(g.model, &g.input, &options, g.arena, &out, &error);
        expect_ok(&error);
        expect_ids(&g, &out, "gen_ids");
        if (c == 0) {
            options.n_beams = 4;
            generate(g.model, &g.input, &options, g.arena, &out, &error);
            expect_ok(&error);
            expect_ids(&g, &out, "beam_ids");
            float want = *(const float *)safetensors_find(g.expected, "beam_score")->data;
            assert_true(fabs(out.score - want) < 1e-4);
        }
        golden_close(&g);
    }
}

/* ---- steps and one pass ---- */

/* log p of what was written by one pass over the whole, from its trace. */
static void expect_forced(const Golden *g, const Generation *out, const Edits *edits) {
    Error error = {0};
    Input input = generation_input(&g->input, out->ids, out->n, NULL, g->arena);
    Trace *trace = trace_run(g->model, &input, &(TraceOptions){.edits = edits}, &error);
    expect_ok(&error);
    Tensor logits = trace_tensor_of(trace, "logits");
    int n_vocab = (int)logits.shape[1];
    float *log_probs = arena_alloc(g->arena, (size_t)n_vocab * sizeof *log_probs);
    float *scored = arena_alloc(g->arena, (size_t)out->n * sizeof *scored);
    score_target(g->model, &g->input, out->ids, out->n, edits, scored, &error);
    expect_ok(&error);
    for (int i = out->n_prompt; i < out->n; i++) {
        logits_log_softmax(tensor_at(logits, i - 1, 0, 0, 0), n_vocab, log_probs);
        float want = log_probs[out->ids[i]];
        if (!(fabsf(out->log_probs[i] - want) < 1e-5f))
            fail_msg("token %d: %g in steps, %g at once", i, out->log_probs[i], want);
        assert_true(fabsf(scored[i - 1] - want) < 1e-5f);
    }
    trace_release(trace);
}

static void steps_equal_one_pass(void **state) {
    (void)state;
    static const char *const cases[] = {"marian", "vaswani-post", "vaswani-pre"};
    static const struct {
        EditKind kind;
        const char *text;
    } edited[] = {{EDIT_ABLATE, "decoder.0.attn:H1"},
                  {EDIT_SCALE, "decoder.1.cross_attn:H0=0.3"},
                  {EDIT_SCALE, "encoder.1.attn:H1=2"},
                  {EDIT_ABLATE, "encoder.0.mlp"},
                  {EDIT_SCALE, "decoder.1.attn.hook_k=0.7"},
                  {EDIT_SCALE, "decoder.0.cross_attn.hook_v:H0=1.5"},
                  {EDIT_SET, "decoder.0.cross_attn:H0:q3:k2=0.9"},
                  {EDIT_SET, "decoder.1.attn:H1:q4:k1=0.8"},
                  {EDIT_SET, "encoder.1.attn:H0:q2:k5=1"},
                  {EDIT_SCALE, "logits=0.5"},
                  {EDIT_SCALE, "decoder.hook_pos_embed=0"}};
    for (int c = 0; c < 3; c++) {
        Golden g = golden_open(cases[c]);
        Error error = {0};
        int32_t start = g.input.target.items[0].id;
        Edits all = {0};
        for (int e = -1; e <= (int)(sizeof edited / sizeof *edited); e++) {
            Edits one = {0};
            bool single = e >= 0 && e < (int)(sizeof edited / sizeof *edited);
            if (single) {
                edit_add(&one, edited[e].kind, edited[e].text, g.model, g.arena);
                edit_add(&all, edited[e].kind, edited[e].text, g.model, g.arena);
            }
            const Edits *edits = e < 0 ? NULL : single ? &one : &all;
            GenerateOptions options = {.max_new_tokens = 12,
                                       .ignore_eos = true,
                                       .edits = edits,
                                       .prompt = &start,
                                       .n_prompt = 1};
            Generation out;
            generate(g.model, &g.input, &options, g.arena, &out, &error);
            expect_ok(&error);
            assert_int_equal(out.n, 13);
            expect_forced(&g, &out, edits);
            if (e % 4) continue;
            options.n_beams = 3;
            generate(g.model, &g.input, &options, g.arena, &out, &error);
            expect_ok(&error);
            expect_forced(&g, &out, edits);
        }
        golden_close(&g);
    }
}

/* Patches: a donor's keys, residuals and weights in the steps as in the pass; a whole one, and one
 * position of it. */
/* position_ids: the encoder reads them in a search too; a text that goes on counts its own. */
static void places_that_are_given(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Error error = {0};
    int n = g.input.source.n;
    int32_t *positions = arena_alloc(g.arena, (size_t)n * sizeof *positions);
    for (int i = 0; i < n; i++)
        positions[i] = (7 * i) % n;
    g.input.positions = positions;
    for (int n_beams = 1; n_beams < 4; n_beams += 2) {
        Generation out;
        GenerateOptions options = {.n_beams = n_beams, .max_new_tokens = 8, .ignore_eos = true};
        generate(g.model, &g.input, &options, g.arena, &out, &error);
        expect_ok(&error);
        expect_forced(&g, &out, NULL);
    }
    positions[2] = 32;
    Generation out;
    assert_false(generate(g.model, &g.input, &(GenerateOptions){0}, g.arena, &out, &error));
    expect_error(&error, "the positions are 0 to 31");
    golden_close(&g);
    g = golden_open("gpt-neo");
    int32_t own[] = {1, 0, 1, 2};
    uint8_t keep[] = {0, 1, 1, 1};
    g.input.source.n = 4;
    g.input.source_keep = keep;
    g.input.positions = own;
    GenerateOptions options = {.max_new_tokens = 3};
    assert_true(generate(g.model, &g.input, &options, g.arena, &out, &error));
    own[3] = 7;
    assert_false(generate(g.model, &g.input, &options, g.arena, &out, &error));
    expect_error(&error, "position id 7 of token 3");
    golden_close(&g);
}

static void patched_steps_equal_one_pass(void **state) {
    (void)state;
    static const char *const places[] = {"decoder.1.hook_resid_pre@2",
                                         "decoder.0.attn.hook_k@3",
                                         "decoder.1.attn.hook_v",
                                         "decoder.0.cross_attn.hook_k@4",
                                         "decoder.1.cross_attn.hook_v",
                                         "decoder.1.attn.hook_pattern",
                                         "decoder.0.cross_attn.hook_pattern@2",
                                         "encoder.1.hook_resid_pre@5",
                                         "encoder.0.hook_attn_out",
                                         "decoder.1.mlp.hook_post",
                                         "logits@4"};
    Golden g = golden_open("vaswani-post"), other = g;
    Error error = {0};
    other.input.source = tokens_of(g.arena, (const int32_t[]){9, 8, 7, 6, 5, 4, 3, 11, 12, 13, 14},
                                   g.input.source.n);
    Trace *from = golden_trace(&other, &(TraceOptions){.sites = all_sites}); /* of 8 steps */
    char *path = temporary_path(g.arena, "donor.safetensors");
    assert_true(trace_save(from, path, &error));
    trace_release(from);
    int32_t start = g.input.target.items[0].id;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        Edits edits = {0};
        edit_add(&edits, EDIT_PATCH, arena_printf(g.arena, "%s=%s", places[i], path), g.model,
                 g.arena);
        GenerateOptions options = {.max_new_tokens = 8, /* reads 8 tokens, as the donor did */
                                   .ignore_eos = true,
                                   .edits = &edits,
                                   .prompt = &start,
                                   .n_prompt = 1};
        Generation out, plain;
        generate(g.model, &g.input, &options, g.arena, &out, &error);
        expect_ok(&error);
        expect_forced(&g, &out, &edits);
        options.edits = NULL;
        generate(g.model, &g.input, &options, g.arena, &plain, &error);
        double off = 0;
        for (int t = 1; t < out.n; t++)
            off = fmax(off, fabs(out.log_probs[t] - plain.log_probs[t]));
        if (!(off > 1e-6)) fail_msg("%s changes nothing", places[i]);
    }
    unlink(path);
    golden_close(&g);
}

/* ---- many at once ---- */

static void expect_same(const Generation *one, const Generation *other) {
    assert_int_equal(one->n, other->n);
    assert_memory_equal(one->ids, other->ids, (size_t)one->n * sizeof *one->ids);
    for (int t = 0; t < one->n; t++)
        assert_true(fabsf(one->log_probs[t] - other->log_probs[t]) < 1e-5f);
    assert_true(fabs(one->score - other->score) < 1e-4);
    for (int t = 0; t < (one->n - one->n_prompt) * 3; t++)
        assert_int_equal(one->top[t].id, other->top[t].id);
    assert_int_equal(one->n_nodes, other->n_nodes);
    for (int i = 0; i < one->n_nodes; i++) {
        assert_int_equal(one->nodes[i].id, other->nodes[i].id);
        assert_int_equal(one->nodes[i].parent, other->nodes[i].parent);
    }
}

/* Sources of different lengths, whose searches end at different steps. */
static void batch_equals_single_ones(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Error error = {0};
    Input inputs[5];
    Generation all[5], one;
    for (int i = 0; i < 5; i++) {
        int32_t ids[12];
        for (int t = 0; t < 12; t++)
            ids[t] = (i * 31 + t * 7) % 100 + 1;
        inputs[i] = (Input){.source = tokens_of(g.arena, ids, 2 + 2 * i)};
    }
    for (int beams = 1; beams <= 4; beams++) {
        GenerateOptions options = {
            .max_new_tokens = 20, .n_top = 3, .n_beams = beams, .keep_beams = true};
        generate_batch(g.model, inputs, 5, &options, g.arena, all, &error);
        expect_ok(&error);
        for (int i = 0; i < 5; i++) {
            generate(g.model, &inputs[i], &options, g.arena, &one, &error);
            expect_ok(&error);
            expect_same(&one, &all[i]);
        }
    }
    golden_close(&g);
}

static void alternatives_are_sorted(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Error error = {0};
    Generation out;
    for (int beams = 1; beams <= 3; beams += 2) {
        GenerateOptions options = {.n_beams = beams, .max_new_tokens = 6, .n_top = 500};
        generate(g.model, &g.input, &options, g.arena, &out, &error);
        expect_ok(&error);
        assert_int_equal(out.n_top, 107); /* there are no more */
        for (int t = 0; t < out.n - out.n_prompt; t++) {
            const Alternative *top = out.top + t * out.n_top;
            double sum = 0;
            bool seen[107] = {0};
            for (int i = 0; i < out.n_top; i++) {
                if (i) assert_true(top[i].log_prob <= top[i - 1].log_prob);
                assert_false(seen[top[i].id]);
                seen[top[i].id] = true;
                sum += exp(top[i].log_prob);
                if (top[i].id == out.ids[t + out.n_prompt])
                    assert_true(fabsf(top[i].log_prob - out.log_probs[t + out.n_prompt]) < 1e-5f);
            }
            assert_true(fabs(sum - 1) < 1e-4);
        }
    }
    golden_close(&g);
}

/* ---- limits ---- */

static void lengths_end_where_they_must(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Error error = {0};
    Generation out;
    for (int n = 1; n <= 5; n++)
        for (int beams = 1; beams <= 2; beams++) {
            GenerateOptions options = {.max_new_tokens = n, .n_beams = beams, .ignore_eos = true};
            generate(g.model, &g.input, &options, g.arena, &out, &error);
            expect_ok(&error);
            assert_int_equal(out.n, 1 + n);
        }
    /* The model has 32 positions, whatever is asked for: no more tokens than those. */
    for (int beams = 1; beams <= 2; beams++) {
        GenerateOptions options = {
            .max_new_tokens = 2000000000, .n_beams = beams, .ignore_eos = true};
        generate(g.model, &g.input, &options, g.arena, &out, &error);
        expect_ok(&error);
        assert_int_equal(out.n, 32);
        expect_forced(&g, &out, NULL);
    }
    int32_t prompt[32] = {0};
    GenerateOptions options = {.prompt = prompt, .n_prompt = 31};
    assert_true(generate(g.model, &g.input, &options, g.arena, &out, &error));
    assert_int_equal(out.n, 32);
    for (int beams = 1; beams <= 2; beams++) {
        options = (GenerateOptions){.prompt = prompt, .n_prompt = 32, .n_beams = beams};
        assert_false(generate(g.model, &g.input, &options, g.arena, &out, &error));
        expect_error(&error, "no room for more");
    }
    prompt[3] = 107;
    options = (GenerateOptions){.prompt = prompt, .n_prompt = 5};
    assert_false(generate(g.model, &g.input, &options, g.arena, &out, &error));
    expect_error(&error, "prompt id 107");
    assert_false(generate_batch(g.model, &g.input, 1, &options, g.arena, &out, &error));
    expect_error(&error, "prompt id 107");
    float scores[40];
    assert_false(score_target(g.model, &g.input, prompt, 5, NULL, scores, &error));
    expect_error(&error, "107");
    int32_t many[40] = {0};
    assert_false(score_target(g.model, &g.input, many, 40, NULL, scores, &error));
    expect_error(&error, "at most 32");
    assert_true(score_target(g.model, &g.input, many, 1, NULL, scores, &error));
    Input nothing = {0};
    assert_false(generate(g.model, &nothing, &(GenerateOptions){0}, g.arena, &out, &error));
    expect_error(&error, "nothing to read");
    atomic_bool cancel = true;
    options = (GenerateOptions){.progress = {.cancel = &cancel}};
    assert_false(generate(g.model, &g.input, &options, g.arena, &out, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    golden_close(&g);
}

/* More tokens than the cache first has room for. */
static void long_continuations(void **state) {
    (void)state;
    Golden g = golden_open("vaswani-post");
    Error error = {0};
    Generation out;
    int32_t start = 1;
    GenerateOptions options = {
        .max_new_tokens = 300, .ignore_eos = true, .prompt = &start, .n_prompt = 1};
    generate(g.model, &g.input, &options, g.arena, &out, &error);
    expect_ok(&error);
    assert_int_equal(out.n, 301);
    expect_forced(&g, &out, NULL);
    golden_close(&g);
}

/* Spans of the written tokens join up to the decoded text; special ones have none. */
static void written_tokens_have_spans(void **state) {
    (void)state;
    Error error = {0};
    Arena *arena = arena_new();
    Tokenizer *tokenizer = tokenizer_open("tests/data/tokenizers/marian", &error);
    expect_ok(&error);
    Tokens wanted;
    assert_true(tokenizer_encode(tokenizer, str("a river"),
                                 &(EncodeOptions){.special = true, .target = true}, arena, &wanted,
                                 &error));
    int n = wanted.n + 1;
    int32_t *ids = arena_alloc(arena, (size_t)n * sizeof *ids);
    ids[0] = wanted.items[wanted.n - 1].id; /* </s> begins, too */
    for (int i = 0; i < wanted.n; i++)
        ids[i + 1] = wanted.items[i].id;
    Input input = {0}, forced = generation_input(&input, ids, n, tokenizer, arena);
    int64_t at = 0;
    assert_true(forced.target.text.n > 0);
    for (int i = 0; i < forced.target.n; i++) {
        const Token *token = &forced.target.items[i];
        if (token->begin == token->end) continue;
        assert_int_equal(token->begin, at);
        at = token->end;
    }
    assert_int_equal(at, forced.target.text.n);
    assert_int_equal(forced.target.items[0].end, 0);
    tokenizer_free(tokenizer);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_ids),
                                       cmocka_unit_test(steps_equal_one_pass),
                                       cmocka_unit_test(places_that_are_given),
                                       cmocka_unit_test(patched_steps_equal_one_pass),
                                       cmocka_unit_test(batch_equals_single_ones),
                                       cmocka_unit_test(alternatives_are_sorted),
                                       cmocka_unit_test(lengths_end_where_they_must),
                                       cmocka_unit_test(long_continuations),
                                       cmocka_unit_test(written_tokens_have_spans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
