/* Configs and weights that are wrong, one thing at a time: each is refused with one line that names
 * the field or the tensor; what is harmless works. */
#include "tests/model/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/loader.h"

/* A copy of a golden model in a folder of its own, to be spoilt. */
typedef struct Copy {
    Arena *arena;
    Safetensors *from;
    const char *folder, *source;
} Copy;

static Copy copy_begin(const char *name) {
    Error error = {0};
    Copy c = {.arena = arena_new()};
    c.source = arena_printf(c.arena, "tests/data/golden/%s", name);
    c.folder = temporary_path(c.arena, "loader");
    assert_true(folder_make(c.folder, &error));
    c.from = safetensors_open(arena_printf(c.arena, "%s/model.safetensors", c.source), &error);
    expect_ok(&error);
    return c;
}

static void copy_end(Copy *c) {
    unlink(path_join(c->arena, c->folder, "config.json"));
    unlink(path_join(c->arena, c->folder, "generation_config.json"));
    unlink(path_join(c->arena, c->folder, "model.safetensors"));
    rmdir(c->folder);
    safetensors_close(c->from);
    arena_free(c->arena);
}

/* config.json with one field put in place of what it is (or added); text NULL: as it is. */
static void write_config(const Copy *c, const char *field, const char *text) {
    Error error = {0};
    Str old;
    assert_true(
        file_read(arena_printf(c->arena, "%s/config.json", c->source), 0, c->arena, &old, &error));
    StrBuf out = {0};
    strbuf_printf(&out, "{");
    if (text) strbuf_printf(&out, "\"%s\": %s", field, text);
    bool first = !text;
    const char *line = old.data + 2; /* one field a line, lists over several */
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\":", field ? field : "");
    const char *skip = field ? strstr(old.data, quoted) : NULL;
    const char *skip_end = skip ? skip + strcspn(skip, ",\n") : NULL;
    if (!first) strbuf_printf(&out, ",");
    if (skip) {
        strbuf_add(&out, line, (size_t)(skip - line));
        line = *skip_end == ',' ? skip_end + 1 : skip_end;
    }
    strbuf_puts(&out, line);
    /* the last field taken out leaves a comma before the brace */
    for (size_t i = out.n; i-- > 0 && strchr(", \n}", out.data[i]);)
        if (out.data[i] == ',') out.data[i] = ' ';
    assert_true(file_save(path_join(c->arena, c->folder, "config.json"), out.data, out.n, &error));
    strbuf_free(&out);
}

typedef enum Spoil { AS_IT_IS, LEFT_OUT, ONE_ROW_LESS, AS_INTEGERS, AS_F16, FLAT } Spoil;

/* The weights with one tensor spoilt, and one more if `surplus`. */
static void write_weights(const Copy *c, const char *name, Spoil spoil, const char *surplus) {
    static const float zeros[16];
    Error error = {0};
    SafetensorsWriter *w =
        safetensors_create(path_join(c->arena, c->folder, "model.safetensors"), &error);
    bool found = !name;
    for (int i = 0; i < safetensors_n_tensors(c->from); i++) {
        const RawTensor *t = safetensors_tensor(c->from, i);
        RawTensor x = *t;
        int64_t n = (int64_t)(t->n_bytes / 4);
        if (name && strcmp(name, t->name) == 0) {
            found = true;
            if (spoil == LEFT_OUT) continue;
            if (spoil == ONE_ROW_LESS) x.shape[0]--;
            if (spoil == FLAT) {
                x.rank = 1;
                x.shape[0] = n;
            }
            if (spoil == AS_INTEGERS) x.dtype = DTYPE_I32;
            if (spoil == AS_F16) {
                x.dtype = DTYPE_F16;
                void *half = arena_alloc(c->arena, (size_t)n * 2);
                dtype_from_f32(DTYPE_F16, t->data, n, half);
                x.data = half;
            }
        }
        safetensors_add(w, x.name, x.dtype, x.rank, x.shape, x.data);
    }
    if (surplus) safetensors_add(w, surplus, DTYPE_F32, 1, (const int64_t[]){16}, zeros);
    assert_true(found);
    safetensors_commit(w, &error);
    expect_ok(&error);
}

static void expect_refused(const Copy *c, const char *part) {
    Error error = {0};
    Model *model = model_open(c->folder, &error);
    if (model) fail_msg("opened, \"%s\" expected", part);
    expect_error(&error, part);
}

