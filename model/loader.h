/* What a family's file uses to read a config and to pick weights from a checkpoint: every number is
 * checked for kind and range, every tensor for presence, number type and shape.
 */
#ifndef MODEL_LOADER_H
#define MODEL_LOADER_H

#include "model/model.h"

/* ---- config.json ---- */

/* More than any model has; a file that says more is wrong, and products of these fit 64 bits. */
enum { MOST_LAYERS = 1024, MOST_WIDTH = 1 << 18, MOST_VOCAB = 1 << 24, MOST_POSITIONS = 1 << 21 };

typedef struct Fields {
    const json_t *root;
    const char *where; /* the file, for messages */
    Error *error;
} Fields;

bool field_has(const Fields *f, const char *name); /* there, and not null */
/* The value, or fallback where the field is not there. A value of another kind or outside
 * least..most is an error and gives the fallback. */
int field_int(const Fields *f, const char *name, int fallback, int least, int most);
/* The same, but it must be there. */
int field_size(const Fields *f, const char *name, int most);
/* d_model / n_heads, which must come out even. */
int field_head_size(const Fields *f, int d_model, int n_heads);
double field_number(const Fields *f, const char *name, double fallback, double least, double most);
bool field_bool(const Fields *f, const char *name, bool fallback);
const char *field_string(const Fields *f, const char *name, const char *fallback);
/* relu, gelu, gelu_new, silu, swish ... as transformers names them. */
Activation field_activation(const Fields *f, const char *name, Activation fallback);
/* Refuses by name a field that must be absent, null or equal to `harmless` (as JSON text). */
void field_only(const Fields *f, const char *name, const char *harmless);
/* Does architectures name a class that ends so? */
bool field_class(const Fields *f, const char *suffix);
/* decoder_start_token_id, eos_token_id, bad_words_ids ... into config->generation;
 * generation_config.json (its root may be NULL) wins over config.json, as in transformers; of how
 * to search it alone speaks, unless it says that it was made from config.json. */
void fields_generation(const Fields *config, const Fields *generation, Arena *arena,
                       GenerationConfig *out);

/* ---- weights ---- */

/* Parameters of a model that is made, not loaded: names and shapes in order, all in one array. */
typedef struct Parameter {
    char name[96];
    int rank;
    int64_t shape[2];
    int64_t begin; /* first float in the array */
} Parameter;

typedef struct Parameters {
    int n;
    Parameter *items; // [n], malloc'd
    float *data;      // [n_floats]; NULL while only counting
    int64_t n_floats;
} Parameters;

typedef struct Loader {
    const Checkpoint *checkpoint; /* NULL: weights are taken from `made` */
    Parameters *made;
    Arena *arena;
    Error *error;
    bool *used;       // [tensors of the checkpoint]
    bool keep_packed; /* matrices stay in the file's type (large models) */
    int64_t n_parameters;
} Loader;

/* Is there such a tensor? Always false for a model that is made. */
bool load_has(const Loader *loader, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A matrix [rows, cols]; n floats. A missing tensor or another shape is an error; empty then. */
Weight load_matrix(Loader *loader, int64_t rows, int64_t cols, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const float *load_vector(Loader *loader, int64_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* prefix.weight [rows, cols] and, if wanted, prefix.bias [rows]. */
Linear load_linear(Loader *loader, int64_t rows, int64_t cols, bool bias, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The same as a matrix that is kept the other way round, [cols, rows] (GPT-2's Conv1D). */
Linear load_transposed(Loader *loader, int64_t rows, int64_t cols, bool bias, const char *format,
                       ...) __attribute__((format(printf, 5, 6)));
/* A convolution [rows, ...] as a matrix over all that one output reads: [rows, cols]. */
Linear load_convolution(Loader *loader, int64_t rows, int64_t cols, bool bias, const char *format,
                        ...) __attribute__((format(printf, 5, 6)));
/* First axis of a tensor; 0 if it is not there. */
int64_t load_rows(const Loader *loader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* prefix.weight alone [n]. */
Norm load_norm_scale(Loader *loader, int64_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* prefix.weight and prefix.bias [n]; older files say gamma and beta. */
Norm load_norm(Loader *loader, int64_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Rows begin..begin + rows of a matrix that holds several (a fused q, k, v). */
Weight weight_rows(Weight whole, int64_t begin, int64_t rows);
/* A matrix whose rows hold, head by head, n_parts blocks of d_head rows: block `part` of every
 * head, copied (q, k or v of GPT-NeoX and BLOOM). */
Weight weight_heads(Arena *arena, Weight whole, int n_heads, int d_head, int part, int n_parts);
/* A tensor that is known and not read (a buffer, a copy of a tied weight). */
void load_ignore(Loader *loader, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
