#include "model/corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "model/base/file.h"
#include "model/base/random.h"

enum { MAX_LINE = 1 << 16, MAX_LANGUAGES = 16 };

typedef struct Row { /* ids without tag and </s> */
    int language, times;
    int n_source, n_target;
    const int32_t *source, *target;
} Row;

struct Corpus {
    const Tokenizer *tokenizer;
    bool reverse;
    Arena *arena, *dealt; /* rows; examples of this pass */
    Row *rows;
    int n_rows, capacity, n_skipped;
    int n_languages;
    char languages[MAX_LANGUAGES][16];
    int32_t tags[MAX_LANGUAGES]; /* -1: this vocabulary has none */
    int32_t end_id;
    Example *examples;
    int n_examples;
    int *batch_begin; // [n_batches + 1]
    int n_batches;
};

Corpus *corpus_new(const Tokenizer *tokenizer, bool reverse) {
    Arena *arena = arena_new();
    Corpus *corpus = arena_calloc(arena, 1, sizeof *corpus);
    corpus->tokenizer = tokenizer;
    corpus->reverse = reverse;
    corpus->arena = arena;
    corpus->dealt = arena_new();
    corpus->end_id = tokenizer_id(tokenizer, str("</s>"), true);
    return corpus;
}

void corpus_free(Corpus *corpus) {
    if (!corpus) return;
    free(corpus->rows);
    arena_free(corpus->dealt);
    arena_free(corpus->arena);
}

/* ---- reading ---- */

/* In a vocabulary with languages each row has to name one of them: without its tag the model would
 * not know what to write. */
static bool has_tag(const Corpus *corpus, int language, Error *error) {
    const char *const *known = tokenizer_languages(corpus->tokenizer);
    const char *name = corpus->languages[language];
    if (corpus->reverse || corpus->tags[language] >= 0 || !known || !*known) return true;
    char list[200] = "";
    for (int i = 0, n = 0; known[i] && n < (int)sizeof list - 20; i++)
        n += snprintf(list + n, sizeof list - (size_t)n, "%s%.15s", i ? ", " : "", known[i]);
    return error_set(
        error, ERROR_INPUT,
        "language \"%s\": the vocabulary has no >>%s<< to tell it the model; it has %s", name, name,
        list);
}

static int language_index(Corpus *corpus, Str name, Error *error) {
    for (int i = 0; i < corpus->n_languages; i++)
        if (str_is(name, corpus->languages[i])) return i;
    if (corpus->n_languages == MAX_LANGUAGES || name.n == 0 || name.n > 15) {
        error_set(error, ERROR_INPUT,
                  "language \"%.*s\": a short code expected, at most %d of them",
                  (int)(name.n > 20 ? 20 : name.n), name.data, MAX_LANGUAGES);
        return -1;
    }
    int i = corpus->n_languages++;
    memcpy(corpus->languages[i], name.data, name.n);
    char tag[32]; /* read backwards, every row is written in English */
    int n = snprintf(tag, sizeof tag, ">>%s<<", corpus->reverse ? "eng" : corpus->languages[i]);
    corpus->tags[i] = tokenizer_id(corpus->tokenizer, (Str){tag, (size_t)n}, false);
    return has_tag(corpus, i, error) ? i : -1;
}

static bool encode(Corpus *corpus, Str text, bool target, Arena *scratch, const int32_t **ids,
                   int *n, Error *error) {
    Tokens tokens;
    if (!tokenizer_encode(corpus->tokenizer, text, &(EncodeOptions){.target = target}, scratch,
                          &tokens, error))
        return false;
    int32_t *out = arena_alloc(corpus->arena, (size_t)tokens.n * sizeof *out);
    for (int i = 0; i < tokens.n; i++)
        out[i] = tokens.items[i].id;
    *ids = out;
    *n = tokens.n;
    return true;
}

