#!/bin/sh
# Makes the vocabulary and the configuration of the model in this folder.
#
#   make-vocabulary.sh CORPUS.tsv[.gz] [FOLDER]
#
# CORPUS: lang <TAB> english <TAB> target, lang fra or fin. FOLDER: where the files go, otherwise beside this script.
# One SentencePiece Unigram model serves all three languages: each English sentence counts once, French rows once, Finnish rows
# three times (there are three times fewer), the project's own rows (assets/corpus/extra.tsv) ten times, so that their stems
# become pieces. The ids are those of Marian's Hugging Face tokenizer: </s>, <unk>, the pieces in the order of the model, the
# language tags, <pad> last. Same corpus, same bytes. Needs spm_train and spm_export_vocab (Debian package sentencepiece 0.1.97)
# and a grep with -P.
set -eu
export LC_ALL=C.UTF-8

SIZE=6000 # all ids; a multiple of 8
D_MODEL=256
FFN=1024
HEADS=8
LAYERS=3
POSITIONS=512

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
extra=$here/../../corpus/extra.tsv
folder=${2:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# Rows with a letter of another script or an invisible character would each cost a piece.
case $1 in
*.gz) gzip -dc "$1" ;;
*) cat "$1" ;;
esac | grep -P '^[\t -~À-ÖØ-öø-ÿŒœŠšŽž°«»–—‘’“”„…€£]*$' >"$work/rows"

awk -F'\t' '
    function put(text, times) { while (times-- > 0) print text }
    NF != 3 || ($1 != "fra" && $1 != "fin") { print FILENAME ": row " FNR ": expected fra or fin, English, target" > "/dev/stderr"; exit 1 }
    {
        own = FILENAME ~ /extra\.tsv$/
        if (!(own ":" $2 in seen)) { seen[own ":" $2]; put($2, own ? 10 : 1) }
        put($3, own ? 10 : ($1 == "fin" ? 3 : 1))
    }' "$work/rows" "$extra" >"$work/text"

# Inside the folder with a bare name: the file keeps the name that it was trained on.
alphabet=$(printf '%s' 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789' \
    'àâäåæçéèêëîïôöœùûüÿÀÂÄÅÆÇÉÈÊËÎÏÔÖŒÙÛÜŸšžŠŽáíóúñ' \
    '.,;:!?()[]{}<>/|@#$%&*+-=_~^`"\°€£«»–—‘’“”„'"'")
(cd "$work" && spm_train --input=text --model_prefix=joint --model_type=unigram --vocab_size=$((SIZE - 2)) \
    --character_coverage=1.0 --normalization_rule_name=nmt_nfkc --split_digits=true --byte_fallback=false \
    --required_chars="$alphabet" --num_threads=2 --minloglevel=1)
spm_export_vocab --model="$work/joint.model" --output="$work/pieces" 2>/dev/null

mkdir -p "$folder"
cp "$work/joint.model" "$folder/source.spm"
cp "$work/joint.model" "$folder/target.spm"

cut -f1 "$work/pieces" | sed 's/["\\]/\\&/g' | awk '
    function entry(piece) { printf "%s\n  \"%s\": %d", n ? "," : "", piece, n; n++ }
    BEGIN { printf "{"; entry("</s>"); entry("<unk>") }
    $0 != "<s>" && $0 != "</s>" && $0 != "<unk>" { entry($0) }
    END { entry(">>fin<<"); entry(">>fra<<"); entry("<pad>"); print "\n}" }' >"$folder/vocab.json"

pad=$((SIZE - 1))
entries=$(grep -c '": [0-9]' "$folder/vocab.json")
if [ "$entries" -ne $SIZE ]; then
    echo "make-vocabulary: $entries entries, expected $SIZE" >&2
    exit 1
fi

cat >"$folder/config.json" <<END
{
  "activation_dropout": 0.0,
  "activation_function": "relu",
  "architectures": [
    "MarianMTModel"
  ],
  "attention_dropout": 0.0,
  "attnscope": {
    "alignment_head": "decoder.2.cross_attn:H7"
  },
  "bad_words_ids": [
    [
      $pad
    ]
  ],
  "bos_token_id": 0,
  "classifier_dropout": 0.0,
  "d_model": $D_MODEL,
  "decoder_attention_heads": $HEADS,
  "decoder_ffn_dim": $FFN,
  "decoder_layerdrop": 0.0,
  "decoder_layers": $LAYERS,
  "decoder_start_token_id": $pad,
  "decoder_vocab_size": $SIZE,
  "dropout": 0.1,
  "encoder_attention_heads": $HEADS,
  "encoder_ffn_dim": $FFN,
  "encoder_layerdrop": 0.0,
  "encoder_layers": $LAYERS,
  "eos_token_id": 0,
  "forced_eos_token_id": 0,
  "init_std": 0.02,
  "is_encoder_decoder": true,
  "max_length": $POSITIONS,
  "max_position_embeddings": $POSITIONS,
  "model_type": "marian",
  "num_hidden_layers": $LAYERS,
  "pad_token_id": $pad,
  "scale_embedding": true,
  "share_encoder_decoder_embeddings": true,
  "tie_word_embeddings": true,
  "torch_dtype": "float16",
  "transformers_version": "4.40.2",
  "use_cache": true,
  "vocab_size": $SIZE
}
END

cat >"$folder/generation_config.json" <<END
{
  "bad_words_ids": [
    [
      $pad
    ]
  ],
  "bos_token_id": 0,
  "decoder_start_token_id": $pad,
  "eos_token_id": 0,
  "forced_eos_token_id": 0,
  "max_length": $POSITIONS,
  "num_beams": 1,
  "pad_token_id": $pad,
  "transformers_version": "4.40.2"
}
END

token() {
    printf '    "%d": {\n      "content": "%s",\n      "lstrip": false,\n      "normalized": false,\n' "$1" "$2"
    printf '      "rstrip": false,\n      "single_word": false,\n      "special": true\n    }%s\n' "$3"
}
{
    printf '{\n  "added_tokens_decoder": {\n'
    token 0 '</s>' ,
    token 1 '<unk>' ,
    token $pad '<pad>' ''
    printf '  },\n'
    cat <<END
  "clean_up_tokenization_spaces": false,
  "eos_token": "</s>",
  "model_max_length": $POSITIONS,
  "pad_token": "<pad>",
  "separate_vocabs": false,
  "source_lang": "eng",
  "sp_model_kwargs": {},
  "target_lang": "mul",
  "tokenizer_class": "MarianTokenizer",
  "unk_token": "<unk>"
}
END
} >"$folder/tokenizer_config.json"

cat >"$folder/special_tokens_map.json" <<'END'
{
  "eos_token": "</s>",
  "pad_token": "<pad>",
  "unk_token": "<unk>"
}
END
echo "$folder: $SIZE ids, $((SIZE - 5)) pieces"
