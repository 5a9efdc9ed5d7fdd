#!/usr/bin/env python3
"""Makes the small vocabularies of this folder and what sentencepiece cuts with them.

usage: make.py          (Debian: python3-sentencepiece; the results are committed)

Vocabularies are trained on sentences.txt, which was written for this. *.jsonl: one line a text with the
ids and the byte span of every piece, by sentencepiece itself. For the folders with a tokenizer.json run
rust.js afterwards.
"""
import collections, json, os, shutil
import sentencepiece as spm

HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(HERE)      # a vocabulary keeps the name of its text: the same bytes, wherever this lies
TEXTS = [
    '', ' ', 'The boat.', '  leading and  double   spaces  ', "She's singing; they don't know.", 'Äiti söi leipää.',
    'tabs\tand\nlines\r\n', '今天天气很好。', 'x ﬁnd ½ Ａ\u3000b\xa0c', 'e\u0301 o\u0308', 'emoji 👍🏽 and 👨\u200d👩\u200d👧', 'nul\0byte',
    'unknown ☃☃ snow', '▁low▁line', '<s> </s> <unk>', 'shipshape <sep> shipyard', 'mixedCASE Words', "L'été où", '1984-2024',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'Привет', '>>fra<< The boat', '\ufeff\u200b',
]
RULES = {'\ufb01': 'fi', '\xbd': '1/2', '\uff21': 'A', '\u3000': ' ', '\xa0': ' ', '\t': ' ', '\n': ' ', '\r': ' ', '\u200b': '', '\ufeff': '',
         'e\u0301': '\xe9', 'o\u0308': '\xf6'}

def folder(name):
    path = os.path.join(HERE, name)
    os.makedirs(path, exist_ok=True)
    return path

def train(path, **options):
    rules = '/tmp/make_tokenizers_rules.tsv'
    with open(rules, 'w') as f:
        for k, v in RULES.items():
            f.write(' '.join('%X' % ord(c) for c in k) + '\t' + ' '.join('%X' % ord(c) for c in v) + '\n')
    if options.pop('rules', True):
        options['normalization_rule_tsv'] = rules
    spm.SentencePieceTrainer.train(input='sentences.txt', model_prefix='/tmp/make_tokenizers', minloglevel=2,
                                   hard_vocab_limit=False, **options)
    shutil.move("/tmp/make_tokenizers.model", path)

def expect(model, path, texts=TEXTS):
    with open(path, 'w') as f:
        for t in texts:
            at = [0]
            for c in t:
                at.append(at[-1] + len(c.encode()))
            pieces = model.encode(t, out_type='immutable_proto').pieces
            # A byte piece stands for its whole character here.
            spans = [[at[p.begin], at[p.begin + 1 if model.is_byte(p.id) else p.end]] for p in pieces]
            f.write(json.dumps({'text': t, 'ids': [p.id for p in pieces], 'offsets': spans, 'decoded': model.decode([p.id for p in pieces])}) + '\n')

def spm_folder(name, file, texts=TEXTS, **options):
    path = os.path.join(folder(name), file)
    train(path, **options)
    expect(spm.SentencePieceProcessor(model_file=path), os.path.join(HERE, name, 'expected.jsonl'), texts)

spm_folder('unigram', 'vocab.spm', vocab_size=260, model_type='unigram', user_defined_symbols=['<sep>'], character_coverage=0.98)
# Symbols of the user's beside pieces that would win over them by their scores.
spm_folder('user', 'vocab.spm', open('sentences.txt').read().split('\n')[:-1] + TEXTS, vocab_size=260,
           model_type='unigram', user_defined_symbols=['▁the▁old', '▁w', 's', 'ing', 'aaa', 'ing▁to', '▁▁'], character_coverage=0.98)
spm_folder('bpe', 'vocab.spm', vocab_size=300, model_type='bpe', character_coverage=0.98)
spm_folder('bpe_bytes', 'tokenizer.model', vocab_size=560, model_type='bpe', byte_fallback=True, character_coverage=0.98, rules=False,
           normalization_rule_name='identity', remove_extra_whitespaces=False)
spm_folder('suffix', 'vocab.spm', vocab_size=240, model_type='unigram', treat_whitespace_as_suffix=True, character_coverage=0.98)
spm_folder('chars', 'vocab.spm', vocab_size=100, model_type='char')

