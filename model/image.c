#include "model/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/json.h"
#include "model/loader.h"

/* ---- filters: Pillow, src/libImaging/Resample.c ---- */

static double filter_box(double x) {
    return x > -0.5 && x <= 0.5;
}

static double filter_bilinear(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double filter_hamming(double x) {
    x = fabs(x);
    if (x == 0) return 1;
    if (x >= 1) return 0;
    x *= M_PI;
    return sin(x) / x * (0.54 + 0.46 * cos(x));
}

static double filter_bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double sinc(double x) {
    return x == 0 ? 1 : sin(x * M_PI) / (x * M_PI);
}

static double filter_lanczos(double x) {
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static const struct {
    double (*weight)(double x);
    double support;
} filters[] = {[IMAGE_NEAREST] = {filter_box, 0.5},     [IMAGE_LANCZOS] = {filter_lanczos, 3},
               [IMAGE_BILINEAR] = {filter_bilinear, 1}, [IMAGE_BICUBIC] = {filter_bicubic, 2},
               [IMAGE_BOX] = {filter_box, 0.5},         [IMAGE_HAMMING] = {filter_hamming, 1}};

enum { PRECISION = 32 - 8 - 2 };

/* Which pixels an output pixel is made of, and by how much. */
typedef struct Kernel {
    int n_out, size;
    int *begin, *n;  // [n_out]
    int32_t *weight; // [n_out, size], 1 is 1 << PRECISION
} Kernel;

static Kernel kernel_of(int n_in, int n_out, ImageFilter filter, Arena *arena) {
    double scale = (double)n_in / n_out, wide = scale < 1 ? 1 : scale;
    double support = filters[filter].support * wide;
    Kernel k = {.n_out = n_out, .size = (int)ceil(support) * 2 + 1};
    k.begin = arena_alloc(arena, (size_t)n_out * sizeof *k.begin);
    k.n = arena_alloc(arena, (size_t)n_out * sizeof *k.n);
    k.weight = arena_calloc(arena, (size_t)n_out * (size_t)k.size, sizeof *k.weight);
    double *w = arena_alloc(arena, (size_t)k.size * sizeof *w);
    for (int out = 0; out < n_out; out++) {
        double centre = (out + 0.5) * scale, sum = 0;
        int begin = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
        begin = begin < 0 ? 0 : begin;
        end = end > n_in ? n_in : end;
        for (int x = begin; x < end; x++)
            sum += w[x - begin] = filters[filter].weight((x - centre + 0.5) / wide);
        for (int x = begin; x < end; x++) {
            double exact = (sum != 0 ? w[x - begin] / sum : w[x - begin]) * (1 << PRECISION);
            k.weight[(int64_t)out * k.size + x - begin] =
                (int32_t)(exact < 0 ? exact - 0.5 : exact + 0.5);
        }
        k.begin[out] = begin;
        k.n[out] = end - begin;
    }
    return k;
}

static uint8_t clip(int32_t x) {
    x >>= PRECISION;
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* One line of n_out pixels; step: bytes from one input pixel to the next. */
static void resample_line(const Kernel *k, const uint8_t *in, int64_t step, uint8_t *out,
                          int64_t out_step) {
    for (int x = 0; x < k->n_out; x++) {
        const int32_t *w = k->weight + (int64_t)x * k->size;
        const uint8_t *from = in + k->begin[x] * step;
        int32_t sum[3] = {1 << (PRECISION - 1), 1 << (PRECISION - 1), 1 << (PRECISION - 1)};
        for (int i = 0; i < k->n[x]; i++, from += step)
            for (int c = 0; c < 3; c++)
                sum[c] += w[i] * from[c];
        for (int c = 0; c < 3; c++)
            out[x * out_step + c] = clip(sum[c]);
    }
}

static Image image_new(int width, int height, Arena *arena) {
    return (Image){width, height, arena_calloc(arena, (size_t)width * (size_t)height, 3)};
}

static Image resize_nearest(const Image *image, int width, int height, Arena *arena) {
    Image out = image_new(width, height, arena);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int64_t from_x = (int64_t)((x + 0.5) * image->width / width);
            int64_t from_y = (int64_t)((y + 0.5) * image->height / height);
            memcpy(out.rgb + ((int64_t)y * width + x) * 3,
                   image->rgb + (from_y * image->width + from_x) * 3, 3);
        }
    return out;
}

Image image_resize(const Image *image, int width, int height, ImageFilter filter, Arena *arena) {
    if (width == image->width && height == image->height) return *image;
    if (filter == IMAGE_NEAREST) return resize_nearest(image, width, height, arena);
    Image across = *image;
    if (width != image->width) {
        Kernel k = kernel_of(image->width, width, filter, arena);
        across = image_new(width, image->height, arena);
        for (int y = 0; y < image->height; y++)
            resample_line(&k, image->rgb + (int64_t)y * image->width * 3, 3,
                          across.rgb + (int64_t)y * width * 3, 3);
    }
    if (height == image->height) return across;
    Kernel k = kernel_of(image->height, height, filter, arena);
    Image out = image_new(width, height, arena);
    for (int x = 0; x < width; x++)
        resample_line(&k, across.rgb + (int64_t)x * 3, (int64_t)width * 3, out.rgb + (int64_t)x * 3,
                      (int64_t)width * 3);
    return out;
}

static int floor_half(int x) {
    return x >= 0 ? x / 2 : -((1 - x) / 2);
}

Image image_crop(const Image *image, int width, int height, Arena *arena) {
    Image out = image_new(width, height, arena);
    int left = floor_half(image->width - width), top = floor_half(image->height - height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int fx = x + left, fy = y + top;
            if (fx < 0 || fy < 0 || fx >= image->width || fy >= image->height) continue;
            memcpy(out.rgb + ((int64_t)y * width + x) * 3,
                   image->rgb + ((int64_t)fy * image->width + fx) * 3, 3);
        }
    return out;
}

/* ---- preprocessor_config.json ---- */

/* "size": 224, {"height", "width"} or {"shortest_edge"}. */
static bool size_of(const Fields *f, const char *name, const Image *image, bool square, int *width,
                    int *height) {
    const json_t *value = json_object_get(f->root, name);
    if (!json_is_object(value)) {
        int n = field_int(f, name, *width, 1, 1 << 13);
        *width = *height = n;
        return square;
    }
    Fields inner = {value, f->where, f->error};
    int edge = field_int(&inner, "shortest_edge", 0, 1, 1 << 13);
    *width = field_int(&inner, "width", *width, 1, 1 << 13);
    *height = field_int(&inner, "height", *height, 1, 1 << 13);
    if (edge > 0) *width = *height = edge;
    (void)image;
    return edge == 0;
}

/* The shorter edge becomes `edge`, the other keeps the proportion. */
static void keep_proportion(const Image *image, int edge, int *width, int *height) {
    bool wide = image->width >= image->height;
    int shorter = wide ? image->height : image->width, longer = wide ? image->width : image->height;
    int other = (int)((int64_t)edge * longer / shorter);
    *width = wide ? other : edge;
    *height = wide ? edge : other;
}

static void numbers(const Fields *f, const char *name, const double *defaults, double *out) {
    const json_t *list = json_object_get(f->root, name);
    for (int i = 0; i < 3; i++) {
        const json_t *x = json_array_get(list, (size_t)i);
        out[i] = json_is_number(x) ? json_number_value(x) : defaults[i];
    }
}

static const char *processor_class(const Fields *f) {
    const char *name = field_string(f, "image_processor_type", NULL);
    return name ? name : field_string(f, "feature_extractor_type", "");
}

static bool is_clip(const Model *model) {
    return strncmp(model->config.model_type, "clip", 4) == 0;
}

static bool prepare(const Fields *f, const Model *model, const Image *image, Arena *arena,
                    Image *out) {
    bool clip = strncmp(processor_class(f), "CLIP", 4) == 0 || is_clip(model);
    bool deit = strcmp(model->config.model_type, "deit") == 0;
    int wanted = model->config.front.image_size;
    int width = deit ? wanted * 256 / 224 : wanted, height = width; /* a border is cut off */
    Image x = *image;
    if (field_bool(f, "do_resize", true)) {
        ImageFilter filter = (ImageFilter)field_int(
            f, "resample", clip || deit ? IMAGE_BICUBIC : IMAGE_BILINEAR, 0, IMAGE_HAMMING);
        bool square = size_of(f, "size", image, !clip, &width, &height);
        if (!square) keep_proportion(image, width, &width, &height);
        if (width < 1 || height < 1 || (int64_t)width * height > IMAGE_MOST_PIXELS)
            return error_set(f->error, ERROR_INPUT, "a picture of %d x %d pixels is too narrow",
                             image->width, image->height);
        x = image_resize(&x, width, height, filter, arena);
    }
    if (field_bool(f, "do_center_crop", clip || deit)) {
        width = height = wanted;
        size_of(f, "crop_size", image, true, &width, &height);
        x = image_crop(&x, width, height, arena);
    }
    *out = x;
    return error_ok(f->error);
}

/* value = (byte * factor - mean) / deviation, channel by channel. */
typedef struct Scaling {
    double mean[3], deviation[3], factor;
} Scaling;

static Scaling scaling_of(const Fields *f, const Model *model) {
    static const double half[] = {0.5, 0.5, 0.5}, imagenet_mean[] = {0.485, 0.456, 0.406},
                        imagenet_std[] = {0.229, 0.224, 0.225};
    static const double clip_mean[] = {0.48145466, 0.4578275, 0.40821073},
                        clip_std[] = {0.26862954, 0.26130258, 0.27577711};
    bool deit = strcmp(model->config.model_type, "deit") == 0;
    Scaling s = {{0, 0, 0}, {1, 1, 1}, 1};
    if (field_bool(f, "do_normalize", true)) {
        bool clip = is_clip(model);
        numbers(f, "image_mean", clip ? clip_mean : deit ? imagenet_mean : half, s.mean);
        numbers(f, "image_std", clip ? clip_std : deit ? imagenet_std : half, s.deviation);
    }
    if (field_bool(f, "do_rescale", true))
        s.factor = field_number(f, "rescale_factor", 1 / 255.0, 1e-9, 1e9);
    return s;
}

static Tensor normalised(const Fields *f, const Model *model, const Image *x, Arena *arena) {
    Scaling s = scaling_of(f, model);
    int64_t plane = (int64_t)x->width * x->height;
    Tensor out = tensor_new(arena, 3, 3, x->height, x->width);
    for (int c = 0; c < 3; c++)
        for (int64_t i = 0; i < plane; i++)
            out.data[c * plane + i] =
                (float)((x->rgb[i * 3 + c] * s.factor - s.mean[c]) / s.deviation[c]);
    return out;
}

static json_t *read_config(const Model *model, Arena *arena, Error *error) {
    const char *path = path_join(arena, model->path, "preprocessor_config.json");
    if (model->config.front.kind != FRONT_PATCHES || model->config.front.n_channels != 3) {
        error_set(error, ERROR_INPUT, "this model (%s) looks at no pictures",
                  model->config.model_type);
        return NULL;
    }
    Error failure = {0};
    json_t *config = json_read_object(path, 1 << 20, &failure);
    if (!config && failure.kind != ERROR_NOT_FOUND) {
        error_set(error, failure.kind, "%s", failure.message);
        return NULL;
    }
    return config ? config : json_object();
}

bool image_preprocess(const Model *model, const Image *image, Arena *arena, Tensor *out,
                      Image *shown, Error *error) {
    json_t *config = read_config(model, arena, error);
    if (!config) return false;
    Fields fields = {config, "preprocessor_config.json", error};
    Image x;
    bool ok = prepare(&fields, model, image, arena, &x);
    if (ok) *out = normalised(&fields, model, &x, arena);
    if (ok && shown) *shown = x;
    json_decref(config);
    return ok && error_ok(error);
}

bool image_restore(const Model *model, Tensor pixels, Arena *arena, Image *out, Error *error) {
    if (pixels.rank != 3 || pixels.shape[0] != 3)
        return error_set(error, ERROR_INPUT, "pixel_values: [3, y, x] expected");
    json_t *config = read_config(model, arena, error);
    if (!config) return false;
    Fields fields = {config, "preprocessor_config.json", error};
    Scaling s = scaling_of(&fields, model);
    json_decref(config);
    int height = (int)pixels.shape[1], width = (int)pixels.shape[2];
    *out = (Image){width, height, arena_alloc(arena, (size_t)height * (size_t)width * 3 + 1)};
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                double value = (double)*tensor_at(pixels, c, y, x, 0);
                value = (value * s.deviation[c] + s.mean[c]) / s.factor;
                value = value > 0 ? (value < 255 ? value : 255) : 0; /* not a number: black */
                out->rgb[((int64_t)y * width + x) * 3 + c] = (uint8_t)lround(value);
            }
    return error_ok(error);
}
