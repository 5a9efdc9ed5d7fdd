/* WAV and FLAC through us: the header, 30 seconds at most, another rate. */
#include "model/audio.h"
#include "tests/fuzz/scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile float sum;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Error error = {0};
    Arena *arena = arena_new();
    Sound sound;
    if (audio_read(scratch_file("x.wav", data, size), 0, arena, &sound, &error))
        for (int64_t i = 0; i < sound.n; i++)
            sum = sum + sound.samples[i];
    arena_free(arena);
    scratch_remove("x.wav");
    return 0;
}