# Marian: two models, one vocab.json, two language tags.
path = folder('marian')
train(os.path.join(path, 'source.spm'), vocab_size=220, model_type='unigram', character_coverage=0.98)
train(os.path.join(path, 'target.spm'), vocab_size=180, model_type='unigram', character_coverage=0.98)
labels = ['</s>', '<unk>']
for side in 'source', 'target':
    model = spm.SentencePieceProcessor(model_file=os.path.join(path, side + '.spm'))
    labels += [p for p in map(model.id_to_piece, range(3, len(model))) if p not in labels]
labels += ['>>fin<<', '>>fra<<', '<pad>']
labels.remove('▁The') if '▁The' in labels else None     # a piece that vocab.json lacks is unknown
json.dump({l: i for i, l in enumerate(labels)}, open(os.path.join(path, 'vocab.json'), 'w'), ensure_ascii=False, indent=0)
json.dump({'tokenizer_class': 'MarianTokenizer', 'eos_token': '</s>'}, open(os.path.join(path, 'tokenizer_config.json'), 'w'))

# Byte-level merges of our own: the commonest pair again and again.
def byte_chars():
    own = [b for b in range(256) if 33 <= b <= 126 or (b >= 161 and b != 173)]
    return {b: chr(b) if b in own else chr(256 + b - sum(o < b for o in own)) for b in range(256)}
chars = byte_chars()
words = collections.Counter()
for line in open(os.path.join(HERE, 'sentences.txt'), encoding='utf8'):
    for i, w in enumerate(line.split()):
        words[tuple(chars[b] for b in ((' ' if i else '') + w).encode())] += 1
vocab, merges = [chars[b] for b in range(256)], []
while len(merges) < 200:
    pairs = collections.Counter()
    for w, n in words.items():
        for pair in zip(w, w[1:]):
            pairs[pair] += n
    pair = max(sorted(pairs), key=pairs.get)
    merges.append(pair)
    vocab.append(''.join(pair))
    joined = collections.Counter()
    for w, n in words.items():
        out, i = [], 0
        while i < len(w):
            hit = w[i:i + 2] == pair
            out.append(''.join(pair) if hit else w[i])
            i += 2 if hit else 1
        joined[tuple(out)] += n
    words = joined
vocab.append('<|endoftext|>')
path = folder('gpt2')
json.dump({v: i for i, v in enumerate(vocab)}, open(os.path.join(path, 'vocab.json'), 'w'), ensure_ascii=False, indent=0)
open(os.path.join(path, 'merges.txt'), 'w', encoding='utf8').write('#version: 0.2\n' + ''.join('%s %s\n' % m for m in merges))
json.dump({'tokenizer_class': 'GPT2Tokenizer'}, open(os.path.join(path, 'tokenizer_config.json'), 'w'))

# WordPiece: the words of the sentences, some of their ends, and all characters.
seen = collections.Counter(w for l in open(os.path.join(HERE, 'sentences.txt'), encoding='utf8') for w in l.lower().split())
letters = sorted({c for w in seen for c in w if c.isalnum() and ord(c) < 0x250})
pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] + list('.,;:!?\'"()-') + letters + ['##' + c for c in letters]
pieces += [w for w, n in seen.most_common(60) if w.isalpha()] + ['##ing', '##ed', '##er', '今', '天']
path = folder('bert')
open(os.path.join(path, 'vocab.txt'), 'w', encoding='utf8').write(''.join(p + '\n' for p in dict.fromkeys(pieces)))
json.dump({'tokenizer_class': 'BertTokenizer', 'do_lower_case': True}, open(os.path.join(path, 'tokenizer_config.json'), 'w'))

# tokenizer.json: the same pieces, other parts.
def added(id, content, **flags):
    return dict(dict(id=id, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True), **flags)
def write(name, **parts):
    root = dict(dict(version='1.0', truncation=None, padding=None, added_tokens=[], normalizer=None, pre_tokenizer=None,
                     post_processor=None, decoder=None), **parts)
    with open(os.path.join(folder(name), 'tokenizer.json'), 'w', encoding='utf8') as f:
        json.dump(root, f, ensure_ascii=False, indent=0)
    with open(os.path.join(HERE, name, 'texts.jsonl'), 'w') as f:
        for t in TEXTS:
            f.write(json.dumps({'text': t}) + '\n')

n = len(vocab)
bpe = {'type': 'BPE', 'dropout': None, 'unk_token': None, 'continuing_subword_prefix': None, 'end_of_word_suffix': None, 'fuse_unk': False,
       'byte_fallback': False, 'vocab': {v: i for i, v in enumerate(vocab)}, 'merges': ['%s %s' % m for m in merges]}
