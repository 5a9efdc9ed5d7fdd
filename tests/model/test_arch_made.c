/* Models that the golden set has no case of, made here with weights of a fixed sequence: Qwen2 with
 * a window from some layer on, BART's and T5's sequence classifiers. The numbers beside them were
 * computed apart from this program, in double precision. */
#include "tests/model/engine.h"

#include <stdio.h>
#include <string.h>

#include "model/base/file.h"
#include "tests/model/scratch.h"

typedef struct Made {
    const char *name; /* NULL ends the list */
    int rows, cols;   /* cols 0: a vector */
} Made;

/* From -0.5 to 0.5; norms around 1. */
static void fill(uint32_t *seed, const Made *m, float *out) {
    int n = m->rows * (m->cols ? m->cols : 1);
    size_t length = strlen(m->name);
    bool norm = !m->cols && strstr(m->name, "norm") && strcmp(m->name + length - 6, "weight") == 0;
    for (int i = 0; i < n; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        out[i] = (float)(*seed >> 8) / (1 << 24) - 0.5f;
        if (norm) out[i] = 1 + 0.25f * out[i];
    }
}

static Model *make_model(const char *folder, const char *config, const Made *tensors) {
    Error error = {0};
    Arena *arena = scratch_arena();
    uint32_t seed = 12345;
    scratch_write(arena_printf(arena, "%s/config.json", folder), str(config));
    const char *path = scratch_path(arena_printf(arena, "%s/model.safetensors", folder));
    SafetensorsWriter *w = safetensors_create(path, &error);
    for (const Made *m = tensors; m->name; m++) {
        int64_t shape[2] = {m->rows, m->cols};
        float *x = arena_alloc(arena, (size_t)(m->rows * (m->cols ? m->cols : 1)) * sizeof *x);
        fill(&seed, m, x);
        safetensors_add(w, m->name, DTYPE_F32, m->cols ? 2 : 1, shape, x);
    }
    safetensors_commit(w, &error);
    Model *model = model_open(scratch_path(folder), &error);
    expect_ok(&error);
    return model;
}

static void expect_numbers(const char *what, const float *got, const float *want, int n) {
    for (int i = 0; i < n; i++)
        if (!(fabsf(got[i] - want[i]) < 2e-5f))
            fail_msg("%s[%d] is %.7g, %.7g expected", what, i, (double)got[i], (double)want[i]);
}

static Trace *run(const Model *model, const int32_t *ids, int n) {
    Error error = {0};
    Input input = {.source = tokens_of(scratch_arena(), ids, n)};
    Trace *trace = trace_run(model, &input, NULL, &error);
    expect_ok(&error);
    return trace;
}

