/* Named places in the forward pass where a number can be read or changed. The names are
 * TransformerLens' own; `attnscope hooks` prints the table.
 *
 *     HookPoint at;
 *     if (hook_parse("decoder.2.cross_attn.hook_pattern", &at)) ...
 *
 * What happens at such a place during a pass is in run_hooks.h.
 */
#ifndef MODEL_HOOKS_H
#define MODEL_HOOKS_H

#include "model/base/tensor.h"
#include "model/config.h"

typedef enum Site {
    SITE_EMBED,
    SITE_POS_EMBED,
    SITE_RESID_PRE,
    SITE_LN1_SCALE, /* from here to SITE_NORMALIZED_RESID_MID: the cross-attention's own too */
    SITE_LN1_NORMALIZED,
    SITE_Q,
    SITE_K,
    SITE_V,
    SITE_ROT_Q,
    SITE_ROT_K,
    SITE_SCORES,
    SITE_PATTERN,
    SITE_Z,
    SITE_ATTN_OUT,  /* hook_attn_out, hook_cross_attn_out */
    SITE_RESID_MID, /* hook_resid_mid, hook_resid_mid_cross */
    SITE_NORMALIZED_RESID_MID,
    SITE_LN2_SCALE,
    SITE_LN2_NORMALIZED,
    SITE_MLP_PRE,
    SITE_MLP_LINEAR,
    SITE_MLP_POST,
    SITE_MLP_OUT,
    SITE_RESID_POST,
    SITE_NORMALIZED_RESID_POST,
    SITE_FINAL_SCALE,
    SITE_FINAL_NORMALIZED,
    SITE_LOGITS,
    SITE_RNN_H, /* recurrent systems from here */
    SITE_RNN_H_BACKWARD,
    SITE_RNN_C,
    SITE_RNN_I,
    SITE_RNN_F,
    SITE_RNN_G,
    SITE_RNN_O,
    SITE_RNN_R,
    SITE_RNN_Z,
    SITE_RNN_N,
    SITE_RNN_CONTEXT,
    SITE_COUNT
} Site;

typedef enum SiteScope {
    SCOPE_MODEL,     /* once: logits */
    SCOPE_STACK,     /* once a stack: hook_embed, ln_final.* */
    SCOPE_LAYER,     /* once a layer */
    SCOPE_ATTENTION, /* once an attention: attn.*, cross_attn.* */
} SiteScope;

typedef struct HookSite {
    const char *name;       /* within its scope: "hook_q", "ln1.hook_scale" */
    const char *cross_name; /* where the cross-attention's is not the same; NULL: same or none */
    SiteScope scope;
    const char *axes;    /* "[head, query, key]" */
    const char *meaning; /* one line */
} HookSite;
extern const HookSite hook_sites[SITE_COUNT];

typedef struct HookPoint {
    Site site;
    StackId stack;
    int layer;           /* -1: the one attention of a recurrent decoder */
    bool cross;          /* the cross-attention of the layer, or what follows it */
    int row;             /* which sequence of the batch; 0 in a trace */
    int64_t query_begin; /* position of the first query in x: not 0 with a cache or in row blocks */
    const int32_t *row_begin; // [n_rows + 1] where x holds several sequences one behind the other
    int n_rows;               /* 0: x holds one */
} HookPoint;

enum { HOOK_NAME_MAX = 96 };
/* "decoder.2.cross_attn.hook_pattern"; returns buffer. */
const char *hook_name(const HookPoint *at, char buffer[HOOK_NAME_MAX]);
/* The point of a name; false if it names no site. row and query_begin are 0. */
bool hook_parse(const char *name, HookPoint *out);

/* Prefix of a stack: "encoder.", "decoder.", "blocks.". */
const char *stack_prefix(StackId stack);

#endif
