/* Layers of families that differ only in what the file calls their parts.
 *
 *     static const LayerNames names = {
 *         .layers = "encoder.layer", .attn = {.q = "attention.self.query", ...}, .up = ...};
 *     layers_bind(loader, model, STACK_BLOCKS, "bert.", &names);
 *
 * reads "bert.encoder.layer.0.attention.self.query.weight" [d_model, d_model] and so on, in the
 * shapes that the stack's config asks for. NULL names are parts that the family does not have.
 */
#ifndef MODEL_ARCH_LAYERS_H
#define MODEL_ARCH_LAYERS_H

#include "model/arch.h"

typedef enum BiasRule { BIAS_YES, BIAS_NO, BIAS_IF_THERE } BiasRule;

typedef enum Fused {
    FUSED_ROWS,  /* all rows of q, then of k, then of v */
    FUSED_HEADS, /* q, k and v of head 0, of head 1 ... */
} Fused;

typedef struct AttentionNames {
    const char *q, *k, *v, *o;
    const char *qkv; /* one matrix for the three; NULL: apart */
    Fused fused;
    BiasRule bias;   /* of q and v */
    BiasRule k_bias; /* of k */
    BiasRule o_bias; /* of the output */
} AttentionNames;

typedef struct LayerNames {
    const char *layers; /* the list: what the layer's number follows */
    AttentionNames attn, cross;
    const char *ln1, *ln_cross, *ln2;
    const char *up, *gate, *down;
    BiasRule mlp_bias;
    bool transposed; /* matrices are kept [inputs, outputs] */
} LayerNames;

/* Allocates and fills stack[id].layers. */
void layers_bind(Loader *loader, Model *model, StackId id, const char *root,
                 const LayerNames *names);
/* One layer, whose names begin with prefix. */
void layers_bind_one(Loader *loader, const Model *model, StackId id, const char *prefix,
                     const LayerNames *names, Layer *out);
/* A norm as the stack's kind wants it: with or without a shift. */
Norm layers_norm(Loader *loader, const Model *model, StackId id, const char *name);
/* The first of "a", "b", ... (ended by NULL) for which root + probe is in the file; the last if
 * none is. */
const char *layers_root(const Loader *loader, const char *probe, const char *const *roots);

/* ---- config of the usual kinds ---- */

/* What nearly all stacks share; position, norms and the rest are the family's. */
typedef struct StackSizes {
    int n_layers, n_heads, n_kv_heads, d_head, d_ff;
} StackSizes;
void layers_stack(StackConfig *c, const StackSizes *sizes);
/* Leading dimensions of a head that turn: a share of them, under this name or (transformers 5) as
 * partial_rotary_factor in rope_parameters. */
int layers_rope_dims(const Fields *f, const char *name, double fallback, int d_head);
/* rope_theta, rope_scaling (or rope_parameters) into a stack whose rope_dims is set. */
void layers_rope(const Fields *f, StackConfig *c, const char *base_name);
/* The frequencies of that stack, into the model. */
void layers_bind_rope(Loader *loader, Model *model, StackId id);

#endif