static const Made qwen2_tensors[] = {{"model.embed_tokens.weight", 11, 8},
                                     {"model.layers.0.self_attn.q_proj.weight", 8, 8},
                                     {"model.layers.0.self_attn.q_proj.bias", 8, 0},
                                     {"model.layers.0.self_attn.k_proj.weight", 4, 8},
                                     {"model.layers.0.self_attn.k_proj.bias", 4, 0},
                                     {"model.layers.0.self_attn.v_proj.weight", 4, 8},
                                     {"model.layers.0.self_attn.v_proj.bias", 4, 0},
                                     {"model.layers.0.self_attn.o_proj.weight", 8, 8},
                                     {"model.layers.0.mlp.gate_proj.weight", 12, 8},
                                     {"model.layers.0.mlp.up_proj.weight", 12, 8},
                                     {"model.layers.0.mlp.down_proj.weight", 8, 12},
                                     {"model.layers.0.input_layernorm.weight", 8, 0},
                                     {"model.layers.0.post_attention_layernorm.weight", 8, 0},
                                     {"model.layers.1.self_attn.q_proj.weight", 8, 8},
                                     {"model.layers.1.self_attn.q_proj.bias", 8, 0},
                                     {"model.layers.1.self_attn.k_proj.weight", 4, 8},
                                     {"model.layers.1.self_attn.k_proj.bias", 4, 0},
                                     {"model.layers.1.self_attn.v_proj.weight", 4, 8},
                                     {"model.layers.1.self_attn.v_proj.bias", 4, 0},
                                     {"model.layers.1.self_attn.o_proj.weight", 8, 8},
                                     {"model.layers.1.mlp.gate_proj.weight", 12, 8},
                                     {"model.layers.1.mlp.up_proj.weight", 12, 8},
                                     {"model.layers.1.mlp.down_proj.weight", 8, 12},
                                     {"model.layers.1.input_layernorm.weight", 8, 0},
                                     {"model.layers.1.post_attention_layernorm.weight", 8, 0},
                                     {"model.layers.2.self_attn.q_proj.weight", 8, 8},
                                     {"model.layers.2.self_attn.q_proj.bias", 8, 0},
                                     {"model.layers.2.self_attn.k_proj.weight", 4, 8},
                                     {"model.layers.2.self_attn.k_proj.bias", 4, 0},
                                     {"model.layers.2.self_attn.v_proj.weight", 4, 8},
                                     {"model.layers.2.self_attn.v_proj.bias", 4, 0},
                                     {"model.layers.2.self_attn.o_proj.weight", 8, 8},
                                     {"model.layers.2.mlp.gate_proj.weight", 12, 8},
                                     {"model.layers.2.mlp.up_proj.weight", 12, 8},
                                     {"model.layers.2.mlp.down_proj.weight", 8, 12},
                                     {"model.layers.2.input_layernorm.weight", 8, 0},
                                     {"model.layers.2.post_attention_layernorm.weight", 8, 0},
                                     {"model.norm.weight", 8, 0},
                                     {"lm_head.weight", 11, 8},
                                     {0}};

/* Layer 0 sees everything, layers 1 and 2 the window: as in transformers 4.40, two keys beside the
 * query's own. */
static void qwen2_with_some_windows(void **state) {
    (void)state;
    static const int32_t ids[] = {3, 1, 7, 9, 2, 5};
    Model *model = make_model(
        "qwen2",
        "{\"model_type\": \"qwen2\", \"architectures\": [\"Qwen2ForCausalLM\"], \"vocab_size\": "
        "11, "
        "\"hidden_size\": 8, \"num_hidden_layers\": 3, \"num_attention_heads\": 2, "
        "\"num_key_value_heads\": 1, \"intermediate_size\": 12, \"max_position_embeddings\": 32, "
        "\"rms_norm_eps\": 1e-6, \"rope_theta\": 10000.0, \"hidden_act\": \"silu\", "
        "\"tie_word_embeddings\": false, \"use_sliding_window\": true, \"sliding_window\": 2, "
        "\"max_window_layers\": 1}",
        qwen2_tensors);
    Trace *trace = run(model, ids, 6);
    static const float rows[3][6] = {
        {0.4025125f, 0.16734111f, 0.14178988f, 0.12078145f, 0.1216639f, 0.045911158f},
        {0, 0, 0, 0.28451226f, 0.18553797f, 0.52994978f},
        {0, 0, 0, 0.25016794f, 0.56230911f, 0.18752295f}};
    static const int heads[] = {1, 0, 1};
    for (int l = 0; l < 3; l++) {
        char name[40];
        snprintf(name, sizeof name, "blocks.%d.attn.hook_pattern", l);
        Tensor p = trace_tensor_of(trace, name);
        expect_numbers(name, tensor_at(p, heads[l], 5, 0, 0), rows[l], 6);
    }
    static const float logits[] = {0.72814995f,  -0.32278723f, 0.81981932f, -0.55591034f,
                                   0.021891428f, 0.9233565f,   1.4933885f,  -0.71093976f,
                                   0.43519675f,  -0.38584442f, 0.068414159f};
    expect_numbers("logits", tensor_at(trace_tensor_of(trace, "logits"), 5, 0, 0, 0), logits, 11);
    trace_release(trace);
    model_free(model);
}

