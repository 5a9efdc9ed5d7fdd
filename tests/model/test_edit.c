/* Edits: how they are written, what they do to a pass, and which are refused. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/edit.h"

static const char *const all_sites[] = {"*", NULL};

/* ---- as the user writes them ---- */

static void places_are_read(void **state) {
    (void)state;
    static const struct {
        EditKind kind;
        const char *text;
        Site site;
        StackId stack;
        int layer, heads; /* bits */
    } good[] = {
        {EDIT_ABLATE, "decoder.2.cross_attn:H3", SITE_Z, STACK_DECODER, 2, 8},
        {EDIT_ABLATE, "blocks.5.attn:H0,H3", SITE_Z, STACK_BLOCKS, 5, 9},
        {EDIT_ABLATE, "L5H1-H3", SITE_Z, STACK_BLOCKS, 5, 14},
        {EDIT_ABLATE, "L12H0", SITE_Z, STACK_BLOCKS, 12, 1},
        {EDIT_ABLATE, "encoder.1.mlp", SITE_MLP_OUT, STACK_ENCODER, 1, 0},
        {EDIT_SCALE, "decoder.0.attn=0.5", SITE_Z, STACK_DECODER, 0, 0},
        {EDIT_SCALE, "decoder.0.attn:H2=-1", SITE_Z, STACK_DECODER, 0, 4},
        {EDIT_SCALE, "encoder.0.ln1.hook_scale=2e0", SITE_LN1_SCALE, STACK_ENCODER, 0, 0},
        {EDIT_SET, "decoder.1.cross_attn:H0:q4:k7=1", SITE_PATTERN, STACK_DECODER, 1, 1},
        {EDIT_SET, "L0H1:q0:k0=0.25", SITE_PATTERN, STACK_BLOCKS, 0, 2},
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        Edits edits = {0};
        Error error = {0};
        edits_add(&edits, good[i].kind, good[i].text, arena, &error);
        expect_ok(&error);
        const Edit *e = &edits.items[0];
        assert_int_equal(e->at.site, good[i].site);
        assert_int_equal(e->at.stack, good[i].stack);
        assert_int_equal(e->at.layer, good[i].layer);
        assert_int_equal(e->heads[0], good[i].heads);
        assert_int_equal(e->at.cross, strstr(good[i].text, "cross") != NULL);
    }
    arena_free(arena);
}

static void what_is_no_place_is_refused(void **state) {
    (void)state;
    static const struct {
        EditKind kind;
        const char *text;
    } wrong[] = {{EDIT_ABLATE, ""},
                 {EDIT_ABLATE, "decoder"},
                 {EDIT_ABLATE, "decoder.0"},
                 {EDIT_ABLATE, "decoder.0.attn:H"},
                 {EDIT_ABLATE, "decoder.0.attn:3"},
                 {EDIT_ABLATE, "decoder.0.attn:H3,"},
                 {EDIT_ABLATE, "decoder.0.attn:H3-H1"},
                 {EDIT_ABLATE, "decoder.0.attn:H999"},
                 {EDIT_ABLATE, "decoder.0.attn:H1x"},
                 {EDIT_ABLATE, "decoder.-1.attn"},
                 {EDIT_ABLATE, "L5"},
                 {EDIT_ABLATE, "LxH1"},
                 {EDIT_ABLATE, "L99999999999999999999H1"},
                 {EDIT_SCALE, "decoder.0.attn"},
                 {EDIT_SCALE, "decoder.0.attn="},
                 {EDIT_SCALE, "decoder.0.attn=much"},
                 {EDIT_SCALE, "decoder.0.attn=nan"},
                 {EDIT_SCALE, "decoder.0.attn=1e999"},
                 {EDIT_SET, "decoder.0.attn:q1=1"},
                 {EDIT_SET, "decoder.0.attn:q1:k1"},
                 {EDIT_SET, "decoder.0.attn:q1:k1=2"},
                 {EDIT_SET, "decoder.0.attn:q-1:k1=1"},
                 {EDIT_SET, "decoder.0.hook_resid_pre:q1:k1=1"},
                 {EDIT_PATCH, "decoder.0.hook_resid_pre"},
                 {EDIT_PATCH, "decoder.0.hook_resid_pre="},
                 {EDIT_PATCH, "decoder.0.hook_resid_pre@x=f.safetensors"},
                 {EDIT_PATCH, "decoder.0.hook_nothing=f.safetensors"},
                 {EDIT_PATCH, "decoder.0.hook_resid_pre=/nonexistent/f.safetensors"}};
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Edits edits = {0};
        Error error = {0};
        if (edits_add(&edits, wrong[i].kind, wrong[i].text, arena, &error))
            fail_msg("\"%s\" was taken", wrong[i].text);
        assert_int_equal(edits.n, 0);
        expect_error(&error, "");
    }
    char *far = arena_alloc(arena, 5000);
    memset(far, 'H', 4999);
    far[4999] = 0;
    Edits edits = {0};
    Error error = {0};
    assert_false(edits_add(&edits, EDIT_ABLATE, far, arena, &error));
    assert_false(edits_add(&edits, EDIT_SET, far, arena, NULL));
    arena_free(arena);
}

