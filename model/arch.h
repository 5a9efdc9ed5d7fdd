/* Families of models. One file in arch/ each: it reads config.json into a ModelConfig and says
 * which tensor of the file is which weight of ours; one row in arch.c.
 *
 *     static bool configure(const Fields *f, ModelConfig *out)   sizes and choices
 *     static void bind(Loader *loader, Model *model)             weights by name
 *
 * Both report into the Error of what they are given: the first failure wins, so neither needs to
 * look at every answer; the caller checks at the end.
 */
#ifndef MODEL_ARCH_H
#define MODEL_ARCH_H

#include "model/loader.h"

typedef struct Arch {
    const char *model_type; /* of config.json */
    const char *title;      /* models that people know it by */
    const char *aliases;    /* other model_types that are the same, with spaces; NULL: none */
    const char *fields;     /* what of config.json it reads or knows to be harmless */
    bool (*configure)(const Fields *fields, ModelConfig *out);
    void (*bind)(Loader *loader, Model *model);
} Arch;

/* All of them, for lists. */
const Arch *const *arch_rows(int *n);

/* NULL, and an error that lists what there is, for an unknown type. */
const Arch *arch_find(const Fields *fields);

/* Does that field of config.json mean something to this family? */
bool arch_knows_field(const Arch *arch, const char *name);

extern const Arch arch_albert, arch_bart, arch_bert, arch_bloom, arch_clip, arch_clip_text,
    arch_distilbert, arch_electra, arch_gemma, arch_gpt2, arch_gpt_neo, arch_gpt_neox, arch_gptj,
    arch_llama, arch_m2m_100, arch_marian, arch_mbart, arch_mistral, arch_opt, arch_phi, arch_qwen2,
    arch_rnn_seq2seq, arch_roberta, arch_t5, arch_torch_transformer, arch_vit, arch_whisper;

#endif
