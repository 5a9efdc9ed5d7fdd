/* A hand at checkpoints for tests: what must open, what must be refused, what stands in them. */
#ifndef TESTS_MODEL_CHECKPOINT_HAND_H
#define TESTS_MODEL_CHECKPOINT_HAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/checkpoint.h"

static inline Checkpoint *checkpoint_must_open(const char *path) {
    Error error = {0};
    Checkpoint *c = checkpoint_open(path, &error);
    if (!c) fail_msg("%s", error.message);
    return c;
}

/* In one line that says so. */
static inline void checkpoint_must_fail(const char *path, const char *says) {
    Error error = {0};
    if (checkpoint_open(path, &error)) fail_msg("opened, not refused by: %s", says);
    if (!strstr(error.message, says)) fail_msg("'%s' is not in: %s", says, error.message);
    assert_null(strchr(error.message, '\n'));
}

static inline int64_t checkpoint_integer(const Checkpoint *c, const char *name) {
    return json_integer_value(json_object_get(checkpoint_config(c), name));
}

/* Of a tensor that must be there, in F32. */
static inline const float *checkpoint_numbers(const Checkpoint *c, const char *name) {
    const RawTensor *t = checkpoint_find(c, name);
    if (!t) fail_msg("no tensor %s", name);
    assert_int_equal(t->dtype, DTYPE_F32);
    return t->data;
}

#endif
