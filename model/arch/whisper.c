/* Whisper: Radford et al. 2023. Two convolutions over a log-mel spectrogram, then a pre-norm
 * encoder-decoder; keys have no bias. */
#include "model/arch/seq2seq.h"

static bool configure(const Fields *f, ModelConfig *out) {
    seq2seq_configure(f, out);
    out->head.kind = HEAD_LANGUAGE;
    for (StackId id = STACK_ENCODER; id <= STACK_DECODER; id++) {
        StackConfig *c = &out->stack[id];
        c->norm_place = NORM_PRE;
        c->final_norm = true;
        c->position_offset = 0;
        c->embed_scale = 1; /* scale_embedding is never applied, neither here nor there */
    }
    out->stack[STACK_ENCODER].n_positions =
        field_int(f, "max_source_positions", 1500, 1, MOST_POSITIONS);
    out->stack[STACK_DECODER].n_positions =
        field_int(f, "max_target_positions", 448, 1, MOST_POSITIONS);
    out->n_source_vocab = 0;
    out->front =
        (FrontConfig){.kind = FRONT_SOUND, .n_mels = field_int(f, "num_mel_bins", 80, 1, 1024)};
    return error_ok(f->error);
}

static void bind(Loader *l, Model *m) {
    const char *root = seq2seq_root(l);
    LayerNames names = seq2seq_layer_names;
    int d = m->config.d_model, n_mels = m->config.front.n_mels;
    Stack *decoder = &m->stack[STACK_DECODER];
    names.attn.k_bias = names.cross.k_bias = BIAS_NO;
    m->front.conv[0] = load_convolution(l, d, n_mels * 3, true, "%sencoder.conv1", root);
    m->front.conv[1] = load_convolution(l, d, d * 3, true, "%sencoder.conv2", root);
    decoder->embed = load_matrix(l, m->config.n_vocab, d, "%sdecoder.embed_tokens.weight", root);
    m->output.weight = decoder->embed;
    if (!m->config.tied_output && load_has(l, "proj_out.weight"))
        m->output.weight = load_matrix(l, m->config.n_vocab, d, "proj_out.weight");
    load_ignore(l, "proj_out.weight");
    for (StackId id = STACK_ENCODER; id <= STACK_DECODER; id++) {
        seq2seq_bind_positions(l, m, id, root);
        seq2seq_bind_stack(l, m, id, root, &names);
    }
}

const Arch arch_whisper = {
    "whisper",
    "Whisper",
    NULL,
    SEQ2SEQ_FIELDS "max_source_positions max_target_positions num_mel_bins apply_spec_augment "
                   "classifier_proj_size mask_feature_length mask_feature_min_masks "
                   "mask_feature_prob mask_time_length mask_time_min_masks mask_time_prob "
                   "median_filter_width use_weighted_layer_sum begin_suppress_tokens "
                   "suppress_tokens forced_decoder_ids max_length",
    configure,
    bind};
