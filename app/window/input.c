#include "app/window/input.h"

#include <stdlib.h>
#include <string.h>

#include "app/window/complete.h"
#include "model/base/file.h"

static const char example_text[] = "Tourists visit Finland to watch Northern lights.";
static const char example_ids[] = "1 2 3 4 5 6 7 8";

typedef struct Kind {
    const char *hint, *ask;
} Kind;

static const Kind kinds[] = {
    [INPUT_TEXT] = {NULL, "Type a sentence, and its attention is drawn while you type (Ctrl+L)."},
    [INPUT_IDS] = {"Token ids, with blanks between",
                   "This model has no tokenizer: type the ids of its tokens, with blanks between "
                   "(Ctrl+L)."},
    [INPUT_PICTURE] = {"Path of a picture (.png, .jpg)",
                       "This model looks at pictures: drop one here, or type its path (Ctrl+L; Tab "
                       "completes it)."},
    [INPUT_SOUND] = {"Path of a sound (.wav, .flac)",
                     "This model listens: drop a sound here, or type its path (Ctrl+L; Tab "
                     "completes it)."},
};

InputKind input_kind(const Window *w) {
    const Model *model = window_model(w);
    if (!model) return INPUT_TEXT;
    switch (model->config.front.kind) {
    case FRONT_PATCHES:
        return INPUT_PICTURE;
    case FRONT_SOUND:
        return INPUT_SOUND;
    case FRONT_TOKENS:
        break;
    }
    return w->loaded->subject->tokenizer ? INPUT_TEXT : INPUT_IDS;
}

const char *input_hint(const Window *w) {
    return kinds[input_kind(w)].hint;
}

const char *input_ask(const Window *w) {
    return kinds[input_kind(w)].ask;
}

bool input_there(const Window *w) {
    const State *s = &w->state;
    return s->text || s->inputs || s->image || s->audio || s->from;
}

static bool is_ids(const char *text) {
    return text && *text && text[strspn(text, "0123456789 ,\t\n")] == 0;
}

static char **path_of(Window *w) {
    InputKind kind = input_kind(w);
    if (kind == INPUT_PICTURE) return &w->state.image;
    return kind == INPUT_SOUND ? &w->state.audio : NULL;
}

/* Text that this model cannot read gives way to an example; it stays among the recent ones. */
static void put_text(Window *w, const char *text) {
    State *s = &w->state;
    if (s->text && strcmp(s->text, example_ids) != 0)
        settings_recent(w->settings.sentences, s->text);
    state_put_text(&s->text, text);
    state_put_text(&s->target_text, NULL);
    state_put_text(&s->text_pair, NULL);
}

void input_choose_view(Window *w) {
    static const char *const made_for[] = {[INPUT_TEXT] = "cross",
                                           [INPUT_IDS] = "cross",
                                           [INPUT_PICTURE] = "patches",
                                           [INPUT_SOUND] = "audio"};
    const char *now = window_view(w)->name, *own = made_for[input_kind(w)];
    bool of_kind = false;
    for (int i = 0; i <= INPUT_SOUND; i++)
        of_kind = of_kind || strcmp(now, made_for[i]) == 0;
    if (of_kind && view_find(own)) state_put_text(&w->state.view, own);
}

/* ---- fields and state ---- */

/* The first field: the text, or the path of what is looked at or heard. */
static void to_first(Window *w) {
    char **path = path_of(w);
    const char *text = path ? *path : w->state.text;
    if (w->state.from) text = NULL;
    textedit_set(&w->source.edit, text ? str(text) : (Str){"", 0});
}

void input_to_fields(Window *w) {
    const State *s = &w->state;
    to_first(w);
    textedit_set(&w->pair.edit, s->text_pair ? str(s->text_pair) : (Str){"", 0});
    w->target_own = s->target_text == NULL;
    Str own = w->pass && w->target_own && !s->from ? w->pass->own : (Str){"", 0};
    textedit_set(&w->target.edit, s->target_text ? str(s->target_text) : own);
}

static bool put(char **field, const char *value) {
    if (value ? *field && strcmp(*field, value) == 0 : !*field) return false;
    state_put_text(field, value);
    return true;
}

static const char *typed(const TextField *field) {
    Str text = textedit_text(&field->edit);
    return text.n ? text.data : NULL;
}

static bool from_first(Window *w) {
    const char *text = typed(&w->source);
    char **path = path_of(w);
    if (!path) return put(&w->state.text, text);
    char *full = text ? complete_expand(text) : NULL;
    /* Half a path is no picture yet: the one before stays in sight. */
    bool changed = (!full || (file_exists(full) && !file_is_folder(full))) && put(path, full);
    free(full);
    return changed;
}

void input_from_fields(Window *w) {
    State *s = &w->state;
    bool changed = from_first(w);
    changed = put(&s->text_pair, typed(&w->pair)) || changed;
    if (w->target_own)
        state_put_text(&s->target_text, NULL);
    else
        changed = put(&s->target_text, typed(&w->target)) || changed;
    if (!changed) return;
    /* Another text has other steps and other words to select. */
    s->step = -1;
    state_unselect(s);
}

void input_set_text(Window *w, const char *text, const char *target) {
    if (w->state.text) settings_recent(w->settings.sentences, w->state.text);
    StrBuf clean = {0}, clean_target = {0};
    textedit_clean(str(text), &clean);
    if (target) textedit_clean(str(target), &clean_target);
    state_put_text(&w->state.text, clean.n ? clean.data : NULL);
    state_put_text(&w->state.target_text, clean_target.n ? clean_target.data : NULL);
    strbuf_free(&clean);
    strbuf_free(&clean_target);
    state_put_text(&w->state.text_pair, NULL);
    state_put_text(&w->state.inputs, NULL);
    state_put_text(&w->state.from, NULL);
    w->state.step = -1;
    state_unselect(&w->state);
    input_to_fields(w);
    w->ui.again = true;
}

void input_adapt(Window *w) {
    State *s = &w->state;
    char **path = path_of(w);
    if (path != &s->image) state_put_text(&s->image, NULL);
    if (path != &s->audio) state_put_text(&s->audio, NULL);
    if (path && s->text)
        put_text(w, NULL);
    else if (!path && !s->inputs && input_kind(w) == INPUT_IDS && !is_ids(s->text))
        put_text(w, example_ids);
    else if (!path && !s->inputs && !s->text)
        put_text(w, example_text);
    else if (input_kind(w) == INPUT_TEXT && s->text && strcmp(s->text, example_ids) == 0)
        put_text(w, example_text);
    input_to_fields(w);
}

bool input_complete(Window *w) {
    enum { MOST = 200 };
    Str typed = textedit_text(&w->source.edit);
    if (!path_of(w) || typed.n == 0 || w->source.edit.caret != typed.n) return false;
    char *found[MOST];
    int n = complete_path(typed.data, found, MOST);
    size_t shared = complete_shared(found, n);
    bool further = shared > typed.n;
    if (further) textedit_replace(&w->source.edit, (Str){found[0], shared});
    for (int i = 0; i < n; i++)
        free(found[i]);
    return further;
}