/* Well written, and not in this model. */
static void places_that_the_model_has_not(void **state) {
    (void)state;
    static const struct {
        EditKind kind;
        const char *text, *message;
    } wrong[] = {{EDIT_ABLATE, "L0H0", "no blocks. stack"},
                 {EDIT_ABLATE, "blocks.0.hook_resid_pre", "no blocks. stack"},
                 {EDIT_ABLATE, "decoder.2.attn", "layers are 0 to 1"},
                 {EDIT_ABLATE, "decoder.0.attn:H4", "heads are 0 to 3"},
                 {EDIT_ABLATE, "encoder.0.cross_attn", "no cross-attention"},
                 {EDIT_ABLATE, "encoder.0.hook_cross_attn_out", "no cross-attention"},
                 {EDIT_ABLATE, "encoder.0.hook_resid_pre:H1", "has no heads"},
                 {EDIT_ABLATE, "logits:H1", "has no heads"},
                 {EDIT_ABLATE, "decoder.0.attn.hook_rot_q", "does not compute"},
                 {EDIT_ABLATE, "decoder.0.mlp.hook_pre_linear", "does not compute"},
                 {EDIT_ABLATE, "decoder.ln_final.hook_normalized", "does not compute"},
                 {EDIT_ABLATE, "decoder.0.hook_h", "does not compute"},
                 {EDIT_SET, "decoder.0.attn:q1:k3=1", "no key behind itself"},
                 {EDIT_SET, "decoder.0.attn:q0:k0=0.5", "sees one key only"}};
    Golden g = golden_open("marian");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Edits edits = {0};
        Error error = {0};
        edits_add(&edits, wrong[i].kind, wrong[i].text, g.arena, &error);
        expect_ok(&error);
        if (edits_check(&edits, g.model, &error)) fail_msg("\"%s\" was taken", wrong[i].text);
        expect_error(&error, wrong[i].message);
    }
    Edits edits = {0};
    Error error = {0};
    for (int i = 0; i < 64; i++)
        assert_true(edits_add(&edits, EDIT_ABLATE, "encoder.0.mlp", g.arena, &error));
    assert_false(edits_add(&edits, EDIT_ABLATE, "encoder.0.mlp", g.arena, &error));
    expect_error(&error, "more than 64");
    golden_close(&g);
}

/* ---- what they do ---- */

static Trace *with_edit(const Golden *g, EditKind kind, const char *text) {
    Edits edits = {0};
    edit_add(&edits, kind, text, g->model, g->arena);
    return golden_trace(g, &(TraceOptions){.sites = all_sites, .edits = &edits});
}

