/* The families, formats and tokenizers that this program reads, as a table: docs/models.md. */
#ifndef APP_MODELS_TABLE_H
#define APP_MODELS_TABLE_H

#include "app/output.h"

void models_table(Output *out, bool markdown);
/* Family by family: [{"model_type": ..., "aliases": [...], "models": ..., "fields": [...]}, ...].
 */
void models_json(Output *out);

#endif
