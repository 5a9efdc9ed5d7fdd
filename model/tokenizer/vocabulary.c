#include "model/tokenizer/vocabulary.h"

static uint32_t hash(Str s) {
    uint64_t h = 0xcbf29ce484222325u ^ s.n;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.data[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

/* The slot of the label, or the free one where it belongs. */
static uint32_t slot_of(const Vocabulary *v, Str label) {
    uint32_t slot = hash(label) & (v->n_slots - 1);
    while (v->slots[slot] >= 0 && !str_eq(v->labels[v->slots[slot]], label))
        slot = (slot + 1) & (v->n_slots - 1);
    return slot;
}

static void rehash(Vocabulary *v, uint32_t n_slots) {
    v->n_slots = n_slots;
    v->slots = arena_alloc(v->arena, n_slots * sizeof *v->slots);
    for (uint32_t i = 0; i < n_slots; i++)
        v->slots[i] = -1;
    v->n_labels = 0;
    for (int id = 0; id < v->n_ids; id++) {
        if (!v->labels[id].data) continue;
        uint32_t slot = slot_of(v, v->labels[id]);
        v->n_labels += v->slots[slot] < 0;
        v->slots[slot] = id;
    }
}

void vocabulary_reserve(Vocabulary *v, int capacity) {
    if (capacity <= v->capacity) return;
    Str *labels = arena_calloc(v->arena, (size_t)capacity, sizeof *labels);
    uint8_t *flags = arena_calloc(v->arena, (size_t)capacity, 1);
    if (v->n_ids) {
        memcpy(labels, v->labels, (size_t)v->n_ids * sizeof *labels);
        memcpy(flags, v->flags, (size_t)v->n_ids);
    }
    v->labels = labels;
    v->flags = flags;
    v->capacity = capacity;
}

Vocabulary vocabulary_new(Arena *arena, int n_expected) {
    if (n_expected < 16) n_expected = 16;
    if (n_expected > VOCABULARY_MAX_ID) n_expected = VOCABULARY_MAX_ID;
    Vocabulary v = {.arena = arena};
    vocabulary_reserve(&v, n_expected);
    uint32_t n_slots = 32;
    while (n_slots < (uint32_t)n_expected * 2)
        n_slots *= 2;
    rehash(&v, n_slots);
    return v;
}

bool vocabulary_set(Vocabulary *v, int64_t id, Str label, Error *error) {
    if (id < 0 || id >= VOCABULARY_MAX_ID)
        return error_set(
            error, ERROR_INPUT, "entry \"%.*s\" has the id %lld; ids from 0 to %d are expected",
            (int)(label.n < 60 ? label.n : 60), label.data, (long long)id, VOCABULARY_MAX_ID - 1);
    if (id >= v->capacity) {
        int64_t capacity = id + 1 + (id + 1) / 2;
        vocabulary_reserve(v, (int)(capacity < VOCABULARY_MAX_ID ? capacity : VOCABULARY_MAX_ID));
    }
    if ((uint32_t)v->n_labels * 2 + 2 > v->n_slots) rehash(v, v->n_slots * 2);
    /* An id that had another name keeps its old slot, which no label matches any more. */
    v->labels[id] = label.data ? label : str("");
    if (id >= v->n_ids) v->n_ids = (int)id + 1;
    uint32_t slot = slot_of(v, v->labels[id]);
    v->n_labels += v->slots[slot] < 0;
    v->slots[slot] = (int32_t)id;
    return true;
}

Str vocabulary_keep(Vocabulary *v, Str label) {
    enum { POOL = 64 * 1024 };
    if (label.n + 1 > POOL / 8) return arena_str(v->arena, label);
    if (label.n + 1 > v->n_pool) {
        v->pool = arena_alloc(v->arena, POOL);
        v->n_pool = POOL;
    }
    char *copy = v->pool;
    if (label.n) memcpy(copy, label.data, label.n);
    copy[label.n] = '\0';
    v->pool += label.n + 1;
    v->n_pool -= label.n + 1;
    return (Str){copy, label.n};
}

int32_t vocabulary_id(const Vocabulary *v, Str label) {
    return v->n_slots ? v->slots[slot_of(v, label)] : -1;
}

Vocabulary vocabulary_copy(const Vocabulary *from) {
    Vocabulary v = *from;
    v.pool = NULL;
    v.n_pool = 0;
    v.labels = memcpy(arena_alloc(v.arena, (size_t)v.capacity * sizeof *v.labels), from->labels,
                      (size_t)v.capacity * sizeof *v.labels);
    v.flags = memcpy(arena_alloc(v.arena, (size_t)v.capacity), from->flags, (size_t)v.capacity);
    v.slots = memcpy(arena_alloc(v.arena, v.n_slots * sizeof *v.slots), from->slots,
                     v.n_slots * sizeof *v.slots);
    return v;
}
