#include "model/tokenizer/sentencepiece.h"

#include <math.h>

#include "model/base/utf8.h"

/* Protobuf: a message is a row of fields, each a varint (number * 8 + wire type) and its value. */
typedef struct Wire {
    const uint8_t *data, *end, *start;
    const char *what; /* the message, for errors */
    Error *error;
} Wire;

typedef struct Field {
    uint32_t number, type; /* wire type: 0 varint, 1 eight bytes, 2 counted bytes, 5 four bytes */
    uint64_t value;
    Str bytes;
} Field;

static bool wire_fail(const Wire *wire, const char *why) {
    return error_set(wire->error, ERROR_INPUT,
                     "not a SentencePiece model, or a damaged one: %s in %s at its byte %lld", why,
                     wire->what, (long long)(wire->data - wire->start));
}

static bool wire_varint(Wire *wire, uint64_t *out) {
    *out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (wire->data == wire->end) return wire_fail(wire, "a number is cut off");
        uint8_t byte = *wire->data++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return wire_fail(wire, "a number is longer than 64 bits");
}

/* False at the end and on an error; *ok says which. */
static bool wire_next(Wire *wire, Field *field, bool *ok) {
    *ok = true;
    if (wire->data == wire->end) return false;
    uint64_t key;
    *ok = wire_varint(wire, &key);
    if (!*ok) return false;
    *field = (Field){.number = (uint32_t)(key >> 3), .type = (uint32_t)(key & 7)};
    size_t left = (size_t)(wire->end - wire->data);
    if (field->type == 0) {
        *ok = wire_varint(wire, &field->value);
    } else if (field->type == 2) {
        uint64_t n;
        *ok = wire_varint(wire, &n);
        left = (size_t)(wire->end - wire->data);
        if (*ok && n > left) *ok = wire_fail(wire, "a field is longer than what holds it");
        if (!*ok) return false;
        field->bytes = (Str){(const char *)wire->data, (size_t)n};
        wire->data += n;
    } else if (field->type == 1 || field->type == 5) {
        size_t n = field->type == 1 ? 8 : 4;
        if (n > left) *ok = wire_fail(wire, "a number is cut off");
        if (!*ok) return false;
        memcpy(&field->value, wire->data, n);
        wire->data += n;
    } else {
        *ok = wire_fail(wire, "an unknown kind of field");
    }
    return *ok;
}

static Wire wire_open(Str bytes, const char *what, Error *error) {
    const uint8_t *data = (const uint8_t *)bytes.data;
    return (Wire){data, data + bytes.n, data, what, error};
}

