/* Named arrays with bertviz's keys, as a Trace.
 *
 * attention             blocks.{l}.attn            [layer, head, query, key]
 * encoder_attention     encoder.{l}.attn
 * decoder_attention     decoder.{l}.attn
 * cross_attention       decoder.{l}.cross_attn
 *
 * A batch of one is dropped, before or behind the layers (transformers stacks it behind). What
 * generate() returns is a tuple per step: "cross_attention.0", ".1" ... each [layer, head, query,
 * key], or one array [step, layer, head, query, key]; the rows of the steps are put below one
 * another, and keys that a step could not see yet are absent.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/import.h"

typedef struct Kind {
    const char *name;
    const char *hook; /* of layer %d */
    bool decoder_queries, encoder_keys;
    bool one_stack;
} Kind;

static const Kind kinds[] = {
    {"attention", "blocks.%d.attn.hook_pattern", false, true, true},
    {"encoder_attention", "encoder.%d.attn.hook_pattern", false, true, false},
    {"decoder_attention", "decoder.%d.attn.hook_pattern", true, false, false},
    {"cross_attention", "decoder.%d.cross_attn.hook_pattern", true, true, false},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* One attention of the file: [layer, head, query, key]. */
typedef struct Block {
    const char *name;
    int64_t shape[4];
    float *data; /* NULL: not in the file */
} Block;

ImportArray *import_add_array(ImportBundle *b, const char *name) {
    ImportArray *more =
        arena_calloc(b->arena, (size_t)b->n_arrays + 1, sizeof *more); /* few: no need to double */
    if (b->n_arrays) memcpy(more, b->arrays, (size_t)b->n_arrays * sizeof *more);
    b->arrays = more;
    more[b->n_arrays].name = arena_strdup(b->arena, name);
    return &more[b->n_arrays++];
}

ImportLabels *import_add_labels(ImportBundle *b, const char *name) {
    ImportLabels *more = arena_calloc(b->arena, (size_t)b->n_labels + 1, sizeof *more);
    if (b->n_labels) memcpy(more, b->labels, (size_t)b->n_labels * sizeof *more);
    b->labels = more;
    more[b->n_labels].name = arena_strdup(b->arena, name);
    return &more[b->n_labels++];
}

void import_add_other(ImportBundle *b, const char *name) {
    if (b->others && strlen(b->others) > 200) return;
    b->others = arena_printf(b->arena, "%s%s%.40s", b->others ? b->others : "",
                             b->others ? ", " : "", name);
}

/* The kind of "cross_attention", "cross_attentions", "cross_attention.12" (step 12, else -1). */
static const Kind *kind_of(const char *name, int *step) {
    *step = -1;
    for (int i = 0; i < N_KINDS; i++) {
        size_t n = strlen(kinds[i].name);
        if (strncmp(name, kinds[i].name, n) != 0) continue;
        const char *rest = name + n;
        if (*rest == 's') rest++;
        if (!*rest) return &kinds[i];
        if (*rest != '.' && *rest != '/' && *rest != '_') continue;
        char *end;
        long number = isdigit((unsigned char)rest[1]) ? strtol(rest + 1, &end, 10) : -1;
        if (number < 0 || *end || number > 1000000) continue;
        *step = (int)number;
        return &kinds[i];
    }
    return NULL;
}

bool import_is_attention(const char *name) {
    int step;
    return kind_of(name, &step) != NULL;
}

bool import_is_tokens(const char *name) {
    return strcmp(name, "tokens") == 0 || strcmp(name, "encoder_tokens") == 0 ||
           strcmp(name, "decoder_tokens") == 0;
}

static const char *shape_text(Arena *arena, int rank, const int64_t *shape) {
    StrBuf out = {0};
    strbuf_putc(&out, '[');
    for (int i = 0; i < rank; i++)
        strbuf_printf(&out, "%s%lld", i ? ", " : "", (long long)shape[i]);
    strbuf_putc(&out, ']');
    const char *text = arena_strdup(arena, out.data);
    strbuf_free(&out);
    return text;
}

static bool wrong_shape(const ImportBundle *b, const char *name, int rank, const int64_t *shape,
                        const char *expected, Error *error) {
    return error_set(error, ERROR_INPUT, "%s: %s is %s, expected %s", b->path, name,
                     shape_text(b->arena, rank, shape), expected);
}

static void drop_axis(ImportArray *a, int axis) {
    for (int i = axis; i + 1 < a->rank; i++)
        a->shape[i] = a->shape[i + 1];
    a->rank--;
}

/* [layer, head, query, key] of one array or one step. */
static bool to_four(const ImportBundle *b, ImportArray *a, Error *error) {
    if (a->rank == 5 && a->shape[1] == 1)
        drop_axis(a, 1); /* torch.stack(outputs.attentions) */
    else if (a->rank == 5 && a->shape[0] == 1)
        drop_axis(a, 0);
    if (a->rank == 5)
        return wrong_shape(b, a->name, 5, a->shape,
                           "[layer, head, query, key] with a batch of 1 at most", error);
    if (a->rank != 4)
        return wrong_shape(b, a->name, a->rank, a->shape, "[layer, head, query, key]", error);
    for (int i = 0; i < 4; i++)
        if (a->shape[i] < 1 || a->shape[i] > (i < 2 ? 4096 : 1 << 20))
            return wrong_shape(b, a->name, 4, a->shape, "at least one of each, within reason",
                               error);
    return true;
}

/* [step, layer, (1,) head, query, key] is as many arrays as there are steps. */
static int split_steps(const ImportArray *a, ImportArray *steps, Arena *arena) {
    int64_t each = 1;
    for (int i = 1; i < a->rank; i++)
        each *= a->shape[i];
    for (int64_t s = 0; s < a->shape[0]; s++) {
        steps[s] = *a;
        steps[s].name = arena_printf(arena, "%s.%lld", a->name, (long long)s);
        steps[s].data = a->data + s * each;
        drop_axis(&steps[s], 0);
    }
    return (int)a->shape[0];
}

/* An array whose first axis is generate()'s steps. */
static bool is_steps(const ImportArray *a) {
    return a->rank == 6 ||
           (a->rank == 5 && a->shape[0] != 1 && a->shape[1] != 1 && a->shape[3] == 1);
}

static int by_step(const void *x, const void *y) {
    const ImportArray *a = x, *b = y;
    int s, t;
    kind_of(a->name, &s);
    kind_of(b->name, &t);
    return s < t ? -1 : s > t;
}

/* Each step once, from the first to the last. */
static bool check_steps(const ImportBundle *b, const ImportArray *steps, int n, Error *error) {
    int first, step;
    kind_of(steps[0].name, &first);
    for (int i = 1; i < n; i++) {
        kind_of(steps[i].name, &step);
        if (step != first + i)
            return error_set(error, ERROR_INPUT, "%s: %s follows %s, expected step %d", b->path,
                             steps[i].name, steps[i - 1].name, first + i);
    }
    return true;
}

/* The steps' rows below one another. */
static bool join_steps(const ImportBundle *b, ImportArray *steps, int n, Block *out, Error *error) {
    int64_t n_queries = 0, n_keys = 0;
    for (int i = 0; i < n; i++) {
        if (!to_four(b, &steps[i], error)) return false;
        if (steps[i].shape[0] != steps[0].shape[0] || steps[i].shape[1] != steps[0].shape[1])
            return wrong_shape(b, steps[i].name, 4, steps[i].shape,
                               "the layers and heads of the first step", error);
        n_queries += steps[i].shape[2];
        if (steps[i].shape[3] > n_keys) n_keys = steps[i].shape[3];
    }
    int64_t n_layers = steps[0].shape[0], n_heads = steps[0].shape[1];
    if (n_queries > 1 << 16 || n_layers * n_heads * n_queries * n_keys > (int64_t)1 << 31)
        return error_set(error, ERROR_MEMORY, "%s: %s: %lld steps are too many", b->path, out->name,
                         (long long)n_queries);
    memcpy(out->shape, (int64_t[]){n_layers, n_heads, n_queries, n_keys}, sizeof out->shape);
    float *to = arena_alloc(b->arena, (size_t)(n_layers * n_heads * n_queries * n_keys) * 4);
    out->data = to;
    for (int64_t lh = 0; lh < n_layers * n_heads; lh++)
        for (int i = 0; i < n; i++) {
            int64_t rows = steps[i].shape[2], keys = steps[i].shape[3];
            for (int64_t q = 0; q < rows; q++, to += n_keys)
                for (int64_t k = 0; k < n_keys; k++)
                    to[k] = k < keys ? steps[i].data[(lh * rows + q) * keys + k] : NAN;
        }
    return true;
}

static bool find_block(const ImportBundle *b, const Kind *kind, Block *out, Error *error) {
    *out = (Block){.name = kind->name};
    ImportArray *steps = arena_alloc(b->arena, ((size_t)b->n_arrays + 1) * sizeof *steps);
    int n_steps = 0, step;
    for (int i = 0; i < b->n_arrays; i++) {
        if (kind_of(b->arrays[i].name, &step) != kind) continue;
        if (step >= 0) {
            steps[n_steps++] = b->arrays[i];
            continue;
        }
        ImportArray whole = b->arrays[i];
        if (is_steps(&whole)) {
            if (whole.shape[0] < 1 || whole.shape[0] > 1 << 16)
                return wrong_shape(b, whole.name, whole.rank, whole.shape, "steps first", error);
            steps = arena_alloc(b->arena, (size_t)whole.shape[0] * sizeof *steps);
            n_steps = split_steps(&whole, steps, b->arena);
            break;
        }
        if (!to_four(b, &whole, error)) return false;
        memcpy(out->shape, whole.shape, sizeof out->shape);
        out->data = whole.data;
        return true;
    }
    if (n_steps == 0) return true;
    qsort(steps, (size_t)n_steps, sizeof *steps, by_step);
    return check_steps(b, steps, n_steps, error) && join_steps(b, steps, n_steps, out, error);
}

/* "eng_Latn" (NLLB), "en_XX" (mBART), "__en__" (M2M100). */
static bool is_language(Str s) {
    static const char *const shapes[] = {"aaa_Aaaa", "aa_AA", "__aa__", "__aaa__"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t n = strlen(shapes[i]), at = 0;
        while (at < n && at < s.n &&
               (shapes[i][at] == 'a'   ? s.data[at] >= 'a' && s.data[at] <= 'z'
                : shapes[i][at] == 'A' ? s.data[at] >= 'A' && s.data[at] <= 'Z'
                                       : s.data[at] == shapes[i][at]))
            at++;
        if (at == n && at == s.n) return true;
    }
    return false;
}

/* Labels look special when they are written the way special tokens are. */
static bool looks_special(Str s) {
    static const char *const words[] = {"</s>",  "<s>",    "<pad>",        "[CLS]",
                                        "[SEP]", "[PAD]",  "[MASK]",       "<bos>",
                                        "<eos>", "<mask>", "<|endoftext|>"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_is(s, words[i])) return true;
    return (str_starts(s, ">>") && str_ends(s, "<<")) ||
           (str_starts(s, "<|") && str_ends(s, "|>")) || is_language(s);
}

static Tokens tokens_of(const ImportBundle *b, const char *name, int64_t n) {
    const ImportLabels *labels = NULL;
    for (int i = 0; i < b->n_labels; i++)
        if (strcmp(b->labels[i].name, name) == 0) labels = &b->labels[i];
    Tokens tokens = {.n = labels ? labels->n : (int)n};
    tokens.items = arena_calloc(b->arena, (size_t)tokens.n + 1, sizeof *tokens.items);
    for (int i = 0; i < tokens.n; i++) {
        tokens.items[i].id = i;
        tokens.items[i].label = labels ? labels->items[i] : str(arena_printf(b->arena, "%d", i));
        tokens.items[i].special = looks_special(tokens.items[i].label);
    }
    return tokens;
}

static bool check_count(const ImportBundle *b, const char *tokens_name, int n_tokens,
                        const Block *block, const char *axis, int64_t n, Error *error) {
    if (n_tokens == n) return true;
    return error_set(error, ERROR_INPUT, "%s: %s %s has %lld %s, but %s has %d", b->path,
                     block->name, shape_text(b->arena, 4, block->shape), (long long)n, axis,
                     tokens_name, n_tokens);
}

static bool check_values(const ImportBundle *b, const Block *block, Error *error) {
    int64_t n = block->shape[0] * block->shape[1] * block->shape[2] * block->shape[3];
    for (int64_t i = 0; i < n; i++)
        if (isinf(block->data[i]))
            return error_set(error, ERROR_INPUT, "%s: %s holds an infinity, expected weights",
                             b->path, block->name);
    return true;
}

static void put_layers(Trace *trace, const Block *block, const Kind *kind) {
    int64_t each = block->shape[1] * block->shape[2] * block->shape[3];
    for (int64_t l = 0; l < block->shape[0]; l++) {
        char name[HOOK_NAME_MAX];
        snprintf(name, sizeof name, kind->hook, (int)l);
        trace_put(trace, name,
                  tensor_view(block->data + l * each, 3, block->shape[1], block->shape[2],
                              block->shape[3]));
    }
}

/* The sides must fit one another; a target of one token more than steps is what generate() returns:
 * step t reads token t and writes token t + 1. */
static bool fit_tokens(const ImportBundle *b, const Block blocks[N_KINDS], Tokens *source,
                       Tokens *target, bool *written, Error *error) {
    const Block *one = &blocks[0], *encoder = &blocks[1], *decoder = &blocks[2],
                *cross = &blocks[3];
    const Block *first = one->data ? one : encoder->data ? encoder : cross->data ? cross : NULL;
    const char *source_name = one->data ? "tokens" : "encoder_tokens";
    *source = tokens_of(b, source_name, first ? first->shape[3] : 0);
    const Block *last = decoder->data ? decoder : cross;
    *target = tokens_of(b, "decoder_tokens", last->data ? last->shape[2] : 0);
    *written = last->data && last->shape[2] + 1 == target->n;
    int n_target = target->n - (*written ? 1 : 0);
    for (int i = 0; i < N_KINDS; i++) {
        if (!blocks[i].data) continue;
        const Kind *k = &kinds[i];
        if (!check_count(b, k->decoder_queries ? "decoder_tokens" : source_name,
                         k->decoder_queries ? n_target : source->n, &blocks[i], "queries",
                         blocks[i].shape[2], error) ||
            !check_count(b, k->encoder_keys ? source_name : "decoder_tokens",
                         k->encoder_keys ? source->n : n_target, &blocks[i], "keys",
                         blocks[i].shape[3], error) ||
            !check_values(b, &blocks[i], error))
            return false;
    }
    return true;
}

static bool nothing_found(const ImportBundle *b, Error *error) {
    return error_set(error, ERROR_INPUT,
                     "%s: no attention in it (found: %s); expected attention, or "
                     "encoder_attention, decoder_attention, cross_attention, each [layer, head, "
                     "query, key]",
                     b->path,
                     b->others     ? b->others
                     : b->n_labels ? "tokens"
                                   : "nothing");
}

static bool find_all(const ImportBundle *b, Block blocks[N_KINDS], Error *error) {
    bool any = false;
    for (int i = 0; i < N_KINDS; i++) {
        if (!find_block(b, &kinds[i], &blocks[i], error)) return false;
        any = any || blocks[i].data;
    }
    if (!any) return nothing_found(b, error);
    if (blocks[0].data && (blocks[1].data || blocks[2].data || blocks[3].data))
        return error_set(error, ERROR_INPUT,
                         "%s: attention beside encoder_attention, decoder_attention or "
                         "cross_attention; expected one stack or two",
                         b->path);
    return true;
}

Trace *import_bundle(ImportBundle *b, Error *error) {
    Block blocks[N_KINDS];
    Tokens source, target;
    bool written;
    if (!find_all(b, blocks, error) || !fit_tokens(b, blocks, &source, &target, &written, error)) {
        arena_free(b->arena);
        return NULL;
    }
    int32_t *next = NULL;
    if (written) {
        next = arena_alloc(b->arena, (size_t)target.n * sizeof *next);
        for (int i = 0; i + 1 < target.n; i++)
            next[i] = target.items[i + 1].id;
        target.n--;
    }
    Trace *trace = trace_new(b->arena, source, target, next);
    if (written) trace_put_next(trace, target.items + 1);
    for (int i = 0; i < N_KINDS; i++)
        if (blocks[i].data) put_layers(trace, &blocks[i], &kinds[i]);
    return trace;
}
