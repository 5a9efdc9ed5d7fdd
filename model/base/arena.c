/* A list of blocks, each twice the last; allocation bumps a pointer. A reset keeps the blocks, so a
 * loop that marks and resets takes memory from the system once. Clearing puts one block in the
 * place of several, as large as the most that was in use: rounds of unlike sizes would otherwise
 * leave ever more blocks that are too small for the next request. */
#include "model/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };
enum { ALIGN = 64, FIRST_BLOCK = 64 * 1024 };

typedef struct Block {
    struct Block *next;
    size_t capacity; /* of data, after the header */
    size_t before;   /* bytes in use in the blocks before this one when it became the last */
} Block;

struct Arena {
    Block *first, *now;
    size_t used; /* in *now; blocks after it are empty */
    size_t most; /* bytes in use at once, so far as a reset or a new block has looked */
};

static const size_t header_bytes = (sizeof(Block) + ALIGN - 1) / ALIGN * ALIGN;

static _Noreturn void out_of_memory(size_t n_bytes) {
    fprintf(stderr, "attnscope: out of memory: %zu more bytes were needed\n", n_bytes);
    abort();
}

static Block *block_new(size_t capacity) {
    if (capacity > SIZE_MAX / 2) out_of_memory(capacity);
    size_t n_bytes = header_bytes + (capacity + ALIGN - 1) / ALIGN * ALIGN;
    bool large = n_bytes >= 4 * (size_t)HUGE_PAGE;
    size_t align = large ? HUGE_PAGE : ALIGN;
    /* C wants a multiple of the alignment; what is added is never touched. */
    Block *block = aligned_alloc(align, (n_bytes + align - 1) / align * align);
    if (!block) out_of_memory(capacity);
#if defined(MADV_HUGEPAGE)
    /* A pass' patterns are hundreds of MB touched once; a fault for each 4 kB costs more than they.
     */
    if (large) (void)madvise(block, n_bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    *block = (Block){NULL, capacity, 0};
    return block;
}

Arena *arena_new(void) {
    Arena *arena = malloc(sizeof *arena);
    if (!arena) out_of_memory(sizeof *arena);
    Block *block = block_new(FIRST_BLOCK);
    *arena = (Arena){block, block, 0, 0};
    return arena;
}

static void blocks_free(Block *block) {
    for (Block *next; block; block = next) {
        next = block->next;
        free(block);
    }
}

void arena_free(Arena *arena) {
    if (!arena) return;
    blocks_free(arena->first);
    free(arena);
}

static size_t in_use(const Arena *arena) {
    return arena->now->before + arena->used;
}

static void note_most(Arena *arena) {
    size_t n = in_use(arena);
    if (n > arena->most) arena->most = n;
}

/* Moves on to a block that can hold n_bytes: the next one if it is large enough, else a new one
 * put between. */
static void advance(Arena *arena, size_t n_bytes) {
    Block *next = arena->now->next;
    if (!next || next->capacity < n_bytes) {
        size_t capacity = arena->now->capacity * 2;
        if (capacity > ((size_t)256 << 20)) capacity = (size_t)256 << 20;
        Block *block = block_new(capacity > n_bytes ? capacity : n_bytes);
        block->next = next;
        arena->now->next = block;
    }
    arena->now->next->before = in_use(arena);
    arena->now = arena->now->next;
    arena->used = 0;
}

void *arena_alloc(Arena *arena, size_t n_bytes) {
    if (n_bytes > SIZE_MAX / 2) out_of_memory(n_bytes);
    size_t rounded = (n_bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (arena->used + rounded > arena->now->capacity) advance(arena, rounded);
    void *p = (char *)arena->now + header_bytes + arena->used;
    arena->used += rounded;
    return p;
}

void *arena_calloc(Arena *arena, size_t n_items, size_t item_bytes) {
    size_t n_bytes;
    if (__builtin_mul_overflow(n_items, item_bytes, &n_bytes)) out_of_memory(SIZE_MAX);
    return memset(arena_alloc(arena, n_bytes), 0, n_bytes);
}

Str arena_str(Arena *arena, Str s) {
    char *copy = arena_alloc(arena, s.n + 1);
    if (s.n) memcpy(copy, s.data, s.n);
    copy[s.n] = '\0';
    return (Str){copy, s.n};
}

char *arena_strdup(Arena *arena, const char *s) {
    size_t n = strlen(s) + 1;
    return memcpy(arena_alloc(arena, n), s, n);
}

char *arena_printf(Arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *s = arena_alloc(arena, (size_t)(n < 0 ? 0 : n) + 1);
    va_start(args, format);
    vsnprintf(s, (size_t)(n < 0 ? 0 : n) + 1, format, args);
    va_end(args);
    return s;
}

ArenaMark arena_mark(const Arena *arena) {
    return (ArenaMark){arena->now, arena->used};
}

void arena_reset(Arena *arena, ArenaMark mark) {
    note_most(arena);
    arena->now = mark.block;
    arena->used = mark.used;
}

void arena_clear(Arena *arena) {
    note_most(arena);
    if (arena->first->next) {
        blocks_free(arena->first);
        arena->first = block_new(arena->most + arena->most / 8);
    }
    arena->now = arena->first;
    arena->used = 0;
}

size_t arena_footprint(const Arena *arena) {
    size_t n = 0;
    for (const Block *b = arena->first; b; b = b->next)
        n += header_bytes + b->capacity;
    return n;
}