static float field_float(const Field *field) {
    uint32_t bits = (uint32_t)field->value;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

typedef struct TrainerNames {
    Str unk, bos, eos;
} TrainerNames;

static bool read_trainer(Str bytes, SentencePiece *sp, TrainerNames *names, Error *error) {
    Wire wire = wire_open(bytes, "trainer_spec", error);
    Field f;
    bool ok;
    while (wire_next(&wire, &f, &ok)) {
        if (f.number == 3 && f.type == 0) {
            if (f.value < SENTENCEPIECE_UNIGRAM || f.value > SENTENCEPIECE_CHAR)
                return error_set(
                    error, ERROR_UNSUPPORTED,
                    "SentencePiece model_type %llu; 1 (unigram) to 4 (char) are expected",
                    (unsigned long long)f.value);
            sp->model = (SentencePieceModel)f.value;
        }
        if (f.number == 24 && f.type == 0) sp->space_is_suffix = f.value != 0;
        if (f.number == 35 && f.type == 0) sp->byte_fallback = f.value != 0;
        if (f.number == 44 && f.type == 2) sp->unknown_surface = f.bytes;
        if (f.number == 45 && f.type == 2) names->unk = f.bytes;
        if (f.number == 46 && f.type == 2) names->bos = f.bytes;
        if (f.number == 47 && f.type == 2) names->eos = f.bytes;
    }
    return ok;
}

static bool read_normalizer(Str bytes, SentencePiece *sp, Arena *arena, Error *error) {
    Wire wire = wire_open(bytes, "normalizer_spec", error);
    Field f;
    bool ok;
    while (wire_next(&wire, &f, &ok)) {
        if (f.number == 2 && f.type == 2 && !charsmap_read(f.bytes, arena, &sp->charsmap, error))
            return false;
        if (f.number == 3 && f.type == 0) sp->add_dummy_prefix = f.value != 0;
        if (f.number == 4 && f.type == 0) sp->remove_extra_spaces = f.value != 0;
        if (f.number == 5 && f.type == 0) sp->escape_spaces = f.value != 0;
    }
    return ok;
}

static bool read_denormalizer(Str bytes, SentencePiece *sp, Arena *arena, Error *error) {
    Wire wire = wire_open(bytes, "denormalizer_spec", error);
    Field f;
    bool ok;
    while (wire_next(&wire, &f, &ok))
        if (f.number == 2 && f.type == 2 && !charsmap_read(f.bytes, arena, &sp->decoded, error))
            return false;
    return ok;
}

static bool read_piece(Str bytes, SentencePiece *sp, Error *error) {
    Wire wire = wire_open(bytes, "a piece", error);
    Field f;
    bool ok;
    int i = sp->n++;
    sp->labels[i] = str("");
    sp->scores[i] = 0;
    sp->types[i] = PIECE_NORMAL;
    while (wire_next(&wire, &f, &ok)) {
        if (f.number == 1 && f.type == 2) sp->labels[i] = f.bytes;
        if (f.number == 2 && f.type == 5) sp->scores[i] = field_float(&f);
        if (f.number == 3 && f.type == 0) {
            if (f.value < PIECE_NORMAL || f.value > PIECE_BYTE)
                return error_set(error, ERROR_INPUT,
                                 "piece %d has the type %llu; 1 to 6 are expected", i,
                                 (unsigned long long)f.value);
            sp->types[i] = (uint8_t)f.value;
        }
    }
    if (!ok) return false;
    if (!isfinite(sp->scores[i]))
        return error_set(error, ERROR_INPUT, "the score of piece %d is not a number", i);
    if (utf8_invalid_at(sp->labels[i]) < sp->labels[i].n)
        return error_set(error, ERROR_INPUT, "piece %d is not UTF-8", i);
    return true;
}

/* The special pieces, and the user-defined ones as a trie. */
static bool find_roles(SentencePiece *sp, const TrainerNames *names, Arena *arena, Error *error) {
    Str *user = arena_calloc(arena, (size_t)sp->n, sizeof *user);
    int n_bytes = 0;
    for (int i = 0; i < sp->n; i++) {
        if (sp->types[i] == PIECE_UNKNOWN) {
            if (sp->unknown >= 0)
                return error_set(error, ERROR_INPUT,
                                 "pieces %d and %d are both the unknown piece; one is expected",
                                 sp->unknown, i);
            sp->unknown = i;
        }
        if (sp->types[i] == PIECE_CONTROL && str_eq(sp->labels[i], names->bos)) sp->bos = i;
        if (sp->types[i] == PIECE_CONTROL && str_eq(sp->labels[i], names->eos)) sp->eos = i;
        n_bytes += sp->types[i] == PIECE_BYTE;
        if (sp->types[i] != PIECE_USER_DEFINED || !sp->labels[i].n) continue;
        user[i] = sp->labels[i];
        sp->n_user_defined++;
    }
    if (sp->unknown < 0)
        return error_set(error, ERROR_INPUT,
                         "no piece is the unknown one (type 2); one is expected");
    if (sp->byte_fallback && n_bytes != 256)
        return error_set(error, ERROR_INPUT,
                         "byte_fallback is on and there are %d byte pieces; 256 are expected",
                         n_bytes);
    sp->user_defined = trie_build(user, sp->n, arena);
    return true;
}

bool sentencepiece_read(Str bytes, Arena *arena, SentencePiece *sp, Error *error) {
    *sp = (SentencePiece){.model = SENTENCEPIECE_UNIGRAM,
                          .add_dummy_prefix = true,
                          .remove_extra_spaces = true,
                          .escape_spaces = true,
                          .unknown = -1,
                          .bos = -1,
                          .eos = -1,
                          .unknown_surface = str(" \xe2\x81\x87 ")};
    TrainerNames names = {str("<unk>"), str("<s>"), str("</s>")};
    Field f;
    bool ok;
    int n = 0;
    Wire wire = wire_open(bytes, "the file", error);
    while (wire_next(&wire, &f, &ok))
        n += f.number == 1 && f.type == 2;
    if (!ok) return false;
    if (!n) return error_set(error, ERROR_INPUT, "no pieces in it: not a SentencePiece model");
    /* A piece with a text and a score takes ten bytes. */
    if (n > 2000000 || (size_t)n > bytes.n / 8 + 64)
        return error_set(error, ERROR_INPUT, "%d pieces in %zu bytes: most of them are empty", n,
                         bytes.n);
    sp->labels = arena_alloc(arena, (size_t)n * sizeof *sp->labels);
    sp->scores = arena_alloc(arena, (size_t)n * sizeof *sp->scores);
    sp->types = arena_alloc(arena, (size_t)n);
    wire = wire_open(bytes, "the file", error);
    while (wire_next(&wire, &f, &ok)) {
        if (f.type != 2) continue;
        if (f.number == 1) ok = read_piece(f.bytes, sp, error);
        if (f.number == 2) ok = read_trainer(f.bytes, sp, &names, error);
        if (f.number == 3) ok = read_normalizer(f.bytes, sp, arena, error);
        if (f.number == 5) ok = read_denormalizer(f.bytes, sp, arena, error);
        if (!ok) return false;
    }
    return find_roles(sp, &names, arena, error);
}
