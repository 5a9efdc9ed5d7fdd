#include "model/audio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sndfile.h>

enum { MOST_RATE = 400000 }; /* 30 seconds of it are 48 MB */
enum { BINS = AUDIO_WINDOW / 2 + 1, HALF = AUDIO_WINDOW / 2 };

/* ---- reading ---- */

static float *mixed(SNDFILE *file, const SF_INFO *info, int64_t n, Arena *arena, int64_t *n_read) {
    enum { CHUNK = 4096 };
    float *out = arena_alloc(arena, ((size_t)n + 1) * sizeof *out);
    float *frames = malloc(sizeof *frames * CHUNK * (size_t)info->channels);
    if (!frames) abort();
    int64_t at = 0, got;
    do {
        int64_t wanted = n - at < CHUNK ? n - at : CHUNK;
        got = wanted > 0 ? sf_readf_float(file, frames, wanted) : 0;
        for (int64_t i = 0; i < got; i++, at++) {
            float sum = 0;
            for (int c = 0; c < info->channels; c++)
                sum += frames[i * info->channels + c];
            out[at] = isfinite(sum) ? sum / (float)info->channels : 0;
        }
    } while (got > 0);
    free(frames);
    *n_read = at;
    return out;
}

bool audio_read(const char *path, double most_seconds, Arena *arena, Sound *out, Error *error) {
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (!file)
        return error_set(error, ERROR_INPUT, "%s: not a sound that can be read: %s", path,
                         sf_strerror(NULL));
    bool ok = info.channels > 0 && info.channels <= 64 && info.samplerate >= 1000 &&
              info.samplerate <= MOST_RATE;
    if (ok) {
        int64_t n = (int64_t)((most_seconds > 0 ? most_seconds : 30) * info.samplerate) + 1, n_read;
        if (info.frames > 0 && info.frames < n) n = info.frames;
        const float *samples = mixed(file, &info, n, arena, &n_read);
        *out = audio_resample(samples, n_read, info.samplerate, arena);
        if (n_read == 0) ok = error_set(error, ERROR_INPUT, "%s: there is no sound in it", path);
    } else {
        error_set(error, ERROR_INPUT, "%s: %d channels at %d samples a second are not read here",
                  path, info.channels, info.samplerate);
    }
    sf_close(file);
    return ok;
}

/* ---- another rate ---- */

