#include "model/arch.h"

#include <stdio.h>
#include <string.h>

/* A line a family. */
/* clang-format off */
static const Arch *const rows[] = {
    &arch_albert,
    &arch_bart,
    &arch_bert,
    &arch_bloom,
    &arch_clip,
    &arch_clip_text,
    &arch_distilbert,
    &arch_electra,
    &arch_gemma,
    &arch_gpt2,
    &arch_gpt_neo,
    &arch_gpt_neox,
    &arch_gptj,
    &arch_llama,
    &arch_m2m_100,
    &arch_marian,
    &arch_mbart,
    &arch_mistral,
    &arch_opt,
    &arch_phi,
    &arch_qwen2,
    &arch_rnn_seq2seq,
    &arch_roberta,
    &arch_t5,
    &arch_torch_transformer,
    &arch_vit,
    &arch_whisper,
};
/* clang-format on */

/* Fields of any config.json that change no number here: training, bookkeeping, generation,
 * and "attnscope", our own: the head that the figures open on (app/views/sharp.c). */
static const char harmless[] =
    "attnscope architectures model_type torch_dtype dtype transformers_version _name_or_path "
    "_commit_hash _num_labels initializer_range initializer_factor use_cache id2label label2id "
    "num_labels "
    "problem_type attention_dropout attention_probs_dropout_prob hidden_dropout_prob "
    "hidden_dropout embd_pdrop attn_pdrop resid_pdrop embed_dropout resid_dropout dropout "
    "dropout_rate activation_dropout classifier_dropout classifier_dropout_prob "
    "seq_classif_dropout qa_dropout layerdrop gradient_checkpointing task_specific_params prefix "
    "bos_token_id eos_token_id pad_token_id sep_token_id cls_token_id unk_token_id "
    "decoder_start_token_id forced_bos_token_id forced_eos_token_id bad_words_ids "
    "suppress_tokens begin_suppress_tokens forced_decoder_ids max_length min_length num_beams "
    "length_penalty early_stopping no_repeat_ngram_size repetition_penalty renormalize_logits "
    "is_encoder_decoder "
    "max_new_tokens min_new_tokens do_sample temperature top_k top_p typical_p num_beam_groups "
    "diversity_penalty encoder_no_repeat_ngram_size num_return_sequences chunk_size_feed_forward "
    "remove_invalid_values exponential_decay_length_penalty "
    "return_dict return_dict_in_generate output_scores pruned_heads tf_legacy_loss torchscript "
    "is_decoder add_cross_attention tokenizer_class output_past output_attentions "
    "output_hidden_states finetuning_task language directionality pooler_fc_size "
    "pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type "
    "net_structure_type gap_size num_memory_blocks auto_map attn_implementation "
    "_attn_implementation unsloth_version use_bfloat16 vocab_size init_std "
    "attn_logit_softcapping final_logit_softcapping quantization_config tie_encoder_decoder "
    "_attn_implementation_autoset classif_dropout summary_type summary_use_proj "
    "summary_activation summary_first_dropout summary_last_dropout summary_proj_to_labels "
    "total_flos num_steps tie_weights_ down_scale_factor layers_to_keep custom_pipelines "
    "is_llama_config transformers.js_config max_sequence_length output_past ";

static bool listed(const char *list, const char *name) {
    size_t n = strlen(name);
    if (n == 0) return false; /* "" is found everywhere */
    for (const char *at = list; at && (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return true;
    return false;
}

bool arch_knows_field(const Arch *arch, const char *name) {
    return listed(arch->fields, name) || listed(harmless, name);
}

static bool is_called(const Arch *arch, const char *type) {
    return strcmp(arch->model_type, type) == 0 || (arch->aliases && listed(arch->aliases, type));
}

const Arch *const *arch_rows(int *n) {
    *n = (int)(sizeof rows / sizeof *rows);
    return rows;
}

const Arch *arch_find(const Fields *fields) {
    const char *type = field_string(fields, "model_type", NULL);
    for (size_t i = 0; type && i < sizeof rows / sizeof *rows; i++)
        if (is_called(rows[i], type)) return rows[i];
    char known[512];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && n < sizeof known; i++)
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "",
                              rows[i]->model_type);
    if (!type)
        error_set(fields->error, ERROR_INPUT, "%s: model_type is missing, one of %s expected",
                  fields->where, known);
    else
        error_set(fields->error, ERROR_UNSUPPORTED,
                  "%s: model_type \"%.40s\" is not computed here; these are: %s", fields->where,
                  type, known);
    return NULL;
}
