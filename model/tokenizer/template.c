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

void template_around(const TemplateItem *before, const TemplateItem *after, bool between,
                     Arena *arena, Template *single, Template *pair) {
    TemplateItem *items = arena_alloc(arena, 8 * sizeof *items), *both = items + 3;
    int n = 0;
    if (before) items[n++] = *before;
    items[n++] = (TemplateItem){TEMPLATE_FIRST, 0, 0};
    if (after) items[n++] = *after;
    *single = (Template){items, n};
    n = 0;
    if (before) both[n++] = *before;
    both[n++] = (TemplateItem){TEMPLATE_FIRST, 0, 0};
    if (between && after) both[n++] = *after;
    both[n++] = (TemplateItem){TEMPLATE_SECOND, 0, 0};
    if (after) both[n++] = *after;
    *pair = (Template){both, n};
}
