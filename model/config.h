/* What kind of model this is: sizes and a dozen orthogonal choices. A checkpoint's architecture
 * (model/arch) fills it in; each enum is switched on in exactly one file. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

typedef enum Family {
    FAMILY_ENCODER_DECODER, /* stacks "encoder." and "decoder." */
    FAMILY_ENCODER,         /* one stack "blocks.", every token sees every token */
    FAMILY_DECODER,         /* one stack "blocks.", causal */
    FAMILY_RECURRENT,       /* encoder-decoder of RNN, LSTM or GRU cells */
} Family;

typedef enum StackId { STACK_ENCODER, STACK_DECODER, STACK_BLOCKS, STACK_COUNT } StackId;

typedef enum NormKind {
    NORM_LAYER,    /* Ba et al. 2016 */
    NORM_RMS,      /* Zhang and Sennrich 2019 */
    NORM_RMS_PLUS, /* RMS with (1 + weight), Gemma */
} NormKind;

typedef enum NormPlace {
    NORM_POST, /* norm(x + f(x)), Vaswani et al. 2017 */
    NORM_PRE,  /* x + f(norm(x)) */
} NormPlace;

typedef enum Position {
    POSITION_NONE,
    POSITION_TABLE, /* a row per position added to the embedding: learned, or a sinusoid (below) */
    POSITION_ROTARY_HALVES,      /* Su et al. 2021; dimension i turns with i + d/2 (Llama, NeoX) */
    POSITION_ROTARY_INTERLEAVED, /* 2i with 2i + 1 (GPT-J) */
    POSITION_ALIBI,              /* Press et al. 2022 */
    POSITION_T5_BUCKETS,         /* Raffel et al. 2020 */
    POSITION_RELATIVE_KEY,       /* Shaw et al. 2018 */
    POSITION_RELATIVE_KEY_QUERY, /* Huang et al. 2020 */
} Position;

typedef enum Sinusoid {
    SINUSOID_NONE,        /* the table is learned */
    SINUSOID_INTERLEAVED, /* sine at 2i, cosine at 2i + 1: Vaswani et al. 2017, section 3.5 */
    SINUSOID_HALVES,      /* sines, then cosines: Marian */
    SINUSOID_FAIRSEQ, /* the same with angles that fall to exactly 1/10000; the pad's row is 0 */
} Sinusoid;

typedef enum Activation {
    ACTIVATION_RELU,
    ACTIVATION_GELU,       /* x Phi(x), Phi by erf */
    ACTIVATION_GELU_TANH,  /* Hendrycks and Gimpel's tanh approximation: gelu_new, gelu_pytorch_tanh
                            */
    ACTIVATION_GELU_QUICK, /* x sigmoid(1.702 x) */
    ACTIVATION_SILU,       /* swish */
    ACTIVATION_TANH,
    ACTIVATION_SIGMOID,
} Activation;

/* How rotary angles are stretched for texts longer than those of the training. */
typedef enum RopeScaling {
    ROPE_PLAIN,
    ROPE_LINEAR,  /* positions / factor (Chen et al. 2023) */
    ROPE_DYNAMIC, /* a larger base behind `original` positions (NTK-aware) */
    ROPE_LLAMA3,  /* slow angles / factor, fast ones as they are, between them a mixture */
} RopeScaling;

/* What the output head says. */
typedef enum HeadKind {
    HEAD_NONE,
    HEAD_LANGUAGE, /* the next token */
    HEAD_MASKED,   /* the token itself: masked language models */
    HEAD_SEQUENCE, /* a class of the whole input */
    HEAD_TOKENS,   /* a class of each token */
    HEAD_SPAN,     /* begin and end of an answer in the text */
    HEAD_REPLACED, /* was this token put in place of another? (ELECTRA) */
} HeadKind;

typedef enum HeadPick {
    PICK_ALL,       /* every position */
    PICK_FIRST,     /* the first: [CLS] */
    PICK_LAST,      /* the last that is no padding */
    PICK_LAST_END,  /* where the encoder's text has its last end of sentence (BART, T5) */
    PICK_FIRST_TWO, /* the mean of two heads on the first two (DeiT with a teacher) */
} HeadPick;

typedef struct HeadConfig {
    HeadKind kind;
    HeadPick pick;
    Activation activation; /* of the transform before the output, if there is one */
    float norm_epsilon;    /* of the norm behind it */
} HeadConfig;

/* What the first stack reads in place of tokens. */
typedef enum FrontKind {
    FRONT_TOKENS,
    FRONT_PATCHES, /* a picture cut into squares (Dosovitskiy et al. 2021) */
    FRONT_SOUND,   /* a log-mel spectrogram under two convolutions (Radford et al. 2023) */
} FrontKind;

typedef struct FrontConfig {
    FrontKind kind;
    int image_size, patch_size, n_channels;
    int n_leading; /* class and distillation token before the patches */
    int n_mels;
} FrontConfig;