static const Made bart_tensors[] = {{"model.shared.weight", 13, 8},
                                    {"model.encoder.embed_positions.weight", 12, 8},
                                    {"model.encoder.layernorm_embedding.weight", 8, 0},
                                    {"model.encoder.layernorm_embedding.bias", 8, 0},
                                    {"model.encoder.layers.0.self_attn.q_proj.weight", 8, 8},
                                    {"model.encoder.layers.0.self_attn.q_proj.bias", 8, 0},
                                    {"model.encoder.layers.0.self_attn.k_proj.weight", 8, 8},
                                    {"model.encoder.layers.0.self_attn.k_proj.bias", 8, 0},
                                    {"model.encoder.layers.0.self_attn.v_proj.weight", 8, 8},
                                    {"model.encoder.layers.0.self_attn.v_proj.bias", 8, 0},
                                    {"model.encoder.layers.0.self_attn.out_proj.weight", 8, 8},
                                    {"model.encoder.layers.0.self_attn.out_proj.bias", 8, 0},
                                    {"model.encoder.layers.0.self_attn_layer_norm.weight", 8, 0},
                                    {"model.encoder.layers.0.self_attn_layer_norm.bias", 8, 0},
                                    {"model.encoder.layers.0.fc1.weight", 12, 8},
                                    {"model.encoder.layers.0.fc1.bias", 12, 0},
                                    {"model.encoder.layers.0.fc2.weight", 8, 12},
                                    {"model.encoder.layers.0.fc2.bias", 8, 0},
                                    {"model.encoder.layers.0.final_layer_norm.weight", 8, 0},
                                    {"model.encoder.layers.0.final_layer_norm.bias", 8, 0},
                                    {"model.decoder.embed_positions.weight", 12, 8},
                                    {"model.decoder.layernorm_embedding.weight", 8, 0},
                                    {"model.decoder.layernorm_embedding.bias", 8, 0},
                                    {"model.decoder.layers.0.self_attn.q_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.self_attn.q_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.self_attn.k_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.self_attn.k_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.self_attn.v_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.self_attn.v_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.self_attn.out_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.self_attn.out_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.self_attn_layer_norm.weight", 8, 0},
                                    {"model.decoder.layers.0.self_attn_layer_norm.bias", 8, 0},
                                    {"model.decoder.layers.0.encoder_attn.q_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.encoder_attn.q_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.encoder_attn.k_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.encoder_attn.k_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.encoder_attn.v_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.encoder_attn.v_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.encoder_attn.out_proj.weight", 8, 8},
                                    {"model.decoder.layers.0.encoder_attn.out_proj.bias", 8, 0},
                                    {"model.decoder.layers.0.encoder_attn_layer_norm.weight", 8, 0},
                                    {"model.decoder.layers.0.encoder_attn_layer_norm.bias", 8, 0},
                                    {"model.decoder.layers.0.fc1.weight", 12, 8},
                                    {"model.decoder.layers.0.fc1.bias", 12, 0},
                                    {"model.decoder.layers.0.fc2.weight", 8, 12},
                                    {"model.decoder.layers.0.fc2.bias", 8, 0},
                                    {"model.decoder.layers.0.final_layer_norm.weight", 8, 0},
                                    {"model.decoder.layers.0.final_layer_norm.bias", 8, 0},
                                    {"classification_head.dense.weight", 8, 8},
                                    {"classification_head.dense.bias", 8, 0},
                                    {"classification_head.out_proj.weight", 3, 8},
                                    {"classification_head.out_proj.bias", 3, 0},
                                    {0}};

