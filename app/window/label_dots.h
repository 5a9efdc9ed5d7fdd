/* Letters for a machine without fonts: see label.c. */
#ifndef APP_WINDOW_LABEL_DOTS_H
#define APP_WINDOW_LABEL_DOTS_H

/* From blank to '~'; five columns of eight dots, lowest bit on top, seventh row the baseline. */
extern const unsigned char label_dots[95][5];

#endif
