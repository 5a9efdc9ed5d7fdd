/* Pictures as a vision model reads them: PNG or JPEG, resized, cropped, scaled and normalised as
 * preprocessor_config.json says.
 *
 *     Image image;
 *     if (image_read("cat.jpg", arena, &image, &error)) ...           8-bit RGB
 *     Tensor pixels;                                                  // [channel, y, x]
 *     image_preprocess(model, &image, arena, &pixels, &error);
 *
 * Resizing is Pillow's: a filter as wide as the scale, in fixed point, across and then down, so
 * that the bytes are the same as those of Image.resize.
 */
#ifndef MODEL_IMAGE_H
#define MODEL_IMAGE_H

#include "model/model.h"

typedef struct Image {
    int width, height;
    uint8_t *rgb; // [height, width, 3], the arena's
} Image;

typedef enum ImageFilter { /* numbered as Pillow numbers them */
                           IMAGE_NEAREST,
                           IMAGE_LANCZOS,
                           IMAGE_BILINEAR,
                           IMAGE_BICUBIC,
                           IMAGE_BOX,
                           IMAGE_HAMMING,
} ImageFilter;

enum { IMAGE_MOST_PIXELS = 1 << 26 };

bool image_read(const char *path, Arena *arena, Image *out, Error *error);
Image image_resize(const Image *image, int width, int height, ImageFilter filter, Arena *arena);
/* The middle; black where the picture is smaller. */
Image image_crop(const Image *image, int width, int height, Arena *arena);
/* What the model's folder asks for; without a preprocessor_config.json the size of the model and
 * ViT's own numbers. shown, where given, receives the picture that the patches are cut from. */
bool image_preprocess(const Model *model, const Image *image, Arena *arena, Tensor *out,
                      Image *shown, Error *error);
/* And back: [channel, y, x] as the model was given them, as a picture to look at. */
bool image_restore(const Model *model, Tensor pixels, Arena *arena, Image *out, Error *error);

#endif
