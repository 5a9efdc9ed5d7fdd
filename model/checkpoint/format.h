/* What the readers in this folder share: the list of tensors that they fill, and the row that each
 * has in checkpoint.c's table. Nobody else includes this.
 *
 *     static Probe my_probe(const Source *source, Error *error);     cheap: names and first bytes
 *     static bool my_open(Checkpoint *c, const Source *source, Error *error);
 *     const CheckpointFormat format_mine = {"mine", my_probe, my_open};
 */
#ifndef MODEL_CHECKPOINT_FORMAT_H
#define MODEL_CHECKPOINT_FORMAT_H

#include "model/base/arena.h"
#include "model/base/file.h"
#include "model/base/json.h"
#include "model/checkpoint.h"

typedef struct TensorList {
    RawTensor *items;
    int n, capacity;
} TensorList;
void tensor_list_add(TensorList *list, const RawTensor *tensor);
/* By name; a name that is there twice is an error. */
bool tensor_list_sort(TensorList *list, Error *error);
const RawTensor *tensor_list_find(const TensorList *list, const char *name); /* of a sorted one */
void tensor_list_free(TensorList *list);

/* Checks name and shape and sets n_bytes from shape and dtype. */
bool raw_tensor_size(RawTensor *tensor, Error *error);
int64_t raw_tensor_count(const RawTensor *tensor);
/* Copies the numbers into the arena when they do not lie at a multiple of the item's size. */
void raw_tensor_align(Arena *arena, RawTensor *tensor);
/* Other numbers instead: f32, of the same shape. */
void raw_tensor_set_f32(RawTensor *tensor, const float *data);
/* [a, b] becomes [b, a], in the arena; packed types become f32 on the way. */
void raw_tensor_transpose(Arena *arena, RawTensor *tensor);
/* Rotary pairs from beside each other to half a head apart: row 2j+t of each head goes to row
 * t*d_head/2 + j. Rows stay whole, so packed rows move too. */
bool raw_tensor_unpermute(Arena *arena, RawTensor *tensor, int64_t n_heads, Error *error);
typedef struct ShapeText {
    char text[160];
} ShapeText;
ShapeText raw_shape_text(const RawTensor *tensor); /* "[3, 4]" */

struct Checkpoint {
    Arena *arena;
    char *path;
    const char *tokenizer_path; /* see checkpoint_tokenizer_path */
    const char *format;
    json_t *config, *generation_config;
    TensorList tensors;
    struct Held *held; /* what the tensors lie in, closed with the checkpoint */
};
/* thing is closed with close() when the checkpoint is. */
void checkpoint_hold(Checkpoint *checkpoint, void *thing, void (*close)(void *thing));
/* A file's bytes, kept as long as the checkpoint. */
bool checkpoint_map(Checkpoint *checkpoint, const char *path, Str *out, Error *error);

/* What the user pointed at. */
typedef struct Source {
    const char *path;   /* folder or file */
    const char *folder; /* the folder itself, or the one that the file lies in */
    bool is_folder;
    const CheckpointOptions *options;
    uint8_t head[64]; /* first bytes of a file, zeroes behind */
    size_t n_bytes;   /* of the file */
} Source;

typedef enum Probe {
    PROBE_NOT_MINE,
    PROBE_MINE,
    PROBE_BROKEN
} Probe; /* BROKEN: the error is set */

/* Sets all but the options; false if a file cannot be read. */
bool source_look(Source *source, const char *path, Arena *arena, Error *error);
/* First bytes of a regular file, zeroes behind, and its size; false if it cannot be read. */
bool file_head(const char *path, uint8_t head[64], size_t *n_bytes);
/* A file of that name lies in the folder. */
bool source_has(const Source *source, const char *name);
/* Whether exactly one file of the folder ends so; several are an error that asks for one. */
Probe source_lone_file(const Source *source, const char *extension, Error *error);
/* The file itself, or the folder's first one that ends so; NULL if there is none. */
const char *source_path(Arena *arena, const Source *source, const char *extension);

typedef struct CheckpointFormat {
    const char *name;
    Probe (*probe)(const Source *source, Error *error);
    bool (*open)(Checkpoint *checkpoint, const Source *source, Error *error);
    /* tokenizer.json of a vocabulary kept with the weights; NULL: this format never has one. */
    json_t *(*tokenizer)(const Source *source, Error *error);
} CheckpointFormat;

/* config.json (must be there) and generation_config.json (may be) of the folder. */
bool checkpoint_read_config(Checkpoint *checkpoint, const char *folder, Error *error);

/* Weight files of a folder by its index.json ({"weight_map": {tensor: file}}): add() is called with
 * each file once, and then every tensor of the map must be there. Files must lie in the folder. */
typedef bool AddFile(Checkpoint *checkpoint, const char *path, Error *error);
bool checkpoint_add_shards(Checkpoint *checkpoint, const char *index_path, AddFile *add,
                           Error *error);

extern const CheckpointFormat format_adapter, format_safetensors, format_torch, format_gguf,
    format_llama2c, format_marian;

#endif
