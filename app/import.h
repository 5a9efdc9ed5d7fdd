/* Attentions that another program computed, as a Trace that every view can draw.
 *
 *     ImportHints hints = {.source_text = "the cat", .row = 0};
 *     Trace *trace = import_open("attention.npz", &hints, &error);        trace_release() it
 *
 * Formats are rows of the table in import.c: our own traces (safetensors); .npz and .json with the
 * keys bertviz uses ("attention", or "encoder_attention", "decoder_attention", "cross_attention",
 * each [layer, head, query, key], a batch of one dropped; "tokens", or "encoder_tokens",
 * "decoder_tokens"), also the per-step tuples of generate() (docs/figures.md has the snippets);
 * soft alignments as Marian and Nematus write them. Nothing in a file is trusted, nothing executed;
 * a wrong shape is named with what was found and what was expected.
 */
#ifndef APP_IMPORT_H
#define APP_IMPORT_H

#include "model/trace.h"

typedef struct ImportHints {
    const char *source_text; /* words of the source where the file has none (Marian); NULL */
    const char *target_text;
    int row; /* which sentence of a file of several */
} ImportHints;

/* hints may be NULL. NULL on failure. */
Trace *import_open(const char *path, const ImportHints *hints, Error *error);
/* "safetensors trace, .npz, ...", for help and errors. */
const char *import_formats(void);

/* ---- for the importers ---- */

enum { IMPORT_MAX_RANK = 6 };

/* A named array, row-major; NaN: absent. */
typedef struct ImportArray {
    const char *name;
    int rank;
    int64_t shape[IMPORT_MAX_RANK];
    float *data;
} ImportArray;

typedef struct ImportLabels {
    const char *name;
    int n;
    Str *items; // [n]
} ImportLabels;

/* What a file of named arrays holds, before anyone knows what it means. */
typedef struct ImportBundle {
    Arena *arena;
    const char *path;
    int n_arrays, n_labels;
    ImportArray *arrays; // [n_arrays]
    ImportLabels *labels;
    const char *others; /* names of what else is in the file, for an error; NULL: nothing */
} ImportBundle;

ImportArray *import_add_array(ImportBundle *bundle, const char *name);
ImportLabels *import_add_labels(ImportBundle *bundle, const char *name);
void import_add_other(ImportBundle *bundle, const char *name);
/* "attention", "cross_attentions", "cross_attention.3" ...: a key that holds attentions. */
bool import_is_attention(const char *name);
bool import_is_tokens(const char *name);

/* One row of the table. head: the first bytes of the file, whole: its size. */
typedef struct Importer {
    const char *name;
    bool (*probe)(const char *path, Str head);
    Trace *(*open)(const char *path, const ImportHints *hints, Error *error);
} Importer;

Trace *import_npz(const char *path, const ImportHints *hints, Error *error);
Trace *import_json(const char *path, const ImportHints *hints, Error *error);
Trace *import_alignment_text(const char *path, const ImportHints *hints, Error *error);
/* The bundle as a trace. Takes the bundle's arena, also on failure. */
Trace *import_bundle(ImportBundle *bundle, Error *error);

#endif
