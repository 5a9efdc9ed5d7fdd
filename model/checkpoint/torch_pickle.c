/* What the globals of a torch pickle mean here.
 *
 *   tensor = _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
 *   storage = persistent id ("storage", torch.FloatStorage, key, device, n_items [, view])
 *
 * Source: torch/_utils.py, torch/serialization.py. */
#include <string.h>

#include "model/checkpoint/torch_inside.h"

enum { OBJECT_OTHER, OBJECT_STORAGE, OBJECT_TENSOR };

bool torch_fail(const char *path, Error *error, const char *what) {
    return error_set(error, ERROR_INPUT, "%s: broken torch file: %s", path, what);
}

static bool items_to_sizes(const PickleValue *value, int *rank, int64_t out[RAW_MAX_RANK]) {
    if (value->kind != PICKLE_TUPLE && value->kind != PICKLE_LIST) return false;
    if (value->items->n > RAW_MAX_RANK) return false;
    *rank = (int)value->items->n;
    for (int axis = 0; axis < *rank; axis++) {
        const PickleValue *size = &value->items->at[axis];
        if (size->kind != PICKLE_INT || size->integer < 0) return false;
        out[axis] = size->integer;
    }
    return true;
}

static bool rebuild_tensor(PickleReader *r, const PickleItems *a, PickleValue *out, Error *error) {
    TorchTensor *t = pickle_alloc(r, sizeof *t, error);
    if (!t) return false;
    *t = (TorchTensor){0};
    int n_strides;
    if (a->n < 4 || a->at[0].kind != PICKLE_OBJECT || a->at[0].tag != OBJECT_STORAGE ||
        a->at[1].kind != PICKLE_INT || a->at[1].integer < 0 ||
        !items_to_sizes(&a->at[2], &t->rank, t->shape) ||
        !items_to_sizes(&a->at[3], &n_strides, t->stride) || n_strides != t->rank)
        return torch_fail(pickle_path(r), error,
                          "a tensor must be made of a storage, an offset, sizes and strides");
    t->storage = a->at[0].object;
    t->offset = a->at[1].integer;
    *out = (PickleValue){.kind = PICKLE_OBJECT, .object = t, .tag = OBJECT_TENSOR};
    return true;
}

/* A parameter is its tensor. */
static bool rebuild_parameter(PickleReader *r, const PickleItems *a, PickleValue *out,
                              Error *error) {
    if (a->n < 1 || a->at[0].kind != PICKLE_OBJECT || a->at[0].tag != OBJECT_TENSOR)
        return torch_fail(pickle_path(r), error, "a parameter must be made of a tensor");
    *out = a->at[0];
    return true;
}

/* OrderedDict(), or OrderedDict([[key, value], ...]) as protocol 0 has it. */
static bool ordered_dict(PickleReader *r, const PickleItems *a, PickleValue *out, Error *error) {
    if (!pickle_new_dict(r, out, error)) return false;
    if (a->n == 0) return true;
    const PickleValue *pairs = &a->at[0];
    if (pairs->kind != PICKLE_LIST && pairs->kind != PICKLE_TUPLE)
        return torch_fail(pickle_path(r), error, "a dictionary must be made of pairs");
    size_t n = pairs->items->n;
    PickleValue *at = pickle_alloc(r, 2 * n * sizeof *at, error);
    if (!at) return false;
    for (size_t i = 0; i < n; i++) {
        const PickleValue *pair = &pairs->items->at[i];
        if ((pair->kind != PICKLE_LIST && pair->kind != PICKLE_TUPLE) || pair->items->n != 2)
            return torch_fail(pickle_path(r), error, "a dictionary must be made of pairs");
        memcpy(at + 2 * i, pair->items->at, 2 * sizeof *at);
    }
    *out->items = (PickleItems){at, 2 * n, 2 * n};
    return true;
}

static bool torch_size(PickleReader *r, const PickleItems *a, PickleValue *out, Error *error) {
    if (a->n != 1) return torch_fail(pickle_path(r), error, "torch.Size of one tuple is expected");
    *out = a->at[0];
    return true;
}