/* The decoder reads the text one place later; the answer stands at the text's last </s>. */
static void bart_classifies(void **state) {
    (void)state;
    static const int32_t ids[] = {0, 5, 2, 8, 11, 2};
    static const float last[] = {0.51146667f, 0.89197883f, -0.71550872f},
                       middle[] = {0.51104909f, 0.012363657f, -0.13241675f};
    Model *model = make_model(
        "bart",
        "{\"model_type\": \"bart\", \"architectures\": [\"BartForSequenceClassification\"], "
        "\"vocab_size\": 13, \"d_model\": 8, \"encoder_layers\": 1, \"decoder_layers\": 1, "
        "\"encoder_attention_heads\": 2, \"decoder_attention_heads\": 2, "
        "\"encoder_ffn_dim\": 12, \"decoder_ffn_dim\": 12, \"max_position_embeddings\": 10, "
        "\"activation_function\": \"gelu\", \"decoder_start_token_id\": 2, \"eos_token_id\": 2, "
        "\"bos_token_id\": 0, \"pad_token_id\": 1, "
        "\"id2label\": {\"0\": \"no\", \"1\": \"perhaps\", \"2\": \"yes\"}}",
        bart_tensors);
    Trace *trace = run(model, ids, 6);
    Tensor logits = trace_tensor_of(trace, "logits");
    assert_int_equal(logits.rank, 1);
    expect_numbers("logits", logits.data, last, 3);
    trace_release(trace);
    trace = run(model, ids, 5); /* text behind the last </s> is not in the answer */
    expect_numbers("logits", trace_tensor_of(trace, "logits").data, middle, 3);
    trace_release(trace);
    Error error = {0};
    Input none = {.source = tokens_of(scratch_arena(), ids, 2)};
    assert_null(trace_run(model, &none, NULL, &error));
    expect_error(&error, "reads its answer at the end of the sentence (id 2)");
    model_free(model);
}

