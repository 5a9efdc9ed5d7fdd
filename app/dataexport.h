/* The numbers beside the pictures: attentions and tokens as files for other programs.
 *
 *     if (dataexport_is(path)) ok = dataexport(path, trace, view input, &error);
 *
 * .csv          what the figure shows, a line a cell: head,query,key,query_token,key_token,weight
 * .npz          numpy's own: attention [layer, head, query, key] and tokens; of two stacks
 *               encoder_attention, decoder_attention, cross_attention, encoder_tokens,
 * decoder_tokens .json         the same keys; absent cells are null .safetensors  the whole trace
 * What these write, `figure --from` reads.
 */
#ifndef APP_DATAEXPORT_H
#define APP_DATAEXPORT_H

#include "app/views.h"

bool dataexport_is(const char *path); /* by its ending; .json too */
bool dataexport(const char *path, const ViewInput *input, Error *error);

#endif