/* One stack of layers. */
typedef struct StackConfig {
    int n_layers; /* 0: the model has no such stack */
    int n_heads, n_kv_heads, d_head;
    int d_ff;
    int n_positions; /* rows of the position table; 0: no limit */
    Position position;
    Sinusoid sinusoid;
    int position_offset;   /* row of position 0 in the table: 2 in BART and OPT */
    int pad_positions_id;  /* RoBERTa counts positions only over ids that are not this; -1: all */
    bool masked_positions; /* counted only over tokens that the mask keeps (OPT, BLOOM) */
    float embed_scale;     /* the token embedding is multiplied by this */
    NormKind norm;
    NormPlace norm_place;
    float norm_epsilon;
    bool embed_norm;   /* a norm behind the embedding */
    bool project_last; /* embeddings are summed and normed before they are projected to d_model */
    bool final_norm;   /* a norm behind the last layer */
    Activation activation;
    bool gated;    /* activation(gate) * up, as GLU, SwiGLU, GeGLU */
    bool parallel; /* attention and feed-forward read the same residual: GPT-J, NeoX, Phi */
    bool causal;
    int window;               /* sliding window, counted with the query itself; 0: none */
    uint64_t full_layers[16]; /* bit l: layer l sees beyond the window (GPT-Neo's "global") */
    bool has_cross;           /* cross-attention in every layer */
    bool residual_is_normed;  /* BLOOM: what is added to is the output of the norm */
    float attention_scale;    /* scores = scale * q.k; 1 in T5 and GPT-Neo, else d_head^-1/2 */
    bool scale_by_layer; /* GPT-2's scale_attn_by_inverse_layer_idx: also divided by layer + 1 */
    float rope_base;
    int rope_dims; /* leading dimensions of a head that turn */
    RopeScaling rope_scaling;
    float rope_factor, rope_low, rope_high; /* low, high: llama3 */
    int rope_original;                      /* positions of the training */
    int t5_buckets, t5_max_distance;
    bool t5_bidirectional;
    int relative_positions; /* rows of the distance table are 2 * this - 1 */
} StackConfig;

/* Keys that a query of this layer sees, itself included; 0: no window. */
static inline int stack_window(const StackConfig *c, int layer) {
    return c->full_layers[layer / 64] >> layer % 64 & 1 ? 0 : c->window;
}

typedef enum RnnCellKind { CELL_RNN, CELL_LSTM, CELL_GRU } RnnCellKind;

/* Recurrent encoder-decoders: rnn.h. */
typedef struct RnnConfig {
    RnnCellKind cell;
    Activation activation; /* of the state: tanh, or relu in plain cells */
    bool bidirectional;
    enum { RNN_BAHDANAU, RNN_LUONG } attention;
    int d_encoder, d_decoder, d_attention;
} RnnConfig;

/* How a continuation ends and what it may not say, from generation_config.json as Hugging Face
 * transformers reads it (config.json where that is silent). */
typedef struct GenerationConfig {
    int32_t start_id; /* first token the decoder reads; -1: none */
    int32_t pad_id;   /* -1: none */
    int n_eos;
    int32_t eos_ids[64];
    int32_t forced_bos_id, forced_eos_id; /* -1: none */
    int max_length;                       /* prompt included; 0: no limit of its own */
    int max_new_tokens;                   /* goes before max_length; 0: not given */
    int min_length;
    int min_new_tokens; /* goes before min_length; -1: not given */
    int n_beams;
    float length_penalty;
    bool early_stopping; /* end as soon as there are n_beams hypotheses */
    bool never_early;    /* end only when none can get better any more */
    int n_bad_words;
    const int32_t *const *bad_words; /* [n_bad_words], each ended by -1 */
    int n_suppressed, n_begin_suppressed;
    const int32_t *suppressed, *begin_suppressed;
    int n_forced; /* ids behind the start token, -1: left open (begin.h) */
    const int32_t *forced;
    int n_language_ids; /* of lang_to_id */
    const int32_t *language_ids;
    int32_t no_timestamps_id; /* -1: none */
    int no_repeat_ngram;
    float repetition_penalty; /* 1: none */
    bool samples;             /* would draw by lot: here the likeliest is written */
    bool renormalize; /* what may not be said gives its probability to the rest, beam by beam */
    const char *not_computed; /* a field that would change the search and is not known here; NULL */
} GenerationConfig;

typedef struct ModelConfig {
    char model_type[40]; /* as config.json says it */
    Family family;
    int d_model;
    int d_embed;                /* of the token embedding, where it is projected to d_model */
    int n_groups, group_layers; /* ALBERT: sets of weights, layers in each */
    int n_vocab;                /* of the output */
    int n_source_vocab;         /* of the encoder's embedding */
    StackConfig stack[STACK_COUNT];
    float logit_scale; /* T5 with tied output: d_model^-1/2; else 1 */
    HeadConfig head;
    bool tied_output; /* the output matrix is the token embedding */
    FrontConfig front;
    RnnConfig rnn;
    GenerationConfig generation;
    float dropout; /* of training: on embeddings and on what each sublayer adds */
} ModelConfig;

#endif
