#include "app/views/sides.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "app/views/select.h"
#include "model/base/utf8.h"

#define WORD_MARK "\xe2\x96\x81"  /* ▁, SentencePiece's blank */
#define BYTE_BLANK "\xc4\xa0"     /* Ġ, the blank of byte-level vocabularies */
#define LONE_BLANK "\xe2\x90\xa3" /* ␣: how a blank by itself is shown */
#define BYTE_LINE "\xc4\x8a"      /* Ċ, their line end */

static void replace(StrBuf *out, Str label, const char *mark, const char *with) {
    size_t n = strlen(mark);
    for (size_t i = 0; i < label.n;) {
        if (i + n <= label.n && memcmp(label.data + i, mark, n) == 0) {
            strbuf_puts(out, with);
            i += n;
        } else {
            strbuf_putc(out, label.data[i++]);
        }
    }
}

Str label_pretty(Str label, Arena *arena) {
    if (str_starts(label, WORD_MARK) && label.n > 3) label = str_sub(label, 3, label.n);
    if (str_starts(label, BYTE_BLANK) && label.n > 2) label = str_sub(label, 2, label.n);
    if (str_starts(label, "##") && label.n > 2) label = str_sub(label, 2, label.n);
    if (str_ends(label, "</w>") && label.n > 4) label.n -= 4;
    if (str_is(label, WORD_MARK) || str_is(label, BYTE_BLANK)) return str(LONE_BLANK);
    StrBuf blanks = {0}, lines = {0};
    replace(&blanks, label, WORD_MARK, " ");
    replace(&lines, strbuf_str(&blanks), BYTE_LINE, "\xe2\x86\xb5");
    Str copy = arena_str(arena, strbuf_str(&lines));
    strbuf_free(&blanks);
    strbuf_free(&lines);
    return copy;
}

bool label_is_punctuation(Str label) {
    size_t n = 0;
    for (size_t at = 0; at < label.n; at += n) {
        utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)utf8_decode(label, at, &n));
        bool mark = c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
        if (!mark) return false;
    }
    return label.n > 0;
}

/* Does this token go on with the word of the token before? By the bytes of the text where they are
 * known, else by the vocabulary's marks. */
static bool continues_word(const Token *before, const Token *token, bool marks_begin) {
    if (before->special || token->special) return false;
    Str label = token->label;
    if (str_starts(label, "##")) return true;
    if (str_starts(label, WORD_MARK) || str_starts(label, BYTE_BLANK)) return false;
    if (str_ends(before->label, "</w>")) return false;
    if (label_is_punctuation(label)) return false;
    Str old = before->label;
    if (str_starts(old, WORD_MARK)) old = str_sub(old, 3, old.n);
    if (str_starts(old, BYTE_BLANK)) old = str_sub(old, 2, old.n);
    if (old.n > 0 && label_is_punctuation(old)) return false;
    bool spans = token->end > token->begin && before->end > before->begin;
    if (spans && token->second != before->second) return false;
    if (marks_begin) return true;
    return spans && token->begin == before->end;
}

static bool vocabulary_marks_words(const Token *tokens, int n) {
    for (int i = 0; i < n; i++)
        if (str_starts(tokens[i].label, WORD_MARK) || str_starts(tokens[i].label, BYTE_BLANK) ||
            str_ends(tokens[i].label, "</w>"))
            return true;
    return false;
}

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

