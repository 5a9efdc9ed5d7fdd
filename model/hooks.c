/* The table of sites, and names written and read. */
#include "model/hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const HookSite hook_sites[SITE_COUNT] = {
    [SITE_EMBED] = {"hook_embed", NULL, SCOPE_STACK, "[pos, d_model]",
                    "token embedding, scaled if the model scales it"},
    [SITE_POS_EMBED] = {"hook_pos_embed", NULL, SCOPE_STACK, "[pos, d_model]",
                        "what is added for the position"},
    [SITE_RESID_PRE] = {"hook_resid_pre", NULL, SCOPE_LAYER, "[pos, d_model]",
                        "residual stream that enters the block"},
    [SITE_LN1_SCALE] = {"ln1.hook_scale", "ln_cross.hook_scale", SCOPE_LAYER, "[pos, 1]",
                        "what the norm of the attention divides by"},
    [SITE_LN1_NORMALIZED] = {"ln1.hook_normalized", "ln_cross.hook_normalized", SCOPE_LAYER,
                             "[pos, d_model]", "output of that norm"},
    [SITE_Q] = {"hook_q", NULL, SCOPE_ATTENTION, "[pos, head, d_head]", "queries"},
    [SITE_K] = {"hook_k", NULL, SCOPE_ATTENTION, "[pos, kv_head, d_head]", "keys"},
    [SITE_V] = {"hook_v", NULL, SCOPE_ATTENTION, "[pos, kv_head, d_head]", "values"},
    [SITE_ROT_Q] = {"hook_rot_q", NULL, SCOPE_ATTENTION, "[pos, head, d_head]",
                    "queries after rotation (rotary models)"},
    [SITE_ROT_K] = {"hook_rot_k", NULL, SCOPE_ATTENTION, "[pos, kv_head, d_head]",
                    "keys after rotation (rotary models)"},
    [SITE_SCORES] = {"hook_attn_scores", NULL, SCOPE_ATTENTION, "[head, query, key]",
                     "scaled q.k plus bias, masked cells minus infinity"},
    [SITE_PATTERN] = {"hook_pattern", NULL, SCOPE_ATTENTION, "[head, query, key]",
                      "attention weights: softmax of the scores over the keys"},
    [SITE_Z] = {"hook_z", NULL, SCOPE_ATTENTION, "[pos, head, d_head]",
                "values mixed by the weights, before W_O"},
    [SITE_ATTN_OUT] = {"hook_attn_out", "hook_cross_attn_out", SCOPE_LAYER, "[pos, d_model]",
                       "what the attention adds to the residual stream"},
    [SITE_RESID_MID] = {"hook_resid_mid", "hook_resid_mid_cross", SCOPE_LAYER, "[pos, d_model]",
                        "residual stream behind the attention"},
    [SITE_NORMALIZED_RESID_MID] = {"hook_normalized_resid_mid", "hook_normalized_resid_mid_cross",
                                   SCOPE_LAYER, "[pos, d_model]",
                                   "the same behind its norm (post-norm models)"},
    [SITE_LN2_SCALE] = {"ln2.hook_scale", NULL, SCOPE_LAYER, "[pos, 1]",
                        "what the norm of the feed-forward part divides by"},
    [SITE_LN2_NORMALIZED] = {"ln2.hook_normalized", NULL, SCOPE_LAYER, "[pos, d_model]",
                             "output of that norm"},
    [SITE_MLP_PRE] = {"mlp.hook_pre", NULL, SCOPE_LAYER, "[pos, d_ff]",
                      "feed-forward part before its activation (gated: the gate)"},
    [SITE_MLP_LINEAR] = {"mlp.hook_pre_linear", NULL, SCOPE_LAYER, "[pos, d_ff]",
                         "what the gate multiplies (gated feed-forward parts)"},
    [SITE_MLP_POST] = {"mlp.hook_post", NULL, SCOPE_LAYER, "[pos, d_ff]", "after the activation"},
    [SITE_MLP_OUT] = {"hook_mlp_out", NULL, SCOPE_LAYER, "[pos, d_model]",
                      "what the feed-forward part adds to the residual stream"},
    [SITE_RESID_POST] = {"hook_resid_post", NULL, SCOPE_LAYER, "[pos, d_model]",
                         "residual stream that leaves the block (post-norm: before the norm)"},
    [SITE_NORMALIZED_RESID_POST] = {"hook_normalized_resid_post", NULL, SCOPE_LAYER,
                                    "[pos, d_model]",
                                    "the same behind its norm (post-norm models)"},
    [SITE_FINAL_SCALE] = {"ln_final.hook_scale", NULL, SCOPE_STACK, "[pos, 1]",
                          "what the norm behind the last layer divides by"},
    [SITE_FINAL_NORMALIZED] = {"ln_final.hook_normalized", NULL, SCOPE_STACK, "[pos, d_model]",
                               "output of the norm behind the last layer"},
    [SITE_LOGITS] = {"logits", NULL, SCOPE_MODEL, "[pos, vocab]", "what the output head says"},
    [SITE_RNN_H] = {"hook_h", NULL, SCOPE_LAYER, "[pos, d]", "recurrent state"},
    [SITE_RNN_H_BACKWARD] = {"hook_h_backward", NULL, SCOPE_LAYER, "[pos, d]",
                             "recurrent state of the reading from right to left"},
    [SITE_RNN_C] = {"hook_c", NULL, SCOPE_LAYER, "[pos, d]", "cell of an LSTM"},
    [SITE_RNN_I] = {"hook_i", NULL, SCOPE_LAYER, "[pos, d]", "input gate (LSTM)"},
    [SITE_RNN_F] = {"hook_f", NULL, SCOPE_LAYER, "[pos, d]", "forget gate (LSTM)"},
    [SITE_RNN_G] = {"hook_g", NULL, SCOPE_LAYER, "[pos, d]", "candidate (LSTM)"},
    [SITE_RNN_O] = {"hook_o", NULL, SCOPE_LAYER, "[pos, d]", "output gate (LSTM)"},
    [SITE_RNN_R] = {"hook_r", NULL, SCOPE_LAYER, "[pos, d]", "reset gate (GRU)"},
    [SITE_RNN_Z] = {"hook_z_gate", NULL, SCOPE_LAYER, "[pos, d]", "update gate (GRU)"},
    [SITE_RNN_N] = {"hook_n", NULL, SCOPE_LAYER, "[pos, d]", "candidate (GRU)"},
    [SITE_RNN_CONTEXT] = {"hook_context", NULL, SCOPE_STACK, "[pos, d]",
                          "values mixed by the attention of a recurrent decoder"},
};