/* The modified Bessel function of order 0, for Kaiser's window. */
static double bessel(double x) {
    double sum = 1, term = 1;
    for (int k = 1; k < 50 && term > 1e-12 * sum; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

Sound audio_resample(const float *samples, int64_t n, int rate, Arena *arena) {
    enum { ZEROS = 24, STEPS = 512 };
    if (rate == AUDIO_RATE) {
        Sound same = {n, arena_alloc(arena, ((size_t)n + 1) * sizeof(float))};
        memcpy(same.samples, samples, (size_t)n * sizeof(float));
        return same;
    }
    double ratio = (double)AUDIO_RATE / rate, cut = ratio < 1 ? ratio : 1, width = ZEROS / cut;
    double table[ZEROS * STEPS + 2];
    for (int i = 0; i <= ZEROS * STEPS; i++) {
        double x = (double)i / STEPS, edge = x / ZEROS;
        double sinc = i == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
        table[i] = sinc * bessel(9 * sqrt(1 - edge * edge)) / bessel(9);
    }
    table[ZEROS * STEPS + 1] = 0;
    int64_t n_out = (int64_t)ceil((double)n * ratio);
    Sound out = {n_out, arena_alloc(arena, ((size_t)n_out + 1) * sizeof(float))};
    for (int64_t t = 0; t < n_out; t++) {
        double at = (double)t / ratio, sum = 0;
        int64_t begin = (int64_t)ceil(at - width), end = (int64_t)floor(at + width);
        begin = begin < 0 ? 0 : begin;
        end = end >= n ? n - 1 : end;
        for (int64_t i = begin; i <= end; i++) {
            double x = fabs((double)i - at) * cut * STEPS;
            int64_t k = (int64_t)x;
            if (k >= ZEROS * STEPS) continue;
            sum += (table[k] + (x - (double)k) * (table[k + 1] - table[k])) * samples[i];
        }
        out.samples[t] = (float)(sum * cut);
    }
    return out;
}

/* ---- the spectrogram ---- */

/* Slaney's mel scale: linear up to 1,000 Hz, logarithmic above. */
static double mel_of(double hertz) {
    return hertz < 1000 ? 3 * hertz / 200 : 15 + log(hertz / 1000) * (27 / log(6.4));
}

static double hertz_of(double mel) {
    return mel < 15 ? 200 * mel / 3 : 1000 * exp(log(6.4) / 27 * (mel - 15));
}

Tensor audio_mel_filters(int n_mels, Arena *arena) {
    Tensor out = tensor_new(arena, 2, n_mels, BINS);
    double top = mel_of(AUDIO_RATE / 2.0);
    for (int m = 0; m < n_mels; m++) {
        double low = hertz_of(top * m / (n_mels + 1)),
               middle = hertz_of(top * (m + 1) / (n_mels + 1));
        double high = hertz_of(top * (m + 2) / (n_mels + 1));
        for (int k = 0; k < BINS; k++) {
            double f = k * (AUDIO_RATE / 2.0) / (BINS - 1);
            double up = (f - low) / (middle - low), down = (high - f) / (high - middle);
            double height = fmax(0, fmin(up, down)) * 2 / (high - low);
            *tensor_at(out, m, k, 0, 0) = (float)height;
        }
    }
    return out;
}

/* Window, cosines and sines [HALF + 1][BINS]. */
typedef struct Transform {
    double window[AUDIO_WINDOW];
    double cosine[HALF + 1][BINS], sine[HALF + 1][BINS];
} Transform;

static Transform *transform_new(void) {
    Transform *t = malloc(sizeof *t);
    if (!t) abort();
    for (int i = 0; i < AUDIO_WINDOW; i++)
        t->window[i] = 0.5 - 0.5 * cos(2 * M_PI * i / AUDIO_WINDOW);
    for (int i = 0; i <= HALF; i++)
        for (int k = 0; k < BINS; k++) {
            t->cosine[i][k] = cos(2 * M_PI * ((i * k) % AUDIO_WINDOW) / AUDIO_WINDOW);
            t->sine[i][k] = sin(2 * M_PI * ((i * k) % AUDIO_WINDOW) / AUDIO_WINDOW);
        }
    return t;
}

/* |X[k]|^2 of 400 real samples: x[i] and x[400 - i] share their cosine, and their sine but for its
 * sign, so 200 sums and 200 differences do. */
static void power_of(const Transform *t, const double *x, double *power) {
    double re[BINS], im[BINS] = {0};
    for (int k = 0; k < BINS; k++)
        re[k] = x[0] + x[HALF] * t->cosine[HALF][k];
    for (int i = 1; i < HALF; i++) {
        double even = x[i] + x[AUDIO_WINDOW - i], odd = x[i] - x[AUDIO_WINDOW - i];
        const double *cosine = t->cosine[i], *sine = t->sine[i];
        for (int k = 0; k < BINS; k++) {
            re[k] += even * cosine[k];
            im[k] += odd * sine[k];
        }
    }
    for (int k = 0; k < BINS; k++)
        power[k] = re[k] * re[k] + im[k] * im[k];
}

/* Sample i of the padded sound, mirrored at both ends. */
static double sample_at(const Sound *sound, int64_t i, int64_t n) {
    if (i < 0) i = -i;
    if (i >= n) i = 2 * (n - 1) - i;
    return i >= 0 && i < sound->n ? (double)sound->samples[i] : 0;
}

Tensor audio_log_mel(const Sound *sound, int n_mels, int n_frames, Arena *arena) {
    int64_t n = (int64_t)n_frames * AUDIO_HOP;
    Tensor out = tensor_new(arena, 2, n_mels, n_frames);
    Tensor filters = audio_mel_filters(n_mels, arena);
    Transform *t = transform_new();
    double x[AUDIO_WINDOW], power[BINS];
    float most = -10;
    tensor_fill(out, -10); /* log10 of the least power, 1e-10 */
    for (int frame = 0; frame < n_frames; frame++) {
        int64_t begin = (int64_t)frame * AUDIO_HOP - HALF;
        bool mirrors = begin + AUDIO_WINDOW > n;
        if (begin >= sound->n && !mirrors) continue; /* silence */
        for (int i = 0; i < AUDIO_WINDOW; i++)
            x[i] = t->window[i] * sample_at(sound, begin + i, n);
        power_of(t, x, power);
        for (int m = 0; m < n_mels; m++) {
            const float *filter = tensor_at(filters, m, 0, 0, 0);
            double sum = 0;
            for (int k = 0; k < BINS; k++)
                sum += (double)filter[k] * power[k];
            float level = (float)log10(sum > 1e-10 ? sum : 1e-10);
            *tensor_at(out, m, frame, 0, 0) = level;
            most = level > most ? level : most;
        }
    }
    free(t);
    for (int64_t i = 0, count = tensor_count(out); i < count; i++)
        out.data[i] = (fmaxf(out.data[i], most - 8) + 4) / 4;
    return out;
}
