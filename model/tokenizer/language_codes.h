/* The languages of multilingual models in the order of their ids; NULL at the end. */
#ifndef MODEL_TOKENIZER_LANGUAGE_CODES_H
#define MODEL_TOKENIZER_LANGUAGE_CODES_H

extern const char *const language_codes_mbart[];
extern const char *const language_codes_mbart50[];
extern const char *const language_codes_m2m100[];
extern const char *const language_codes_wmt21[];
extern const char *const language_codes_nllb[];
extern const char *const language_codes_whisper[]; /* large-v3 has all, those before it no "yue" */

#endif
