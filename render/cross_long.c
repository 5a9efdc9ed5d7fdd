/* Cross-attention and head views of long sentences: blocks of queries, each with the keys that it
 * looks at most, so that every label can be read. What that leaves out is counted and said. */
#include <math.h>
#include <stdlib.h>

#include "render/cross_parts.h"

enum { BLOCK_TOKENS = 40, LINE_TOKENS = 20, MOST_LINES = 24000 };

typedef struct Block {
    CrossPlan plan;
    Stroke *strokes;
    int n;
} Block;

static ChartLabels labels_begin(Arena *arena, const ChartLabels *from, int room) {
    ChartLabels out = *from;
    out.n = 0;
    size_t n = (size_t)room + 1;
    out.index = arena_alloc(arena, n * sizeof *out.index);
    out.text = arena_alloc(arena, n * sizeof *out.text);
    out.whole = arena_alloc(arena, n * sizeof *out.whole);
    out.special = arena_alloc(arena, n * sizeof *out.special);
    return out;
}

static void labels_add(ChartLabels *out, const ChartLabels *from, int at) {
    int i = out->n++;
    ((int *)(uintptr_t)out->index)[i] = from->index[at];
    ((Str *)(uintptr_t)out->text)[i] = from->text[at];
    ((Str *)(uintptr_t)out->whole)[i] = from->whole[at];
    ((bool *)(uintptr_t)out->special)[i] = from->special[at];
}

static void side_take(CrossPlan *plan, CrossSide *side, const ChartLabels *labels, int n_tokens,
                      int **place) {
    size_t n = (size_t)labels->n + 1;
    side->labels = *labels;
    side->at = arena_calloc(plan->arena, n, sizeof *side->at);
    side->extent = arena_calloc(plan->arena, n, sizeof *side->extent);
    *place = arena_alloc(plan->arena, ((size_t)n_tokens + 1) * sizeof **place);
    for (int i = 0; i < n_tokens; i++)
        (*place)[i] = -1;
    for (int i = 0; i < labels->n; i++)
        (*place)[labels->index[i]] = i;
}

typedef struct Looked {
    double mass;
    int key;
} Looked;

static int by_mass(const void *p, const void *q) {
    const Looked *a = p, *b = q;
    if (a->mass != b->mass) return a->mass > b->mass ? -1 : 1;
    return a->key - b->key;
}

static int by_key(const void *p, const void *q) {
    return ((const Looked *)p)->key - ((const Looked *)q)->key;
}

/* The queries from..end, and of the keys those with the largest share of their lines. */
static Block block_of(const CrossPlan *whole, int from, int end, int most, int top) {
    Block block = {.plan = *whole};
    CrossPlan *plan = &block.plan;
    ChartLabels queries = chart_labels_part(&whole->query.labels, from, end);
    side_take(plan, &plan->query, &queries, whole->cross->queries.n, &plan->query_at);
    cross_choose(plan, top);
    int n;
    Stroke *strokes = strokes_choose(&plan->choice, &n);
    int n_keys = whole->key.labels.n;
    Looked *looked = arena_calloc(plan->arena, (size_t)n_keys + 1, sizeof *looked);
    for (int k = 0; k < n_keys; k++)
        looked[k].key = k;
    for (int i = 0; i < n; i++)
        looked[strokes[i].key].mass += strokes[i].weight;
    free(strokes);
    qsort(looked, (size_t)n_keys, sizeof *looked, by_mass);
    int kept = 0;
    while (kept < n_keys && kept < most && looked[kept].mass > 0)
        kept++;
    qsort(looked, (size_t)kept, sizeof *looked, by_key);
    ChartLabels keys = labels_begin(plan->arena, &whole->key.labels, kept);
    for (int k = 0; k < kept; k++)
        labels_add(&keys, &whole->key.labels, looked[k].key);
    side_take(plan, &plan->key, &keys, whole->cross->keys.n, &plan->key_at);
    return block;
}

/* A short line between keys that are not neighbours in the sentence. */
static void draw_gaps(const CrossPlan *plan) {
    const CrossSide *side = &plan->key;
    double unit = plan->theme->type_body / 13, sign = side->first ? -1 : 1;
    double from = plan->horizontal ? 5 * unit : 4 * unit,
           to = plan->horizontal ? 24 * unit : 11 * unit;
    for (int k = 1; k < side->labels.n; k++) {
        if (side->labels.index[k] == side->labels.index[k - 1] + 1) continue;
        double half = side->extent[k] / 2;
        bool back = plan->horizontal && side->labels.rtl;
        double at = side->at[k] + (back ? half : -half), x0, y0, x1, y1;
        cross_point(plan, at, side->edge + sign * from, &x0, &y0);
        cross_point(plan, at, side->edge + sign * to, &x1, &y1);
        figure_line(plan->figure, x0, y0, x1, y1,
                    (FigurePaint){.stroke = plan->theme->soft, .width = plan->theme->line_thin},
                    NULL);
    }
}

