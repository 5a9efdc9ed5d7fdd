#include "app/views/sides.h"

#include <math.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "app/views/select.h"
#include "model/base/utf8.h"
#include "model/words.h"

bool label_is_punctuation(Str label) {
    size_t n = 0;
    for (size_t at = 0; at < label.n; at += n) {
        utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)utf8_decode(label, at, &n));
        bool mark = c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
        if (!mark) return false;
    }
    return label.n > 0;
}

/* An axis while it is made; see Side. */
typedef struct Rows {
    ChartToken *tokens;
    int *row_of, *first, *count;
} Rows;

static bool hidden_by_name(const StateList *names, Str shown, Str label) {
    for (int i = 0; i < names->n; i++) {
        Str rest = str(names->items[i]), part;
        while (select_part(&rest, ',', &part))
            if (str_eq(part, shown) || str_eq(part, label)) return true;
    }
    /* "," itself */
    for (int i = 0; i < names->n; i++)
        if (str_is(shown, names->items[i])) return true;
    return false;
}

/* The vocabulary's own strings of a word, one behind the other. */
static Str raw_label(const Tokens *tokens, const Word *word, Arena *arena) {
    StrBuf out = {0};
    for (int i = word->first; i < word->first + word->n_tokens; i++)
        strbuf_add(&out, tokens->items[i].label.data, tokens->items[i].label.n);
    Str label = arena_str(arena, strbuf_str(&out));
    strbuf_free(&out);
    return label;
}

static void add_word(Side *side, const Tokens *tokens, const Word *word, bool raw, Rows *rows,
                     Arena *arena) {
    int r = side->axis.n++;
    rows->tokens[r] = (ChartToken){.text = raw ? raw_label(tokens, word, arena) : word->label,
                                   .special = word->special};
    rows->first[r] = word->first;
    rows->count[r] = word->n_tokens;
    for (int i = word->first; i < word->first + word->n_tokens; i++)
        rows->row_of[i] = r;
}

static void add_token(Side *side, const Tokens *tokens, int i, const Words *words, TokenStyle style,
                      bool raw, Rows *rows, Arena *arena) {
    const Token *token = &tokens->items[i];
    int r = side->axis.n++;
    rows->tokens[r] =
        (ChartToken){.text = raw ? token->label : token_pretty(token->label, style, arena),
                     .special = token->special,
                     .continues = !raw && i > 0 && words->of[i] == words->of[i - 1]};
    rows->first[r] = i;
    rows->count[r] = 1;
    rows->row_of[i] = r;
}

/* Names in a row, each once; marks between quotes, or they would be read as part of the list. */
typedef struct Names {
    StrBuf text;
    Str *seen; // [n_seen]
    int n_seen, n_more;
} Names;

static void names_add(Names *names, Str name) {
    enum { MOST_BYTES = 60 };
    for (int i = 0; i < names->n_seen; i++)
        if (str_eq(names->seen[i], name)) return;
    names->seen[names->n_seen++] = name;
    if (names->text.n > MOST_BYTES) {
        names->n_more++;
        return;
    }
    bool mark = label_is_punctuation(name);
    strbuf_printf(&names->text, "%s%s%.*s%s", names->text.n ? ", " : "", mark ? "\xe2\x80\x9c" : "",
                  (int)name.n, name.data, mark ? "\xe2\x80\x9d" : "");
}

static const char *names_end(Names *names, Arena *arena) {
    if (names->n_more) strbuf_printf(&names->text, " and %d more", names->n_more);
    const char *kept = arena_strdup(arena, names->text.n ? names->text.data : "");
    strbuf_free(&names->text);
    return kept;
}

static Names names_begin(int most, Arena *arena) {
    return (Names){.seen = arena_alloc(arena, ((size_t)most + 1) * sizeof(Str))};
}

static const char *hidden_names(const Side *side, Arena *arena) {
    Names names = names_begin(side->axis.n, arena);
    for (int r = 0; r < side->axis.n; r++)
        if (side->axis.tokens[r].hidden) names_add(&names, side->axis.tokens[r].text);
    return names_end(&names, arena);
}

static const char *unread_names(const Tokens *tokens, Arena *arena) {
    Names names = names_begin(tokens->n, arena);
    for (int i = 0; i < tokens->n; i++) {
        const Token *token = &tokens->items[i];
        Str text = token->second ? tokens->pair : tokens->text;
        if (token_is_unread(token, text))
            names_add(&names, str_trim(str_sub(text, (size_t)token->begin, (size_t)token->end)));
    }
    return names_end(&names, arena);
}

static void hide_rows(Side *side, const Tokens *tokens, const State *state, ChartToken *rows,
                      Arena *arena) {
    for (int r = 0; r < side->axis.n; r++) {
        ChartToken *row = &rows[r];
        Str label = tokens->items[side->first[r]].label;
        row->hidden =
            (state->hide_special && row->special) ||
            (state->hide_punctuation && !row->special && label_is_punctuation(row->text)) ||
            hidden_by_name(&state->hide, row->text, label);
        side->n_hidden += row->hidden;
    }
    side->hidden_names = side->n_hidden ? hidden_names(side, arena) : "";
}

