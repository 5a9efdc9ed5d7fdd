/* The model's own structure, from its config: what it has, in its order, with sizes and the name of
 * the hook at each box. */
#include "render/blocks.h"

#include <math.h>
#include <stdlib.h>

#include "app/views/common.h"

enum { MOST_BOXES = 64, MOST_ARROWS = 64 };

typedef struct Plan {
    const Model *model;
    Arena *arena;
    Blocks blocks;
    BlocksBox boxes[MOST_BOXES];
    BlocksArrow arrows[MOST_ARROWS];
    BlocksStack stacks[2];
    int stack;            /* being built, in the picture */
    const char *prefix;   /* "encoder.", "blocks." */
    int last;             /* the box that the next one stands on; -1: none */
    int attention_source; /* top of the encoder, for cross-attention; -1: none */
} Plan;

static const char *activation_name(Activation a) {
    switch (a) {
    case ACTIVATION_RELU:
        return "ReLU";
    case ACTIVATION_GELU:
        return "GELU";
    case ACTIVATION_GELU_TANH:
        return "GELU (tanh)";
    case ACTIVATION_GELU_QUICK:
        return "quick GELU";
    case ACTIVATION_SILU:
        return "SiLU";
    case ACTIVATION_TANH:
        return "tanh";
    case ACTIVATION_SIGMOID:
        return "sigmoid";
    }
    return "";
}

static const char *position_name(const StackConfig *c) {
    switch (c->position) {
    case POSITION_NONE:
        return "no positions";
    case POSITION_TABLE:
        return c->sinusoid == SINUSOID_NONE ? "+ learned positions" : "+ sinusoidal positions";
    case POSITION_ROTARY_HALVES:
    case POSITION_ROTARY_INTERLEAVED:
        return "rotary positions, in the attention";
    case POSITION_ALIBI:
        return "ALiBi, in the attention";
    case POSITION_T5_BUCKETS:
        return "relative position bias, in the attention";
    case POSITION_RELATIVE_KEY:
    case POSITION_RELATIVE_KEY_QUERY:
        return "relative positions, in the attention";
    }
    return "";
}

static int add_box(Plan *p, BlocksBox box) {
    if (p->blocks.n_boxes == MOST_BOXES) return p->blocks.n_boxes - 1;
    box.stack = p->stack;
    p->boxes[p->blocks.n_boxes] = box;
    return p->blocks.n_boxes++;
}

static void add_arrow(Plan *p, int from, int to, BlocksArrowKind kind) {
    if (p->blocks.n_arrows < MOST_ARROWS && from >= 0)
        p->arrows[p->blocks.n_arrows++] = (BlocksArrow){from, to, kind};
}

/* On top of what was last. */
static int stack_box(Plan *p, BlocksBox box) {
    int index = add_box(p, box);
    add_arrow(p, p->last, index, BLOCKS_FLOW);
    p->last = index;
    return index;
}

static const char *width_text(const Plan *p) {
    return arena_printf(p->arena, "[pos, %d]", p->model->config.d_model);
}

static const char *layer_hook(const Plan *p, const char *name) {
    return arena_printf(p->arena, "%s{l}.%s", p->prefix, name);
}

static const char *norm_word(const StackConfig *c) {
    return c->norm == NORM_LAYER ? "norm" : "RMS norm";
}

static BlocksBox attention_box(const Plan *p, const StackConfig *c, bool cross) {
    const char *title = cross       ? "Cross-attention"
                        : c->causal ? "Masked self-attention"
                                    : "Self-attention";
    const char *detail = c->n_kv_heads != c->n_heads
                             ? arena_printf(p->arena, "%d heads of %d, %d key/value heads",
                                            c->n_heads, c->d_head, c->n_kv_heads)
                             : arena_printf(p->arena, "%d heads of %d", c->n_heads, c->d_head);
    return (BlocksBox){.kind = BLOCKS_ATTENTION,
                       .title = title,
                       .detail = detail,
                       .shape = width_text(p),
                       .hook = layer_hook(p, cross ? "hook_cross_attn_out" : "hook_attn_out"),
                       .in_layer = true};
}

static BlocksBox mlp_box(const Plan *p, const StackConfig *c) {
    int d = p->model->config.d_model;
    return (BlocksBox){.kind = BLOCKS_MLP,
                       .title = c->gated ? "Gated feed-forward" : "Feed-forward",
                       .detail = arena_printf(p->arena, "%d → %d → %d, %s", d, c->d_ff, d,
                                              activation_name(c->activation)),
                       .shape = width_text(p),
                       .hook = layer_hook(p, "hook_mlp_out"),
                       .in_layer = true};
}

/* One sublayer with its residual around it: norm(x + f(x)), or x + f(norm(x)). `added` is the hook
 * where the sum can be seen. */
