#include "render/pngfile.h"

#include <png.h>
#include <stdlib.h>
#include <zlib.h>

static void put_bytes(png_structp png, png_bytep data, png_size_t n) {
    strbuf_add(png_get_io_ptr(png), data, n);
}

static void flush_nothing(png_structp png) {
    (void)png;
}

/* libpng reports through longjmp; everything that must be freed is set before setjmp. */
static void fail(png_structp png, png_const_charp message) {
    Error *error = png_get_error_ptr(png);
    error_set(error, ERROR_IO, "PNG: %s", message);
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void set_text(png_structp png, png_infop info, const char *key, Str value) {
    if (value.n == 0) return;
    png_text text = {.compression = PNG_ITXT_COMPRESSION_NONE,
                     .key = (char *)key,
                     .text = (char *)value.data,
                     .itxt_length = value.n,
                     .lang = "",
                     .lang_key = ""};
    png_set_text(png, info, &text, 1);
}

static void begin(png_structp png, StrBuf *out) {
    png_set_write_fn(png, out, put_bytes, flush_nothing);
    png_set_compression_level(png, 2); /* 6 takes three times as long for a sixth less */
    png_set_compression_strategy(png, Z_DEFAULT_STRATEGY);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
}

bool pngfile_page(const CanvasPixels *pixels, double dpi, Str spec, Str title, StrBuf *out,
                  Error *error) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, error, fail, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    uint8_t *row = malloc(3 * (size_t)pixels->width);
    char *spec_text = malloc(spec.n + 1), *title_text = malloc(title.n + 1);
    bool done = false;
    if (!info || !row || !spec_text || !title_text) {
        error_set(error, ERROR_MEMORY, "PNG of %d x %d pixels: out of memory", pixels->width,
                  pixels->height);
        goto end;
    }
    memcpy(spec_text, spec.data ? spec.data : "", spec.n);
    memcpy(title_text, title.data ? title.data : "", title.n);
    spec_text[spec.n] = title_text[title.n] = '\0';
    if (setjmp(png_jmpbuf(png))) goto end;
    begin(png, out);
    png_set_IHDR(png, info, (png_uint_32)pixels->width, (png_uint_32)pixels->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_uint_32 per_metre = (png_uint_32)(dpi / 0.0254 + 0.5);
    png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
    set_text(png, info, "Title", (Str){title_text, title.n});
    set_text(png, info, PNGFILE_SPEC_KEY, (Str){spec_text, spec.n});
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_write_info(png, info);
    for (int y = 0; y < pixels->height; y++) {
        const uint32_t *in = (const uint32_t *)(const void *)((const char *)pixels->data +
                                                              (ptrdiff_t)y * pixels->stride);
        for (int x = 0; x < pixels->width; x++) {
            row[3 * x] = (uint8_t)(in[x] >> 16);
            row[3 * x + 1] = (uint8_t)(in[x] >> 8);
            row[3 * x + 2] = (uint8_t)in[x];
        }
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    done = true;
end:
    png_destroy_write_struct(&png, &info);
    free(row);
    free(spec_text);
    free(title_text);
    return done;
}

static void set_palette(png_structp png, png_infop info, const FigureImage *image) {
    png_color colors[256];
    png_byte alpha[256];
    bool opaque = true;
    for (int i = 0; i < 256; i++) {
        Color c = image->palette[i];
        colors[i] = (png_color){(png_byte)color_r(c), (png_byte)color_g(c), (png_byte)color_b(c)};
        alpha[i] = image->has_masked && i == 0 ? 0 : (png_byte)color_a(c);
        opaque = opaque && alpha[i] == 255;
    }
    png_set_PLTE(png, info, colors, 256);
    if (!opaque) png_set_tRNS(png, info, alpha, 256, NULL);
}

bool pngfile_cells(const FigureImage *image, const uint8_t *cells, int rows, int columns,
                   StrBuf *out) {
    Error error = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &error, fail, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    begin(png, out);
    png_set_compression_level(png, 5);
    png_set_IHDR(png, info, (png_uint_32)columns, (png_uint_32)rows, 8,
                 cells ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGBA, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (cells) {
        set_palette(png, info, image);
        png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    }
    png_write_info(png, info);
    const uint8_t *data = cells ? cells : image->rgba;
    size_t row = (size_t)columns * (cells ? 1 : 4);
    for (int r = 0; r < rows; r++)
        png_write_row(png, (png_const_bytep)(data + (size_t)r * row));
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return true;
}

static uint32_t big_endian(const char *p) {
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool pngfile_find_text(Str bytes, const char *key, Arena *arena, Str *out) {
    size_t n_key = strlen(key);
    for (size_t at = 8; at + 12 <= bytes.n;) {
        size_t n = big_endian(bytes.data + at);
        if (n > bytes.n - at - 12) return false;
        Str chunk = str_sub(bytes, at + 8, at + 8 + n);
        /* keyword 0 compressed method language 0 translated-keyword 0 text */
        bool is_text = !memcmp(bytes.data + at + 4, "iTXt", 4) && n > n_key + 5 &&
                       !memcmp(chunk.data, key, n_key + 1) && chunk.data[n_key + 1] == 0;
        if (is_text) {
            size_t begin = n_key + 3;
            for (int zeros = 0; zeros < 2 && begin < n; begin++)
                zeros += chunk.data[begin] == 0;
            *out = arena_str(arena, str_sub(chunk, begin, n));
            return true;
        }
        at += 12 + n;
    }
    return false;
}
