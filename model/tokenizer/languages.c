/* Which tokens of a vocabulary name a language, and where they go. */
#include "model/tokenizer/layout.h"

static size_t letters(Str s, size_t at, char first, char last) {
    size_t n = 0;
    while (at + n < s.n && s.data[at + n] >= first && s.data[at + n] <= last)
        n++;
    return n;
}

/* The code within a label, {NULL, 0} if it names no language. */
static Str code_of(Str s, LanguageStyle style) {
    static const Str none = {NULL, 0};
    size_t low;
    switch (style) {
    case LANGUAGES_TAGS:
        if (s.n > 4 && str_starts(s, ">>") && str_ends(s, "<<")) return str_sub(s, 2, s.n - 2);
        return none;
    case LANGUAGES_MBART:
        low = letters(s, 0, 'a', 'z');
        if ((low == 2 || low == 3) && s.n == low + 3 && s.data[low] == '_' &&
            letters(s, low + 1, 'A', 'Z') == 2)
            return s;
        return none;
    case LANGUAGES_M2M100:
        if (s.n < 6 || !str_starts(s, "__") || !str_ends(s, "__")) return none;
        low = letters(s, 2, 'a', 'z');
        return low == s.n - 4 && low <= 3 ? str_sub(s, 2, s.n - 2) : none;
    case LANGUAGES_NLLB:
        if (s.n == 8 && letters(s, 0, 'a', 'z') == 3 && s.data[3] == '_' &&
            letters(s, 4, 'A', 'Z') == 1 && letters(s, 5, 'a', 'z') == 3)
            return s;
        return none;
    case LANGUAGES_WHISPER:
        if (s.n < 6 || !str_starts(s, "<|") || !str_ends(s, "|>")) return none;
        low = letters(s, 2, 'a', 'z');
        return low == s.n - 4 && low <= 3 ? str_sub(s, 2, s.n - 2) : none;
    }
    return none;
}

int32_t tokenizer_language_id(const Tokenizer *tokenizer, const char *code) {
    for (int i = 0; code && i < tokenizer->n_languages; i++)
        if (strcmp(tokenizer->languages[i].code, code) == 0) return tokenizer->languages[i].id;
    return -1;
}

int layout_languages(Tokenizer *tokenizer, const Folder *folder, LanguageStyle style) {
    Vocabulary *v = &tokenizer->sides[0].vocabulary;
    int n = 0, at = 0;
    /* A piece that happens to look so is no language: those are added tokens, but for the tags. */
    unsigned needed = style == LANGUAGES_TAGS ? 0 : VOCABULARY_ADDED;
    for (int id = 0; id < v->n_ids; id++)
        n += (v->flags[id] & needed) == needed && code_of(v->labels[id], style).data != NULL;
    Language *languages = arena_alloc(tokenizer->arena, (size_t)n * sizeof *languages);
    const char **codes = arena_alloc(tokenizer->arena, ((size_t)n + 1) * sizeof *codes);
    for (int id = 0; id < v->n_ids; id++) {
        Str code = code_of(v->labels[id], style);
        if ((v->flags[id] & needed) != needed || !code.data) continue;
        codes[at] = arena_str(tokenizer->arena, code).data;
        languages[at] = (Language){codes[at], id};
        vocabulary_mark(v, id, VOCABULARY_TAG);
        at++;
    }
    codes[at] = NULL;
    tokenizer->languages = languages;
    tokenizer->language_codes = codes;
    tokenizer->n_languages = n;
    tokenizer->tags = style == LANGUAGES_TAGS;
    if (tokenizer->tags) return n;
    tokenizer->begin = style == LANGUAGES_WHISPER ? BEGIN_WHISPER : BEGIN_START_LANGUAGE;
    tokenizer->language[0] = tokenizer_language_id(tokenizer, folder_text(folder, "src_lang", ""));
    tokenizer->language[1] = tokenizer_language_id(tokenizer, folder_text(folder, "tgt_lang", ""));
    return n;
}

void layout_language_template(Tokenizer *tokenizer, bool in_front, int32_t eos) {
    TemplateItem language = {TEMPLATE_LANGUAGE, 0, 0}, end = {TEMPLATE_TOKEN, eos, 0};
    Pipeline *pipeline = &tokenizer->sides[0];
    if (in_front) {
        template_around(&language, &end, tokenizer->arena, &pipeline->single, &pipeline->pair);
        return;
    }
    const TemplateItem items[] = {{TEMPLATE_FIRST, 0, 0},  end, language, {TEMPLATE_FIRST, 0, 0},
                                  {TEMPLATE_SECOND, 0, 0}, end, language};
    TemplateItem *copy = memcpy(arena_alloc(tokenizer->arena, sizeof items), items, sizeof items);
    pipeline->single = (Template){copy, 3};
    pipeline->pair = (Template){copy + 3, 4};
}

bool tokenizer_find_language(const Tokenizer *tokenizer, const char *code, int32_t *out,
                             Error *error) {
    *out = tokenizer_language_id(tokenizer, code);
    if (*out >= 0) return true;
    StrBuf known = {0};
    for (int i = 0; i < tokenizer->n_languages && i < 40; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", tokenizer->languages[i].code);
    error_set(error, ERROR_INPUT, "language \"%s\" is not in the vocabulary; it has %s%s", code,
              known.data ? known.data : "none", tokenizer->n_languages > 40 ? " ..." : "");
    strbuf_free(&known);
    return false;
}

const char *tokenizer_default_tag(const Tokenizer *tokenizer, Str text) {
    size_t blank = 0;
    while (blank < text.n && strchr(" \t\r\n", text.data[blank]) && text.data[blank])
        blank++;
    bool tagged = str_starts(str_sub(text, blank, text.n), ">>");
    return tokenizer->tags && tokenizer->n_languages > 1 && !tagged ? tokenizer->language_codes[0]
                                                                    : NULL;
}

const char *const *tokenizer_languages(const Tokenizer *tokenizer) {
    static const char *const none[] = {NULL};
    return tokenizer->language_codes ? tokenizer->language_codes : none;
}
