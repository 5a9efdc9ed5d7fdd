/* A model: its config and where its weights lie. Read-only during a run, so threads share it.
 *
 *     Model *model = model_open("models/en-fr-fi", &error);
 *     ... forward_*(run, model, ...)
 *     model_free(model);
 *
 * Biases, norms and small tables are f32; matrices stay as the file keeps them (Weight).
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/base/tensor.h"
#include "model/checkpoint.h"
#include "model/config.h"

typedef struct Linear { /* y = x W^T + b */
    Weight weight;
    const float *bias; // [rows], NULL: none
} Linear;

typedef struct Norm {
    const float *scale, *shift; // [d_model]; shift NULL: none
} Norm;

typedef struct AttentionWeights {
    Linear q, k, v, o;
    const float *position_bias;  // T5: [bucket, head]
    const float *distance_table; // relative_key: [2 * relative_positions - 1, d_head]
} AttentionWeights;

typedef struct Layer {
    Norm ln1; /* around self-attention */
    AttentionWeights attn;
    Norm ln_cross; /* around cross-attention */
    AttentionWeights cross;
    Norm ln2;              /* around the feed-forward part */
    Linear up, gate, down; /* gate.weight.data NULL: not gated */
} Layer;

typedef struct Stack {
    Weight embed;         // [vocab, d_embed]
    Linear embed_project; /* d_embed to d_model (ALBERT, ELECTRA, OPT); weight NULL: none */
    Weight positions;     // [position, d_model], NULL: none
    Weight types;         // [type, d_model], NULL: none
    const float *rope_frequencies; // [rope_dims / 2] radians a position; NULL: no rotation
    Norm embed_norm, final_norm;
    Linear final_project; /* d_model to d_embed before the output (OPT); weight NULL: none */
    Layer *layers;        // [n_layers]
} Stack;

/* Between the last hidden state and the output. */
typedef struct Head {
    Linear transform; /* weight NULL: none */
    Norm norm;        /* scale NULL: none */
    Linear second;    /* of the second token (PICK_FIRST_TWO) */
} Head;

/* Before the first stack, where pictures or sound come in. */
typedef struct Front {
    Linear patch;         // [d_model, channel * patch * patch]
    const float *leading; // [n_leading, d_model]
    Linear conv[2];       // [d_model, mel * 3], [d_model, d_model * 3]
} Front;

typedef struct Model {
    ModelConfig config;
    Stack stack[STACK_COUNT];
    Front front;
    Head head;
    Linear output; /* hidden to logits; weight NULL: the model has no head */
    char path[1024];
    int64_t n_parameters;
    Arena *arena;           /* owns what was converted or built */
    Checkpoint *checkpoint; /* owns the rest */
    void *extra;            /* a family's own weights (recurrent cells, patch embedding) */
    const char *note;       /* one line for the user (tensors that nothing reads); NULL: none */
} Model;

Model *model_open(const char *path, Error *error); /* NULL on failure */
Model *model_open_with(const char *path, const CheckpointOptions *options, Error *error);
/* A model without a checkpoint, for training: config.json of the folder; weights in one array that
 * made->data points to (allocated here, not set; free() it and made->items after the model). */
struct Parameters;
Model *model_make(const char *folder, struct Parameters *made, Error *error);
void model_free(Model *model); /* NULL is fine */
/* Of the names, shapes and bytes of all tensors: 16 hexadecimal digits. Reads every weight. */
const char *model_hash(const Model *model, char buffer[17]);

/* The stack whose tokens are the text's: encoder, or the only one. */
StackId model_first_stack(const Model *model);
bool model_has_stack(const Model *model, StackId stack);
/* An encoder-decoder that classifies: its decoder reads what the encoder reads. */
bool model_reads_source_twice(const Model *model);

#endif
