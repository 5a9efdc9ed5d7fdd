#include "model/tokenizer/pipeline.h"

#include "model/base/utf8.h"
#include "model/tokenizer/chars.h"

typedef struct TokenRow {
    Token *items;
    int n, capacity;
    const Pipeline *pipeline;
    Arena *arena;
    bool overgrown; /* the normalizer made too much of the text */
} TokenRow;

static void add_token(TokenRow *row, int32_t id, Span span) {
    if (row->n == row->capacity) {
        int capacity = row->capacity ? row->capacity * 2 : 32;
        Token *items = arena_alloc(row->arena, (size_t)capacity * sizeof *items);
        if (row->n) memcpy(items, row->items, (size_t)row->n * sizeof *items);
        row->items = items;
        row->capacity = capacity;
    }
    const Vocabulary *vocabulary = &row->pipeline->vocabulary;
    row->items[row->n++] = (Token){
        .id = id,
        .label = vocabulary_label(vocabulary, id),
        .begin = span.begin,
        .end = span.end,
        .special = (vocabulary_flags(vocabulary, id) & (VOCABULARY_SPECIAL | VOCABULARY_TAG)) != 0};
}

static void cut_pieces(TokenRow *row, Aligned text, Arena *scratch) {
    const Pipeline *pipeline = row->pipeline;
    Splits splits = splits_of(text, scratch);
    pretokenizer_apply(&pipeline->pretokenizer, &splits);
    Pieces pieces = {.arena = scratch};
    for (int k = 0; k < splits.n; k++) {
        pieces.n = 0;
        pipeline->model->cut(pipeline->model, aligned_str(splits.items[k]), &pieces);
        for (int i = 0; i < pieces.n; i++) {
            Piece piece = pieces.items[i];
            int32_t id = pipeline->external ? pipeline->external[piece.id] : piece.id;
            if (id >= 0) add_token(row, id, aligned_span(splits.items[k], piece.begin, piece.end));
        }
    }
}

static void cut_stretch(TokenRow *row, Aligned text, Arena *scratch) {
    const Pipeline *pipeline = row->pipeline;
    if (!text.n) return;
    Aligned normal = normalizer_apply(&pipeline->normalizer, text, scratch);
    row->overgrown = row->overgrown || !normal.data;
    int32_t begin = 0, at = 0;
    AddedMatch match;
    while (added_next(&pipeline->added_normalized, aligned_str(normal), &at, &match)) {
        cut_pieces(row, aligned_sub(normal, begin, match.begin), scratch);
        add_token(row, match.id, aligned_span(normal, match.begin, match.end));
        begin = match.end;
    }
    cut_pieces(row, aligned_sub(normal, begin, normal.n), scratch);
}

/* ">>fra<<" at the beginning: as far as the last "<<" of the line if that is in the vocabulary (as
 * the reference reads it), else as far as the first. Returns the bytes taken. */
static int32_t leading_tag(TokenRow *row, Str text) {
    if (!str_starts(text, ">>")) return 0;
    size_t first = 0, last = 0;
    for (size_t i = 3; i + 2 <= text.n && text.data[i] != '\n' && text.data[i - 1] != '\n'; i++) {
        if (memcmp(text.data + i, "<<", 2) != 0) continue;
        first = first ? first : i + 2;
        last = i + 2;
    }
    if (!last || text.data[2] == '\n') return 0;
    const Vocabulary *vocabulary = &row->pipeline->vocabulary;
    int32_t id = vocabulary_id(vocabulary, str_sub(text, 0, last));
    if (id < 0 && vocabulary_id(vocabulary, str_sub(text, 0, first)) >= 0) last = first;
    id = vocabulary_id(vocabulary, str_sub(text, 0, last));
    add_token(row, id >= 0 ? id : row->pipeline->unknown, (Span){0, (int32_t)last});
    return (int32_t)last;
}

static bool is_trimmed(uint32_t c) {
    return c == 0x120 || char_is_space(c);
}

/* How many characters at the beginning, and at the end, of s are white space. */
static void count_space(Str s, int *n_leading, int *n_trailing) {
    size_t n;
    *n_leading = *n_trailing = 0;
    for (size_t at = 0; at < s.n && is_trimmed(utf8_decode(s, at, &n)); at += n)
        ++*n_leading;
    for (size_t end = s.n; end > 0; ++*n_trailing) {
        end = char_before(s, end);
        if (!is_trimmed(utf8_decode(s, end, &n))) break;
    }
}

/* tokenizers/src/pre_tokenizers/byte_level.rs, process_offsets: each white space character of a
 * label moves an end of the span by a character. An added token may have taken white space that its
 * label does not show. */
