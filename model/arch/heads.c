#include "model/arch/heads.h"

#include <string.h>

static const struct {
    const char *suffix;
    HeadKind kind;
} classes[] = {{"ForMaskedLM", HEAD_MASKED},
               {"ForPreTraining", HEAD_MASKED},
               {"ForSequenceClassification", HEAD_SEQUENCE},
               {"ForImageClassification", HEAD_SEQUENCE},
               {"ForImageClassificationWithTeacher", HEAD_SEQUENCE},
               {"ForMultipleChoice", HEAD_SEQUENCE},
               {"ForNextSentencePrediction", HEAD_SEQUENCE},
               {"ForTokenClassification", HEAD_TOKENS},
               {"ForQuestionAnswering", HEAD_SPAN},
               {"ForCausalLM", HEAD_LANGUAGE},
               {"LMHeadModel", HEAD_LANGUAGE},
               {"ForConditionalGeneration", HEAD_LANGUAGE}};

void heads_configure(const Fields *f, ModelConfig *out, bool tied_by_default) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (field_class(f, classes[i].suffix)) out->head.kind = classes[i].kind;
    out->tied_output = field_bool(f, "tie_word_embeddings", tied_by_default);
    out->logit_scale = 1;
}

/* The name with "@" replaced by the root. */
static const char *full(Loader *l, const char *root, const char *name) {
    return name && *name == '@' ? arena_printf(l->arena, "%s%s", root, name + 1) : name;
}

static bool is_there(Loader *l, const char *root, const HeadNames *n) {
    if (n->transform && !load_has(l, "%s.weight", full(l, root, n->transform))) return false;
    return (n->tied && n->transform) || load_has(l, "%s.weight", n->output);
}

static const HeadNames *choose(Loader *l, const char *root, HeadKind wanted,
                               const HeadNames *names) {
    for (const HeadNames *n = names; n->kind; n++)
        if (n->kind == wanted && is_there(l, root, n)) return n;
    for (const HeadNames *n = names; n->kind; n++)
        if (is_there(l, root, n)) return n;
    return NULL;
}

static Linear output(Loader *l, const Model *m, StackId id, const HeadNames *n, int64_t d) {
    const Weight *embed = &m->stack[id].embed;
    Linear out = {0};
    bool own = load_has(l, "%s.weight", n->output);
    if (n->tied && (m->config.tied_output || !own) && embed->cols == d) {
        out.weight = *embed;
        load_ignore(l, "%s.weight", n->output);
    } else {
        out.weight =
            load_matrix(l, load_rows(l, "%s.weight", n->output), d, "%s.weight", n->output);
    }
    const char *bias = n->bias ? n->bias : arena_printf(l->arena, "%s.bias", n->output);
    if (load_has(l, "%s", bias)) out.bias = load_vector(l, out.weight.rows, "%s", bias);
    load_ignore(l, "%s.bias", n->output); /* a copy of the other */
    return out;
}

void heads_bind(Loader *l, Model *m, StackId id, const char *root, const HeadNames *names) {
    HeadConfig *config = &m->config.head;
    const HeadNames *n = choose(l, root, config->kind, names);
    config->kind = n ? n->kind : HEAD_NONE;
    load_ignore(l, "%spooler.dense.weight", root); /* for other heads than the one that is read */
    load_ignore(l, "%spooler.dense.bias", root);
    if (!n) return;
    config->pick = n->pick;
    config->activation = n->own_activation ? m->config.stack[id].activation : n->activation;
    if (config->norm_epsilon == 0) config->norm_epsilon = m->config.stack[id].norm_epsilon;
    const Weight *last = &m->stack[id].final_project.weight;
    int64_t d = last->data ? last->rows : m->config.d_model;
    if (n->transform) {
        const char *name = full(l, root, n->transform);
        int64_t rows = load_rows(l, "%s.weight", name);
        m->head.transform = load_linear(l, rows, d, true, "%s", name);
        d = rows;
    }
    if (n->norm) m->head.norm = load_norm(l, d, "%s", n->norm);
    m->output = output(l, m, id, n, d);
    if (!m->output.weight.data) config->kind = HEAD_NONE;
}

void heads_bind_decoder(Loader *l, Model *m, const char *lm_head) {
    static const HeadNames others[] = {{HEAD_SEQUENCE, PICK_LAST, .output = "score"},
                                       {HEAD_TOKENS, PICK_ALL, .output = "classifier"},
                                       {HEAD_SPAN, PICK_ALL, .output = "qa_outputs"},
                                       {0}};
    HeadKind wanted = m->config.head.kind;
    heads_bind(l, m, STACK_BLOCKS, "", others);
    if (m->config.head.kind != HEAD_NONE) return;
    const Weight *embed = &m->stack[STACK_BLOCKS].embed;
    bool own = load_has(l, "%s.weight", lm_head);
    if (!own && !m->config.tied_output && wanted != HEAD_LANGUAGE) return; /* a bare stack */
    m->config.head.kind = HEAD_LANGUAGE;
    if (m->config.tied_output) {
        m->output.weight = *embed;
        load_ignore(l, "%s.weight", lm_head);
    } else {
        m->output.weight = load_matrix(l, m->config.n_vocab, embed->cols, "%s.weight", lm_head);
    }
    if (load_has(l, "%s.bias", lm_head))
        m->output.bias = load_vector(l, m->output.weight.rows, "%s.bias", lm_head);
}