static const Made t5_tensors[] = {
    {"transformer.shared.weight", 13, 8},
    {"transformer.encoder.block.0.layer.0.SelfAttention.q.weight", 8, 8},
    {"transformer.encoder.block.0.layer.0.SelfAttention.k.weight", 8, 8},
    {"transformer.encoder.block.0.layer.0.SelfAttention.v.weight", 8, 8},
    {"transformer.encoder.block.0.layer.0.SelfAttention.o.weight", 8, 8},
    {"transformer.encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 8, 2},
    {"transformer.encoder.block.0.layer.0.layer_norm.weight", 8, 0},
    {"transformer.encoder.block.0.layer.1.DenseReluDense.wi.weight", 12, 8},
    {"transformer.encoder.block.0.layer.1.DenseReluDense.wo.weight", 8, 12},
    {"transformer.encoder.block.0.layer.1.layer_norm.weight", 8, 0},
    {"transformer.encoder.final_layer_norm.weight", 8, 0},
    {"transformer.decoder.block.0.layer.0.SelfAttention.q.weight", 8, 8},
    {"transformer.decoder.block.0.layer.0.SelfAttention.k.weight", 8, 8},
    {"transformer.decoder.block.0.layer.0.SelfAttention.v.weight", 8, 8},
    {"transformer.decoder.block.0.layer.0.SelfAttention.o.weight", 8, 8},
    {"transformer.decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 8, 2},
    {"transformer.decoder.block.0.layer.0.layer_norm.weight", 8, 0},
    {"transformer.decoder.block.0.layer.1.EncDecAttention.q.weight", 8, 8},
    {"transformer.decoder.block.0.layer.1.EncDecAttention.k.weight", 8, 8},
    {"transformer.decoder.block.0.layer.1.EncDecAttention.v.weight", 8, 8},
    {"transformer.decoder.block.0.layer.1.EncDecAttention.o.weight", 8, 8},
    {"transformer.decoder.block.0.layer.1.layer_norm.weight", 8, 0},
    {"transformer.decoder.block.0.layer.2.DenseReluDense.wi.weight", 12, 8},
    {"transformer.decoder.block.0.layer.2.DenseReluDense.wo.weight", 8, 12},
    {"transformer.decoder.block.0.layer.2.layer_norm.weight", 8, 0},
    {"transformer.decoder.final_layer_norm.weight", 8, 0},
    {"classification_head.dense.weight", 8, 8},
    {"classification_head.dense.bias", 8, 0},
    {"classification_head.out_proj.weight", 2, 8},
    {"classification_head.out_proj.bias", 2, 0},
    {0}};

static void t5_classifies(void **state) {
    (void)state;
    static const int32_t ids[] = {4, 9, 3, 12, 6, 7, 1};
    static const float want[] = {0.19081801f, -0.58346026f};
    Model *model = make_model(
        "t5",
        "{\"model_type\": \"t5\", \"architectures\": [\"T5ForSequenceClassification\"], "
        "\"vocab_size\": 13, \"d_model\": 8, \"d_kv\": 4, \"d_ff\": 12, \"num_layers\": 1, "
        "\"num_decoder_layers\": 1, \"num_heads\": 2, \"relative_attention_num_buckets\": 8, "
        "\"relative_attention_max_distance\": 10, \"layer_norm_epsilon\": 1e-6, "
        "\"feed_forward_proj\": \"relu\", \"decoder_start_token_id\": 0, \"eos_token_id\": 1, "
        "\"pad_token_id\": 0}",
        t5_tensors);
    Trace *trace = run(model, ids, 7);
    expect_numbers("logits", trace_tensor_of(trace, "logits").data, want, 2);
    trace_release(trace);
    model_free(model);
}

/* What transformers itself made of feed_forward_proj goes before it, as it does there. */
static void t5_activation_by_its_other_name(void **state) {
    (void)state;
    Model *model = make_model(
        "t5_silu",
        "{\"model_type\": \"t5\", \"architectures\": [\"T5ForSequenceClassification\"], "
        "\"vocab_size\": 13, \"d_model\": 8, \"d_kv\": 4, \"d_ff\": 12, \"num_layers\": 1, "
        "\"num_decoder_layers\": 1, \"num_heads\": 2, \"relative_attention_num_buckets\": 8, "
        "\"feed_forward_proj\": \"gated-gelu\", \"dense_act_fn\": \"silu\", "
        "\"is_gated_act\": false, \"decoder_start_token_id\": 0, \"eos_token_id\": 1}",
        t5_tensors);
    const StackConfig *c = &model->config.stack[STACK_ENCODER];
    assert_true(c->activation == ACTIVATION_SILU && !c->gated);
    model_free(model);
}

/* transformers 5 calls every output tied and says apart whether it is scaled. */
static void t5_output_of_transformers_5(void **state) {
    (void)state;
    Made tensors[40];
    int n = 0;
    for (const Made *m = t5_tensors; strncmp(m->name, "class", 5) != 0; m++)
        tensors[n++] = (Made){m->name + strlen("transformer."), m->rows, m->cols};
    tensors[n++] = (Made){"lm_head.weight", 13, 8};
    tensors[n] = (Made){0};
    for (int scaled = 0; scaled < 2; scaled++) {
        Model *model = make_model(
            scaled ? "t5_scaled" : "t5_own",
            arena_printf(scratch_arena(),
                         "{\"model_type\": \"t5\", \"architectures\": "
                         "[\"T5ForConditionalGeneration\"], \"vocab_size\": 13, \"d_model\": 8, "
                         "\"d_kv\": 4, \"d_ff\": 12, \"num_layers\": 1, \"num_heads\": 2, "
                         "\"relative_attention_num_buckets\": 8, \"feed_forward_proj\": \"relu\", "
                         "\"tie_word_embeddings\": true, \"scale_decoder_outputs\": %s, "
                         "\"decoder_start_token_id\": 0, \"eos_token_id\": 1}",
                         scaled ? "true" : "false"),
            tensors);
        bool shared = model->output.weight.data == model->stack[STACK_ENCODER].embed.data;
        assert_true(shared == scaled && (model->config.logit_scale < 1) == scaled);
        model_free(model);
    }
}

static const Made roberta_tensors[] = {
    {"roberta.embeddings.word_embeddings.weight", 13, 8},
    {"roberta.embeddings.token_type_embeddings.weight", 1, 8},
    {"roberta.embeddings.LayerNorm.weight", 8, 0},
    {"roberta.embeddings.LayerNorm.bias", 8, 0},
    {"roberta.encoder.layer.0.attention.self.query.weight", 8, 8},
    {"roberta.encoder.layer.0.attention.self.query.bias", 8, 0},
    {"roberta.encoder.layer.0.attention.self.key.weight", 8, 8},
    {"roberta.encoder.layer.0.attention.self.key.bias", 8, 0},
    {"roberta.encoder.layer.0.attention.self.value.weight", 8, 8},
    {"roberta.encoder.layer.0.attention.self.value.bias", 8, 0},
    {"roberta.encoder.layer.0.attention.self.distance_embedding.weight", 23, 4},
    {"roberta.encoder.layer.0.attention.output.dense.weight", 8, 8},
    {"roberta.encoder.layer.0.attention.output.dense.bias", 8, 0},
    {"roberta.encoder.layer.0.attention.output.LayerNorm.weight", 8, 0},
    {"roberta.encoder.layer.0.attention.output.LayerNorm.bias", 8, 0},
    {"roberta.encoder.layer.0.intermediate.dense.weight", 12, 8},
    {"roberta.encoder.layer.0.intermediate.dense.bias", 12, 0},
    {"roberta.encoder.layer.0.output.dense.weight", 8, 12},
    {"roberta.encoder.layer.0.output.dense.bias", 8, 0},
    {"roberta.encoder.layer.0.output.LayerNorm.weight", 8, 0},
    {"roberta.encoder.layer.0.output.LayerNorm.bias", 8, 0},
    {"classifier.weight", 2, 8},
    {"classifier.bias", 2, 0},
    {0}};

/* Positions by distance alone, in a family whose absolute ones leave out padding. */
static void roberta_with_relative_positions(void **state) {
    (void)state;
    static const int32_t ids[] = {0, 5, 2, 8, 11, 2};
    static const float row[] = {0.11402542f, 0.21125254f, 0.10616625f,
                                0.31037092f, 0.11134227f, 0.14684260f},
                       answer[] = {-0.59666029f, 0.35658723f};
    Model *model = make_model(
        "roberta",
        "{\"model_type\": \"roberta\", \"architectures\": [\"RobertaForTokenClassification\"], "
        "\"vocab_size\": 13, \"hidden_size\": 8, \"num_hidden_layers\": 1, "
        "\"num_attention_heads\": 2, \"intermediate_size\": 12, \"hidden_act\": \"gelu\", "
        "\"max_position_embeddings\": 12, \"type_vocab_size\": 1, \"layer_norm_eps\": 1e-5, "
        "\"pad_token_id\": 1, \"position_embedding_type\": \"relative_key_query\"}",
        roberta_tensors);
    Trace *trace = run(model, ids, 6);
    Tensor pattern = trace_tensor_of(trace, "blocks.0.attn.hook_pattern");
    expect_numbers("pattern", tensor_at(pattern, 1, 3, 0, 0), row, 6);
    Tensor logits = trace_tensor_of(trace, "logits");
    expect_numbers("logits", tensor_at(logits, 4, 0, 0, 0), answer, 2);
    trace_release(trace);
    model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(qwen2_with_some_windows),
                                       cmocka_unit_test(bart_classifies),
                                       cmocka_unit_test(t5_classifies),
                                       cmocka_unit_test(t5_activation_by_its_other_name),
                                       cmocka_unit_test(t5_output_of_transformers_5),
                                       cmocka_unit_test(roberta_with_relative_positions)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
