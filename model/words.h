/* From the pieces of a vocabulary to what a reader sees: printable labels, and pieces joined to
 * words.
 *
 *     TokenStyle style = token_style(tokens.items, tokens.n);
 *     Str shown = token_pretty(tokens.items[i].label, style, arena);      "Ã¶l" -> "öl"
 *     Words words = words_read(&tokens, arena);
 *     words.items[words.of[i]].label                                      the word that token i is
 * in
 *
 * Pure functions over Tokens: they work on those of a trace file as well, without a tokenizer.
 */
#ifndef MODEL_WORDS_H
#define MODEL_WORDS_H

#include "model/base/arena.h"
#include "model/tokens.h"

/* How a vocabulary writes that a piece begins a word, or does not. */
typedef enum TokenStyle {
    TOKEN_PLAIN,        /* it does not: whole words, characters, numbers */
    TOKEN_METASPACE,    /* "▁the", bytes as "<0xE2>"      SentencePiece */
    TOKEN_BYTES,        /* "Ġthe", every byte a character GPT-2 */
    TOKEN_WORDPIECE,    /* "##ing"                        BERT */
    TOKEN_SUFFIX,       /* "ing</w>"                      openai-gpt, XLM */
    TOKEN_BYTES_SUFFIX, /* both                        CLIP */
    TOKEN_CONTINUED,    /* "walk@@ ing"                   subword-nmt, fairseq */
} TokenStyle;

/* What the labels look like; n of them from one vocabulary. */
TokenStyle token_style(const Token *tokens, int n);

/* The label without its marks, bytes as text. What cannot be seen is named: "␣" a blank, "↵" a line
 * end, "⇥" a tab, "\xE2\x80" half a character, "U+200B" one without ink. Never empty for a label
 * that is not. Special tokens come out as they are. */
Str token_pretty(Str label, TokenStyle style, Arena *arena);

/* A piece of the text that the vocabulary does not know: "<unk>" stands for it. */
bool token_is_unread(const Token *token, Str text);

typedef struct Word {
    int first, n_tokens; /* which tokens; they lie side by side */
    Str label;           /* the text they stand for; without a text: their labels, joined */
    int64_t begin, end;  /* bytes of the text, white space left out; 0,0 where not known */
    bool special;        /* one special token, or unknown to the vocabulary as a whole */
    bool second;         /* of the second text of a pair */
} Word;

typedef struct Words {
    int n;
    Word *items; // [n], the arena's
    int *of;     // [tokens.n] the word of each token
} Words;

/* Pieces are one word where nothing stands between them in the text: no white space, no punctuation
 * (which is a word of its own, but for ' ’ - · _ inside a word). Scripts that do without spaces
 * (Han, kana, Thai, Lao, Khmer, Burmese) stay piece by piece. Bytes of one character are never
 * parted. Without a text the marks of the vocabulary decide. */
Words words_read(const Tokens *tokens, Arena *arena);

#endif
