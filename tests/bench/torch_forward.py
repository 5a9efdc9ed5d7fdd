#!/usr/bin/env python3
"""One pass that returns every attention, in eager torch: what `attnscope bench forward` stands beside.

The layers are written as Hugging Face's eager attention computes them with output_attentions=True: products by
torch.matmul, softmax, weights kept, contiguous context. Random weights; torch >= 1.13 alone is needed.

    LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp OMP_NUM_THREADS=2 \\
        python3 tests/bench/torch_forward.py --shape bert-base --markdown
"""
import argparse, math, time
import torch
from torch import nn

SHAPES = {  # d_model, d_ff, layers, heads, vocabulary, positions
    'bert-base': (768, 3072, 12, 12, 30522, 512, '16,64,128,512'),
    'gpt2': (768, 3072, 12, 12, 50257, 1024, '16,128,1024'),
}

class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))
        self.heads = heads

    def forward(self, x, causal, past=None):
        split = lambda y: y.view(y.shape[0], y.shape[1], self.heads, -1).permute(0, 2, 1, 3)
        q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
        if causal and q.shape[2] > 1:
            n = q.shape[2]
            keep = torch.tril(torch.ones(n, n, dtype=torch.bool))
            scores = torch.where(keep, scores, torch.full([], torch.finfo(scores.dtype).min))
        weights = nn.functional.softmax(scores, dim=-1)
        z = torch.matmul(weights, v).permute(0, 2, 1, 3).contiguous().view(x.shape)
        return self.o(z), weights, (k, v)

class Layer(nn.Module):
    def __init__(self, d, d_ff, heads, pre):
        super().__init__()
        self.attention, self.up, self.down = Attention(d, heads), nn.Linear(d, d_ff), nn.Linear(d_ff, d)
        self.ln1, self.ln2, self.pre = nn.LayerNorm(d), nn.LayerNorm(d), pre

    def mlp(self, x):
        y = self.up(x)
        if self.pre:  # GPT-2's gelu_new, written out as there
            y = 0.5 * y * (1.0 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * torch.pow(y, 3.0))))
        else:
            y = nn.functional.gelu(y)
        return self.down(y)

    def forward(self, x, past=None):
        if self.pre:
            z, weights, kept = self.attention(self.ln1(x), True, past)
            x = x + z
            return x + self.mlp(self.ln2(x)), weights, kept
        z, weights, kept = self.attention(x, False)
        x = self.ln1(x + z)
        return self.ln2(x + self.mlp(x)), weights, kept

class Model(nn.Module):
    def __init__(self, name):
        super().__init__()
        d, d_ff, n_layers, heads, vocab, positions, _ = SHAPES[name]
        self.causal = name == 'gpt2'
        self.embed, self.at, self.norm = nn.Embedding(vocab, d), nn.Embedding(positions, d), nn.LayerNorm(d)
        self.layers = nn.ModuleList(Layer(d, d_ff, heads, self.causal) for _ in range(n_layers))

    def forward(self, ids, past=None):
        begin = past[0][0].shape[2] if past else 0
        x = self.embed(ids) + self.at(torch.arange(begin, begin + ids.shape[1]))
        if not self.causal:
            x = self.norm(x)
        attentions, states, kept = [], [x], []
        for i, layer in enumerate(self.layers):
            x, weights, pair = layer(x, past[i] if past else None)
            attentions.append(weights)
            states.append(x)
            kept.append(pair)
        if self.causal:
            x = self.norm(x) @ self.embed.weight.T
        return x, attentions, states, kept

def median(values):
    return sorted(values)[len(values) // 2]

def timed(work, steps):
    work()
    out = []
    for _ in range(steps):
        start = time.perf_counter()
        work()
        out.append(time.perf_counter() - start)
    return 1e3 * median(out), 1e3 * min(out)

def greedy(model, n_new):
    ids, past = torch.arange(2, 18)[None], None
    for _ in range(n_new):
        logits, _, _, past = model(ids, past)
        ids = logits[:, -1].argmax(-1, keepdim=True)

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--shape', choices=list(SHAPES), default='bert-base')
    ap.add_argument('--tokens')
    ap.add_argument('--steps', type=int, default=7)
    ap.add_argument('--markdown', action='store_true')
    args = ap.parse_args()
    torch.manual_seed(1)
    model = Model(args.shape).eval()
    rows = []
    with torch.no_grad():
        for n in map(int, (args.tokens or SHAPES[args.shape][6]).split(',')):
            ids = torch.randint(2, 30000, (1, n))
            rows.append(('all attentions returned', n, *timed(lambda: model(ids), args.steps)))
        if model.causal:
            rows.append(('greedy, a new token', 32, *(t / 32 for t in timed(lambda: greedy(model, 32), 3))))
    bar = '|' if args.markdown else ' '
    print(f'{bar} torch {torch.__version__}, {torch.get_num_threads()} threads, {args.shape} {bar} tokens {bar} ms {bar} least ms {bar}')
    if args.markdown:
        print('|---|---:|---:|---:|')
    for name, n, middle, least in rows:
        print(f'{bar} {name} {bar} {n} {bar} {middle:.1f} {bar} {least:.1f} {bar}')

if __name__ == '__main__':
    main()