write('json_bytes', model=bpe, normalizer={'type': 'NFC'},
      added_tokens=[added(n - 1, '<|endoftext|>'), added(n, '<sep>', lstrip=True, rstrip=True), added(n + 1, 'ship', single_word=True, special=False)],
      pre_tokenizer={'type': 'ByteLevel', 'add_prefix_space': True, 'trim_offsets': True, 'use_regex': True},
      post_processor={'type': 'RobertaProcessing', 'sep': ['<|endoftext|>', n - 1], 'cls': ['<|endoftext|>', n - 1], 'trim_offsets': True,
                      'add_prefix_space': True},
      decoder={'type': 'ByteLevel', 'add_prefix_space': True, 'trim_offsets': True, 'use_regex': True})
uni = spm.SentencePieceProcessor(model_file=os.path.join(HERE, 'unigram', 'vocab.spm'))
write('json_unigram', model={'type': 'Unigram', 'unk_id': 0, 'byte_fallback': False,
                             'vocab': [[uni.id_to_piece(i), uni.get_score(i)] for i in range(len(uni))]},
      added_tokens=[added(0, '<unk>'), added(1, '<s>'), added(2, '</s>'), added(3, '<sep>', normalized=True, special=False)],
      normalizer={'type': 'Sequence', 'normalizers': [{'type': 'Nmt'}, {'type': 'NFKC'}, {'type': 'Replace', 'pattern': {'Regex': ' {2,}'}, 'content': ' '}]},
      pre_tokenizer={'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'always', 'split': True},
      post_processor={'type': 'TemplateProcessing', 'single': [{'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': '</s>', 'type_id': 0}}],
                      'pair': [{'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': '</s>', 'type_id': 0}},
                               {'Sequence': {'id': 'B', 'type_id': 1}}, {'SpecialToken': {'id': '</s>', 'type_id': 1}}],
                      'special_tokens': {'</s>': {'id': '</s>', 'ids': [2], 'tokens': ['</s>']}}},
      decoder={'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'always', 'split': True})
ids = {p: i for i, p in enumerate(dict.fromkeys(pieces))}
write('json_bert', model={'type': 'WordPiece', 'unk_token': '[UNK]', 'continuing_subword_prefix': '##', 'max_input_chars_per_word': 20, 'vocab': ids},
      added_tokens=[added(i, p) for p, i in ids.items() if p[0] == '[' and len(p) > 1],
      normalizer={'type': 'BertNormalizer', 'clean_text': True, 'handle_chinese_chars': True, 'strip_accents': None, 'lowercase': True},
      pre_tokenizer={'type': 'BertPreTokenizer'}, post_processor={'type': 'BertProcessing', 'sep': ['[SEP]', 3], 'cls': ['[CLS]', 2]},
      decoder={'type': 'WordPiece', 'prefix': '##', 'cleanup': True})
by = spm.SentencePieceProcessor(model_file=os.path.join(HERE, 'bpe_bytes', 'tokenizer.model'))
table = {by.id_to_piece(i): i for i in range(len(by))}
pairs = []
for piece, i in table.items():                            # as transformers' converter makes merges
    if i < 3 or by.is_byte(i):
        continue
    local = [(piece[:k], piece[k:]) for k in range(1, len(piece)) if piece[:k] in table and piece[k:] in table]
    pairs += [(i, table[a], table[b], a, b) for a, b in local]
write('json_fallback', model={'type': 'BPE', 'dropout': None, 'unk_token': '<unk>', 'continuing_subword_prefix': None, 'end_of_word_suffix': None,
                              'fuse_unk': True, 'byte_fallback': True, 'ignore_merges': False, 'vocab': table,
                              'merges': [[a, b] for *_, a, b in sorted(pairs)]},
      added_tokens=[added(0, '<unk>'), added(1, '<s>'), added(2, '</s>', rstrip=True)],
      normalizer={'type': 'Sequence', 'normalizers': [{'type': 'Prepend', 'prepend': '▁'}, {'type': 'Replace', 'pattern': {'String': ' '}, 'content': '▁'}]},
      post_processor={'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': '<s>', 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}}],
                      'pair': [{'SpecialToken': {'id': '<s>', 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}},
                               {'SpecialToken': {'id': '<s>', 'type_id': 1}}, {'Sequence': {'id': 'B', 'type_id': 1}}],
                      'special_tokens': {'<s>': {'id': '<s>', 'ids': [1], 'tokens': ['<s>']}}},
      decoder={'type': 'Sequence', 'decoders': [{'type': 'Replace', 'pattern': {'String': '▁'}, 'content': ' '}, {'type': 'ByteFallback'},
                                                {'type': 'Fuse'}, {'type': 'Strip', 'content': ' ', 'start': 1, 'stop': 0}]})