/* A recurrent decoder has one attention, whose rows can be set; its cell has some of the gates. */
static void places_of_recurrent_models(void **state) {
    (void)state;
    static const struct {
        EditKind kind;
        const char *text, *message; /* NULL: taken */
    } places[] = {{EDIT_SET, "decoder.attn:q1:k1=0.6", NULL},
                  {EDIT_SCALE, "decoder.attn.hook_attn_scores=0.5", NULL},
                  {EDIT_ABLATE, "decoder.hook_context", NULL},
                  {EDIT_ABLATE, "encoder.0.hook_h_backward", NULL},
                  {EDIT_ABLATE, "decoder.0.hook_n", NULL},
                  {EDIT_ABLATE, "decoder.attn", "decoder.hook_context is what"},
                  {EDIT_ABLATE, "decoder.0.hook_c", "does not compute hook_c"},
                  {EDIT_ABLATE, "decoder.0.hook_h_backward", "does not compute"},
                  {EDIT_ABLATE, "encoder.0.mlp", "does not compute"},
                  {EDIT_SET, "encoder.0.attn:q1:k0=0.5", "does not compute hook_pattern"}};
    Golden g = golden_open("rnn-gru-bi-bahdanau");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        Edits edits = {0};
        Error error = {0};
        assert_true(edits_add(&edits, places[i].kind, places[i].text, g.arena, &error));
        bool taken = edits_check(&edits, g.model, &error);
        if (!places[i].message) expect_ok(&error);
        if (places[i].message) expect_error(&error, places[i].message);
        assert_int_equal(taken, !places[i].message);
    }
    Edits edits = {0};
    edit_add(&edits, EDIT_SET, "decoder.attn:q1:k1=0.6", g.model, g.arena);
    Trace *trace = golden_trace(&g, &(TraceOptions){.edits = &edits});
    Tensor p = trace_tensor_of(trace, "decoder.attn.hook_pattern");
    double sum = 0;
    for (int64_t k = 0; k < p.shape[2]; k++)
        sum += (double)*tensor_at(p, 0, 1, k, 0);
    assert_float_equal(*tensor_at(p, 0, 1, 1, 0), 0.6f, 1e-6);
    assert_true(fabs(sum - 1) < 1e-5);
    trace_release(trace);
    golden_close(&g);
}

static void expect_same(const Trace *a, const Trace *b, double most) {
    assert_int_equal(trace_n_tensors(a), trace_n_tensors(b));
    for (int i = 0; i < trace_n_tensors(a); i++) {
        double off =
            tensor_distance(*trace_tensor(a, i), trace_tensor_of(b, trace_tensor_name(a, i)));
        if (off > most) fail_msg("%s is %g off", trace_tensor_name(a, i), off);
    }
}

/* Every site of the model reads and writes: scaled by 1 nothing changes, by 0 it is ablated, and
 * by 2 something behind it does. */
static void every_site_reads_and_writes(void **state) {
    (void)state;
    static const char *const cases[] = {"vaswani-post", "vaswani-pre"};
    for (int c = 0; c < 2; c++) {
        Golden g = golden_open(cases[c]);
        Trace *plain = golden_trace(&g, &(TraceOptions){.sites = all_sites});
        for (int i = 0; i < trace_n_tensors(plain); i++) {
            const char *site = trace_tensor_name(plain, i);
            Trace *once = with_edit(&g, EDIT_SCALE, arena_printf(g.arena, "%s=1", site));
            expect_same(plain, once, 0);
            trace_release(once);
            Trace *none = with_edit(&g, EDIT_SCALE, arena_printf(g.arena, "%s=0", site));
            Trace *ablated = with_edit(&g, EDIT_ABLATE, site);
            expect_same(none, ablated, 0);
            Tensor x = trace_tensor_of(ablated, site);
            for (int64_t j = 0; j < tensor_count(x); j++)
                assert_true(x.data[j] == 0 || isinf(x.data[j])); /* masked scores stay masked */
            trace_release(none);
            trace_release(ablated);
            Trace *doubled = with_edit(&g, EDIT_SCALE, arena_printf(g.arena, "%s=2", site));
            double off = tensor_distance(trace_tensor_of(plain, "logits"),
                                         trace_tensor_of(doubled, "logits"));
            /* A norm right behind takes a factor out again. */
            bool last_norm = strstr(site, "resid") || strstr(site, "ln2");
            if (!(off > 1e-5) && !last_norm) fail_msg("%s=2 changes nothing", site);
            trace_release(doubled);
        }
        trace_release(plain);
        golden_close(&g);
    }
}