static void add_sublayer(Plan *p, const StackConfig *c, BlocksBox box, const char *norm_hook,
                         const char *added) {
    int before = p->last;
    bool pre = c->norm_place == NORM_PRE;
    if (pre)
        stack_box(p, (BlocksBox){.kind = BLOCKS_NORM,
                                 .title = c->norm == NORM_LAYER ? "Norm" : "RMS norm",
                                 .hook = layer_hook(p, norm_hook),
                                 .in_layer = true});
    int f = stack_box(p, box);
    if (box.kind == BLOCKS_ATTENTION && p->attention_source >= 0 && strstr(box.title, "Cross"))
        add_arrow(p, p->attention_source, f, BLOCKS_FLOW);
    int sum = stack_box(
        p, (BlocksBox){.kind = pre ? BLOCKS_PLAIN : BLOCKS_NORM,
                       .title = pre ? "Add" : arena_printf(p->arena, "Add & %s", norm_word(c)),
                       .hook = layer_hook(p, added),
                       .in_layer = true});
    add_arrow(p, before, sum, BLOCKS_RESIDUAL);
}

/* Attention and feed-forward read the same residual: GPT-J, NeoX, Phi. */
static void add_parallel(Plan *p, const StackConfig *c) {
    int before = p->last;
    stack_box(p, (BlocksBox){.kind = BLOCKS_NORM,
                             .title = c->norm == NORM_LAYER ? "Norm" : "RMS norm",
                             .hook = layer_hook(p, "ln1.hook_normalized"),
                             .in_layer = true});
    int norm = p->last;
    int attention = stack_box(p, attention_box(p, c, false));
    int mlp = add_box(p, mlp_box(p, c));
    add_arrow(p, norm, mlp, BLOCKS_RESIDUAL);
    p->last = mlp;
    int sum = stack_box(p, (BlocksBox){.kind = BLOCKS_PLAIN,
                                       .title = "Add both",
                                       .hook = layer_hook(p, "hook_resid_post"),
                                       .in_layer = true});
    add_arrow(p, attention, sum, BLOCKS_RESIDUAL);
    add_arrow(p, before, sum, BLOCKS_RESIDUAL);
}

static void add_embedding(Plan *p, const StackConfig *c, StackId id) {
    const ModelConfig *config = &p->model->config;
    bool source = id == STACK_ENCODER;
    const char *own = strcmp(p->prefix, "blocks.") == 0 ? "" : p->prefix;
    stack_box(p, (BlocksBox){.kind = BLOCKS_EMBED,
                             .title = "Embedding",
                             .detail = arena_printf(p->arena, "%d tokens, %s",
                                                    source && config->n_source_vocab
                                                        ? config->n_source_vocab
                                                        : config->n_vocab,
                                                    position_name(c)),
                             .shape = width_text(p),
                             .hook = arena_printf(p->arena, "%shook_embed", own)});
    if (c->embed_norm)
        stack_box(p, (BlocksBox){.kind = BLOCKS_NORM,
                                 .title = c->norm == NORM_LAYER ? "Norm" : "RMS norm"});
}

static void add_stack(Plan *p, StackId id, const char *name) {
    const StackConfig *c = &p->model->config.stack[id];
    p->stack = p->blocks.n_stacks;
    p->prefix = stack_prefix(id);
    p->last = -1;
    p->stacks[p->blocks.n_stacks++] =
        (BlocksStack){.name = name, .repeat = arena_printf(p->arena, "× %d", c->n_layers)};
    add_embedding(p, c, id);
    bool pre = c->norm_place == NORM_PRE;
    if (c->parallel) {
        add_parallel(p, c);
    } else {
        add_sublayer(p, c, attention_box(p, c, false), "ln1.hook_normalized",
                     pre ? "hook_resid_mid" : "hook_normalized_resid_mid");
        if (c->has_cross)
            add_sublayer(p, c, attention_box(p, c, true), "ln_cross.hook_normalized",
                         "hook_resid_mid_cross");
        add_sublayer(p, c, mlp_box(p, c), "ln2.hook_normalized",
                     pre ? "hook_resid_post" : "hook_normalized_resid_post");
    }
    if (c->final_norm)
        stack_box(p,
                  (BlocksBox){.kind = BLOCKS_NORM,
                              .title = c->norm == NORM_LAYER ? "Final norm" : "Final RMS norm",
                              .hook = arena_printf(p->arena, "%sln_final.hook_normalized",
                                                   strcmp(p->prefix, "blocks.") ? p->prefix : "")});
}

static void add_output(Plan *p) {
    const Model *m = p->model;
    if (!m->output.weight.data) return;
    stack_box(p, (BlocksBox){.kind = BLOCKS_PLAIN,
                             .title = "Output",
                             .detail = "linear + softmax",
                             .shape = arena_printf(p->arena, "[pos, %d]", m->config.n_vocab),
                             .hook = "logits"});
}

