/* The version of the program: --version, the metadata of figures, the man page, `make install`. */
#ifndef APP_VERSION_H
#define APP_VERSION_H

#define ATTNSCOPE_VERSION "0.1.0"

#endif
