#include "model/tape.h"

enum { CHUNK = 256 };

typedef struct Node {
    TapeBackward *backward;
    void *saved;
} Node;

typedef struct Chunk {
    struct Chunk *previous;
    int n;
    Node nodes[CHUNK];
} Chunk;

struct Tape {
    Arena *arena;
    Chunk *last;
    const float *params;
    float *grads;
    int64_t n_params;
};

Tape *tape_new(Arena *arena) {
    Tape *tape = arena_calloc(arena, 1, sizeof *tape);
    tape->arena = arena;
    return tape;
}

void tape_params(Tape *tape, const float *params, float *grads, int64_t n) {
    tape->params = params;
    tape->grads = grads;
    tape->n_params = n;
}

void *tape_append(Tape *tape, TapeBackward *backward, size_t n_bytes) {
    if (!tape->last || tape->last->n == CHUNK) {
        Chunk *chunk = arena_alloc(tape->arena, sizeof *chunk);
        chunk->previous = tape->last;
        chunk->n = 0;
        tape->last = chunk;
    }
    void *saved = arena_alloc(tape->arena, n_bytes);
    tape->last->nodes[tape->last->n++] = (Node){backward, saved};
    return saved;
}

float *tape_param_grad(const Tape *tape, const float *param) {
    if (!param || !tape->params || param < tape->params || param >= tape->params + tape->n_params)
        return NULL;
    return tape->grads + (param - tape->params);
}

Arena *tape_scratch(Tape *tape) {
    return tape->arena;
}

void tape_backward(Tape *tape) {
    for (Chunk *chunk = tape->last; chunk; chunk = chunk->previous)
        for (int i = chunk->n - 1; i >= 0; i--) {
            ArenaMark mark = arena_mark(tape->arena);
            chunk->nodes[i].backward(chunk->nodes[i].saved, tape);
            arena_reset(tape->arena, mark);
        }
}