void side_read(Side *side, const Tokens *tokens, const State *state, bool words, Arena *arena) {
    int n = tokens->n;
    size_t room = (size_t)n + 1;
    Rows rows = {.tokens = arena_calloc(arena, room, sizeof *rows.tokens),
                 .row_of = arena_calloc(arena, room, sizeof *rows.row_of),
                 .first = arena_calloc(arena, room, sizeof *rows.first),
                 .count = arena_calloc(arena, room, sizeof *rows.count)};
    bool *special = arena_calloc(arena, room, sizeof *special);
    for (int i = 0; i < n; i++)
        special[i] = tokens->items[i].special;
    *side = (Side){.n_tokens = n,
                   .n_seen = n,
                   .words = words,
                   .row_of = rows.row_of,
                   .first = rows.first,
                   .count = rows.count,
                   .special = special,
                   .axis.tokens = rows.tokens};
    Words all = words_read(tokens, arena);
    TokenStyle style = token_style(tokens->items, n);
    for (int w = 0; words && w < all.n; w++)
        add_word(side, tokens, &all.items[w], state->raw_tokens, &rows, arena);
    for (int i = 0; !words && i < n; i++)
        add_token(side, tokens, i, &all, style, state->raw_tokens, &rows, arena);
    hide_rows(side, tokens, state, rows.tokens, arena);
    side->unread_names = unread_names(tokens, arena);
}

void side_until(Side *side, const Tokens *tokens, int n_seen, const State *state, Arena *arena) {
    if (n_seen >= side->n_tokens) return;
    side->n_seen = n_seen;
    TokenStyle style = token_style(tokens->items, tokens->n);
    ChartToken *rows = arena_alloc(arena, ((size_t)side->axis.n + 1) * sizeof *rows);
    for (int r = 0; r < side->axis.n; r++) {
        rows[r] = side->axis.tokens[r];
        int end = side->first[r] + side->count[r];
        if (end <= n_seen) continue;
        rows[r].absent = side->first[r] >= n_seen;
        if (rows[r].absent) continue;
        /* Of the word that is being written, the pieces so far. */
        StrBuf so_far = {0};
        for (int i = side->first[r]; i < n_seen; i++) {
            Str label = tokens->items[i].label;
            Str piece = state->raw_tokens ? label : token_pretty(label, style, arena);
            strbuf_add(&so_far, piece.data, piece.n);
        }
        rows[r].text = arena_str(arena, strbuf_str(&so_far));
        strbuf_free(&so_far);
    }
    side->axis.tokens = rows;
}

void side_count(Side *side, int n, int first, Arena *arena) {
    static const State plain;
    Tokens tokens = {.n = n, .items = arena_calloc(arena, (size_t)n + 1, sizeof(Token))};
    for (int i = 0; i < n; i++)
        tokens.items[i].label = str(arena_printf(arena, "%d", i + first));
    side_read(side, &tokens, &plain, false, arena);
}

bool side_has(const Side *side, const Tokens *tokens, Str name) {
    for (int r = 0; r < side->axis.n; r++)
        if (str_eq(side->axis.tokens[r].text, name) ||
            str_eq(tokens->items[side->first[r]].label, name))
            return true;
    return false;
}

static bool pick_label(const Side *side, Str label, bool *picked) {
    bool any = false;
    for (int r = 0; r < side->axis.n; r++)
        if (str_eq(side->axis.tokens[r].text, label)) picked[r] = any = true;
    return any;
}

int side_pick(const Side *side, const char *token, bool *picked, Error *error) {
    memset(picked, 0, (size_t)side->axis.n * sizeof *picked);
    bool whole = pick_label(side, str(token), picked); /* also "," */
    Str rest = str(token), part, unknown = {0};
    SelectList *list = malloc(sizeof *list);
    while (list && !whole && select_part(&rest, ',', &part)) {
        Error no_number = {0};
        bool number = select_parse(part, side->n_tokens, "token", list, &no_number);
        for (int i = 0; number && i < list->n; i++)
            picked[side->row_of[list->items[i]]] = true;
        if (!number && !pick_label(side, part, picked) && !unknown.n) unknown = part;
    }
    free(list);
    int n = 0;
    for (int r = 0; r < side->axis.n; r++)
        n += picked[r];
    if (n > 0 && !unknown.n) return n;
    if (!unknown.n) unknown = str(token);
    error_set(error, ERROR_INPUT,
              "--token '%.*s' is no query here; expected a number from 0 to %d, or a label as "
              "the figure writes it",
              (int)(unknown.n < 60 ? unknown.n : 60), unknown.data, side->n_tokens - 1);
    return 0;
}

double side_hidden_weight(const Side *keys, const float *row) {
    double sum = 0;
    for (int k = 0; k < keys->axis.n; k++)
        if (keys->axis.tokens[k].hidden && !isnan(row[k])) sum += (double)row[k];
    return sum;
}

const char *side_hidden_note(const Side *keys, double percent, Arena *arena) {
    return arena_printf(arena, "%.1f %% of the weight on %s hidden", percent, keys->hidden_names);
}
