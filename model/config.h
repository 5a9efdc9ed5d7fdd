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

/* One stack of layers. */
typedef struct StackConfig {
    int n_layers; /* 0: the model has no such stack */
    int n_heads, n_kv_heads, d_head;
    int d_ff;
    int n_positions; /* rows of the position table; 0: no limit */
    Position position;
    Sinusoid sinusoid;
    int position_offset;  /* row of position 0 in the table: 2 in BART and OPT */
    int pad_positions_id; /* RoBERTa counts positions only over ids that are not this; -1: all */
    float embed_scale;    /* the token embedding is multiplied by this */
    NormKind norm;
    NormPlace norm_place;
    float norm_epsilon;
    bool embed_norm; /* a norm behind the embedding */
    bool final_norm; /* a norm behind the last layer */
    Activation activation;
    bool gated;    /* activation(gate) * up, as GLU, SwiGLU, GeGLU */
    bool parallel; /* attention and feed-forward read the same residual: GPT-J, NeoX, Phi */
    bool causal;
    int window;         /* sliding window, counted with the query itself; 0: none */
    bool window_on_odd; /* only odd layers slide (GPT-Neo's "local") */
    bool has_cross;     /* cross-attention in every layer */
    bool share_layers;  /* ALBERT: layers of a group use one set of weights (the loader points) */
    float attention_scale; /* scores = scale * q.k; 1 in T5 and GPT-Neo, else d_head^-1/2 */
    bool scale_by_layer;   /* GPT-2's scale_attn_by_inverse_layer_idx: also divided by layer + 1 */
    float rope_base;
    int rope_dims; /* leading dimensions of a head that turn */
    int t5_buckets, t5_max_distance;
    bool t5_bidirectional;
    int relative_positions; /* rows of the distance table are 2 * this - 1 */
} StackConfig;

/* How a continuation ends and what it may not say, from generation_config.json as Hugging Face
 * transformers reads it (config.json where that is silent). */
typedef struct GenerationConfig {
    int32_t start_id; /* first token the decoder reads; -1: none */
    int32_t pad_id;   /* -1: none */
    int n_eos;
    int32_t eos_ids[8];
    int32_t forced_bos_id, forced_eos_id; /* -1: none */
    int max_length;                       /* prompt included; 0: no limit of its own */
    int max_new_tokens;                   /* goes before max_length; 0: not given */
    int min_length, min_new_tokens;
    int n_beams;
    float length_penalty;
    bool early_stopping; /* end as soon as there are n_beams hypotheses */
    bool never_early;    /* end only when none can get better any more */
    int n_bad_words;
    const int32_t *const *bad_words; /* [n_bad_words], each ended by -1 */
    int n_suppressed, n_begin_suppressed;
    const int32_t *suppressed, *begin_suppressed;
    int no_repeat_ngram;
    float repetition_penalty; /* 1: none */
    const char *not_computed; /* a field that would change the search and is not known here; NULL */
} GenerationConfig;

typedef struct ModelConfig {
    char model_type[40]; /* as config.json says it */
    Family family;
    int d_model;
    int n_vocab;        /* of the output */
    int n_source_vocab; /* of the encoder's embedding */
    StackConfig stack[STACK_COUNT];
    float logit_scale; /* T5 with tied output: d_model^-1/2; else 1 */
    GenerationConfig generation;
    float dropout; /* of training: on embeddings and on what each sublayer adds */
} ModelConfig;

#endif