static void join_rows(Side *side, const Token *tokens, ChartToken *rows, int *row_of, int *first,
                      int *count, bool raw, Arena *arena) {
    bool marks = vocabulary_marks_words(tokens, side->n_tokens);
    int n = 0;
    for (int i = 0; i < side->n_tokens; i++) {
        Str label = tokens[i].label;
        bool goes_on = i > 0 && continues_word(&tokens[i - 1], &tokens[i], marks);
        Str text = raw ? label : label_pretty(label, arena);
        if (goes_on && side->words) {
            row_of[i] = n - 1;
            count[n - 1]++;
            Str old = rows[n - 1].text;
            if (!raw && str_is(old, LONE_BLANK)) old = (Str){"", 0};
            rows[n - 1].text =
                str(arena_printf(arena, "%.*s%.*s", (int)old.n, old.data, (int)text.n, text.data));
            continue;
        }
        rows[n] =
            (ChartToken){.text = text, .special = tokens[i].special, .continues = goes_on && !raw};
        first[n] = i;
        count[n] = 1;
        row_of[i] = n++;
    }
    side->axis.n = n;
}

static void hide_rows(Side *side, const Token *tokens, const State *state, ChartToken *rows,
                      Arena *arena) {
    StrBuf names = {0};
    for (int r = 0; r < side->axis.n; r++) {
        ChartToken *row = &rows[r];
        Str label = tokens[side->first[r]].label;
        row->hidden =
            (state->hide_special && row->special) ||
            (state->hide_punctuation && !row->special && label_is_punctuation(row->text)) ||
            hidden_by_name(&state->hide, row->text, label);
        if (!row->hidden) continue;
        side->n_hidden++;
        if (names.n > 40) continue;
        strbuf_printf(&names, "%s%.*s", names.n ? ", " : "", (int)row->text.n, row->text.data);
    }
    side->hidden_names = arena_strdup(arena, names.n ? names.data : "");
    strbuf_free(&names);
}

void side_read(Side *side, const Token *tokens, int n, const State *state, bool words,
               Arena *arena) {
    *side = (Side){.n_tokens = n, .words = words};
    size_t room = (size_t)n + 1;
    ChartToken *rows = arena_calloc(arena, room, sizeof *rows);
    int *row_of = arena_calloc(arena, room, sizeof *row_of);
    int *first = arena_calloc(arena, room, sizeof *first);
    int *count = arena_calloc(arena, room, sizeof *count);
    bool *special = arena_calloc(arena, room, sizeof *special);
    for (int i = 0; i < n; i++)
        special[i] = tokens[i].special;
    side->row_of = row_of;
    side->first = first;
    side->count = count;
    side->special = special;
    side->axis.tokens = rows;
    join_rows(side, tokens, rows, row_of, first, count, state->raw_tokens, arena);
    hide_rows(side, tokens, state, rows, arena);
}

void side_count(Side *side, int n, int first, Arena *arena) {
    static const State plain;
    Token *tokens = arena_calloc(arena, (size_t)n + 1, sizeof *tokens);
    for (int i = 0; i < n; i++)
        tokens[i].label = str(arena_printf(arena, "%d", i + first));
    side_read(side, tokens, n, &plain, false, arena);
}

static void pick_label(const Side *side, Str label, bool *picked) {
    for (int r = 0; r < side->axis.n; r++)
        if (str_eq(side->axis.tokens[r].text, label)) picked[r] = true;
}

int side_pick(const Side *side, const char *token, bool *picked, Error *error) {
    memset(picked, 0, (size_t)side->axis.n * sizeof *picked);
    pick_label(side, str(token), picked); /* also "," */
    Str rest = str(token), part;
    SelectList *list = malloc(sizeof *list);
    while (list && select_part(&rest, ',', &part)) {
        Error no_number = {0};
        if (select_parse(part, side->n_tokens, "token", list, &no_number))
            for (int i = 0; i < list->n; i++)
                picked[side->row_of[list->items[i]]] = true;
        else
            pick_label(side, part, picked);
    }
    free(list);
    int n = 0;
    for (int r = 0; r < side->axis.n; r++)
        n += picked[r];
    if (n == 0)
        error_set(error, ERROR_INPUT,
                  "--token '%.60s' is no query here; expected a number from 0 to %d, or a label as "
                  "the figure writes it",
                  token, side->n_tokens - 1);
    return n;
}
