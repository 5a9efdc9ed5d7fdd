/* --image and --audio: what a model that looks or listens is given. */
#include "app/subject.h"
#include "model/audio.h"
#include "model/image.h"

bool subject_read_image(const Subject *subject, const char *path, Arena *arena, Input *out,
                        Error *error) {
    Image image;
    *out = (Input){0};
    return image_read(path, arena, &image, error) &&
           image_preprocess(subject->model, &image, arena, &out->features, NULL, error);
}

bool subject_read_audio(const Subject *subject, const char *path, Arena *arena, Input *out,
                        Error *error) {
    const ModelConfig *config = &subject->model->config;
    Sound sound;
    *out = (Input){0};
    if (config->front.kind != FRONT_SOUND)
        return error_set(error, ERROR_INPUT, "--audio: this model (%s) does not listen",
                         config->model_type);
    int n_frames = 2 * config->stack[STACK_ENCODER].n_positions;
    double seconds = (double)n_frames * AUDIO_HOP / AUDIO_RATE;
    if (!audio_read(path, seconds, arena, &sound, error)) return false;
    out->features = audio_log_mel(&sound, config->front.n_mels, n_frames, arena);
    return true;
}
