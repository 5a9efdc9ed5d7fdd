#!/usr/bin/env python3
"""Makes the files of torch.save beside this script (Debian's python3-torch; not needed to run the tests).

zip.bin, legacy.bin   a state_dict of the same numbers in both formats: every type, views, strides, shared storages
nano.pt               a nanoGPT checkpoint: two layers, two heads, width 4, no biases
"""
import collections
import os
import torch

here = os.path.dirname(os.path.abspath(__file__))
base = torch.arange(24, dtype=torch.float32)
state = collections.OrderedDict(
    whole=base.view(4, 6),
    turned=base.view(4, 6).t(),
    part=base[5:9],
    scalar=torch.tensor(3.5),
    strided=base.view(2, 3, 4)[:, 1:, ::2],
    half=base[:6].half(),
    bfloat=base[:6].bfloat16(),
    double=base[:6].double(),
    int64=base[:6].long(),
    int32=base[:6].int(),
    int16=base[:6].short(),
    int8=base[:6].char(),
    uint8=base[:6].byte(),
    bool=base[:6] > 2,
    none=torch.zeros(0, 3),
    expanded=torch.ones(1, 3).expand(5, 3),
    parameter=torch.nn.Parameter(base.view(6, 4)),
)
state._metadata = {'': {'version': 1}}
torch.save(state, os.path.join(here, 'zip.bin'))
torch.save(state, os.path.join(here, 'legacy.bin'), _use_new_zipfile_serialization=False)

width, vocab, block = 4, 5, 3
number = iter(range(100000))
def some(*shape):
    n = 1
    for size in shape:
        n *= size
    return torch.tensor([next(number) for _ in range(n)], dtype=torch.float32).view(*shape)
nano = {'transformer.wte.weight': some(vocab, width), 'transformer.wpe.weight': some(block, width)}
for layer in range(2):
    h = f'transformer.h.{layer}.'
    nano[h + 'ln_1.weight'] = some(width)
    nano[h + 'attn.c_attn.weight'] = some(3 * width, width)
    nano[h + 'attn.c_proj.weight'] = some(width, width)
    nano[h + 'attn.bias'] = torch.ones(1, 1, block, block)
    nano[h + 'ln_2.weight'] = some(width)
    nano[h + 'mlp.c_fc.weight'] = some(4 * width, width)
    nano[h + 'mlp.c_proj.weight'] = some(width, 4 * width)
nano['transformer.ln_f.weight'] = some(width)
nano['lm_head.weight'] = nano['transformer.wte.weight']
torch.save({'model': {'_orig_mod.' + k: v for k, v in nano.items()},
            'optimizer': {'state': {}, 'param_groups': [{'lr': 1e-3, 'betas': (0.9, 0.95)}]},
            'model_args': dict(n_layer=2, n_head=2, n_embd=width, block_size=block, bias=False,
                               vocab_size=vocab, dropout=0.0),
            'iter_num': 5, 'best_val_loss': torch.tensor(1.5), 'config': {'out_dir': 'out'}},
           os.path.join(here, 'nano.pt'))
