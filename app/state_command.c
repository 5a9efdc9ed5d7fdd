/* A state as the command line that draws it: "attnscope figure cross --text '...' --layer 2". */
#include <stdlib.h>

#include "app/state.h"

/* In single quotes where a shell would read more than the text in it. */
static void add_quoted(StrBuf *out, const char *s) {
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";
    if (*s && s[strspn(s, plain)] == 0) {
        strbuf_puts(out, s);
        return;
    }
    strbuf_putc(out, '\'');
    for (; *s; s++)
        if (*s == '\'')
            strbuf_puts(out, "'\\''");
        else
            strbuf_putc(out, *s);
    strbuf_putc(out, '\'');
}

static void add_name(StrBuf *out, const char *field) {
    strbuf_puts(out, " --");
    for (; *field; field++)
        strbuf_putc(out, *field == '_' ? '-' : *field);
}

static void add_option(StrBuf *out, const char *field, const char *value) {
    add_name(out, field);
    strbuf_putc(out, ' ');
    add_quoted(out, value);
}

/* "ablate PLACE" is --ablate PLACE. */
static void add_edit(StrBuf *out, const char *edit) {
    const char *place = strchr(edit, ' ');
    if (!place) return;
    strbuf_puts(out, " --");
    strbuf_add(out, edit, (size_t)(place - edit));
    strbuf_putc(out, ' ');
    add_quoted(out, place + 1);
}

static void add_field(StrBuf *out, const State *state, const StateField *f) {
    const void *at = (const char *)state + f->offset;
    char number[32], place[PLACE_TEXT_MAX];
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        add_option(out, f->name, *(char *const *)at);
        break;
    case FIELD_LIST: {
        const StateList *list = at;
        for (int i = 0; i < list->n; i++)
            if (strcmp(f->name, "edits") == 0)
                add_edit(out, list->items[i]);
            else
                add_option(out, f->name, list->items[i]);
        break;
    }
    case FIELD_FLAG:
        add_name(out, f->name);
        break;
    case FIELD_INTEGER:
        add_option(out, f->name, number_text(*(const int *)at, 12, number));
        break;
    case FIELD_NUMBER:
        add_option(out, f->name, number_text(*(const double *)at, 9, number));
        break;
    case FIELD_PLACE:
        add_option(out, f->name, place_text(at, place));
        break;
    }
}

char *state_command_line(const State *state) {
    /* What is said in another way, or belongs to the window alone. */
    static const char *const elsewhere[] = {"view",       "attention", "units",
                                            "model_hash", "locked",    "step"};
    StrBuf out = {0};
    strbuf_puts(&out, "attnscope figure ");
    add_quoted(&out, state->view ? state->view : "cross");
    for (const StateField *f = state_fields; f->name; f++) {
        bool skip = !state_is_set(state, f->name);
        for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
            skip = skip || strcmp(f->name, elsewhere[i]) == 0;
        if (!skip) add_field(&out, state, f);
    }
    if (state->attention && strcmp(state->attention, "self") != 0) add_name(&out, state->attention);
    if (state->units) add_name(&out, state->units);
    return out.data;
}
