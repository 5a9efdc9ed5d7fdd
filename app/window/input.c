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
    window_fields_from_state(w);
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

void input_to_field(Window *w) {
    char **path = path_of(w);
    const char *text = path ? *path : w->state.text;
    if (w->state.from) text = NULL;
    textedit_set(&w->source.edit, text ? str(text) : (Str){"", 0});
}

static bool put(char **field, const char *value) {
    if (value ? *field && strcmp(*field, value) == 0 : !*field) return false;
    state_put_text(field, value);
    return true;
}

bool input_from_field(Window *w) {
    Str text = textedit_text(&w->source.edit);
    char **path = path_of(w);
    if (!path) return put(&w->state.text, text.n ? text.data : NULL);
    char *full = text.n ? complete_expand(text.data) : NULL;
    /* Half a path is no picture yet: the one before stays in sight. */
    bool changed = (!full || (file_exists(full) && !file_is_folder(full))) && put(path, full);
    free(full);
    return changed;
}

bool input_complete(Window *w) {
    enum { MOST = 200 };
    Str typed = textedit_text(&w->source.edit);
    if (!path_of(w) || typed.n == 0 || w->source.edit.caret != typed.n) return false;
    char *found[MOST];
    int n = complete_path(typed.data, found, MOST);
    size_t shared = n > 0 ? strlen(found[0]) : 0;
    for (int i = 1; i < n; i++) {
        size_t k = 0;
        while (k < shared && found[i][k] == found[0][k])
            k++;
        shared = k;
    }
    bool further = shared > typed.n;
    if (further) textedit_replace(&w->source.edit, (Str){found[0], shared});
    for (int i = 0; i < n; i++)
        free(found[i]);
    return further;
}