/* Systems before the Transformer: cells in a row, and an attention between them. */
static void add_recurrent(Plan *p) {
    p->stacks[0].name = "Encoder";
    p->stacks[1].name = "Decoder";
    p->blocks.n_stacks = 2;
    for (p->stack = 0; p->stack < 2; p->stack++) {
        const char *stack = p->stack ? "decoder" : "encoder";
        p->last = -1;
        stack_box(p, (BlocksBox){.kind = BLOCKS_EMBED, .title = "Embedding"});
        stack_box(p, (BlocksBox){.kind = BLOCKS_MLP,
                                 .title = "Recurrent cells",
                                 .detail = "one step after the other",
                                 .shape = width_text(p),
                                 .hook = arena_printf(p->arena, "%s.{l}.hook_h", stack),
                                 .in_layer = true});
        if (p->stack == 0) {
            p->attention_source = p->last;
            continue;
        }
        int attention = stack_box(p, (BlocksBox){.kind = BLOCKS_ATTENTION,
                                                 .title = "Attention",
                                                 .detail = "over the encoder's states",
                                                 .hook = "decoder.attn.hook_pattern"});
        add_arrow(p, p->attention_source, attention, BLOCKS_FLOW);
    }
    p->stack = 1;
    add_output(p);
}

/* "decoder.1.cross_attn" is the box whose hook is "decoder.{l}.hook_cross_attn_out". */
static bool names_box(const char *wanted, const BlocksBox *box, Arena *arena) {
    if (!box->hook) return false;
    StrBuf any = {0}; /* the layer's number as {l} */
    for (const char *c = wanted; *c;) {
        bool number = (c == wanted || c[-1] == '.') && *c >= '0' && *c <= '9';
        if (!number) {
            strbuf_putc(&any, *c++);
            continue;
        }
        while (*c >= '0' && *c <= '9')
            c++;
        strbuf_puts(&any, "{l}");
    }
    const char *name = arena_strdup(arena, any.data ? any.data : "");
    strbuf_free(&any);
    if (strcmp(name, box->hook) == 0) return true;
    size_t n = strlen(name);
    static const char *const parts[][2] = {
        {"cross_attn", "hook_cross_attn_out"}, {"attn", "hook_attn_out"}, {"mlp", "hook_mlp_out"}};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(parts[i][0]);
        if (n <= length || strcmp(name + n - length, parts[i][0]) != 0 ||
            name[n - length - 1] != '.')
            continue;
        const char *whole = arena_printf(arena, "%.*s%s", (int)(n - length), name, parts[i][1]);
        return strcmp(whole, box->hook) == 0;
    }
    return false;
}

static bool find_highlight(Plan *p, const char *wanted, Error *error) {
    p->blocks.highlight = -1;
    if (!wanted) return true;
    for (int i = 0; i < p->blocks.n_boxes; i++)
        if (names_box(wanted, &p->boxes[i], p->arena)) p->blocks.highlight = i;
    if (p->blocks.highlight >= 0) return true;
    StrBuf names = {0};
    for (int i = 0; i < p->blocks.n_boxes; i++)
        if (p->boxes[i].hook) strbuf_printf(&names, "%s%s", names.n ? ", " : "", p->boxes[i].hook);
    error_set(error, ERROR_INPUT, "--box '%.60s': no such box; there is %s", wanted,
              names.n ? names.data : "none with a hook");
    strbuf_free(&names);
    return false;
}

static void add_all(Plan *p) {
    switch (p->model->config.family) {
    case FAMILY_ENCODER_DECODER:
        add_stack(p, STACK_ENCODER, "Encoder");
        p->attention_source = p->last;
        add_stack(p, STACK_DECODER, "Decoder");
        add_output(p);
        break;
    case FAMILY_ENCODER:
    case FAMILY_DECODER:
        add_stack(p, STACK_BLOCKS,
                  p->model->config.family == FAMILY_ENCODER ? "Encoder" : "Decoder");
        add_output(p);
        break;
    case FAMILY_RECURRENT:
        add_recurrent(p);
        break;
    }
    p->blocks.stacks = p->stacks;
    p->blocks.boxes = p->boxes;
    p->blocks.arrows = p->arrows;
}

bool view_blocks(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Plan *p = arena_calloc(arena, 1, sizeof *p);
    p->model = input->model;
    p->arena = arena;
    p->attention_source = -1;
    add_all(p);
    bool ok = find_highlight(p, input->state->box, error);
    if (ok) {
        char count[32];
        double n = (double)input->model->n_parameters;
        const char *notes =
            arena_printf(arena, "%s · %s%s parameters · {l} is the layer · read from the bottom up",
                         input->model->config.model_type,
                         number_text(n >= 1e6   ? n / 1e6
                                     : n >= 1e3 ? n / 1e3
                                                : n,
                                     3, count),
                         n >= 1e6   ? " million"
                         : n >= 1e3 ? " thousand"
                                    : "");
        ChartOptions options = view_options(
            input, arena_printf(arena, "Structure of %s", view_model_name(input)), notes);
        options.subtitle = notes;
        ok = blocks_draw(figure, &p->blocks, &options, error);
        if (ok) view_tell(figure, input, "Boxes are computations, the grey names their hooks");
    }
    arena_free(arena);
    return ok;
}
