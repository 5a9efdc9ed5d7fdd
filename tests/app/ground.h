/* What tests of figures stand on: a model, a drawer, and a state's fields written in a line.
 *
 *     static int open_all(void **unused) { return ground_open("tests/data/tiny"); }
 *     ground_set(&state, "layer=1;head=2");
 */
#ifndef TESTS_APP_GROUND_H
#define TESTS_APP_GROUND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/drawer.h"
#include "app/subject.h"

static Subject *subject;
static Drawer drawer;

static inline int ground_open(const char *model) {
    Error error = {0};
    State state;
    state_init(&state);
    subject = subject_open(model, &error);
    if (!subject || !drawer_open(&drawer, &state, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    return 0;
}

/* A cmocka group teardown. */
static inline int ground_close(void **unused) {
    (void)unused;
    subject_close(subject);
    drawer_close(&drawer);
    return 0;
}

/* "layer=1;head=2" */
static inline void ground_set(State *state, const char *fields) {
    char copy[512];
    snprintf(copy, sizeof copy, "%s", fields);
    for (char *at = strtok(copy, ";"); at; at = strtok(NULL, ";")) {
        char *value = strchr(at, '=');
        Error error = {0};
        *value = 0;
        if (!state_set(state, at, str(value + 1), &error)) fail_msg("%s", error.message);
    }
}

#endif