static void set_renormalises_the_row(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Trace *plain = golden_trace(&g, NULL);
    Trace *set = with_edit(&g, EDIT_SET, "decoder.1.cross_attn:H2:q3:k5=0.75");
    Tensor p = trace_tensor_of(plain, "decoder.1.cross_attn.hook_pattern");
    Tensor q = trace_tensor_of(set, "decoder.1.cross_attn.hook_pattern");
    double sum = 0;
    for (int k = 0; k < q.shape[2]; k++) {
        float x = *tensor_at(q, 2, 3, k, 0), y = *tensor_at(p, 2, 3, k, 0);
        float want = k == 5 ? 0.75f : 0.25f * y / (1 - *tensor_at(p, 2, 3, 5, 0));
        assert_true(fabsf(x - want) < 1e-6f);
        sum += x;
    }
    assert_true(fabs(sum - 1) < 1e-6);
    for (int h = 0; h < 4; h++) /* all other rows as they were */
        for (int i = 0; i < q.shape[1]; i++)
            for (int k = 0; k < q.shape[2]; k++)
                if (h != 2 || i != 3)
                    assert_true(*tensor_at(q, h, i, k, 0) == *tensor_at(p, h, i, k, 0));
    trace_release(plain);
    trace_release(set);
    golden_close(&g);
}

/* A pass under these edits; message: of its refusal, NULL: none. */
static void expect_run(const Golden *g, const Edits *edits, const char *message) {
    Error error = {0};
    Trace *trace = trace_run(g->model, &g->input, &(TraceOptions){.edits = edits}, &error);
    if (!message) expect_ok(&error);
    if (message) expect_error(&error, message);
    assert_int_equal(trace == NULL, message != NULL);
    trace_release(trace);
}

/* A key that has all of its row's weight, here by a first set, leaves no rest to be scaled: what
 * would not sum to 1 is refused. */
