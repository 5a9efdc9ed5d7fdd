#include "model/arch.h"

#include <stdio.h>
#include <string.h>

static const Arch *const rows[] = {&arch_marian, &arch_torch_transformer};

const Arch *const *arch_rows(int *n) {
    *n = (int)(sizeof rows / sizeof *rows);
    return rows;
}

const Arch *arch_find(const Fields *fields) {
    const char *type = field_string(fields, "model_type", NULL);
    for (size_t i = 0; type && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i]->model_type, type) == 0) return rows[i];
    char known[512];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && n < sizeof known; i++)
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "",
                              rows[i]->model_type);
    if (!type)
        error_set(fields->error, ERROR_INPUT, "%s: model_type is missing, one of %s expected",
                  fields->where, known);
    else
        error_set(fields->error, ERROR_UNSUPPORTED,
                  "%s: model_type \"%.40s\" is not computed here; these are: %s", fields->where,
                  type, known);
    return NULL;
}