static bool add_line(Corpus *corpus, Str line, const Recipe *recipe, int times, Arena *scratch,
                     Error *error) {
    const char *a = memchr(line.data, '\t', line.n);
    const char *b = a ? memchr(a + 1, '\t', (size_t)(line.data + line.n - a - 1)) : NULL;
    if (!b) return error_set(error, ERROR_INPUT, "lang <TAB> source <TAB> target expected");
    Str language = {line.data, (size_t)(a - line.data)};
    Str source = {a + 1, (size_t)(b - a - 1)};
    Str target = {b + 1, (size_t)(line.data + line.n - b - 1)};
    Row row = {.language = language_index(corpus, language, error), .times = times};
    if (row.language < 0) return false;
    for (int i = 0; i < recipe->n_repeat; i++)
        if (str_is(language, recipe->repeat[i].language)) row.times *= recipe->repeat[i].times;
    if (corpus->reverse) {
        Str swap = source;
        source = target;
        target = swap;
    }
    if (!encode(corpus, source, false, scratch, &row.source, &row.n_source, error)) return false;
    if (!encode(corpus, target, true, scratch, &row.target, &row.n_target, error)) return false;
    if (row.n_source + 2 > recipe->max_tokens || row.n_target + 1 > recipe->max_tokens) {
        corpus->n_skipped++;
        return true;
    }
    if (corpus->n_rows == corpus->capacity) {
        corpus->capacity = corpus->capacity ? 2 * corpus->capacity : 4096;
        corpus->rows = realloc(corpus->rows, (size_t)corpus->capacity * sizeof *corpus->rows);
        if (!corpus->rows) abort();
    }
    corpus->rows[corpus->n_rows++] = row;
    return true;
}

/* What zlib has to say of a file that ends too soon, or is broken; true: nothing. */
static bool is_sound(gzFile file, Error *error) {
    int code;
    const char *broken = gzerror(file, &code);
    return code == Z_OK || code == Z_STREAM_END || error_set(error, ERROR_INPUT, "%s", broken);
}

bool corpus_add(Corpus *corpus, const char *path, const Recipe *recipe, int times, Error *error) {
    if (corpus->end_id < 0)
        return error_set(error, ERROR_INPUT, "%s: the vocabulary has no </s> to end a row with",
                         path);
    if (!file_check(path, error)) return false;
    gzFile file = gzopen(path, "rbe"); /* reads plain files too */
    if (!file) return error_set(error, ERROR_IO, "%s: cannot be read", path);
    Arena *scratch = arena_new();
    char *line = arena_alloc(scratch, MAX_LINE);
    ArenaMark mark = arena_mark(scratch);
    bool ok = true;
    int number = 0;
    z_off_t begin = 0;
    while (ok && gzgets(file, line, MAX_LINE)) {
        number++;
        size_t n = strlen(line);
        if (gztell(file) - begin != (z_off_t)n) ok = error_set(error, ERROR_INPUT, "a NUL byte");
        begin = gztell(file);
        if (ok && n + 1 == MAX_LINE)
            ok = error_set(error, ERROR_INPUT, "longer than %d bytes", MAX_LINE - 2);
        if (ok && n > 0 && line[n - 1] != '\n') ok = is_sound(file, error);
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            n--;
        if (ok && n > 0) ok = add_line(corpus, (Str){line, n}, recipe, times, scratch, error);
        arena_reset(scratch, mark);
    }
    ok = ok && is_sound(file, error);
    if (!ok) error_prefix(error, "%s: line %d", path, number);
    if (ok && number == 0) ok = error_set(error, ERROR_INPUT, "%s: has no lines", path);
    gzclose(file);
    arena_free(scratch);
    return ok;
}

int corpus_n_rows(const Corpus *corpus) {
    return corpus->n_rows;
}

int corpus_n_skipped(const Corpus *corpus) {
    return corpus->n_skipped;
}

/* ---- dealing ---- */

