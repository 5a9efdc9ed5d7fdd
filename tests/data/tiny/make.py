#!/usr/bin/python3
"""Makes the model in this folder: a translator in Marian layout with random weights and a vocabulary of some 200 pieces, small
enough to be run hundreds of times by the tests of the command line and the figures. It translates into nonsense, always the same.

    tests/data/tiny/make.py            needs python3-sentencepiece and python3-numpy (Debian 12)

The vocabulary is trained on assets/corpus/extra.tsv, the project's own sentences.
"""
import json, os, shutil, struct, tempfile
import numpy as np
import sentencepiece as spm

here = os.path.dirname(os.path.abspath(__file__))
D, FFN, HEADS, LAYERS, POSITIONS, PIECES = 32, 64, 4, 2, 96, 200

with tempfile.TemporaryDirectory() as tmp:
    os.chdir(tmp)
    rows = [l.rstrip('\n').split('\t') for l in open(os.path.join(here, '../../../assets/corpus/extra.tsv'), encoding='utf8')]
    with open('text', 'w', encoding='utf8') as f:
        for row in rows:
            f.write(row[1] + '\n' + row[2] + '\n')
    spm.SentencePieceTrainer.train(input='text', model_prefix='tiny', vocab_size=PIECES, model_type='unigram', character_coverage=1.0,
                                   num_threads=1, minloglevel=2, normalization_rule_name='identity')
    for side in ('source', 'target'):
        shutil.copy('tiny.model', os.path.join(here, side + '.spm'))
    sp = spm.SentencePieceProcessor(model_file='tiny.model')

pieces = ['</s>', '<unk>'] + [p for p in map(sp.id_to_piece, range(len(sp))) if p not in ('<s>', '</s>', '<unk>')] + ['>>fin<<', '>>fra<<', '<pad>']
vocab = {p: i for i, p in enumerate(pieces)}
pad = vocab['<pad>']

def save(name, value):
    with open(os.path.join(here, name), 'w', encoding='utf8') as f:
        json.dump(value, f, indent=1, sort_keys=name != 'vocab.json', ensure_ascii=False)
        f.write('\n')

generation = {'bad_words_ids': [[pad]], 'bos_token_id': 0, 'decoder_start_token_id': pad, 'eos_token_id': 0, 'forced_eos_token_id': 0,
              'max_length': 24, 'num_beams': 1, 'pad_token_id': pad}
save('vocab.json', vocab)
save('generation_config.json', generation)
save('tokenizer_config.json', {'eos_token': '</s>', 'pad_token': '<pad>', 'unk_token': '<unk>', 'separate_vocabs': False, 'source_lang': 'eng',
                               'target_lang': 'mul', 'model_max_length': POSITIONS, 'tokenizer_class': 'MarianTokenizer'})
save('config.json', {**generation, 'architectures': ['MarianMTModel'], 'model_type': 'marian', 'd_model': D, 'activation_function': 'relu',
                     'encoder_layers': LAYERS, 'decoder_layers': LAYERS, 'encoder_attention_heads': HEADS, 'decoder_attention_heads': HEADS,
                     'encoder_ffn_dim': FFN, 'decoder_ffn_dim': FFN, 'dropout': 0.1, 'is_encoder_decoder': True, 'max_position_embeddings': POSITIONS,
                     'num_hidden_layers': LAYERS, 'scale_embedding': True, 'share_encoder_decoder_embeddings': True,
                     'tie_word_embeddings': True, 'vocab_size': len(vocab), 'decoder_vocab_size': len(vocab)})

random, tensors = np.random.RandomState(7), {}
def weight(name, *shape):
    tensors[name] = random.normal(0, 0.3, shape)
def linear(name, n_out, n_in):
    weight(name + '.weight', n_out, n_in)
    weight(name + '.bias', n_out)
def norm(name):
    tensors[name + '.weight'] = 1 + random.normal(0, 0.1, D)
    tensors[name + '.bias'] = random.normal(0, 0.1, D)

weight('model.shared.weight', len(vocab), D)
tensors['final_logits_bias'] = np.zeros((1, len(vocab)))
for stack, kinds in (('encoder', ['self_attn']), ('decoder', ['self_attn', 'encoder_attn'])):
    for l in range(LAYERS):
        p = f'model.{stack}.layers.{l}.'
        for kind in kinds:
            for part in ('q_proj', 'k_proj', 'v_proj', 'out_proj'):
                linear(f'{p}{kind}.{part}', D, D)
            norm(f'{p}{kind}_layer_norm')
        linear(p + 'fc1', FFN, D)
        linear(p + 'fc2', D, FFN)
        norm(p + 'final_layer_norm')

head, body = {}, b''
for name in sorted(tensors):
    data = tensors[name].astype('<f2').tobytes()
    head[name] = {'dtype': 'F16', 'shape': list(tensors[name].shape), 'data_offsets': [len(body), len(body) + len(data)]}
    body += data
text = json.dumps(head).encode()
text += b' ' * (-len(text) % 8)
with open(os.path.join(here, 'model.safetensors'), 'wb') as f:
    f.write(struct.pack('<Q', len(text)) + text + body)
print(len(vocab), 'ids,', sum(t.size for t in tensors.values()), 'parameters')
