/* inspect: what a model is, from its config, its weights and its tokenizer. */
#include "app/commands.h"
#include "app/output.h"
#include "app/subject_options.h"

static const Option options[] = {
    {.name = "no-tensors", .kind = OPTION_FLAG, .help = "leave out the list of tensors"}, {0}};

static const char *const family_names[] = {
    [FAMILY_ENCODER_DECODER] = "encoder-decoder",
    [FAMILY_ENCODER] = "encoder",
    [FAMILY_DECODER] = "decoder",
    [FAMILY_RECURRENT] = "recurrent encoder-decoder",
};
static const char *const position_names[] = {
    [POSITION_NONE] = "none",
    [POSITION_TABLE] = "learned table",
    [POSITION_ROTARY_HALVES] = "rotary, halves",
    [POSITION_ROTARY_INTERLEAVED] = "rotary, interleaved",
    [POSITION_ALIBI] = "ALiBi",
    [POSITION_T5_BUCKETS] = "relative buckets",
    [POSITION_RELATIVE_KEY] = "relative to the key",
    [POSITION_RELATIVE_KEY_QUERY] = "relative to key and query",
};
static const char *const sinusoid_names[] = {
    [SINUSOID_NONE] = "",
    [SINUSOID_INTERLEAVED] = "sinusoids, sine and cosine alternating",
    [SINUSOID_HALVES] = "sinusoids, sines then cosines",
    [SINUSOID_FAIRSEQ] = "sinusoids as in fairseq, sines then cosines",
};
static const char *const norm_names[] = {
    [NORM_LAYER] = "layer norm", [NORM_RMS] = "RMS norm", [NORM_RMS_PLUS] = "RMS norm (1 + w)"};
static const char *const activation_names[] = {
    [ACTIVATION_RELU] = "relu",
    [ACTIVATION_GELU] = "gelu",
    [ACTIVATION_GELU_TANH] = "gelu by tanh",
    [ACTIVATION_GELU_QUICK] = "quick gelu",
    [ACTIVATION_SILU] = "silu",
    [ACTIVATION_TANH] = "tanh",
    [ACTIVATION_SIGMOID] = "sigmoid",
};
static const char *const head_names[] = {
    [HEAD_NONE] = "none",
    [HEAD_LANGUAGE] = "the next token",
    [HEAD_MASKED] = "the token under the mask",
    [HEAD_SEQUENCE] = "a class of the whole input",
    [HEAD_TOKENS] = "a class of each token",
    [HEAD_SPAN] = "begin and end of an answer",
    [HEAD_REPLACED] = "whether a token was replaced",
};
static const char *const stack_names[] = {
    [STACK_ENCODER] = "encoder", [STACK_DECODER] = "decoder", [STACK_BLOCKS] = "blocks"};

/* A kind that has no name here yet is better shown so than not at all. */
#define NAME_OF(names, kind)                                                                       \
    ((size_t)(kind) < sizeof(names) / sizeof *(names) && (names)[kind] ? (names)[kind] : "other")

static const char *position_name(const StackConfig *s) {
    return s->sinusoid != SINUSOID_NONE ? NAME_OF(sinusoid_names, s->sinusoid)
                                        : NAME_OF(position_names, s->position);
}

static json_t *stack_json(const StackConfig *s) {
    json_t *j = json_object();
    json_object_set_new(j, "n_layers", json_integer(s->n_layers));
    json_object_set_new(j, "n_heads", json_integer(s->n_heads));
    json_object_set_new(j, "n_kv_heads", json_integer(s->n_kv_heads));
    json_object_set_new(j, "d_head", json_integer(s->d_head));
    json_object_set_new(j, "d_ff", json_integer(s->d_ff));
    json_object_set_new(j, "n_positions", json_integer(s->n_positions));
    json_object_set_new(j, "positions", json_string(position_name(s)));
    json_object_set_new(j, "norm", json_string(NAME_OF(norm_names, s->norm)));
    json_object_set_new(j, "norm_first", json_boolean(s->norm_place == NORM_PRE));
    json_object_set_new(j, "activation", json_string(NAME_OF(activation_names, s->activation)));
    json_object_set_new(j, "gated", json_boolean(s->gated));
    json_object_set_new(j, "parallel", json_boolean(s->parallel));
    json_object_set_new(j, "causal", json_boolean(s->causal));
    json_object_set_new(j, "cross_attention", json_boolean(s->has_cross));
    return j;
}

static json_t *tensors_json(const Model *model) {
    json_t *tensors = json_array();
    for (int i = 0; i < checkpoint_n_tensors(model->checkpoint); i++) {
        const RawTensor *t = checkpoint_tensor(model->checkpoint, i);
        json_t *tensor = json_object(), *shape = json_array();
        for (int axis = 0; axis < t->rank; axis++)
            json_array_append_new(shape, json_integer(t->shape[axis]));
        json_object_set_new(tensor, "name", output_text(str(t->name)));
        json_object_set_new(tensor, "dtype", json_string(dtype_info[t->dtype].name));
        json_object_set_new(tensor, "shape", shape);
        json_array_append_new(tensors, tensor);
    }
    return tensors;
}

