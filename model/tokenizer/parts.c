#include "model/tokenizer/parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

bool part_fail(PartReader *reader, const char *format, ...) {
    char message[700];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return error_set(reader->error, ERROR_INPUT, "%s: %s", reader->where, message);
}

const char *part_type(const json_t *json) {
    const char *type = json_string_value(json_object_get(json, "type"));
    return type ? type : "";
}

bool part_flag(PartReader *reader, const json_t *json, const char *key, bool usual) {
    const json_t *value = json_object_get(json, key);
    if (!value || json_is_null(value)) return usual;
    if (!json_is_boolean(value)) part_fail(reader, "\"%s\" is neither true nor false", key);
    return json_is_true(value);
}

Str part_text(PartReader *reader, const json_t *json, const char *key, const char *usual) {
    const json_t *value = json_object_get(json, key);
    if (!value || json_is_null(value)) return str(usual);
    if (!json_is_string(value)) {
        part_fail(reader, "\"%s\" is not a string", key);
        return str("");
    }
    return arena_str(reader->arena, (Str){json_string_value(value), json_string_length(value)});
}

const Regex *part_pattern(PartReader *reader, const json_t *json) {
    const json_t *pattern = json_object_get(json, "pattern");
    const json_t *literal = json_is_string(pattern) ? pattern : json_object_get(pattern, "String");
    const json_t *regex = json_object_get(pattern, "Regex");
    const json_t *text = json_is_string(literal) ? literal : regex;
    const Regex *made = NULL;
    if (!json_is_string(text)) {
        part_fail(reader, "%s: a \"pattern\" of {\"String\": ...} or {\"Regex\": ...} is expected",
                  part_type(json));
        return NULL;
    }
    Str s = {json_string_value(text), json_string_length(text)};
    made = text == regex ? regex_new(s, reader->arena, reader->error)
                         : regex_literal(s, reader->arena, reader->error);
    if (!made) error_prefix(reader->error, "%s: %s", reader->where, part_type(json));
    return made;
}

bool part_integer(const json_t *json, int64_t *out) {
    if (!json_is_number(json)) return false;
    double x = json_number_value(json);
    if (!(x >= -9e15 && x <= 9e15) || x != floor(x)) return false;
    *out = (int64_t)x;
    return true;
}

bool part_each(PartReader *reader, const json_t *json, const char *key, PartRead read, void *to) {
    if (!json || json_is_null(json)) return true;
    if (!json_is_object(json)) return part_fail(reader, "an object or null is expected");
    if (strcmp(part_type(json), "Sequence") != 0) return read(reader, json, to);
    const json_t *list = json_object_get(json, key);
    if (!json_is_array(list)) return part_fail(reader, "a Sequence without its list \"%s\"", key);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!part_each(reader, json_array_get(list, i), key, read, to)) return false;
    return true;
}
