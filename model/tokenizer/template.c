#include "model/tokenizer/template.h"

void template_bert(int32_t cls, int32_t sep, bool roberta, Arena *arena, Template *single,
                   Template *pair) {
    TemplateItem *items = arena_alloc(arena, 9 * sizeof *items);
    int type = roberta ? 0 : 1, n = 0;
    items[n++] = (TemplateItem){TEMPLATE_TOKEN, cls, 0};
    items[n++] = (TemplateItem){TEMPLATE_FIRST, 0, 0};
    items[n++] = (TemplateItem){TEMPLATE_TOKEN, sep, 0};
    *single = (Template){items, n};
    if (roberta) items[n++] = (TemplateItem){TEMPLATE_TOKEN, sep, 0};
    items[n++] = (TemplateItem){TEMPLATE_SECOND, 0, type};
    items[n++] = (TemplateItem){TEMPLATE_TOKEN, sep, type};
    *pair = (Template){items, n};
}

static int add(TemplateItem *items, int n, const TemplateItem *item) {
    if (item) items[n++] = *item;
    return n;
}

static const TemplateItem first = {TEMPLATE_FIRST, 0, 0}, second = {TEMPLATE_SECOND, 0, 0};

static Template row(const TemplateItem *const *parts, int n_parts, Arena *arena) {
    TemplateItem *items = arena_alloc(arena, (size_t)n_parts * sizeof *items);
    int n = 0;
    for (int i = 0; i < n_parts; i++)
        n = add(items, n, parts[i]);
    return (Template){items, n};
}

void template_around(const TemplateItem *before, const TemplateItem *after, Arena *arena,
                     Template *single, Template *pair) {
    *single = row((const TemplateItem *[]){before, &first, after}, 3, arena);
    *pair = row((const TemplateItem *[]){before, &first, &second, after}, 4, arena);
}

void template_each(const TemplateItem *before, const TemplateItem *after, Arena *arena,
                   Template *single, Template *pair) {
    *single = row((const TemplateItem *[]){before, &first, after}, 3, arena);
    *pair = row((const TemplateItem *[]){before, &first, after, before, &second, after}, 6, arena);
}