static void trim_offsets(TokenRow *row, Str text) {
    const Vocabulary *vocabulary = &row->pipeline->vocabulary;
    for (int i = 0; i < row->n; i++) {
        Token *token = &row->items[i];
        bool added = (vocabulary_flags(vocabulary, token->id) & VOCABULARY_ADDED) != 0;
        size_t begin = (size_t)token->begin, end = (size_t)token->end, n;
        int n_leading, n_trailing;
        count_space(added ? str_sub(text, begin, end) : token->label, &n_leading, &n_trailing);
        bool first = i == 0 || token->begin == 0;
        if (n_leading && first && row->pipeline->prefix_space) n_leading--;
        for (; n_leading > 0 && begin < end; n_leading--, begin += n)
            utf8_decode(text, begin, &n);
        for (; n_trailing > 0 && end > begin; n_trailing--)
            end = char_before(text, end);
        token->begin = (int64_t)begin;
        token->end = (int64_t)end;
    }
}

static void encode_text(TokenRow *row, Str s, const PipelineOptions *options, Arena *scratch) {
    const Pipeline *pipeline = row->pipeline;
    Aligned text = aligned_text(s, scratch);
    int32_t begin = pipeline->leading_tag ? leading_tag(row, s) : 0, at = begin;
    if (options->tag >= 0 && !begin) add_token(row, options->tag, (Span){0, 0});
    AddedMatch match;
    while (added_next(&pipeline->added, s, &at, &match)) {
        cut_stretch(row, aligned_sub(text, begin, match.begin), scratch);
        add_token(row, match.id, aligned_span(text, match.begin, match.end));
        begin = match.end;
    }
    cut_stretch(row, aligned_sub(text, begin, text.n), scratch);
    if (pipeline->trim_offsets) trim_offsets(row, s);
}

static void append_row(TokenRow *row, const TokenRow *from, bool second, int type) {
    for (int i = 0; i < from->n; i++) {
        add_token(row, from->items[i].id, (Span){0, 0});
        row->items[row->n - 1] = from->items[i];
        row->items[row->n - 1].second = second;
        row->items[row->n - 1].type = type;
    }
}

static void add_special(TokenRow *row, int32_t id, int type) {
    if (id < 0) return;
    add_token(row, id, (Span){0, 0});
    row->items[row->n - 1].special = true;
    row->items[row->n - 1].type = type;
}

bool pipeline_encode(const Pipeline *pipeline, Str text, const PipelineOptions *options,
                     Arena *arena, Tokens *out, Error *error) {
    Arena *scratch = arena_new();
    TokenRow first = {.pipeline = pipeline, .arena = scratch}, second = first;
    encode_text(&first, text, options, scratch);
    PipelineOptions no_tag = *options;
    no_tag.tag = -1;
    if (options->pair.data) encode_text(&second, options->pair, &no_tag, scratch);
    static const TemplateItem both[] = {{TEMPLATE_FIRST, 0, 0}, {TEMPLATE_SECOND, 0, 1}};
    Template plain = {both, 2};
    const Template *template = options->pair.data ? &pipeline->pair : &pipeline->single;
    if (!options->special || !template->n) template = &plain;
    TokenRow row = {.pipeline = pipeline, .arena = arena};
    for (int i = 0; i < template->n; i++) {
        const TemplateItem *item = &template->items[i];
        switch (item->kind) {
        case TEMPLATE_FIRST:
            append_row(&row, &first, false, item->type);
            break;
        case TEMPLATE_SECOND:
            append_row(&row, &second, true, item->type);
            break;
        case TEMPLATE_TOKEN:
            add_special(&row, item->id, item->type);
            break;
        case TEMPLATE_LANGUAGE:
            add_special(&row, options->language, item->type);
            break;
        }
    }
    arena_free(scratch);
    *out = (Tokens){.n = row.n, .items = row.items, .text = text, .pair = options->pair};
    if (!first.overgrown && !second.overgrown) return true;
    return error_set(error, ERROR_INPUT,
                     "the normalizer of this tokenizer makes more than 256 times the text of it; "
                     "its rules replace what they write themselves");
}

Str pipeline_decode(const Pipeline *pipeline, const int32_t *ids, int n, bool skip_special,
                    Arena *arena) {
    Arena *scratch = arena_new();
    Str *labels = arena_alloc(scratch, (size_t)n * sizeof *labels);
    int n_labels = 0;
    for (int i = 0; i < n; i++) {
        if (skip_special && vocabulary_flags(&pipeline->vocabulary, ids[i]) & VOCABULARY_SPECIAL)
            continue;
        Str label = vocabulary_label(&pipeline->vocabulary, ids[i]);
        if (!label.data) label = vocabulary_label(&pipeline->vocabulary, pipeline->unknown);
        if (label.data) labels[n_labels++] = label;
    }
    Str text = decoder_apply(&pipeline->decoder, labels, n_labels, scratch);
    text = arena_str(arena, text);
    arena_free(scratch);
    return text;
}
