/* Golden dumps of figures: words and colours must agree, numbers to a few points, for fonts differ
 * a little. `make golden` writes them again.
 *
 *     golden_compare("tests/render/goldens/ribbons.txt", figure);     fails the test, or returns
 */
#ifndef TESTS_RENDER_GOLDEN_H
#define TESTS_RENDER_GOLDEN_H

#include "render/figure.h"

void golden_compare(const char *path, const Figure *figure);

#endif
