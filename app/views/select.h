/* "0,2-4", "all", "mean", "max": which layers or heads.
 *
 *     SelectList heads;
 *     if (!select_parse(str("0,2-4"), n_heads, "head", &heads, &error)) ...
 */
#ifndef APP_VIEWS_SELECT_H
#define APP_VIEWS_SELECT_H

#include "model/base/error.h"
#include "model/base/str.h"

typedef enum SelectKind {
    SELECT_EACH, /* these, one by one */
    SELECT_MEAN, /* their mean */
    SELECT_MAX,  /* cell by cell the largest */
} SelectKind;

enum { SELECT_MAX_ITEMS = 4096 };

typedef struct SelectList {
    SelectKind kind;
    int n;
    int items[SELECT_MAX_ITEMS]; /* in the order given, each once */
} SelectList;

/* Counts from 0; limit: how many there are. `what` names them in errors ("layer"). */
bool select_parse(Str text, int limit, const char *what, SelectList *out, Error *error);
/* The next part of a list, without blanks around it; false at the end. */
bool select_part(Str *rest, char separator, Str *part);

#endif
