/* Which heads are in sight: one that is gone to, or several drawn together, as the state lists
 * them: "L2H3,L2H5". */
#include "app/window/heads.h"

#include <string.h>

#include "app/window/picture.h"

void heads_go(Window *w, Place head) {
    char text[16];
    State *s = &w->state;
    w->hover = place_none();
    w->ui.again = true;
    if (strcmp(window_view(w)->name, "model") == 0 && head.layer >= 0 && head.head >= 0) {
        /* All heads are in sight: this one is picked out. */
        state_put_text(&s->heads, NULL);
        state_select(s, place_of_head(head, head.layer, head.head));
        picture_refocus(w);
        return;
    }
    state_put_text(&s->heads, NULL);
    if (head.layer >= 0) {
        snprintf(text, sizeof text, "%d", head.layer);
        state_put_text(&s->layer, text);
    }
    if (head.head >= 0) {
        snprintf(text, sizeof text, "%d", head.head);
        state_put_text(&s->head, text);
    }
    const Model *model = window_model(w);
    bool two =
        model && model_has_stack(model, STACK_DECODER) && model_has_stack(model, STACK_ENCODER);
    if (two) state_put_text(&s->attention, place_attention_name(&head));
    state_unselect(s);
}

static bool listed(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == 0)) return true;
    return false;
}

/* The model view's rows and columns meet in heads that were not chosen. */
static bool left_out(const Window *w, const Place *head) {
    char name[32];
    snprintf(name, sizeof name, "L%dH%d", head->layer, head->head);
    return w->state.heads && strcmp(window_view(w)->name, "model") == 0 &&
           !listed(w->state.heads, name);
}

bool heads_shown(const Window *w, Place head) {
    if (left_out(w, &head)) return false;
    for (int i = 0; w->shown && i < w->shown->report.n_series; i++) {
        const Place *p = &w->shown->report.series[i];
        if (place_same_attention(p, &head) && p->layer == head.layer &&
            (p->head == head.head || p->head < 0))
            return true;
    }
    return false;
}

void heads_toggle(Window *w, Place head, bool alone) {
    if (head.layer < 0 || head.head < 0) return;
    if (alone) {
        heads_go(w, head);
        return;
    }
    char name[32];
    snprintf(name, sizeof name, "L%dH%d", head.layer, head.head);
    StrBuf list = {0};
    bool was = false;
    int n = 0;
    if (w->state.heads) {
        was = listed(w->state.heads, name);
    } else if (w->shown) {
        /* The first toggle starts from what is drawn. */
        for (int i = 0; i < w->shown->report.n_series; i++) {
            const Place *p = &w->shown->report.series[i];
            if (p->layer < 0 || p->head < 0 || !place_same_attention(p, &head)) continue;
            if (p->layer == head.layer && p->head == head.head) {
                was = true;
                continue;
            }
            strbuf_printf(&list, "%sL%dH%d", n++ ? "," : "", p->layer, p->head);
        }
    }
    for (const char *at = w->state.heads; at && *at;) {
        size_t len = strcspn(at, ",");
        bool same = len == strlen(name) && strncmp(at, name, len) == 0;
        if (!same && len) strbuf_printf(&list, "%s%.*s", n++ ? "," : "", (int)len, at);
        at += len + (at[len] == ',');
    }
    if (!was) strbuf_printf(&list, "%s%s", n++ ? "," : "", name);
    /* At least one head stays on. */
    if (n > 0) {
        state_put_text(&w->state.heads, list.data);
        const Model *model = window_model(w);
        if (model && model_has_stack(model, STACK_DECODER))
            state_put_text(&w->state.attention, place_attention_name(&head));
    }
    strbuf_free(&list);
    w->ui.again = true;
}