static void shuffle(int32_t *items, int n, uint64_t seed) {
    for (int i = n - 1; i > 0; i--) {
        int j = (int)random_below(seed, (uint64_t)i, i + 1);
        int32_t swap = items[i];
        items[i] = items[j];
        items[j] = swap;
    }
}

/* Rows of one language in a row, as one example: [tag] a b c </s>. */
static Example join(const Corpus *corpus, const int32_t *order, int n) {
    const Row *first = &corpus->rows[order[0]];
    int32_t tag = corpus->tags[first->language];
    int n_source = tag >= 0, n_target = 0;
    for (int i = 0; i < n; i++) {
        n_source += corpus->rows[order[i]].n_source;
        n_target += corpus->rows[order[i]].n_target;
    }
    int32_t *source =
        arena_alloc(corpus->dealt, (size_t)(n_source + n_target + 2) * sizeof *source);
    int32_t *target = source + n_source + 1, *s = source, *t = target;
    if (tag >= 0) *s++ = tag;
    for (int i = 0; i < n; i++) {
        const Row *row = &corpus->rows[order[i]];
        memcpy(s, row->source, (size_t)row->n_source * sizeof *s);
        memcpy(t, row->target, (size_t)row->n_target * sizeof *t);
        s += row->n_source;
        t += row->n_target;
    }
    *s = *t = corpus->end_id;
    return (Example){n_source + 1, n_target + 1, source, target};
}

/* How many of the next rows join: 1, or a draw of the recipe's as long as they fit. */
static int joined_rows(const Corpus *corpus, const Recipe *recipe, const int32_t *order, int left,
                       uint64_t seed, int at) {
    if (random_unit(seed, 2 * (uint64_t)at) >= recipe->join_share) return 1;
    int span = recipe->join_most - recipe->join_least + 1;
    int want = recipe->join_least + (int)random_below(seed, 2 * (uint64_t)at + 1, span);
    int n = 0, n_source = 2, n_target = 1;
    while (n < want && n < left) {
        n_source += corpus->rows[order[n]].n_source;
        n_target += corpus->rows[order[n]].n_target;
        if (n > 0 && (n_source > recipe->max_tokens || n_target > recipe->max_tokens)) break;
        n++;
    }
    return n;
}

/* How often a row counts in a pass; the first passes, which do not join, take long rows plainly. */
static int row_times(const Row *row, const Recipe *recipe, bool joins) {
    bool is_long = joins && recipe->long_repeat > 1 && row->n_source >= recipe->long_source;
    return is_long ? row->times * recipe->long_repeat : row->times;
}

/* All rows of one language, as often as they count, shuffled and joined; returns examples made. */
static int deal_language(Corpus *corpus, const Recipe *recipe, int language, uint64_t seed,
                         bool joins, Example *out) {
    int n = 0, n_out = 0;
    for (int r = 0; r < corpus->n_rows; r++)
        if (corpus->rows[r].language == language) n += row_times(&corpus->rows[r], recipe, joins);
    int32_t *order = malloc(((size_t)n + 1) * sizeof *order);
    if (!order) abort();
    n = 0;
    for (int r = 0; r < corpus->n_rows; r++) {
        if (corpus->rows[r].language != language) continue;
        int times = row_times(&corpus->rows[r], recipe, joins);
        for (int i = 0; i < times; i++)
            order[n++] = r;
    }
    shuffle(order, n, seed);
    for (int at = 0; at < n;) {
        int take =
            joins ? joined_rows(corpus, recipe, order + at, n - at, seed ^ 0x5bd1e995, at) : 1;
        out[n_out++] = join(corpus, order + at, take);
        at += take;
    }
    free(order);
    return n_out;
}

static int by_length(const void *a, const void *b) {
    const Example *x = a, *y = b;
    if (x->n_target != y->n_target) return x->n_target - y->n_target;
    if (x->n_source != y->n_source) return x->n_source - y->n_source;
    int ids = memcmp(x->target, y->target, (size_t)x->n_target * sizeof *x->target);
    return ids ? ids : memcmp(x->source, y->source, (size_t)x->n_source * sizeof *x->source);
}

