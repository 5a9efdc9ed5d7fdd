/* Soft alignments as text, one sentence's at a time (ImportHints.row).
 *
 * Marian, --alignment soft: one line a sentence, a field of rows parted by blanks, one a target
 * token and </s>; in a row the weights of the source tokens and </s>, parted by commas:
 *
 *     le chat dort ||| 0.9,0.05,0.05 0.1,0.8,0.1 ...
 *
 * Nematus, --output_alignment: a head line, then a row of blanks-parted weights a target token:
 *
 *     0 ||| le chat dort ||| -1.25 ||| the cat sleeps ||| 4 4
 *     0.9 0.05 0.03 0.02
 *     ...
 */
#include "app/import.h"
#include "model/base/file.h"
#include "model/base/utf8.h"

enum { MAX_FIELDS = 8 };

static Str take_line(Str *rest) {
    const char *end = memchr(rest->data, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->data) : rest->n;
    Str line = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, end ? n + 1 : n, rest->n);
    return str_trim(line);
}

/* The next part of s up to a character of `stops`; false at the end. */
static bool take_part(Str *s, const char *stops, Str *part) {
    while (s->n && strchr(stops, s->data[0]))
        *s = str_sub(*s, 1, s->n);
    if (s->n == 0) return false;
    size_t n = 0;
    while (n < s->n && !strchr(stops, s->data[n]))
        n++;
    *part = str_sub(*s, 0, n);
    *s = str_sub(*s, n, s->n);
    return true;
}

static int count_parts(Str s, const char *stops) {
    Str part;
    int n = 0;
    while (take_part(&s, stops, &part))
        n++;
    return n;
}

static int split_fields(Str line, Str fields[MAX_FIELDS]) {
    int n = 0;
    size_t begin = 0;
    for (size_t i = 0; i + 2 < line.n && n < MAX_FIELDS - 1; i++)
        if (memcmp(line.data + i, "|||", 3) == 0) {
            fields[n++] = str_trim(str_sub(line, begin, i));
            begin = i + 3;
            i += 2;
        }
    fields[n++] = str_trim(str_sub(line, begin, line.n));
    return n;
}

/* Words as labels, and </s> behind them where the matrix has one row more. */
static bool add_words(ImportBundle *b, const char *name, Str words, int expected, Error *error) {
    int n = count_parts(words, " ");
    if (n == 0) return true; /* labels are counts then */
    if (n != expected && n + 1 != expected)
        return error_set(error, ERROR_INPUT,
                         "%s: %d words in '%.60s', but the alignment has %d (words and </s>)",
                         b->path, n, arena_str(b->arena, words).data, expected);
    ImportLabels *labels = import_add_labels(b, name);
    labels->items = arena_alloc(b->arena, ((size_t)expected + 1) * sizeof *labels->items);
    Str word;
    while (take_part(&words, " ", &word))
        labels->items[labels->n++] = arena_str(b->arena, word);
    if (n + 1 == expected) labels->items[labels->n++] = str("</s>");
    return true;
}

static bool parse_row(const ImportBundle *b, Str row, const char *stops, int n_keys, float *to,
                      Error *error) {
    Str part;
    int k = 0;
    for (; take_part(&row, stops, &part); k++) {
        double x;
        if (!number_parse(part, &x) || k == n_keys) break;
        to[k] = (float)x;
    }
    if (k == n_keys && row.n == 0) return true;
    return error_set(error, ERROR_INPUT, "%s: a row of weights ends after %d, expected %d numbers",
                     b->path, k, n_keys);
}

static ImportArray *add_matrix(ImportBundle *b, int n_queries, int n_keys) {
    ImportArray *a = import_add_array(b, "cross_attention");
    a->rank = 4;
    memcpy(a->shape, (int64_t[]){1, 1, n_queries, n_keys}, 4 * sizeof(int64_t));
    a->data = arena_alloc(b->arena, (size_t)n_queries * (size_t)n_keys * sizeof(float));
    return a;
}

static bool is_soft_field(Str field) {
    Str row, number;
    double x;
    if (!take_part(&field, " ", &row) || !memchr(row.data, ',', row.n)) return false;
    return take_part(&row, ",", &number) && number_parse(number, &x);
}