static bool has_gaps(const Block *blocks, int n) {
    for (int i = 0; i < n; i++) {
        const ChartLabels *keys = &blocks[i].plan.key.labels;
        if (keys->n > 0 && keys->index[keys->n - 1] - keys->index[0] >= keys->n) return true;
    }
    return false;
}

/* Blocks side by side (columns) or one below the other (lines); returns the lowest point used. */
static double draw_blocks(Block *blocks, int n, int across, const ChartArea *area) {
    double unit = blocks[0].plan.theme->type_body / 13, gap = 28 * unit, top = area->y,
           bottom = top;
    double w = (area->w - (across - 1) * gap) / across;
    for (int i = 0; i < n; i++) {
        CrossPlan *plan = &blocks[i].plan;
        plan->part = true;
        if (i > 0 && i % across == 0) top = bottom + gap;
        ChartArea part = {.x = area->x + i % across * (w + gap), .y = top, .w = w};
        if (!plan->horizontal) {
            int rows = plan->query.labels.n > plan->key.labels.n ? plan->query.labels.n
                                                                 : plan->key.labels.n;
            double pitch = fmax(16 * unit, plan->theme->type_token_min * 1.3);
            part.h = rows * pitch;
            plan->font_most = pitch * 0.66;
        }
        double end = plan->horizontal ? cross_horizontal(plan, &part) : cross_vertical(plan, &part);
        cross_draw_all(plan, blocks[i].strokes, blocks[i].n);
        draw_gaps(plan);
        free(blocks[i].strokes);
        bottom = fmax(bottom, end);
    }
    return bottom;
}

void cross_draw_long(CrossPlan *whole, const char *query_title, const char *key_title) {
    const Cross *cross = whole->cross;
    int n_queries = whole->query.labels.n, size = whole->horizontal ? LINE_TOKENS : BLOCK_TOKENS;
    int n_blocks = (n_queries + size - 1) / size, n = 0, n_lines = 0, top = cross->top;
    int most = size; /* keys; the queries are shared out evenly */
    size = chart_block_size(n_queries, most);
    int bearable = MOST_LINES / ((n_queries + 1) * cross->n_heads);
    if (bearable < 2) bearable = 2;
    bool thinned = (top == 0 || top > bearable) && bearable < most;
    if (thinned) top = bearable;
    Block *blocks = arena_alloc(whole->arena, ((size_t)n_blocks + 1) * sizeof *blocks);
    double drawn = 0, all = strokes_all_weight(&whole->choice);
    for (int from = 0; from < n_queries; from += size) {
        int end = from + size < n_queries ? from + size : n_queries;
        Block *b = &blocks[n];
        *b = block_of(whole, from, end, most, top);
        cross_choose(&b->plan, top);
        b->plan.choice.queries = &b->plan.query.labels; /* this block's, where it lies now */
        b->plan.choice.keys = &b->plan.key.labels;
        b->strokes = strokes_choose(&b->plan.choice, &b->n);
        for (int i = 0; i < b->n; i++)
            drawn += fabs(b->strokes[i].weight);
        n_lines += b->n;
        b->plan.block = n;
        if (b->n > 0)
            n++;
        else
            free(b->strokes);
    }
    for (int i = 0; i < n; i++)
        blocks[i].plan.named = n_lines <= 4000;
    StrBuf said = {0};
    if (whole->options->notes) strbuf_printf(&said, "%s \xc2\xb7 ", whole->options->notes);
    strbuf_printf(&said, "%d queries a block, each block with the %d keys it looks at most", size,
                  most);
    if (has_gaps(blocks, n)) strbuf_puts(&said, " (a dash: others between them)");
    if (thinned) strbuf_printf(&said, "; of a query and head the %d largest weights", top);
    strbuf_printf(&said, "; in all %.1f %% of the weight not drawn",
                  all > 0 ? 100 * (1 - drawn / all) : 0);
    ChartOptions options = *whole->options;
    options.notes = arena_strdup(whole->arena, said.data);
    strbuf_free(&said);
    double unit = whole->theme->type_body / 13;
    int across = whole->horizontal ? 1 : (int)fmin(ceil(sqrt(n)), 4);
    if (options.width > 0 && !whole->horizontal)
        across = (int)fmin(fmax(floor(options.width / (300 * unit)), 1), n > 1 ? n : 1);
    const char *subtitle = chart_subtitle(whole->arena, &options, query_title, key_title,
                                          chart_range_text(whole->arena, &whole->range));
    ChartArea area = chart_begin(
        whole->figure, &options, subtitle,
        whole->horizontal ? 1100 * unit : across * 340 * unit + (across - 1) * 28 * unit);
    double bottom = n ? draw_blocks(blocks, n, across, &area)
                      : chart_empty(whole->figure, area.x, area.y, true);
    if (n) bottom = cross_draw_key(&blocks[0].plan, &area, bottom);
    chart_end(whole->figure, &options, &area, bottom);
}
