/* PNG and JPEG through us: the header, the rows, Exif's orientation, and a resize of small ones. */
#include "model/image.h"
#include "tests/fuzz/scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile int sum;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error error = {0};
    Arena *arena = arena_new();
    Image image;
    if (image_read(scratch_file("x.png", data, size), arena, &image, &error)) {
        size_t n = (size_t)image.width * (size_t)image.height;
        for (size_t i = 0; i < 3 * n; i += 4093)
            sum += image.rgb[i];
        if (n <= 1 << 18) sum += image_resize(&image, 7, 5, IMAGE_BICUBIC, arena).rgb[0];
    }
    arena_free(arena);
    scratch_remove("x.png");
    return 0;
}
