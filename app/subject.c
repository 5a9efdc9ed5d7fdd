#include "app/subject.h"

#include <stdlib.h>
#include <string.h>

#include "app/model_path.h"

Subject *subject_open_with(const char *name, const CheckpointOptions *options, Error *error) {
    Arena *arena = arena_new();
    const char *path = model_path_find(name, arena, error);
    Model *model = path ? model_open_with(path, options, error) : NULL;
    Subject *subject = NULL;
    if (model) {
        Error failure = {0};
        Tokenizer *tokenizer =
            tokenizer_open(checkpoint_tokenizer_path(model->checkpoint), &failure);
        if (tokenizer || failure.kind == ERROR_NOT_FOUND) {
            subject = calloc(1, sizeof *subject);
            *subject = (Subject){model, tokenizer, strdup(path)};
        } else {
            error_set(error, failure.kind, "%s", failure.message);
            model_free(model);
        }
    }
    arena_free(arena);
    return subject;
}

Subject *subject_open(const char *name, Error *error) {
    return subject_open_with(name, NULL, error);
}

void subject_close(Subject *subject) {
    if (!subject) return;
    tokenizer_free(subject->tokenizer);
    model_free(subject->model);
    free(subject->path);
    free(subject);
}

bool subject_is_blank(Str text) {
    for (size_t i = 0; i < text.n; i++)
        if (!strchr(" \t\r\n", text.data[i]) || !text.data[i]) return false;
    return true;
}

bool subject_check_language(const Subject *subject, const char *to, Error *error) {
    int32_t id;
    if (!to) return true;
    if (!subject->tokenizer || !*tokenizer_languages(subject->tokenizer))
        return error_set(error, ERROR_INPUT,
                         "--to: %s has no languages to choose from; leave the option out",
                         subject->path);
    return tokenizer_find_language(subject->tokenizer, to, &id, error) ||
           error_prefix(error, "--to");
}

Tokens subject_tokens(const Subject *subject, const int32_t *ids, int n, bool target,
                      Arena *arena) {
    Token *items = arena_calloc(arena, (size_t)(n > 0 ? n : 1), sizeof *items);
    for (int i = 0; i < n; i++) {
        const Tokenizer *tokenizer = subject->tokenizer;
        Str label = tokenizer ? tokenizer_label(tokenizer, ids[i], target) : (Str){0};
        if (!label.data) label = str(arena_printf(arena, "%d", (int)ids[i]));
        items[i] = (Token){.id = ids[i],
                           .label = label,
                           .special = tokenizer && tokenizer_is_special(tokenizer, ids[i])};
    }
    return (Tokens){.n = n, .items = items, .text = {"", 0}};
}

Str subject_decode(const Subject *subject, const int32_t *ids, int n, Arena *arena) {
    if (subject->tokenizer)
        return tokenizer_decode(subject->tokenizer, ids, n,
                                &(DecodeOptions){.skip_special = true, .target = true}, arena);
    StrBuf text = {0};
    for (int i = 0; i < n; i++)
        strbuf_printf(&text, "%s%d", i ? " " : "", (int)ids[i]);
    Str copy = arena_str(arena, strbuf_str(&text));
    strbuf_free(&text);
    return copy;
}
