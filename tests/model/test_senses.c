/* Pictures and sound: resizing to the byte, colours to the number, the spectrogram of a tone. */
#include "tests/model/engine.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <sndfile.h>

#include "model/audio.h"
#include "model/base/file.h"
#include "model/image.h"

/* Rows of Pillow's Image.resize for a ramp of ten pixels 0, 25 ... 225 (worked out by hand from its
 * definition: weights of the triangle, or of the cubic with a = -0.5, rounded). */
static void resizing(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Image ramp = {10, 1, arena_alloc(arena, 30)};
    for (int x = 0; x < 10; x++)
        memset(ramp.rgb + 3 * x, 25 * x, 3);
    Image half = image_resize(&ramp, 5, 1, IMAGE_BILINEAR, arena);
    /* centre 1, reach 2: pixels 0..2 weigh 3, 3, 1 of 7; inside 1, 3, 3, 1 of 8 */
    static const uint8_t want[] = {18, 63, 113, 163, 207};
    for (int x = 0; x < 5; x++)
        assert_int_equal(half.rgb[3 * x], want[x]);
    Image same = image_resize(&ramp, 10, 1, IMAGE_BICUBIC, arena);
    assert_memory_equal(same.rgb, ramp.rgb, 30);
    Image flat = {4, 4, arena_alloc(arena, 48)};
    memset(flat.rgb, 77, 48);
    for (ImageFilter f = IMAGE_NEAREST; f <= IMAGE_HAMMING; f++) {
        Image big = image_resize(&flat, 9, 7, f, arena);
        for (int i = 0; i < 9 * 7 * 3; i++)
            assert_int_equal(big.rgb[i], 77);
    }
    Image middle = image_crop(&ramp, 4, 1, arena);
    assert_int_equal(middle.rgb[0], 75);
    arena_free(arena);
}

static void pictures(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error error = {0};
    char *path = temporary_path(arena, "colours.png");
    uint8_t rgba[] = {255, 0, 0, 255, 255, 0, 0, 0};
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = 2, .height = 1, .format = PNG_FORMAT_RGBA};
    assert_true(png_image_write_to_file(&image, path, 0, rgba, 0, NULL));
    Image read;
    assert_true(image_read(path, arena, &read, &error));
    static const uint8_t want[] = {255, 0, 0, 255, 0, 0}; /* transparency is dropped */
    assert_memory_equal(read.rgb, want, 6);
    Model *model = model_open("tests/data/golden/deit", &error);
    expect_ok(&error);
    Tensor x;
    assert_true(image_preprocess(model, &read, arena, &x, NULL, &error));
    assert_int_equal(x.shape[1], model->config.front.image_size);
    float red = (1 - 0.485f) / 0.229f;
    assert_true(fabsf(*tensor_at(x, 0, 0, 0, 0) - red) < 1.0f / 255 / 0.229f);
    assert_false(image_read("tests/data/golden/deit/config.json", arena, &read, &error));
    expect_error(&error, "neither PNG nor JPEG");
    model_free(model);
    remove(path);
    arena_free(arena);
}

static void save(const char *path, const void *data, size_t n) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* A header that declares much, and a file that ends in the middle. */
static void pictures_that_promise(void **state) {
    (void)state;
    Error error = {0};
    Arena *arena = arena_new();
    Image image;
    Str file;
    char *path = temporary_path(arena, "promise");
    static const uint8_t png[] = {0x89, 0x50, 0x4e, 0x47, 0xd,  0xa,  0x1a, 0xa,  0x0,  0x0,  0x0,
                                  0xd,  0x49, 0x48, 0x44, 0x52, 0x0,  0x0,  0x1f, 0x40, 0x0,  0x0,
                                  0x1f, 0x40, 0x8,  0x2,  0x0,  0x0,  0x0,  0x89, 0x93, 0x3a, 0xa3,
                                  0x0,  0x0,  0x0,  0x64, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c};
    save(path, png, sizeof png);
    assert_false(image_read(path, arena, &image, &error));
    expect_error(&error, "not a PNG that can be read");
    assert_true(file_read("tests/data/pictures/turned.jpg", 0, arena, &file, &error));
    save(path, file.data, file.n - 20);
    assert_false(image_read(path, arena, &image, &error));
    expect_error(&error, "not a JPEG that can be read: Premature end");
    assert_true(file_read("tests/fuzz/seeds/image/progressive.jpg", 0, arena, &file, &error));
    assert_true(image_read("tests/fuzz/seeds/image/progressive.jpg", arena, &image, &error));
    uint8_t *bytes = memcpy(arena_alloc(arena, file.n), file.data, file.n);
    uint8_t *frame = memmem(bytes, file.n, "\xff\xc2", 2);
    assert_non_null(frame);
    memcpy(frame + 5, "\x1f\x40\x1f\x40", 4); /* 8000 x 8000 */
    save(path, bytes, file.n);
    assert_false(image_read(path, arena, &image, &error));
    expect_error(&error, "a progressive JPEG of 8000 x 8000 pixels in 560 bytes would take");
    remove(path);
    arena_free(arena);
}