static void write_json(Output *out, const Subject *subject, bool with_tensors) {
    const Model *model = subject->model;
    const ModelConfig *c = &model->config;
    char hash[17];
    json_t *j = json_object();
    json_object_set_new(j, "path", output_text(str(subject->path)));
    json_object_set_new(j, "model_type", output_text(str(c->model_type)));
    json_object_set_new(j, "family", json_string(NAME_OF(family_names, c->family)));
    json_object_set_new(j, "format", json_string(checkpoint_format(model->checkpoint)));
    json_object_set_new(j, "hash", json_string(model_hash(model, hash)));
    json_object_set_new(j, "n_parameters", json_integer(model->n_parameters));
    json_object_set_new(j, "d_model", json_integer(c->d_model));
    json_object_set_new(j, "n_vocab", json_integer(c->n_vocab));
    json_object_set_new(j, "output", json_string(NAME_OF(head_names, c->head.kind)));
    for (int s = 0; s < STACK_COUNT; s++)
        if (c->stack[s].n_layers > 0)
            json_object_set_new(j, stack_names[s], stack_json(&c->stack[s]));
    if (subject->tokenizer)
        json_object_set_new(j, "tokenizer", json_string(tokenizer_kind(subject->tokenizer)));
    if (with_tensors) json_object_set_new(j, "tensors", tensors_json(model));
    output_json(out, j, true);
}

/* 13,243,904 */
static const char *with_commas(int64_t n, char buffer[32]) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n), at = 0;
    for (int i = 0; i < length && at < 30; i++) {
        if (i > 0 && (length - i) % 3 == 0) buffer[at++] = ',';
        buffer[at++] = digits[i];
    }
    buffer[at] = '\0';
    return buffer;
}

static void write_stack(Output *out, const char *name, const StackConfig *s) {
    output_printf(out, "%s\n", name);
    output_printf(out, "  layers         %d\n", s->n_layers);
    output_printf(out, "  heads          %d of %d", s->n_heads, s->d_head);
    if (s->n_kv_heads > 0 && s->n_kv_heads != s->n_heads)
        output_printf(out, ", %d key/value heads", s->n_kv_heads);
    output_printf(out, "\n  attention      %s%s", s->causal ? "causal" : "to all tokens",
                  s->has_cross ? ", cross-attention to the encoder" : "");
    if (s->window > 0) output_printf(out, ", window of %d", s->window);
    output_printf(out, "\n  positions      %s", position_name(s));
    if (s->n_positions > 0) output_printf(out, ", at most %d", s->n_positions);
    output_printf(out, "\n  feed-forward   %d, %s%s%s\n", s->d_ff,
                  NAME_OF(activation_names, s->activation), s->gated ? ", gated" : "",
                  s->parallel ? ", beside the attention" : "");
    output_printf(out, "  norm           %s, %s each sublayer%s\n", NAME_OF(norm_names, s->norm),
                  s->norm_place == NORM_PRE ? "before" : "after",
                  s->final_norm ? ", one more at the end" : "");
}

static void write_tensors(Output *out, const Checkpoint *checkpoint) {
    Arena *arena = arena_new();
    output_printf(out, "tensors          %d\n", checkpoint_n_tensors(checkpoint));
    for (int i = 0; i < checkpoint_n_tensors(checkpoint); i++) {
        const RawTensor *t = checkpoint_tensor(checkpoint, i);
        char *name = arena_strdup(arena, t->name);
        error_printable(name);
        output_printf(out, "  %-7s %-58s [", dtype_info[t->dtype].name, name);
        for (int axis = 0; axis < t->rank; axis++)
            output_printf(out, "%s%lld", axis ? ", " : "", (long long)t->shape[axis]);
        output_puts(out, "]\n");
    }
    arena_free(arena);
}

static void write_text(Output *out, const Subject *subject, bool with_tensors) {
    const Model *model = subject->model;
    const ModelConfig *c = &model->config;
    char number[32], hash[17];
    output_printf(out, "path             %s\n", subject->path);
    output_printf(out, "architecture     %s, %s\n", c->model_type,
                  NAME_OF(family_names, c->family));
    output_printf(out, "weights          %s, hash %s\n", checkpoint_format(model->checkpoint),
                  model_hash(model, hash));
    output_printf(out, "parameters       %s\n", with_commas(model->n_parameters, number));
    output_printf(out, "d_model          %d\n", c->d_model);
    if (c->n_vocab > 0) output_printf(out, "vocabulary       %d\n", c->n_vocab);
    output_printf(out, "output           %s\n", NAME_OF(head_names, c->head.kind));
    output_printf(out, "tokenizer        %s\n",
                  subject->tokenizer ? tokenizer_kind(subject->tokenizer) : "none");
    const char *const *languages =
        subject->tokenizer ? tokenizer_languages(subject->tokenizer) : NULL;
    if (languages && *languages) {
        output_puts(out, "languages       ");
        for (int i = 0; languages[i]; i++)
            output_printf(out, " %s", languages[i]);
        output_puts(out, "\n");
    }
    for (int s = 0; s < STACK_COUNT; s++)
        if (c->stack[s].n_layers > 0) write_stack(out, stack_names[s], &c->stack[s]);
    if (with_tensors) write_tensors(out, model->checkpoint);
}

static bool run(const Options *given, Error *error) {
    const char *name = options_word(given, 0);
    Subject *subject =
        subject_open_named(name ? name : options_text(given, "model", NULL), given, error);
    Output *out = subject ? output_open(options_text(given, "output", NULL), error) : NULL;
    if (out) {
        bool with_tensors = !options_given(given, "no-tensors");
        if (options_given(given, "json"))
            write_json(out, subject, with_tensors);
        else
            write_text(out, subject, with_tensors);
    }
    bool ok = out && output_close(out, error);
    subject_close(subject);
    return ok;
}

const Command command_inspect = {
    .name = "inspect",
    .title = "what a model is: architecture, sizes, parameters, tensors",
    .examples = "attnscope inspect\nattnscope inspect gpt2 --no-tensors\n"
                "attnscope inspect --model models/my-bert --json\n",
    .options = {.groups = {options, options_model, options_json, options_output},
                .words = "[MODEL]",
                .n_words_max = 1},
    .run = run,
};
