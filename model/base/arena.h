/* Memory with one owner: whatever is allocated from an arena dies with it.
 *
 *     Arena *arena = arena_new();
 *     float *x = arena_alloc(arena, n * sizeof *x);     64-byte aligned, not cleared
 *     ArenaMark mark = arena_mark(arena);
 *     ...                                               scratch of one layer
 *     arena_reset(arena, mark);                         gone, the memory is kept for reuse
 *     arena_free(arena);
 *
 * Running out of memory prints one line and aborts: sizes that come from a file are checked against
 * the file before anything is allocated. Not thread-safe: an arena belongs to one thread at a time.
 */
#ifndef MODEL_BASE_ARENA_H
#define MODEL_BASE_ARENA_H

#include <stddef.h>

#include "model/base/str.h"

typedef struct Arena Arena;

typedef struct ArenaMark {
    void *block;
    size_t used;
} ArenaMark;

Arena *arena_new(void);
void arena_free(Arena *arena); /* NULL is fine */

/* n_bytes may be 0. Never returns NULL. */
void *arena_alloc(Arena *arena, size_t n_bytes);
void *arena_calloc(Arena *arena, size_t n_items, size_t item_bytes); /* cleared */

/* Copies, with a NUL after the last byte (which the Str does not count). */
Str arena_str(Arena *arena, Str s);
char *arena_strdup(Arena *arena, const char *s);
char *arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

ArenaMark arena_mark(const Arena *arena);
void arena_reset(Arena *arena, ArenaMark mark);
void arena_clear(Arena *arena); /* everything; marks are void, the memory is kept as one block */

/* Bytes taken from the system so far. */
size_t arena_footprint(const Arena *arena);

#endif
