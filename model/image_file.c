/* PNG by libpng, JPEG by libjpeg, both from memory; what they report becomes an Error. */
#include "model/image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "model/base/file.h"

static bool check_size(const char *path, int64_t width, int64_t height, Error *error) {
    if (width > 0 && height > 0 && width <= 1 << 15 && height <= 1 << 15 &&
        width * height <= IMAGE_MOST_PIXELS)
        return true;
    return error_set(error, ERROR_INPUT, "%s: a picture of %lld x %lld pixels is not read here",
                     path, (long long)width, (long long)height);
}

/* ---- PNG ---- */

typedef struct PngSource {
    Str left;
    jmp_buf failed;
    char message[160];
} PngSource;

static void png_failed(png_structp png, png_const_charp message) {
    PngSource *source = png_get_error_ptr(png);
    snprintf(source->message, sizeof source->message, "%s", message);
    longjmp(source->failed, 1);
}

static void png_warned(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void png_bytes(png_structp png, png_bytep to, size_t n) {
    PngSource *source = png_get_io_ptr(png);
    if (n > source->left.n) png_error(png, "the file ends too early");
    memcpy(to, source->left.data, n);
    source->left = str_sub(source->left, n, source->left.n);
}

/* Whatever it is becomes 8-bit RGB; transparency is dropped, as Pillow's convert("RGB") does. */
static void png_to_rgb(png_structp png, png_infop info) {
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static bool read_png(const char *path, Str data, Arena *arena, Image *out, Error *error) {
    PngSource source = {.left = data};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, png_failed, png_warned);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_bytep *volatile rows = NULL;
    bool ok = false;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        return error_set(error, ERROR_MEMORY, "%s: no memory for a picture", path);
    }
    if (setjmp(source.failed) == 0) {
        png_set_read_fn(png, &source, png_bytes);
        png_read_info(png, info);
        int64_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
        ok = check_size(path, width, height, error);
        if (ok) {
            png_to_rgb(png, info);
            if (png_get_rowbytes(png, info) != (size_t)width * 3)
                png_error(png, "rows are not RGB");
            *out = (Image){(int)width, (int)height,
                           arena_calloc(arena, (size_t)width * (size_t)height, 3)};
            rows = malloc((size_t)height * sizeof *rows);
            if (!rows) abort();
            for (int64_t y = 0; y < height; y++)
                rows[y] = out->rgb + y * width * 3;
            png_read_image(png, rows);
        }
    } else {
        ok = error_set(error, ERROR_INPUT, "%s: not a PNG that can be read: %s", path,
                       source.message);
    }
    free(rows);
    png_destroy_read_struct(&png, &info, NULL);
    return ok;
}

/* ---- JPEG ---- */

typedef struct JpegErrors {
    struct jpeg_error_mgr base;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
} JpegErrors;

static void jpeg_failed(j_common_ptr jpeg) {
    JpegErrors *errors = (JpegErrors *)jpeg->err;
    jpeg->err->format_message(jpeg, errors->message);
    longjmp(errors->failed, 1);
}

static void jpeg_silent(j_common_ptr jpeg) {
    (void)jpeg;
}

static bool read_jpeg(const char *path, Str data, Arena *arena, Image *out, Error *error) {
    struct jpeg_decompress_struct jpeg;
    JpegErrors errors;
    volatile bool ok = false;
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = jpeg_failed;
    errors.base.output_message = jpeg_silent;
    jpeg_create_decompress(&jpeg);
    if (setjmp(errors.failed) == 0) {
        jpeg_mem_src(&jpeg, (const unsigned char *)data.data, data.n);
        jpeg_read_header(&jpeg, TRUE);
        ok = check_size(path, jpeg.image_width, jpeg.image_height, error);
        if (ok && (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK)) {
            ok = error_set(error, ERROR_UNSUPPORTED,
                           "%s: a JPEG in the colours of print (CMYK); RGB or grey expected", path);
        } else if (ok) {
            jpeg.out_color_space = JCS_RGB;
            jpeg_start_decompress(&jpeg);
            *out = (Image){(int)jpeg.output_width, (int)jpeg.output_height,
                           arena_calloc(arena, (size_t)jpeg.output_width * jpeg.output_height, 3)};
            while (jpeg.output_scanline < jpeg.output_height) {
                JSAMPROW row = out->rgb + (size_t)jpeg.output_scanline * jpeg.output_width * 3;
                jpeg_read_scanlines(&jpeg, &row, 1);
            }
            jpeg_finish_decompress(&jpeg);
        }
    } else {
        ok = error_set(error, ERROR_INPUT, "%s: not a JPEG that can be read: %s", path,
                       errors.message);
    }
    jpeg_destroy_decompress(&jpeg);
    return ok;
}

bool image_read(const char *path, Arena *arena, Image *out, Error *error) {
    Str data;
    if (!file_read(path, 0, arena, &data, error)) return false;
    if (data.n > 8 && memcmp(data.data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return read_png(path, data, arena, out, error);
    if (data.n > 3 && memcmp(data.data, "\xff\xd8\xff", 3) == 0)
        return read_jpeg(path, data, arena, out, error);
    return error_set(error, ERROR_INPUT, "%s: neither PNG nor JPEG", path);
}