static bool read_marian(ImportBundle *b, const Str *fields, int n_fields, const ImportHints *hints,
                        Error *error) {
    int soft = -1;
    for (int i = 0; i < n_fields; i++)
        if (is_soft_field(fields[i])) soft = i;
    if (soft < 0)
        return error_set(error, ERROR_INPUT,
                         "%s: line %d has no soft alignment (0.9,0.1 0.2,0.8 ...); run "
                         "marian-decoder with --alignment soft",
                         b->path, hints->row + 1);
    Str rows = fields[soft], row = rows;
    int n_queries = count_parts(rows, " ");
    take_part(&rows, " ", &row);
    int n_keys = count_parts(row, ",");
    float *to = add_matrix(b, n_queries, n_keys)->data;
    rows = fields[soft];
    for (; take_part(&rows, " ", &row); to += n_keys)
        if (!parse_row(b, row, ",", n_keys, to, error)) return false;
    /* In an n-best list the number of the sentence comes first. */
    Str target = hints->target_text ? str(hints->target_text) : (Str){0};
    for (int i = 0; i < soft && !target.data; i++) {
        long long number;
        if (!integer_parse(fields[i], &number) || soft == 1) target = fields[i];
    }
    return add_words(b, "decoder_tokens", target, n_queries, error) &&
           add_words(b, "encoder_tokens", str(hints->source_text ? hints->source_text : ""), n_keys,
                     error);
}

static bool is_nematus(const Str *fields, int n_fields) {
    double score;
    return n_fields == 5 && number_parse(fields[2], &score) && count_parts(fields[4], " ") == 2;
}

static bool read_nematus(ImportBundle *b, const Str *fields, Str rest, Error *error) {
    Str sizes = fields[4], part;
    long long n_keys = 0, n_queries = 0;
    if (take_part(&sizes, " ", &part)) integer_parse(part, &n_keys);
    if (take_part(&sizes, " ", &part)) integer_parse(part, &n_queries);
    if (n_keys < 1 || n_queries < 1 || n_keys > 10000 || n_queries > 10000)
        return error_set(error, ERROR_INPUT,
                         "%s: the head line ends in '%.*s', expected two counts", b->path,
                         fields[4].n > 40 ? 40 : (int)fields[4].n, fields[4].data);
    ImportArray *a = add_matrix(b, (int)n_queries, (int)n_keys);
    for (int q = 0; q < n_queries; q++) {
        Str row = take_line(&rest);
        if (row.n == 0)
            return error_set(error, ERROR_INPUT, "%s: %d rows of weights, expected %lld", b->path,
                             q, n_queries);
        if (!parse_row(b, row, " \t", (int)n_keys, a->data + q * n_keys, error)) return false;
    }
    return add_words(b, "decoder_tokens", fields[1], (int)n_queries, error) &&
           add_words(b, "encoder_tokens", fields[3], (int)n_keys, error);
}

/* Finds the sentence of that row; a line without ||| is a row of a Nematus matrix, or empty. */
static bool read_text(ImportBundle *b, Str rest, const ImportHints *hints, Error *error) {
    int row = -1;
    while (rest.n > 0) {
        Str line = take_line(&rest);
        Str fields[MAX_FIELDS];
        int n = split_fields(line, fields);
        if (n < 2 || ++row < hints->row) continue;
        return is_nematus(fields, n) ? read_nematus(b, fields, rest, error)
                                     : read_marian(b, fields, n, hints, error);
    }
    return error_set(error, ERROR_INPUT,
                     "%s: sentence %d asked for, but it has %d (row counts from 0)", b->path,
                     hints->row, row + 1);
}

Trace *import_alignment_text(const char *path, const ImportHints *hints, Error *error) {
    ImportBundle b = {.arena = arena_new(), .path = path};
    Str text;
    if (file_read(path, 0, b.arena, &text, error) && utf8_check(text, path, error) &&
        read_text(&b, text, hints, error))
        return import_bundle(&b, error);
    arena_free(b.arena);
    return NULL;
}
