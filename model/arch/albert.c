/* ALBERT: Lan et al. 2020. Layers of a group share one set of weights; embeddings are narrower than
 * the layers. */
#include "model/arch/encoder.h"

static const LayerNames names = {
    .attn = {.q = "attention.query",
             .k = "attention.key",
             .v = "attention.value",
             .o = "attention.dense"},
    .ln1 = "attention.LayerNorm",
    .up = "ffn",
    .down = "ffn_output",
    .ln2 = "full_layer_layer_norm",
};

static const HeadNames heads[] = {{HEAD_MASKED, PICK_ALL, .output = "predictions.decoder",
                                   .bias = "predictions.bias", .transform = "predictions.dense",
                                   .norm = "predictions.LayerNorm", .tied = true,
                                   .own_activation = true},
                                  {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier",
                                   .transform = "@pooler", .activation = ACTIVATION_TANH},
                                  {HEAD_TOKENS, PICK_ALL, .output = "classifier"},
                                  {HEAD_SPAN, PICK_ALL, .output = "qa_outputs"},
                                  {HEAD_SEQUENCE, PICK_FIRST, .output = "sop_classifier.classifier",
                                   .transform = "@pooler", .activation = ACTIVATION_TANH},
                                  {0}};

static bool configure(const Fields *f, ModelConfig *out) {
    encoder_configure(f, out);
    StackConfig *c = &out->stack[STACK_BLOCKS];
    out->d_embed = field_int(f, "embedding_size", 128, 1, MOST_WIDTH);
    out->n_groups = field_int(f, "num_hidden_groups", 1, 1, c->n_layers);
    out->group_layers = field_int(f, "inner_group_num", 1, 1, MOST_LAYERS);
    if (c->n_layers > MOST_LAYERS / out->group_layers)
        error_set(f->error, ERROR_INPUT, "%s: more than %d layers", f->where, MOST_LAYERS);
    else
        c->n_layers *= out->group_layers;
    c->activation = field_activation(f, "hidden_act", ACTIVATION_GELU_TANH);
    c->project_last = true;
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = encoder_root(l, "albert.");
    const StackConfig *c = &m->config.stack[STACK_BLOCKS];
    Stack *s = &m->stack[STACK_BLOCKS];
    int inner = m->config.group_layers, n_groups = m->config.n_groups;
    encoder_bind_embeddings(l, m, root, m->config.d_embed);
    s->embed_project = load_linear(l, m->config.d_model, m->config.d_embed, true,
                                   "%sencoder.embedding_hidden_mapping_in", root);
    Layer *groups = arena_calloc(l->arena, (size_t)(n_groups * inner), sizeof *groups);
    for (int i = 0; i < n_groups * inner && error_ok(l->error); i++) {
        const char *prefix =
            arena_printf(l->arena, "%sencoder.albert_layer_groups.%d.albert_layers.%d.", root,
                         i / inner, i % inner);
        layers_bind_one(l, m, STACK_BLOCKS, prefix, &names, &groups[i]);
        groups[i].attn.distance_table = encoder_distances(l, m, prefix, "attention");
    }
    s->layers = arena_calloc(l->arena, (size_t)c->n_layers, sizeof *s->layers);
    for (int i = 0; i < c->n_layers; i++) {
        double layers_per_group = (double)(c->n_layers / inner) / n_groups; /* need not be whole */
        int group = (int)(i / inner / layers_per_group);
        s->layers[i] = groups[group * inner + i % inner];
    }
    heads_bind(l, m, STACK_BLOCKS, root, heads);
    load_ignore(l, "%spooler.weight", root);
    load_ignore(l, "%spooler.bias", root);
    load_ignore(l, "sop_classifier.classifier.weight");
    load_ignore(l, "sop_classifier.classifier.bias");
}

const Arch arch_albert = {
    "albert",  "ALBERT", NULL, ENCODER_FIELDS "embedding_size num_hidden_groups inner_group_num",
    configure, bind};
