/* PNG by libpng, JPEG by libjpeg, both from memory; what they report becomes an Error.
 *
 * A header of some bytes may declare a picture of 200 MB. Where the file is that much smaller than
 * its picture, it is gone through first, row by row into room for one, and only a file that holds
 * all its rows is given room for all. */
#include "model/image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>
#include <png.h>

#include "model/base/file.h"

static bool check_size(const char *path, int64_t width, int64_t height, Error *error) {
    if (width > 0 && height > 0 && width <= 1 << 15 && height <= 1 << 15 &&
        width * height <= IMAGE_MOST_PIXELS)
        return true;
    return error_set(error, ERROR_INPUT, "%s: a picture of %lld x %lld pixels is not read here",
                     path, (long long)width, (long long)height);
}

/* What a file may ask for before its rows have been seen. */
static size_t trusted_bytes(Str data) {
    return 2 * data.n + (64u << 20);
}

/* Is all of the file to be gone through before there is room for its picture? */
static bool look_first(Str data, const Image *image) {
    return (size_t)image->width * (size_t)image->height * 3 > trusted_bytes(data);
}

/* With arena NULL: sets the size, and goes through all rows where look_first says so. */
typedef bool Decoder(const char *path, Str data, Arena *arena, Image *out, Error *error);

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

static void png_rows(png_structp png, png_infop info, png_bytep *rows, int height, bool all) {
    if (all) {
        png_read_image(png, rows);
        return;
    }
    int n_passes = png_get_interlace_type(png, info) == PNG_INTERLACE_NONE ? 1 : 7;
    for (int pass = 0; pass < n_passes; pass++)
        for (int y = 0; y < height; y++)
            png_read_row(png, rows[0], NULL);
}

static bool read_png(const char *path, Str data, Arena *arena, Image *out, Error *error) {
    PngSource source = {.left = data};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, png_failed, png_warned);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_bytep *volatile rows = NULL;
    uint8_t *volatile one = NULL;
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
        *out = (Image){(int)width, (int)height, NULL};
        if (ok && (arena || look_first(data, out))) {
            png_to_rgb(png, info);
            if (png_get_rowbytes(png, info) != (size_t)width * 3)
                png_error(png, "rows are not RGB");
            rows = malloc((size_t)height * sizeof *rows);
            one = malloc((size_t)width * 3);
            if (!rows || !one) abort();
            if (arena) out->rgb = arena_calloc(arena, (size_t)width * (size_t)height, 3);
            for (int64_t y = 0; y < height; y++)
                rows[y] = arena ? out->rgb + y * width * 3 : one;
            png_rows(png, info, rows, (int)height, arena != NULL);
        }
    } else {
        ok = error_set(error, ERROR_INPUT, "%s: not a PNG that can be read: %s", path,
                       source.message);
    }
    free(rows);
    free(one);
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

/* Of the warnings only this one is no small damage: what is missing would be drawn grey. */
static void jpeg_warned(j_common_ptr jpeg, int level) {
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF) jpeg_failed(jpeg);
}

/* Each scan of a progressive file goes over the whole picture, and thousands fit into a small one.
 */
static void jpeg_scanned(j_common_ptr jpeg) {
    enum { MOST_SCANS = 100 };
    if (((j_decompress_ptr)jpeg)->input_scan_number <= MOST_SCANS) return;
    JpegErrors *errors = (JpegErrors *)jpeg->err;
    snprintf(errors->message, sizeof errors->message, "more than %d scans", MOST_SCANS);
    longjmp(errors->failed, 1);
}

/* A file of several scans keeps all its coefficients until the last is read. */
static bool check_scans(const char *path, struct jpeg_decompress_struct *jpeg, Str data,
                        Error *error) {
    size_t n = 0;
    if (!jpeg_has_multiple_scans(jpeg)) return true;
    for (int c = 0; c < jpeg->num_components; c++)
        n += (size_t)jpeg->comp_info[c].width_in_blocks * jpeg->comp_info[c].height_in_blocks *
             sizeof(JBLOCK);
    if (n <= trusted_bytes(data)) return true;
    return error_set(
        error, ERROR_INPUT,
        "%s: a progressive JPEG of %u x %u pixels in %zu bytes would take %zu MB; save "
        "it as a plain (baseline) one",
        path, jpeg->image_width, jpeg->image_height, data.n, n >> 20);
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

/* Rows of light; with out->rgb NULL they are only looked at. */
static void jpeg_rows(struct jpeg_decompress_struct *jpeg, uint8_t *row, const Image *out) {
    size_t width = jpeg->output_width;
    bool print = jpeg->out_color_space == JCS_CMYK;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *rgb =
            out->rgb ? out->rgb + (size_t)jpeg->output_scanline * width * 3 : row + width * 4;
        JSAMPROW to = print ? row : rgb;
        jpeg_read_scanlines(jpeg, &to, 1);
        if (print) inks_to_rgb(row, width, jpeg->saw_Adobe_marker, rgb);
    }
}

static bool read_jpeg(const char *path, Str data, Arena *arena, Image *out, Error *error) {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress = {.progress_monitor = jpeg_scanned};
    JpegErrors errors;
    uint8_t *volatile row = NULL;
    volatile bool ok = false;
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = jpeg_failed;
    errors.base.output_message = jpeg_silent;
    errors.base.emit_message = jpeg_warned;
    jpeg_create_decompress(&jpeg);
    jpeg.progress = &progress;
    if (setjmp(errors.failed) == 0) {
        jpeg_mem_src(&jpeg, (const unsigned char *)data.data, data.n);
        jpeg_read_header(&jpeg, TRUE);
        *out = (Image){(int)jpeg.image_width, (int)jpeg.image_height, NULL};
        ok = check_size(path, jpeg.image_width, jpeg.image_height, error) &&
             check_scans(path, &jpeg, data, error);
        if (ok && (arena || look_first(data, out))) {
            bool print = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
            jpeg.out_color_space = print ? JCS_CMYK : JCS_RGB;
            jpeg_start_decompress(&jpeg);
            row = malloc((size_t)jpeg.output_width * 7);
            if (!row) abort();
            if (arena)
                out->rgb = arena_calloc(arena, (size_t)jpeg.output_width * jpeg.output_height, 3);
            jpeg_rows(&jpeg, row, out);
            jpeg_finish_decompress(&jpeg);
            if (arena) turn(out, exif_orientation(data), arena);
        }
    } else {
        ok = error_set(error, ERROR_INPUT, "%s: not a JPEG that can be read: %s", path,
                       errors.message);
    }
    free(row);
    jpeg_destroy_decompress(&jpeg);
    return ok;
}

bool image_read(const char *path, Arena *arena, Image *out, Error *error) {
    Str data;
    if (!file_read(path, 0, arena, &data, error)) return false;
    Decoder *decoder = NULL;
    if (data.n > 8 && memcmp(data.data, "\x89PNG\r\n\x1a\n", 8) == 0) decoder = read_png;
    if (data.n > 3 && memcmp(data.data, "\xff\xd8\xff", 3) == 0) decoder = read_jpeg;
    if (!decoder) return error_set(error, ERROR_INPUT, "%s: neither PNG nor JPEG", path);
    return decoder(path, data, NULL, out, error) && decoder(path, data, arena, out, error);
}