static bool is_near(const Image *image, int x, int y, int red, int green, int blue) {
    const uint8_t *rgb = image->rgb + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
    return abs(rgb[0] - red) < 12 && abs(rgb[1] - green) < 12 && abs(rgb[2] - blue) < 12;
}

/* Red on the left, blue on the right: held upright (Exif orientation 6) red is on top. */
static void jpegs_of_cameras_and_printers(void **state) {
    (void)state;
    Error error = {0};
    Arena *arena = arena_new();
    Image image;
    assert_true(image_read("tests/data/pictures/turned.jpg", arena, &image, &error));
    assert_int_equal(image.width, 8);
    assert_int_equal(image.height, 16);
    assert_true(is_near(&image, 6, 2, 220, 20, 20));
    assert_true(is_near(&image, 2, 13, 20, 20, 220));
    assert_true(image_read("tests/data/pictures/inks.jpg", arena, &image, &error));
    assert_int_equal(image.width, 16);
    assert_true(is_near(&image, 2, 6, 220, 20, 20));
    assert_true(is_near(&image, 13, 2, 20, 20, 220));
    arena_free(arena);
}

static void spectrogram(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Sound tone = {AUDIO_RATE, arena_alloc(arena, AUDIO_RATE * sizeof(float))};
    for (int i = 0; i < AUDIO_RATE; i++)
        tone.samples[i] = 0.5f * sinf(2 * (float)M_PI * 1000 * (float)i / AUDIO_RATE);
    Tensor mel = audio_log_mel(&tone, 80, 200, arena);
    /* 1,000 Hz is the 25th bin of 40 Hz: amplitude 0.5 under Hann is a power of (0.25 * 400 / 2)^2,
     * half of it in each neighbour's place a quarter; the loudest band holds it. */
    int loudest = 0;
    for (int m = 1; m < 80; m++)
        if (*tensor_at(mel, m, 50, 0, 0) > *tensor_at(mel, loudest, 50, 0, 0)) loudest = m;
    Tensor filters = audio_mel_filters(80, arena);
    double power = 0.0;
    static const double share[] = {0.25, 1, 0.25};
    for (int k = 24; k <= 26; k++)
        power += (double)*tensor_at(filters, loudest, k, 0, 0) * 2500 * share[k - 24];
    double want = (log10(power) + 4) / 4;
    assert_true(fabs(*tensor_at(mel, loudest, 50, 0, 0) - want) < 1e-3);
    /* silence is 8 below the loudest, everywhere alike */
    assert_true(fabs(*tensor_at(mel, 0, 150, 0, 0) - (want - 2)) < 0.05);
    assert_true(*tensor_at(mel, 0, 150, 0, 0) == *tensor_at(mel, 79, 190, 0, 0));
    arena_free(arena);
}

static void sound_files(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Error error = {0};
    char *path = temporary_path(arena, "tone.wav");
    SF_INFO info = {.samplerate = 44100, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    for (int i = 0; i < 44100; i++) {
        float value = 0.5f * sinf(2 * (float)M_PI * 440 * (float)i / 44100);
        float both[] = {value, value};
        sf_writef_float(file, both, 1);
    }
    sf_close(file);
    Sound sound;
    assert_true(audio_read(path, 0, arena, &sound, &error));
    assert_int_equal(sound.n, AUDIO_RATE);
    for (int i = 400; i < AUDIO_RATE - 400; i++) {
        float want = 0.5f * sinf(2 * (float)M_PI * 440 * (float)i / AUDIO_RATE);
        if (fabsf(sound.samples[i] - want) > 2e-4f) fail_msg("sample %d", i);
    }
    assert_false(audio_read("tests/data/golden/deit/config.json", 0, arena, &sound, &error));
    expect_error(&error, "not a sound that can be read");
    remove(path);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(resizing),
                                       cmocka_unit_test(pictures),
                                       cmocka_unit_test(pictures_that_promise),
                                       cmocka_unit_test(jpegs_of_cameras_and_printers),
                                       cmocka_unit_test(spectrogram),
                                       cmocka_unit_test(sound_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
