/* A file of torch.save: where its pickle lies, and where the numbers of its storages.
 *
 *   zip     archive/data.pkl is the pickle, archive/data/KEY the numbers of a storage
 *   legacy  pickles in a row: magic, 1001, system, the object, [keys]; then for each key an int64
 *           count and the numbers
 *
 * Source: torch/serialization.py. */
#include "model/checkpoint/torch_inside.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/utf8.h"

/* The zip format. */

static int find_pickle(TorchFile *file) {
    for (int i = 0; i < zip_file_n_members(file->zip); i++) {
        Str name = str(zip_file_name(file->zip, i));
        if (!str_ends(name, "/data.pkl")) continue;
        file->prefix =
            arena_printf(file->arena, "%.*s", (int)(name.n - strlen("data.pkl")), name.data);
        return i;
    }
    return -1;
}

static bool check_archive(TorchFile *file, Error *error) {
    if (zip_file_find(file->zip, arena_printf(file->arena, "%sconstants.pkl", file->prefix)) >= 0)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: is a TorchScript program, a state_dict of torch.save is expected",
                         file->path);
    int order = zip_file_find(file->zip, arena_printf(file->arena, "%sbyteorder", file->prefix));
    Str text;
    if (order < 0) return true;
    if (!zip_file_member(file->zip, order, file->arena, &text, error)) return false;
    return str_is(text, "little") ||
           error_set(error, ERROR_UNSUPPORTED, "%s: byte order %.10s, little expected", file->path,
                     text.n < 10 ? text.data : "?");
}

static bool read_zip(TorchFile *file, Error *error) {
    Str bytes;
    file->zip = zip_file_open(file->bytes, file->path, error);
    if (!file->zip) return false;
    int index = find_pickle(file);
    if (index < 0)
        return error_set(error, ERROR_INPUT,
                         "%s: a zip archive without data.pkl, a file of torch.save is expected",
                         file->path);
    if (!check_archive(file, error) ||
        !zip_file_member(file->zip, index, file->arena, &bytes, error))
        return false;
    torch_pickle_open(file, bytes);
    return pickle_load(file->pickle, &file->root, error);
}

static bool find_in_zip(TorchFile *file, TorchStorage *s, Error *error) {
    ArenaMark mark = arena_mark(file->arena);
    int n_key = s->key.n < 200 ? (int)s->key.n : 200;
    char *name = arena_printf(file->arena, "%sdata/%.*s", file->prefix, n_key, s->key.data);
    int index = zip_file_find(file->zip, name);
    if (index < 0)
        return error_set(error, ERROR_INPUT, "%s: member %.200s is missing (is the file cut off?)",
                         file->path, name);
    arena_reset(file->arena, mark);
    return zip_file_member(file->zip, index, file->arena, &s->bytes, error);
}

/* The legacy format. */