static void wrong_config_values(void **state) {
    (void)state;
    static const struct {
        const char *model, *field, *value, *part;
    } wrong[] = {
        {"marian", "d_model", "NaN", "config.json"},
        {"marian", "d_model", "36.5", "d_model is 36.5"},
        {"marian", "d_model", "\"36\"", "d_model is \"36\""},
        {"marian", "d_model", "null", "d_model is missing"},
        {"marian", "d_model", "true", "d_model is true"},
        {"marian", "d_model", "-36", "d_model is -36"},
        {"marian", "d_model", "0", "d_model is 0"},
        {"marian", "d_model", "1e300", "d_model is 1"},
        {"marian", "d_model", "35", "cannot be shared out among 4 heads"},
        {"marian", "d_model", "72", "[107, 72] expected"},
        {"marian", "d_model", "262144", "expected"},
        {"marian", "vocab_size", "99999999999", "vocab_size"},
        {"marian", "encoder_layers", "100000", "encoder_layers is 100000"},
        {"marian", "encoder_layers", "3", "model.encoder.layers.2."},
        {"marian", "encoder_attention_heads", "0", "encoder_attention_heads is 0"},
        {"marian", "activation_function", "\"softsign\"", "softsign"},
        {"marian", "activation_function", "[]", "activation_function"},
        {"marian", "scale_embedding", "\"yes\"", "scale_embedding"},
        {"marian", "max_position_embeddings", "0", "max_position_embeddings is 0"},
        {"marian", "max_position_embeddings", "2097153", "max_position_embeddings is 2097153"},
        {"marian", "forced_bos_token_id", "107", "forced_bos_token_id is 107, but the ids are 0"},
        {"marian", "forced_eos_token_id", "[107]", "forced_eos_token_id is 107, but"},
        {"marian", "vocab_size", "50", "config.json: vocab_size 50 and decoder_vocab_size 107"},
        {"marian", "tie_word_embeddings", "false", "tensor lm_head.weight is missing"},
        {"marian", "model_type", "\"nothing\"", "nothing"},
        {"marian", "model_type", "\"\"", "model_type \"\""},
        {"marian", "model_type", "7", "model_type"},
        {"llama-mqa", "partial_rotary_factor", "0.5", "partial_rotary_factor 0.5 changes"},
        {"llama-mqa", "sliding_window", "8", "sliding_window 8 changes"},
        {"llama-mqa", "rope_parameters", "{\"rope_theta\": 1e4, \"partial_rotary_factor\": 0.5}",
         "partial_rotary_factor 0.5 changes"},
        {"mistral", "rope_scaling", "{\"type\": \"linear\"}", "rope_scaling: factor is missing"},
        {"mistral", "rope_scaling",
         "{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": "
         "4}",
         "original_max_position_embeddings is missing"},
        {"mistral", "rope_scaling", "{\"factor\": 2}", "rope_scaling of type \"?\""},
        {"marian", "alibi", "true", "alibi true changes"},
        {"opt", "clip_qkv", "8.0", "clip_qkv 8.0 changes"},
        {"vaswani-post", "norm_first", "1", "norm_first"},
        {"vaswani-post", "layer_norm_eps", "0", "layer_norm_eps is 0"},
        {"vaswani-post", "layer_norm_eps", "-1e-5", "layer_norm_eps"},
        {"vaswani-post", "position", "\"wavy\"", "wavy"},
        {"vaswani-post", "nhead", "5", "cannot be shared out among 5 heads"},
        {"vaswani-post", "eos_token_id", "\"end\"", "eos_token_id"},
        {"vaswani-post", "eos_token_id", "[1, -2]", "eos_token_id"},
        {"vaswani-post", "bad_words_ids", "7", "bad_words_ids"},
        {"vaswani-post", "bad_words_ids", "[[\"a\"]]", "bad_words_ids"},
        {"vaswani-post", "num_beams", "0", "num_beams"},
        {"vaswani-post", "length_penalty", "1e9", "length_penalty"},
        {"vaswani-post", "early_stopping", "\"soon\"", "early_stopping"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Copy c = copy_begin(wrong[i].model);
        write_weights(&c, NULL, AS_IT_IS, NULL);
        write_config(&c, wrong[i].field, wrong[i].value);
        expect_refused(&c, wrong[i].part);
        copy_end(&c);
    }
}

/* Sizes that are allowed each by itself and would fill the machine together. */
static void tables_that_do_not_fit(void **state) {
    (void)state;
    Copy c = copy_begin("vaswani-post");
    write_weights(&c, NULL, AS_IT_IS, NULL);
    write_config(&c, "max_position_embeddings", "2097152");
    expect_refused(&c, "max_position_embeddings 2097152 with a width of 36");
    copy_end(&c);
    c = copy_begin("marian"); /* made, not loaded: nothing but the config says a size */
    Str text = str("{\"model_type\": \"marian\", \"d_model\": 262144, \"vocab_size\": 10, "
                   "\"encoder_layers\": 1, \"decoder_layers\": 1, \"encoder_attention_heads\": 1, "
                   "\"decoder_attention_heads\": 1, \"encoder_ffn_dim\": 1, "
                   "\"decoder_ffn_dim\": 1, \"max_position_embeddings\": 2097152}");
    Error error = {0};
    assert_true(file_save(path_join(c.arena, c.folder, "config.json"), text.data, text.n, &error));
    Parameters made;
    assert_null(model_make(c.folder, &made, &error));
    expect_error(&error, "max_position_embeddings");
    free(made.items);
    free(made.data);
    copy_end(&c);
}

/* What transformers 5 writes in place of rope_theta and partial_rotary_factor. */
static void rope_parameters_are_read(void **state) {
    (void)state;
    static const struct {
        const char *type, *rope;
        int dims;
        double base;
    } kinds[] = {{"phi",
                  "\"rope_parameters\": {\"rope_theta\": 500.0, \"partial_rotary_factor\": 0.25}",
                  4, 500},
                 {"phi", "\"rope_theta\": 500.0, \"partial_rotary_factor\": 0.25", 4, 500},
                 {"phi", "\"rope_scaling\": null", 8, 10000},
                 {"gpt_neox",
                  "\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 700, "
                  "\"partial_rotary_factor\": 0.5}",
                  8, 700},
                 {"gpt_neox", "\"rotary_emb_base\": 700, \"rotary_pct\": 1.0", 16, 700},
                 {"llama", "\"rope_parameters\": {\"rope_theta\": 500000.0}", 16, 500000}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        Copy c = copy_begin("marian"); /* for its folder */
        Error error = {0};
        const char *text = arena_printf(
            c.arena,
            "{\"model_type\": \"%s\", \"vocab_size\": 10, \"hidden_size\": 32, "
            "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"intermediate_size\": 8, %s}",
            kinds[i].type, kinds[i].rope);
        const char *path = path_join(c.arena, c.folder, "config.json");
        assert_true(file_save(path, text, strlen(text), &error));
        Parameters made;
        Model *model = model_make(c.folder, &made, &error);
        expect_ok(&error);
        const StackConfig *stack = &model->config.stack[STACK_BLOCKS];
        assert_int_equal(stack->rope_dims, kinds[i].dims);
        assert_true((double)stack->rope_base == kinds[i].base);
        model_free(model);
        free(made.items);
        free(made.data);
        copy_end(&c);
    }
}

static void wrong_weights(void **state) {
    (void)state;
    static const struct {
        const char *model, *tensor;
        Spoil spoil;
        const char *part;
    } wrong[] = {
        {"marian", "model.shared.weight", LEFT_OUT, "model.shared.weight is missing"},
        {"marian", "model.shared.weight", ONE_ROW_LESS, "[106, 36], [107, 36] expected"},
        {"marian", "model.shared.weight", FLAT, "[3852], [107, 36] expected"},
        {"marian", "model.shared.weight", AS_INTEGERS, "holds I32"},
        {"marian", "model.decoder.layers.1.encoder_attn.k_proj.bias", LEFT_OUT,
         "k_proj.bias is missing"},
        {"marian", "model.decoder.layers.1.encoder_attn.k_proj.bias", ONE_ROW_LESS,
         "[35], [36] expected"},
        {"marian", "model.encoder.layers.0.fc1.weight", ONE_ROW_LESS,
         "[35, 36], [36, 36] expected"},
        {"marian", "model.encoder.layers.0.final_layer_norm.weight", AS_INTEGERS, "holds I32"},
        {"vaswani-pre", "transformer.encoder.layers.0.self_attn.in_proj_weight", ONE_ROW_LESS,
         "[95, 32], [96, 32] expected"},
        {"vaswani-pre", "generator.weight", LEFT_OUT, "generator.weight is missing"},
        {"vaswani-pre", "transformer.decoder.norm.bias", LEFT_OUT,
         "transformer.decoder.norm.bias"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Copy c = copy_begin(wrong[i].model);
        write_config(&c, NULL, NULL);
        write_weights(&c, wrong[i].tensor, wrong[i].spoil, NULL);
        expect_refused(&c, wrong[i].part);
        copy_end(&c);
    }
}

/* Tensors that nothing reads are said and accepted; F16 among F32 works. */
static void harmless_differences(void **state) {
    (void)state;
    Golden g = golden_open("marian");
    Copy c = copy_begin("marian");
    Error error = {0};
    write_config(&c, NULL, NULL);
    write_weights(&c, "model.encoder.layers.0.fc1.weight", AS_F16, "model.surplus");
    Model *model = model_open(c.folder, &error);
    expect_ok(&error);
    assert_non_null(model->note);
    assert_non_null(strstr(model->note, "model.surplus"));
    assert_null(strchr(model->note, '\n'));
    assert_null(g.model->note);
    assert_int_equal(model->n_parameters, g.model->n_parameters);
    char a[17], b[17];
    assert_string_not_equal(model_hash(model, a), model_hash(g.model, b));
    Trace *x = trace_run(model, &g.input, NULL, &error), *y = golden_trace(&g, NULL);
    expect_ok(&error);
    double off = tensor_distance(trace_tensor_of(x, "logits"), trace_tensor_of(y, "logits"));
    assert_true(off > 0 && off < 0.1);
    trace_release(x);
    trace_release(y);
    model_free(model);
    copy_end(&c);
    golden_close(&g);
}

/* The same bytes with the numbers at an odd address: a header one byte longer. */
static void odd_addresses_work(void **state) {
    (void)state;
    Golden g = golden_open("vaswani-pre");
    Copy c = copy_begin("vaswani-pre");
    Error error = {0};
    Str whole;
    write_config(&c, NULL, NULL);
    assert_true(file_read(arena_printf(c.arena, "%s/model.safetensors", c.source), 0, c.arena,
                          &whole, &error));
    uint64_t header;
    memcpy(&header, whole.data, 8);
    for (uint64_t more = 1; more < 4; more++) {
        uint64_t longer = header + more;
        StrBuf out = {0};
        strbuf_add(&out, &longer, 8);
        strbuf_add(&out, whole.data + 8, header);
        strbuf_add(&out, "   ", more);
        strbuf_add(&out, whole.data + 8 + header, whole.n - 8 - header);
        assert_true(
            file_save(path_join(c.arena, c.folder, "model.safetensors"), out.data, out.n, &error));
        strbuf_free(&out);
        Model *model = model_open(c.folder, &error);
        expect_ok(&error);
        Trace *x = trace_run(model, &g.input, NULL, &error), *y = golden_trace(&g, NULL);
        assert_true(tensor_distance(trace_tensor_of(x, "logits"), trace_tensor_of(y, "logits")) ==
                    0);
        trace_release(x);
        trace_release(y);
        model_free(model);
    }
    copy_end(&c);
    golden_close(&g);
}

static void generation_config_goes_first(void **state) {
    (void)state;
    Copy c = copy_begin("marian");
    Error error = {0};
    write_config(&c, "num_beams", "3");
    write_weights(&c, NULL, AS_IT_IS, NULL);
    Str text =
        str("{\"max_length\": 77, \"eos_token_id\": [5, 6], \"bad_words_ids\": [[1], [2, 3]], "
            "\"early_stopping\": \"never\", \"forced_eos_token_id\": [6], \"max_new_tokens\": 9, "
            "\"length_penalty\": 0.6, "
            "\"renormalize_logits\": true, \"force_words_ids\": [], \"penalty_alpha\": 0.6, "
            "\"do_sample\": true, \"temperature\": 0.3}");
    assert_true(file_save(path_join(c.arena, c.folder, "generation_config.json"), text.data, text.n,
                          &error));
    Model *model = model_open(c.folder, &error);
    expect_ok(&error);
    const GenerationConfig *g = &model->config.generation;
    assert_int_equal(g->max_length, 77);
    assert_int_equal(g->max_new_tokens, 9);
    assert_int_equal(g->n_eos, 2);
    assert_int_equal(g->eos_ids[1], 6);
    assert_int_equal(g->n_bad_words, 2);
    assert_int_equal(g->bad_words[1][1], 3);
    assert_int_equal(g->start_id, 106); /* config.json's, since the other is silent */
    assert_true(g->renormalize && g->samples);
    assert_int_equal(g->forced_eos_id, 6);
    assert_true(g->never_early && !g->early_stopping);
    assert_int_equal(g->n_beams, 1); /* how to search is said in one place */
    assert_true(fabsf(g->length_penalty - 0.6f) < 1e-6f);
    assert_string_equal(g->not_computed, "penalty_alpha");
    model_free(model);
    text = str("{\"_from_model_config\": true, \"max_length\": 1e30, \"max_new_tokens\": "
               "1000000000000000019884624838656}");
    assert_true(file_save(path_join(c.arena, c.folder, "generation_config.json"), text.data, text.n,
                          &error));
    model = model_open(c.folder, &error);
    expect_ok(&error);
    assert_true(model->config.generation.max_length == 1 << 24);
    assert_true(model->config.generation.max_new_tokens == 1 << 24);
    assert_int_equal(model->config.generation.n_beams, 3);
    assert_int_equal(model->config.generation.min_new_tokens, -1);
    model_free(model);
    text = str("{\"min_new_tokens\": 0, \"num_beams\": \"two\"}");
    assert_true(file_save(path_join(c.arena, c.folder, "generation_config.json"), text.data, text.n,
                          &error));
    expect_refused(&c, arena_printf(c.arena, "%s: generation_config.json: num_beams", c.folder));
    copy_end(&c);
}

/* The weights under other names: `cut` taken off the front, `put` before it, the embedding as
 * `shared`. */
static void write_renamed(const Copy *c, const char *cut, const char *put, const char *shared) {
    Error error = {0};
    SafetensorsWriter *w =
        safetensors_create(path_join(c->arena, c->folder, "model.safetensors"), &error);
    for (int i = 0; i < safetensors_n_tensors(c->from); i++) {
        const RawTensor *t = safetensors_tensor(c->from, i);
        bool starts = strncmp(t->name, cut, strlen(cut)) == 0;
        const char *name = t->name + (starts ? strlen(cut) : 0);
        if (strcmp(t->name, "model.shared.weight") == 0 && shared) name = shared;
        safetensors_add(w, arena_printf(c->arena, "%s%s", put, name), t->dtype, t->rank, t->shape,
                        t->data);
    }
    safetensors_commit(w, &error);
    expect_ok(&error);
}

/* torch.compile's and DistributedDataParallel's prefixes, none at all, and the one embedding under
 * whichever of its names safetensors kept. */
static void names_that_mean_the_same(void **state) {
    (void)state;
    static const struct {
        const char *cut, *put, *shared;
    } kinds[] = {{"", "module.", NULL},
                 {"", "_orig_mod.", NULL},
                 {"", "_orig_mod.module.", NULL},
                 {"", "module._orig_mod.", NULL},
                 {"model.", "", NULL},
                 {"", "", "lm_head.weight"},
                 {"", "", "model.encoder.embed_tokens.weight"},
                 {"", "", "model.decoder.embed_tokens.weight"}};
    Golden g = golden_open("marian");
    Copy c = copy_begin("marian");
    Error error = {0};
    write_config(&c, NULL, NULL);
    Trace *want = golden_trace(&g, NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        write_renamed(&c, kinds[i].cut, kinds[i].put, kinds[i].shared);
        Model *model = model_open(c.folder, &error);
        expect_ok(&error);
        assert_null(model->note);
        Trace *have = trace_run(model, &g.input, NULL, &error);
        expect_ok(&error);
        assert_true(
            tensor_distance(trace_tensor_of(have, "logits"), trace_tensor_of(want, "logits")) == 0);
        trace_release(have);
        model_free(model);
    }
    trace_release(want);
    copy_end(&c);
    golden_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_config_values),          cmocka_unit_test(rope_parameters_are_read),
        cmocka_unit_test(tables_that_do_not_fit),       cmocka_unit_test(wrong_weights),
        cmocka_unit_test(harmless_differences),         cmocka_unit_test(odd_addresses_work),
        cmocka_unit_test(generation_config_goes_first), cmocka_unit_test(names_that_mean_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
