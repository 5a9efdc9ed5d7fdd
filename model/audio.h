/* Sound as Whisper hears it: WAV, FLAC and what else libsndfile reads, mixed to one channel,
 * brought to 16,000 samples a second, and turned into a log-mel spectrogram.
 *
 *     Sound sound;
 *     if (audio_read("speech.flac", arena, &sound, &error)) ...
 *     Tensor mel = audio_log_mel(&sound, 80, 3000, arena);              // [mel, frame]
 *
 * The spectrogram is Whisper's own: windows of 400 samples (Hann) every 160, mirrored at the ends,
 * power, triangular filters on Slaney's mel scale, log10, no more than 8 below the maximum, then
 * (x + 4) / 4. Radford et al. 2023, section 2.2; whisper/audio.py.
 */
#ifndef MODEL_AUDIO_H
#define MODEL_AUDIO_H

#include "model/base/error.h"
#include "model/base/tensor.h"

enum { AUDIO_RATE = 16000, AUDIO_HOP = 160, AUDIO_WINDOW = 400 };

typedef struct Sound {
    int64_t n;
    float *samples; // [n] at AUDIO_RATE, the arena's
} Sound;

/* At most most_seconds are read (0: 30). */
bool audio_read(const char *path, double most_seconds, Arena *arena, Sound *out, Error *error);
/* [n] samples at one rate as those of another: a windowed sinc (Smith and Gossett 1984). */
Sound audio_resample(const float *samples, int64_t n, int rate, Arena *arena);
/* [n_mels, n_frames]; silence behind the end. */
Tensor audio_log_mel(const Sound *sound, int n_mels, int n_frames, Arena *arena);
/* Triangles over the frequencies of the transform: [n_mels, AUDIO_WINDOW / 2 + 1]. */
Tensor audio_mel_filters(int n_mels, Arena *arena);

#endif