static bool something(PickleReader *r, const PickleItems *a, PickleValue *out, Error *error) {
    (void)r, (void)a, (void)error;
    *out = (PickleValue){.kind = PICKLE_OBJECT, .tag = OBJECT_OTHER};
    return true;
}

static const PickleGlobal globals[] = {
    {"torch._utils._rebuild_tensor_v2", rebuild_tensor, 0},
    {"torch._utils._rebuild_tensor", rebuild_tensor, 0},
    {"torch._utils._rebuild_parameter", rebuild_parameter, 0},
    {"torch._utils._rebuild_parameter_with_state", rebuild_parameter, 0},
    {"torch.nn.parameter.Parameter", rebuild_parameter, 0},
    {"collections.OrderedDict", ordered_dict, 0},
    {"torch.Size", torch_size, 0},
    {"torch.device", something, 0},
    {"torch.FloatStorage", NULL, DTYPE_F32},
    {"torch.HalfStorage", NULL, DTYPE_F16},
    {"torch.BFloat16Storage", NULL, DTYPE_BF16},
    {"torch.DoubleStorage", NULL, DTYPE_F64},
    {"torch.LongStorage", NULL, DTYPE_I64},
    {"torch.IntStorage", NULL, DTYPE_I32},
    {"torch.ShortStorage", NULL, DTYPE_I16},
    {"torch.CharStorage", NULL, DTYPE_I8},
    {"torch.ByteStorage", NULL, DTYPE_U8},
    {"torch.BoolStorage", NULL, DTYPE_BOOL},
    {"torch.float32", NULL, -1},
    {"torch.float16", NULL, -1},
    {"torch.bfloat16", NULL, -1},
    {"torch.float64", NULL, -1},
    {"torch.int64", NULL, -1},
    {"torch.bool", NULL, -1},
    {NULL, NULL, 0},
};

/* The legacy view: (key of the view, offset, n_items), or None. */
static bool read_view(const PickleItems *id, TorchStorage *s) {
    if (id->n < 6 || id->at[5].kind == PICKLE_NONE) return true;
    if (id->at[5].kind != PICKLE_TUPLE || id->at[5].items->n != 3) return false;
    const PickleValue *begin = &id->at[5].items->at[1], *n = &id->at[5].items->at[2];
    if (begin->kind != PICKLE_INT || n->kind != PICKLE_INT) return false;
    if (begin->integer < 0 || n->integer < 0 || begin->integer > s->n_items ||
        n->integer > s->n_items - begin->integer)
        return false;
    s->view_begin = begin->integer;
    return true;
}

static bool make_storage(PickleReader *r, const PickleValue *id, PickleValue *out, Error *error) {
    TorchFile *file = pickle_user(r);
    TorchStorage *s = pickle_alloc(r, sizeof *s, error);
    if (!s) return false;
    const PickleItems *a = id->kind == PICKLE_TUPLE ? id->items : NULL;
    if (!a || a->n < 5 || a->at[0].kind != PICKLE_TEXT || !str_is(a->at[0].text, "storage") ||
        a->at[1].kind != PICKLE_GLOBAL || a->at[1].global->call || a->at[1].global->tag < 0 ||
        a->at[2].kind != PICKLE_TEXT || a->at[4].kind != PICKLE_INT || a->at[4].integer < 0)
        return torch_fail(file->path, error,
                          "a persistent id must be ('storage', type, key, device, count)");
    *s = (TorchStorage){.key = a->at[2].text,
                        .dtype = (Dtype)a->at[1].global->tag,
                        .n_items = a->at[4].integer,
                        .next = file->storages};
    if (!read_view(a, s)) return torch_fail(file->path, error, "a view lies outside its storage");
    file->storages = s;
    file->n_storages++;
    *out = (PickleValue){.kind = PICKLE_OBJECT, .object = s, .tag = OBJECT_STORAGE};
    return true;
}

void torch_pickle_open(TorchFile *file, Str bytes) {
    PickleRules rules = {.globals = globals, .persistent = make_storage, .user = file};
    file->pickle = pickle_open(bytes, file->path, &rules);
}

const TorchTensor *torch_pickle_tensor(const PickleValue *value) {
    return value->kind == PICKLE_OBJECT && value->tag == OBJECT_TENSOR ? value->object : NULL;
}
