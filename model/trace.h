/* What one pass left behind: the tokens and the captured activations by hook name.
 *
 *     Input input = {.source = source, .target = target};
 *     Trace *trace = trace_run(model, &input, &(TraceOptions){.edits = &edits}, &error);
 *     const Tensor *z = trace_find(trace, "blocks.3.attn.hook_z");         borrowed, NULL if absent
 *     Pattern p;
 *     if (trace_pattern(trace, STACK_DECODER, 2, true, &p)) ...            see pattern.h
 *     trace_save(trace, "x.safetensors", &error);
 *     trace_release(trace);
 *
 * What a model looked at or heard is there too: pixel_values [channel, y, x], input_features
 * [mel, frame], as they were given to it.
 *
 * Immutable once handed over; trace_retain() and trace_release() count its owners. The file is
 * safetensors, so that a dump from Python is read by trace_open too.
 */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include <stdatomic.h>

#include "model/edit.h"
#include "model/hooks.h"
#include "model/model.h"
#include "model/tokenizer.h"

/* What a pass reads. Everything is borrowed for the call. */
typedef struct Input {
    Tokens source;              /* encoder side, or the tokens of the only stack */
    Tokens target;              /* what the decoder reads, from the start token on; n 0: none */
    const int32_t *next;        // [target.n] what each decoder step writes; NULL: not known
    const Token *next_tokens;   // [target.n] the same with labels; NULL: not known
    const uint8_t *source_keep; // [source.n] attention_mask; NULL: all
    const uint8_t *target_keep; // [target.n]
    const int32_t *positions;   // [source.n] position_ids; NULL: counted
    const int32_t *types;       // [source.n] token_type_ids; NULL: 0
    Tensor features;            /* [channel, y, x] or [mel, frame] in place of source; data NULL */
    const int32_t *begin;       // [n_begin] decoder ids that a continuation begins with; NULL: the
    int n_begin;                /* model's start token */
} Input;

typedef struct Progress {                       /* each may be NULL */
    void (*report)(void *context, double done); /* 0..1, from the running thread */
    void *context;
    const atomic_bool *cancel;                       /* looked at once a layer */
    void (*expect)(void *context, const char *what); /* before a run of some seconds and more: its
                                                        time and memory, in words; NULL is fine */
} Progress;

typedef struct TraceOptions {
    const char *const *sites; /* globs of hook names, ended by NULL; NULL: patterns,
                                 hook_resid_pre, final norms, logits */
    const Edits *edits;       /* checked; NULL: none */
    bool searched;    /* the target is what a search wrote under these edits: one of a step that it
                         never came to changes nothing, as it changed nothing there */
    const char *grad; /* "loss" or "logit:TOKEN@POS": adds grad.SITE for every kept site */
    bool lazy_patterns; /* keep q, k and log-sum-exp in place of [head, query, key] where nothing
                           edits a pattern; also done when patterns would pass 1 GB */
    Progress progress;
} TraceOptions;

typedef struct Trace Trace;

Trace *trace_run(const Model *model, const Input *input, const TraceOptions *options, Error *error);
/* A trace file; also any safetensors file whose tensors have hook names. */
Trace *trace_open(const char *path, Error *error);
bool trace_save(const Trace *trace, const char *path, Error *error);
/* For importers of attentions computed elsewhere: takes an arena that owns tokens and tensors. */
Trace *trace_new(Arena *arena, Tokens source, Tokens target, const int32_t *next);
void trace_put(Trace *trace, const char *name, Tensor x); /* before it is handed over */
/* The labels of `next` [target.n], in that arena too. */
void trace_put_next(Trace *trace, const Token *next_tokens);
Trace *trace_retain(Trace *trace);
void trace_release(Trace *trace); /* NULL is fine */

const Tensor *trace_find(const Trace *trace, const char *name);
int trace_n_tensors(const Trace *trace);
const char *trace_tensor_name(const Trace *trace, int index); /* in name order */
const Tensor *trace_tensor(const Trace *trace, int index);

Tokens trace_source(const Trace *trace);            /* encoder side, or the only stack's */
Tokens trace_target(const Trace *trace);            /* n 0: none */
const int32_t *trace_next(const Trace *trace);      // [target.n] or NULL
const Token *trace_next_tokens(const Trace *trace); // [target.n] with labels, or NULL
const char *trace_model_name(const Trace *trace);
/* Two stacks (cross-attention is there) or one. */
bool trace_has(const Trace *trace, StackId stack, bool cross);
/* Layers and heads of one kind of attention; 0 if there is none. */
int trace_n_layers(const Trace *trace, StackId stack, bool cross);
int trace_n_heads(const Trace *trace, StackId stack, bool cross);

#endif