static void set_needs_a_rest(void **state) {
    (void)state;
    static const struct {
        const char *second, *message; /* NULL: taken */
    } cases[] = {{"decoder.1.cross_attn:H2:q3:k5=0.5", "query 3 gives key 5 all of its weight"},
                 {"decoder.1.cross_attn:H2:q3:k5=0", "query 3 gives key 5 all of its weight"},
                 {"decoder.1.cross_attn:q3:k5=0.5", "query 3 gives key 5 all of its weight"},
                 {"decoder.1.cross_attn:H2:q3:k5=1", NULL},
                 {"decoder.1.cross_attn:H2:q3:k4=0.5", NULL},
                 {"decoder.1.cross_attn:H1:q3:k5=0.5", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Golden g = golden_open("marian");
        Edits edits = {0};
        edit_add(&edits, EDIT_SET, "decoder.1.cross_attn:H2:q3:k5=1", g.model, g.arena);
        edit_add(&edits, EDIT_SET, cases[i].second, g.model, g.arena);
        expect_run(&g, &edits, cases[i].message);
        golden_close(&g);
    }
}

/* Cells that a mask hides, and rows with one cell that is not, are refused. */
static void masked_cells_are_not_set(void **state) {
    (void)state;
    static const struct {
        const char *model, *keep, *text, *message; /* keep: of source and target; NULL: taken */
    } cases[] = {{"marian", "0001", "decoder.1.cross_attn:H2:q3:k3=0.5", "sees one key only"},
                 {"marian", "0001", "decoder.1.cross_attn:H2:q3:k3=1", NULL},
                 {"marian", "0001", "decoder.1.cross_attn:H2:q3:k2=1", "it is masked"},
                 {"marian", "0101", "decoder.1.cross_attn:H2:q3:k3=0.5", NULL},
                 {"marian", "0001", "encoder.0.attn:q0:k3=0", "sees one key only"},
                 {"marian", "0011", "decoder.0.attn:q2:k2=0.5", "sees one key only"},
                 {"marian", "0011", "decoder.0.attn:q3:k2=0.5", NULL},
                 {"mistral", "1111", "L0H0:q7:k2=0.5", NULL},
                 {"mistral", "1111", "L0H0:q7:k1=0.5", "it is masked"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Golden g = golden_open(cases[i].model);
        Edits edits = {0};
        uint8_t keep[16] = {0};
        for (int t = 0; t < 4; t++)
            keep[t] = cases[i].keep[t] == '1';
        bool whole = !strchr(cases[i].keep, '0');
        if (!whole) g.input.source_keep = g.input.target_keep = keep;
        assert_true(g.input.source.n <= 16 && g.input.target.n <= 16);
        edit_add(&edits, EDIT_SET, cases[i].text, g.model, g.arena);
        expect_run(&g, &edits, cases[i].message);
        golden_close(&g);
    }
}

/* ---- patches ---- */

/* A pass over other tokens, saved with all its sites. */
static char *donor(const Golden *g, bool other_source, bool other_target, Trace **out) {
    Golden other = *g;
    if (other_source) {
        other.input.source = tokens_of(
            g->arena, (const int32_t[16]){9, 8, 7, 6, 5, 4, 3, 11, 12, 13, 14}, g->input.source.n);
    }
    if (other_target)
        other.input.target =
            tokens_of(g->arena, (const int32_t[16]){3, 30, 31, 32, 33, 34, 35, 36, 37, 38},
                      g->input.target.n);
    *out = golden_trace(&other, &(TraceOptions){.sites = all_sites});
    char *path = temporary_path(g->arena, "donor.safetensors");
    Error error = {0};
    trace_save(*out, path, &error);
    expect_ok(&error);
    return path;
}

/* Is this site computed behind what enters layer 1 of that stack (the decoder's memory, too)? */
static bool is_behind(const char *site, bool encoder) {
    if (strcmp(site, "logits") == 0) return true;
    if (!encoder)
        return strncmp(site, "decoder.1.", 10) == 0 || strncmp(site, "decoder.ln", 10) == 0;
    return strncmp(site, "encoder.1.", 10) == 0 || strncmp(site, "encoder.ln", 10) == 0;
}

static void patched_residual_carries_the_donor(void **state) {
    (void)state;
    static const char *const cases[] = {"marian", "vaswani-post", "vaswani-pre"};
    for (int c = 0; c < 6; c++) {
        bool encoder = c % 2;
        Golden g = golden_open(cases[c / 2]);
        Trace *from, *plain = golden_trace(&g, &(TraceOptions){.sites = all_sites});
        char *path = donor(&g, encoder, !encoder, &from);
        const char *stack = encoder ? "encoder" : "decoder";
        Trace *patched =
            with_edit(&g, EDIT_PATCH, arena_printf(g.arena, "%s.1.hook_resid_pre=%s", stack, path));
        for (int i = 0; i < trace_n_tensors(patched); i++) {
            const char *name = trace_tensor_name(patched, i);
            bool same =
                tensor_distance(*trace_tensor(patched, i), trace_tensor_of(from, name)) == 0;
            bool kept =
                tensor_distance(*trace_tensor(patched, i), trace_tensor_of(plain, name)) == 0;
            if (is_behind(name, encoder) && !same) fail_msg("%s is not the donor's", name);
            if (!encoder && !is_behind(name, false) && !kept) fail_msg("%s has changed", name);
            if (encoder && strncmp(name, "encoder.0", 9) == 0 && !kept)
                fail_msg("%s has changed", name);
        }
        trace_release(patched);
        patched = with_edit(&g, EDIT_PATCH,
                            arena_printf(g.arena, "%s.1.hook_resid_pre@2=%s", stack, path));
        Tensor x = trace_tensor_of(patched, arena_printf(g.arena, "%s.1.hook_resid_pre", stack));
        Tensor y = trace_tensor_of(from, arena_printf(g.arena, "%s.1.hook_resid_pre", stack));
        Tensor z = trace_tensor_of(plain, arena_printf(g.arena, "%s.1.hook_resid_pre", stack));
        for (int64_t t = 0; t < x.shape[0]; t++)
            assert_true(
                tensor_distance(tensor_index(x, 0, t), tensor_index(t == 2 ? y : z, 0, t)) == 0);
        trace_release(patched);
        trace_release(from);
        trace_release(plain);
        unlink(path);
        golden_close(&g);
    }
}

/* Any site takes its own donor: what stands there is the donor's, to the bit. */
static void every_site_can_be_patched(void **state) {
    (void)state;
    Golden g = golden_open("vaswani-post");
    Trace *from;
    char *path = donor(&g, true, true, &from);
    for (int i = 0; i < trace_n_tensors(from); i++) {
        const char *site = trace_tensor_name(from, i);
        Trace *patched = with_edit(&g, EDIT_PATCH, arena_printf(g.arena, "%s=%s", site, path));
        assert_true(tensor_distance(trace_tensor_of(patched, site), *trace_tensor(from, i)) == 0);
        trace_release(patched);
    }
    trace_release(from);
    unlink(path);
    golden_close(&g);
}

static void donors_that_do_not_fit(void **state) {
    (void)state;
    Golden g = golden_open("vaswani-post"), other = golden_open("vaswani-pre");
    Trace *from;
    Error error = {0};
    char *path = donor(&other, false, false, &from);
    trace_release(from);
    static const char *const sites[] = {"encoder.1.hook_resid_pre", "decoder.0.attn.hook_q",
                                        "decoder.1.cross_attn.hook_pattern",
                                        "decoder.0.mlp.hook_post"};
    for (int i = 0; i < 4; i++) { /* of another model */
        Edits edits = {0};
        assert_true(edits_add(&edits, EDIT_PATCH, arena_printf(g.arena, "%s=%s", sites[i], path),
                              g.arena, &error));
        assert_false(edits_check(&edits, g.model, &error));
        expect_error(&error, "of another model");
    }
    static const char *const places[][2] = {
        {"encoder.0.hook_resid_pre@8", "position 8 is not in the donor"},
        {"encoder.0.hook_nothing", "a hook name"}};
    for (int i = 0; i < 2; i++) {
        Edits edits = {0};
        assert_false(edits_add(&edits, EDIT_PATCH,
                               arena_printf(g.arena, "%s=%s", places[i][0], path), g.arena,
                               &error));
        expect_error(&error, places[i][1]);
    }
    /* Of another sentence. */
    int n = other.input.source.n;
    other.input.source.n = n - 2;
    static const char *const lengths[][2] = {
        {"encoder.0.hook_resid_pre", "has 8 positions, this input 6"},
        {"encoder.0.hook_resid_pre@7", "positions are 0 to 5"},
        {"decoder.1.cross_attn.hook_pattern", "has 8 keys, this input 6"},
        {"decoder.1.cross_attn.hook_v", "has 8 positions, this input 6"}};
    for (int i = 0; i < 4; i++) {
        Edits edits = {0};
        edit_add(&edits, EDIT_PATCH, arena_printf(g.arena, "%s=%s", lengths[i][0], path),
                 other.model, g.arena);
        assert_null(trace_run(other.model, &other.input, &(TraceOptions){.edits = &edits}, &error));
        expect_error(&error, lengths[i][1]);
    }
    Edits edits = {0};
    edit_add(&edits, EDIT_SET, "decoder.1.cross_attn:q2:k6=1", other.model, g.arena);
    assert_null(trace_run(other.model, &other.input, &(TraceOptions){.edits = &edits}, &error));
    expect_error(&error, "no key 6, they are 0 to 5");
    unlink(path);
    golden_close(&g);
    golden_close(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_are_read),
                                       cmocka_unit_test(what_is_no_place_is_refused),
                                       cmocka_unit_test(places_that_the_model_has_not),
                                       cmocka_unit_test(places_of_recurrent_models),
                                       cmocka_unit_test(every_site_reads_and_writes),
                                       cmocka_unit_test(set_renormalises_the_row),
                                       cmocka_unit_test(set_needs_a_rest),
                                       cmocka_unit_test(masked_cells_are_not_set),
                                       cmocka_unit_test(patched_residual_carries_the_donor),
                                       cmocka_unit_test(every_site_can_be_patched),
                                       cmocka_unit_test(donors_that_do_not_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