static const char *const prefixes[STACK_COUNT] = {
    [STACK_ENCODER] = "encoder.", [STACK_DECODER] = "decoder.", [STACK_BLOCKS] = "blocks."};

const char *stack_prefix(StackId stack) {
    return prefixes[stack];
}

const char *hook_name(const HookPoint *at, char buffer[HOOK_NAME_MAX]) {
    const HookSite *site = &hook_sites[at->site];
    const char *name = at->cross && site->cross_name ? site->cross_name : site->name;
    const char *stack = at->stack == STACK_BLOCKS ? "" : prefixes[at->stack];
    switch (site->scope) {
    case SCOPE_MODEL:
        snprintf(buffer, HOOK_NAME_MAX, "%s", name);
        break;
    case SCOPE_STACK:
        snprintf(buffer, HOOK_NAME_MAX, "%s%s", stack, name);
        break;
    case SCOPE_LAYER:
        snprintf(buffer, HOOK_NAME_MAX, "%s%d.%s", prefixes[at->stack], at->layer, name);
        break;
    case SCOPE_ATTENTION:
        if (at->layer < 0) {
            snprintf(buffer, HOOK_NAME_MAX, "%sattn.%s", prefixes[at->stack], name);
            break;
        }
        snprintf(buffer, HOOK_NAME_MAX, "%s%d.%s.%s", prefixes[at->stack], at->layer,
                 at->cross ? "cross_attn" : "attn", name);
        break;
    }
    return buffer;
}

/* Strips a prefix; NULL if it is not there. */
static const char *after(const char *s, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static bool match_site(const char *name, SiteScope scope, HookPoint *out) {
    for (int s = 0; s < SITE_COUNT; s++) {
        if (hook_sites[s].scope != scope) continue;
        bool cross = hook_sites[s].cross_name && strcmp(name, hook_sites[s].cross_name) == 0;
        if (!cross && strcmp(name, hook_sites[s].name) != 0) continue;
        out->site = (Site)s;
        if (scope == SCOPE_LAYER) out->cross = cross;
        return true;
    }
    return false;
}

bool hook_parse(const char *name, HookPoint *out) {
    *out = (HookPoint){.stack = STACK_BLOCKS};
    if (match_site(name, SCOPE_MODEL, out)) return true;
    const char *rest = name;
    for (int s = 0; s < STACK_COUNT; s++) {
        const char *r = after(name, prefixes[s]);
        if (!r) continue;
        out->stack = (StackId)s;
        rest = r;
    }
    char *end = (char *)(uintptr_t)rest;
    long layer = *rest >= '0' && *rest <= '9' ? strtol(rest, &end, 10) : -1; /* no blank, no sign */
    if (end == rest && out->stack == STACK_DECODER && after(rest, "attn.")) {
        out->layer = -1;
        out->cross = true;
        return match_site(after(rest, "attn."), SCOPE_ATTENTION, out);
    }
    if (end == rest) /* one-stack models write stack sites without a prefix */
        return (rest == name || out->stack != STACK_BLOCKS) && match_site(rest, SCOPE_STACK, out);
    if (rest == name || *end != '.' || layer < 0 || layer > 9999) return false;
    out->layer = (int)layer;
    rest = end + 1;
    if (match_site(rest, SCOPE_LAYER, out)) return true;
    const char *self = after(rest, "attn."), *cross = after(rest, "cross_attn.");
    out->cross = cross != NULL;
    return (self || cross) && match_site(self ? self : cross, SCOPE_ATTENTION, out);
}