static const char magic[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
static const char magic_digits[] = "119547037146038801333356";

static int by_key(const void *a, const void *b) {
    const TorchStorage *x = *(TorchStorage *const *)a, *y = *(TorchStorage *const *)b;
    if (x->key.n != y->key.n) return x->key.n < y->key.n ? -1 : 1;
    return x->key.n ? memcmp(x->key.data, y->key.data, x->key.n) : 0;
}

/* Gives the next stretch of bytes to all storages of this key. */
static bool deal_out(TorchFile *file, TorchStorage **sorted, Str key, Str *rest, Error *error) {
    TorchStorage *wanted = &(TorchStorage){.key = key};
    TorchStorage **found = bsearch(&wanted, sorted, file->n_storages, sizeof *sorted, by_key);
    if (!found) return torch_fail(file->path, error, "numbers of a storage that nothing uses");
    while (found > sorted && by_key(&found[-1], &wanted) == 0)
        found--;
    size_t item = (size_t)dtype_info[(*found)->dtype].block_bytes, n_bytes;
    uint64_t n_items;
    if (rest->n < 8) return torch_fail(file->path, error, "it is cut off in the numbers");
    memcpy(&n_items, rest->data, 8);
    if (__builtin_mul_overflow((size_t)n_items, item, &n_bytes) || n_bytes > rest->n - 8)
        return torch_fail(file->path, error, "it is cut off in the numbers");
    Str bytes = str_sub(*rest, 8, 8 + n_bytes);
    *rest = str_sub(*rest, 8 + n_bytes, rest->n);
    for (TorchStorage **s = found; s < sorted + file->n_storages && by_key(s, &wanted) == 0; s++) {
        if ((*s)->bytes.data)
            return torch_fail(file->path, error, "numbers of a storage come twice");
        (*s)->bytes = bytes;
    }
    return true;
}

static bool read_numbers(TorchFile *file, const PickleValue *keys, Error *error) {
    if (keys->kind != PICKLE_LIST)
        return torch_fail(file->path, error, "the list of storages is missing");
    TorchStorage **sorted =
        pickle_alloc(file->pickle, (file->n_storages + 1) * sizeof *sorted, error);
    if (!sorted) return false;
    size_t n = 0;
    for (TorchStorage *s = file->storages; s; s = s->next)
        sorted[n++] = s;
    qsort(sorted, n, sizeof *sorted, by_key);
    Str rest = pickle_rest(file->pickle);
    for (size_t i = 0; i < keys->items->n; i++) {
        const PickleValue *key = &keys->items->at[i];
        if (key->kind != PICKLE_TEXT)
            return torch_fail(file->path, error, "a storage's name is no text");
        if (!deal_out(file, sorted, key->text, &rest, error)) return false;
    }
    return true;
}

static bool read_legacy(TorchFile *file, Error *error) {
    PickleValue value;
    torch_pickle_open(file, file->bytes);
    if (!pickle_load(file->pickle, &value, error)) return false;
    if (value.kind != PICKLE_LONG ||
        !(str_is(value.text, magic) || str_is(value.text, magic_digits)))
        return torch_fail(file->path, error, "the magic number of torch.save is missing");
    if (!pickle_load(file->pickle, &value, error)) return false;
    if (value.kind != PICKLE_INT || value.integer != 1001)
        return torch_fail(file->path, error, "protocol 1001 is expected");
    if (!pickle_load(file->pickle, &value, error)) return false; /* the system it was written on */
    const PickleValue *little = pickle_find(&value, "little_endian");
    if (little && little->kind == PICKLE_BOOL && !little->integer)
        return error_set(error, ERROR_UNSUPPORTED, "%s: big-endian, little-endian expected",
                         file->path);
    return pickle_load(file->pickle, &file->root, error) &&
           pickle_load(file->pickle, &value, error) && read_numbers(file, &value, error);
}

/* Tensors. */

static bool is_contiguous(const TorchTensor *t) {
    int64_t step = 1;
    for (int axis = t->rank - 1; axis >= 0; axis--) {
        if (t->shape[axis] == 1) continue;
        if (t->stride[axis] != step) return false;
        step *= t->shape[axis];
    }
    return true;
}

/* The greatest item that the strides reach, from the tensor's first. */
static bool last_item(const TorchTensor *t, int64_t *out) {
    *out = 0;
    for (int axis = 0; axis < t->rank; axis++) {
        int64_t reach;
        if (__builtin_mul_overflow(t->shape[axis] - 1, t->stride[axis], &reach) ||
            __builtin_add_overflow(*out, reach, out))
            return false;
    }
    return true;
}

static void copy_strided(const TorchTensor *t, const char *from, size_t item, char *to) {
    int64_t at[RAW_MAX_RANK] = {0}, offset = 0;
    for (;;) {
        memcpy(to, from + (size_t)offset * item, item);
        to += item;
        int axis = t->rank - 1;
        for (; axis >= 0; axis--) {
            offset += t->stride[axis];
            if (++at[axis] < t->shape[axis]) break;
            offset -= at[axis] * t->stride[axis];
            at[axis] = 0;
        }
        if (axis < 0) return;
    }
}

static bool find_storage(TorchFile *file, TorchStorage *s, const char *name, Error *error) {
    size_t item = (size_t)dtype_info[s->dtype].block_bytes, n_bytes;
    if (!s->bytes.data && file->zip && !find_in_zip(file, s, error))
        return error_prefix(error, "tensor %.200s", name);
    if (!s->bytes.data)
        return error_set(error, ERROR_INPUT, "%s: tensor %.200s: its numbers are missing",
                         file->path, name);
    if (__builtin_mul_overflow((size_t)s->n_items, item, &n_bytes) || n_bytes > s->bytes.n)
        return error_set(
            error, ERROR_INPUT, "%s: tensor %.200s: storage of %zu bytes, %lld %s numbers expected",
            file->path, name, s->bytes.n, (long long)s->n_items, dtype_info[s->dtype].name);
    return true;
}

static bool place(TorchFile *file, const TorchTensor *t, RawTensor *raw, Error *error) {
    TorchStorage *s = t->storage;
    size_t item = (size_t)dtype_info[s->dtype].block_bytes;
    if (!find_storage(file, s, raw->name, error)) return false;
    if (raw_tensor_count(raw) == 0) {
        raw->data = s->bytes.data;
        raw_tensor_align(file->arena, raw);
        return true;
    }
    int64_t last, first = 0;
    bool inside = last_item(t, &last) &&
                  !__builtin_add_overflow(t->offset, s->view_begin, &first) &&
                  !__builtin_add_overflow(first, last, &last) && last < s->n_items;
    if (!inside)
        return error_set(error, ERROR_INPUT,
                         "%s: tensor %.200s: shape %s from item %lld reaches out of its storage of "
                         "%lld items",
                         file->path, raw->name, raw_shape_text(raw).text, (long long)t->offset,
                         (long long)s->n_items);
    const char *from = s->bytes.data + (size_t)first * item;
    bool contiguous = is_contiguous(t);
    raw->data = from;
    if (contiguous && (uintptr_t)from % item == 0) return true;
    if (raw->n_bytes > file->copy_budget)
        return error_set(error, ERROR_INPUT,
                         "%s: tensor %.200s: shape %s unfolds to more than the file can hold",
                         file->path, raw->name, raw_shape_text(raw).text);
    file->copy_budget -= raw->n_bytes;
    char *copy = arena_alloc(file->arena, raw->n_bytes);
    if (contiguous)
        memcpy(copy, from, raw->n_bytes);
    else
        copy_strided(t, from, item, copy);
    raw->data = copy;
    return true;
}

static bool add_tensor(TorchFile *file, const PickleValue *key, const TorchTensor *t,
                       TensorList *list, Error *error) {
    if (key->kind != PICKLE_TEXT || utf8_invalid_at(key->text) != key->text.n ||
        memchr(key->text.data, '\0', key->text.n))
        return torch_fail(file->path, error, "a tensor's name is not text");
    RawTensor raw = {.dtype = t->storage->dtype, .rank = t->rank, .file = file->path};
    raw.name = arena_str(file->arena, key->text).data;
    memcpy(raw.shape, t->shape, sizeof raw.shape);
    if (!raw_tensor_size(&raw, error) || !place(file, t, &raw, error)) return false;
    tensor_list_add(list, &raw);
    return true;
}

bool torch_file_tensors(TorchFile *file, const PickleValue *dict, TensorList *list, Error *error) {
    for (size_t i = 0; i + 1 < dict->items->n; i += 2) {
        const PickleValue *key = &dict->items->at[i];
        const TorchTensor *tensor = torch_pickle_tensor(key + 1);
        if (tensor && !add_tensor(file, key, tensor, list, error)) return false;
    }
    return true;
}

static bool holds_tensors(const PickleValue *dict) {
    if (!dict || dict->kind != PICKLE_DICT) return false;
    for (size_t i = 1; i < dict->items->n; i += 2)
        if (torch_pickle_tensor(&dict->items->at[i])) return true;
    return false;
}

const PickleValue *torch_file_state(const TorchFile *file, Error *error) {
    static const char *const places[] = {"model", "state_dict", "model_state_dict"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const PickleValue *inside = pickle_find(&file->root, places[i]);
        if (holds_tensors(inside)) return inside;
    }
    if (holds_tensors(&file->root)) return &file->root;
    error_set(error, ERROR_INPUT, "%s: no tensors, a state_dict {name: tensor} is expected",
              file->path);
    return NULL;
}

const PickleValue *torch_file_root(const TorchFile *file) {
    return &file->root;
}

bool torch_file_is(const uint8_t *head, size_t n) {
    if (n < 4) return false;
    bool zip = memcmp(head, "PK\3\4", 4) == 0, pickle = head[0] == 0x80 && head[1] <= 5;
    /* Protocol 0 has no mark of its own: torch's magic number, or a name, a tuple, a list. */
    bool text = memcmp(head, "L1195470", 4) == 0 || strchr("c(]}i", head[0]);
    return zip || pickle || (text && head[0]);
}

static TorchFile *file_new(const char *path) {
    Arena *arena = arena_new();
    TorchFile *file = arena_calloc(arena, 1, sizeof *file);
    file->arena = arena;
    file->path = arena_strdup(arena, path);
    return file;
}

static TorchFile *read_or_close(TorchFile *file, Str bytes, Error *error) {
    file->bytes = bytes;
    file->copy_budget = bytes.n + ((size_t)32 << 20); /* an arena takes up to twice that */
    bool ok = bytes.data != NULL;
    if (ok && !torch_file_is((const uint8_t *)bytes.data, bytes.n))
        ok = error_set(error, ERROR_INPUT,
                       "%s: begins neither as a zip archive nor as a pickle, a file of torch.save "
                       "is expected",
                       file->path);
    if (ok && (bytes.data[0] == 'P' ? read_zip(file, error) : read_legacy(file, error)))
        return file;
    torch_file_close(file);
    return NULL;
}

TorchFile *torch_file_open_memory(Str data, const char *where, Error *error) {
    return read_or_close(file_new(where), data, error);
}

TorchFile *torch_file_open(const char *path, Error *error) {
    TorchFile *file = file_new(path);
    file_map(path, &file->map, error);
    return read_or_close(file, (Str){(const char *)file->map.data, file->map.n_bytes}, error);
}

void torch_file_close(TorchFile *file) {
    if (!file) return;
    pickle_close(file->pickle);
    zip_file_close(file->zip);
    file_unmap(&file->map);
    arena_free(file->arena);
}