/* Pools of a few batches are sorted by length; a batch is a run of one pool. The batches of the
 * pass are shuffled last. */
static void cut_batches(Corpus *corpus, const Recipe *recipe, uint64_t seed) {
    int most = corpus->n_examples + 1;
    int *begin = arena_alloc(corpus->dealt, (size_t)(most + 1) * sizeof *begin);
    int n = 0;
    int64_t pool_tokens = (int64_t)recipe->batch_tokens * recipe->pool_batches;
    for (int first = 0; first < corpus->n_examples;) {
        int end = first;
        int64_t tokens = 0;
        while (end < corpus->n_examples && (end == first || tokens < pool_tokens))
            tokens += corpus->examples[end++].n_target;
        qsort(corpus->examples + first, (size_t)(end - first), sizeof *corpus->examples, by_length);
        /* Batches of one pool get equal shares: a remainder would make a batch of a few rows. */
        int n_cuts = (int)((tokens + recipe->batch_tokens / 2) / recipe->batch_tokens);
        if (n_cuts < 1) n_cuts = 1;
        int64_t so_far = 0;
        for (int i = first, cut = 0; i < end; i++) {
            if (so_far >= tokens * cut / n_cuts && cut < n_cuts) {
                begin[n++] = i;
                cut++;
            }
            so_far += corpus->examples[i].n_target;
        }
        first = end;
    }
    begin[n] = corpus->n_examples;
    int32_t *order = arena_alloc(corpus->dealt, (size_t)(n + 1) * sizeof *order);
    for (int i = 0; i < n; i++)
        order[i] = i;
    shuffle(order, n, seed);
    Example *sorted = arena_alloc(corpus->dealt, (size_t)most * sizeof *sorted);
    corpus->batch_begin = arena_alloc(corpus->dealt, (size_t)(n + 1) * sizeof *begin);
    int at = 0;
    for (int i = 0; i < n; i++) {
        int from = begin[order[i]], count = begin[order[i] + 1] - from;
        corpus->batch_begin[i] = at;
        memcpy(sorted + at, corpus->examples + from, (size_t)count * sizeof *sorted);
        at += count;
    }
    corpus->batch_begin[n] = at;
    corpus->examples = sorted;
    corpus->n_batches = n;
}

void corpus_deal(Corpus *corpus, const Recipe *recipe, int pass) {
    arena_clear(corpus->dealt);
    uint64_t seed = random_word(recipe->seed, 1000 + (uint64_t)pass);
    bool joins = pass >= recipe->join_from_pass;
    int64_t most = 0;
    for (int r = 0; r < corpus->n_rows; r++)
        most += row_times(&corpus->rows[r], recipe, joins);
    Example *examples = arena_alloc(corpus->dealt, (size_t)(most + 1) * sizeof *examples);
    int n = 0;
    for (int l = 0; l < corpus->n_languages; l++)
        n += deal_language(corpus, recipe, l, seed + (uint64_t)l, joins, examples + n);
    int32_t *order = arena_alloc(corpus->dealt, (size_t)(n + 1) * sizeof *order);
    for (int i = 0; i < n; i++)
        order[i] = i;
    shuffle(order, n, seed ^ 0x2545f491);
    corpus->examples = arena_alloc(corpus->dealt, (size_t)(n + 1) * sizeof *examples);
    for (int i = 0; i < n; i++)
        corpus->examples[i] = examples[order[i]];
    corpus->n_examples = n;
    cut_batches(corpus, recipe, seed ^ 0x6a09e667);
}

int corpus_n_batches(const Corpus *corpus) {
    return corpus->n_batches;
}

CorpusBatch corpus_batch(const Corpus *corpus, int index) {
    int begin = corpus->batch_begin[index];
    return (CorpusBatch){corpus->batch_begin[index + 1] - begin, corpus->examples + begin};
}
