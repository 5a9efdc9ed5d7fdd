"""The shipped model's architecture in torch: the other side of two comparisons, the fixture in this folder and tests/bench/torch_train.py.

Encoder-decoder of "Attention Is All You Need" as Marian lays it out: x = E[id] sqrt(d) + position table ([sines | cosines]), post-norm
layers, ReLU, output tied to E. Weights carry Hugging Face's names. Debian's python3-torch (1.13) is enough.

    size = Size(vocab=6000, d_model=256, heads=8, ffn=1024, layers=3)
    weights = make_weights(size)                              # {name: tensor}, requires_grad
    logits = forward(weights, size, source, source_keep, reads, dropout=0.1)
    loss = smoothed_loss(logits, writes, pad, 0.1)
"""
import collections, math

import torch
import torch.nn.functional as F

Size = collections.namedtuple("Size", "vocab d_model heads ffn layers")
NORM_EPSILON = 1e-5


def weight_shapes(size):
    d, shapes = size.d_model, {"model.shared.weight": (size.vocab, size.d_model)}
    for stack in ("encoder", "decoder"):
        for layer in range(size.layers):
            at = f"model.{stack}.layers.{layer}."
            for attention in ("self_attn",) if stack == "encoder" else ("self_attn", "encoder_attn"):
                for matrix in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    shapes[f"{at}{attention}.{matrix}.weight"] = (d, d)
                    shapes[f"{at}{attention}.{matrix}.bias"] = (d,)
                shapes[f"{at}{attention}_layer_norm.weight"] = (d,)
                shapes[f"{at}{attention}_layer_norm.bias"] = (d,)
            shapes[at + "fc1.weight"], shapes[at + "fc1.bias"] = (size.ffn, d), (size.ffn,)
            shapes[at + "fc2.weight"], shapes[at + "fc2.bias"] = (d, size.ffn), (d,)
            shapes[at + "final_layer_norm.weight"], shapes[at + "final_layer_norm.bias"] = (d,), (d,)
    return shapes


def make_weights(size, seed=1, dtype=torch.float32, bias_spread=0.0):
    """Xavier-uniform matrices, embeddings of deviation d^-1/2, norms at (1, 0). A spread also moves biases and norms, so that a test sees them."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in weight_shapes(size).items():
        if name == "model.shared.weight":
            w = torch.randn(shape, generator=generator) * size.d_model**-0.5
        elif len(shape) == 2:
            w = (torch.rand(shape, generator=generator) * 2 - 1) * math.sqrt(6 / sum(shape))
        else:
            w = torch.randn(shape, generator=generator) * bias_spread + float(name.endswith("norm.weight"))
        weights[name] = w.to(dtype).requires_grad_()
    return weights


def position_table(n, d, dtype=torch.float32):
    """Marian's sinusoid: the sines of all frequencies, then the cosines."""
    angle = torch.arange(n, dtype=torch.float64)[:, None] / 10000 ** (torch.arange(0, d, 2, dtype=torch.float64) / d)
    return torch.cat([angle.sin(), angle.cos()], dim=1).to(dtype)


def embed(weights, size, ids, dropout):
    x = F.embedding(ids, weights["model.shared.weight"]) * math.sqrt(size.d_model)
    return F.dropout(x + position_table(ids.shape[1], size.d_model, x.dtype), dropout)


def attend(weights, at, size, x, memory, bias):
    """at: the attention's name; bias [row, 1, query or 1, key], minus infinity where masked."""

    def heads(name, y):
        y = F.linear(y, weights[f"{at}.{name}.weight"], weights[f"{at}.{name}.bias"])
        return y.view(y.shape[0], y.shape[1], size.heads, -1).transpose(1, 2)

    q, k, v = heads("q_proj", x), heads("k_proj", memory), heads("v_proj", memory)
    scores = q * q.shape[-1] ** -0.5 @ k.transpose(2, 3)
    z = (scores + bias if bias is not None else scores).softmax(-1) @ v
    z = z.transpose(1, 2).reshape(x.shape)
    return F.linear(z, weights[f"{at}.out_proj.weight"], weights[f"{at}.out_proj.bias"])


def add_norm(weights, at, x, y, dropout):
    return F.layer_norm(x + F.dropout(y, dropout), x.shape[-1:], weights[at + ".weight"], weights[at + ".bias"], NORM_EPSILON)


def feed_forward(weights, at, x):
    x = F.linear(x, weights[at + "fc1.weight"], weights[at + "fc1.bias"]).relu()
    return F.linear(x, weights[at + "fc2.weight"], weights[at + "fc2.bias"])


def forward(weights, size, source, source_keep, reads, dropout=0.0):
    """source, reads [row, position] ids; source_keep [row, position] false on padding, or None. Returns logits [row, position, vocab]."""
    hidden = None
    if source_keep is not None and not bool(source_keep.all()):
        hidden = torch.zeros(source_keep.shape, dtype=weights["model.shared.weight"].dtype)
        hidden = hidden.masked_fill(~source_keep, -math.inf)[:, None, None, :]
    x = embed(weights, size, source, dropout)
    for layer in range(size.layers):
        at = f"model.encoder.layers.{layer}."
        x = add_norm(weights, at + "self_attn_layer_norm", x, attend(weights, at + "self_attn", size, x, x, hidden), dropout)
        x = add_norm(weights, at + "final_layer_norm", x, feed_forward(weights, at, x), dropout)
    memory, n = x, reads.shape[1]
    future = torch.full((n, n), -math.inf, dtype=x.dtype).triu(1)[None, None]
    x = embed(weights, size, reads, dropout)
    for layer in range(size.layers):
        at = f"model.decoder.layers.{layer}."
        x = add_norm(weights, at + "self_attn_layer_norm", x, attend(weights, at + "self_attn", size, x, x, future), dropout)
        x = add_norm(weights, at + "encoder_attn_layer_norm", x, attend(weights, at + "encoder_attn", size, x, memory, hidden), dropout)
        x = add_norm(weights, at + "final_layer_norm", x, feed_forward(weights, at, x), dropout)
    return F.linear(x, weights["model.shared.weight"])


def smoothed_loss(logits, writes, pad, smoothing):
    """(1 - e) * -log p[written] + e * mean over the whole vocabulary of -log p, averaged over the target tokens that are not padding."""
    return F.cross_entropy(logits.flatten(0, 1), writes.flatten(), ignore_index=pad, label_smoothing=smoothing)


def learning_rate(step, peak, warmup):
    """Linear up to peak at step `warmup`, then with the inverse square root. The first step is 1."""
    return peak * min(step / warmup, math.sqrt(warmup / step))


def pad_rows(rows, pad):
    return torch.tensor([row + [pad] * (max(map(len, rows)) - len(row)) for row in rows])


def reads_of(writes, start):
    """What a decoder step reads: the start token, then what the step before wrote."""
    return torch.cat([torch.full((writes.shape[0], 1), start), writes[:, :-1]], dim=1)
