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

/* Cyan, magenta, yellow and black as Pillow turns them into light; Adobe's files count what is left
 * of the paper. */
static void inks_to_rgb(const uint8_t *inks, size_t n, bool inverted, uint8_t *rgb) {
    for (size_t x = 0; x < n; x++)
        for (int c = 0; c < 3; c++) {
            int ink = inverted ? 255 - inks[4 * x + c] : inks[4 * x + c];
            int light = inverted ? inks[4 * x + 3] : 255 - inks[4 * x + 3];
            rgb[3 * x + c] = (uint8_t)(light - (ink * light + 127) / 255);
        }
}

/* A whole number of Exif, at most 4 bytes; 0 past the end. */
static uint32_t exif_number(Str exif, size_t at, int n_bytes, bool big) {
    uint32_t x = 0;
    if (at > exif.n || exif.n - at < (size_t)n_bytes) return 0;
    for (int i = 0; i < n_bytes; i++) {
        uint32_t byte = (uint8_t)exif.data[at + i];
        x |= byte << 8 * (big ? n_bytes - 1 - i : i);
    }
    return x;
}

/* Orientation, tag 0x112 of the first directory of APP1 (Exif 2.3, section 4.6.4): 1 to 8. */
static int exif_orientation(Str jpeg) {
    for (size_t at = 2; at + 4 <= jpeg.n && (uint8_t)jpeg.data[at] == 0xff;) {
        uint8_t marker = (uint8_t)jpeg.data[at + 1];
        size_t n = exif_number(jpeg, at + 2, 2, true);
        if (marker == 0xda || n < 2 || n > jpeg.n - at - 2) return 1;
        if (marker == 0xe1 && n > 16 && memcmp(jpeg.data + at + 4, "Exif\0", 6) == 0) {
            Str exif = str_sub(jpeg, at + 10, at + 2 + n);
            bool big = exif.data[0] == 'M';
            size_t directory = exif_number(exif, 4, 4, big);
            uint32_t n_entries = exif_number(exif, directory, 2, big);
            for (uint32_t i = 0; i < n_entries; i++) {
                size_t entry = directory + 2 + 12 * (size_t)i;
                if (exif_number(exif, entry, 2, big) != 0x112) continue;
                uint32_t kind = exif_number(exif, entry + 8, 2, big);
                return kind >= 1 && kind <= 8 ? (int)kind : 1;
            }
            return 1;
        }
        at += 2 + n;
    }
    return 1;
}

/* The picture as the camera was held: 2 to 4 mirror or turn by half, 5 to 8 swap the sides. */
static void turn(Image *image, int orientation, Arena *arena) {
    if (orientation <= 1) return;
    bool swap = orientation >= 5,
         flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    Image out = {swap ? image->height : image->width, swap ? image->width : image->height, NULL};
    out.rgb = arena_alloc(arena, (size_t)out.width * (size_t)out.height * 3);
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++) {
            int from_x = swap ? y : x, from_y = swap ? x : y;
            if (flip_x) from_x = image->width - 1 - from_x;
            if (flip_y) from_y = image->height - 1 - from_y;
            memcpy(out.rgb + ((size_t)y * (size_t)out.width + (size_t)x) * 3,
                   image->rgb + ((size_t)from_y * (size_t)image->width + (size_t)from_x) * 3, 3);
        }
    *image = out;
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
        if (ok) {
            bool print = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
            jpeg.out_color_space = print ? JCS_CMYK : JCS_RGB;
            jpeg_start_decompress(&jpeg);
            size_t width = jpeg.output_width;
            *out = (Image){(int)width, (int)jpeg.output_height,
                           arena_calloc(arena, width * jpeg.output_height, 3)};
            uint8_t *inks = print ? arena_alloc(arena, width * 4) : NULL;
            while (jpeg.output_scanline < jpeg.output_height) {
                uint8_t *rgb = out->rgb + (size_t)jpeg.output_scanline * width * 3;
                JSAMPROW row = print ? inks : rgb;
                jpeg_read_scanlines(&jpeg, &row, 1);
                if (print) inks_to_rgb(inks, width, jpeg.saw_Adobe_marker, rgb);
            }
            jpeg_finish_decompress(&jpeg);
            turn(out, exif_orientation(data), arena);
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
