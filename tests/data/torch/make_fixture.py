#!/usr/bin/env python3
"""Five optimiser steps of a tiny model by torch, for the training test to repeat.

usage: make_fixture.py          writes config.json, model.safetensors and steps.safetensors beside itself

All of it is computed in float64 and stored as F32, so that the numbers are the right ones and not torch's rounding. README.md says what
the files hold and how far float32 is from them. Needs Debian's python3-torch; the tests do not.
"""
import json, os, struct, sys

import torch

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import marian

SIZE = marian.Size(vocab=24, d_model=16, heads=2, ffn=24, layers=2)
EOS, PAD = 0, 23
STEPS, PEAK, WARMUP, CLIP, SMOOTHING = 5, 0.005, 3, 2.0, 0.1
PAIRS = [  # source ids, target ids: both end with EOS; lengths differ on both sides
    ([22, 5, 9, 2, 0], [7, 3, 11, 4, 0]),
    ([21, 6, 0], [8, 2, 9, 10, 14, 3, 0]),
    ([22, 12, 13, 4, 4, 19, 2, 0], [15, 3, 0]),
    ([21, 20, 1, 0], [16, 0]),
]


def train(dtype):
    weights = marian.make_weights(SIZE, seed=7, bias_spread=0.1)
    initial = {name: w.detach().clone() for name, w in weights.items()}
    weights = {name: w.detach().to(dtype).requires_grad_() for name, w in weights.items()}
    optimizer = torch.optim.Adam(weights.values(), betas=(0.9, 0.98), eps=1e-9)
    source = marian.pad_rows([s for s, _ in PAIRS], PAD)
    writes = marian.pad_rows([t for _, t in PAIRS], PAD)
    reads = marian.reads_of(writes, PAD)
    losses, norms, rates, gradients = [], [], [], None
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        loss = marian.smoothed_loss(marian.forward(weights, SIZE, source, source != PAD, reads), writes, PAD, SMOOTHING)
        loss.backward()
        if step == 1:
            gradients = {name: w.grad.clone() for name, w in weights.items()}
        norms.append(float(torch.nn.utils.clip_grad_norm_(weights.values(), CLIP)))
        rates.append(marian.learning_rate(step, PEAK, WARMUP))
        for group in optimizer.param_groups:
            group["lr"] = rates[-1]
        optimizer.step()
        losses.append(float(loss))
    return initial, losses, norms, rates, gradients, {name: w.detach() for name, w in weights.items()}


def write_safetensors(path, tensors, metadata):
    header, blob = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        integers = not tensor.is_floating_point()
        flat = tensor.reshape(-1).tolist()
        data = struct.pack(f"<{len(flat)}{'i' if integers else 'f'}", *flat)
        header[name] = {"dtype": "I32" if integers else "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + blob)


def config():
    return {
        "activation_dropout": 0.0, "activation_function": "relu", "architectures": ["MarianMTModel"], "attention_dropout": 0.0,
        "bad_words_ids": [[PAD]], "bos_token_id": EOS, "d_model": SIZE.d_model, "decoder_attention_heads": SIZE.heads,
        "decoder_ffn_dim": SIZE.ffn, "decoder_layers": SIZE.layers, "decoder_start_token_id": PAD, "decoder_vocab_size": SIZE.vocab,
        "dropout": 0.0, "encoder_attention_heads": SIZE.heads, "encoder_ffn_dim": SIZE.ffn, "encoder_layers": SIZE.layers,
        "eos_token_id": EOS, "is_encoder_decoder": True, "max_position_embeddings": 16, "model_type": "marian",
        "num_hidden_layers": SIZE.layers, "pad_token_id": PAD, "scale_embedding": True, "share_encoder_decoder_embeddings": True,
        "tie_word_embeddings": True, "torch_dtype": "float32", "vocab_size": SIZE.vocab,
    }


def main():
    initial, losses, norms, rates, gradients, final = train(torch.float64)
    with open(os.path.join(HERE, "config.json"), "w") as f:
        json.dump(config(), f, indent=2, sort_keys=True)
        f.write("\n")
    initial["final_logits_bias"] = torch.zeros(1, SIZE.vocab)
    write_safetensors(os.path.join(HERE, "model.safetensors"), initial, {"format": "pt"})
    steps = {
        "source.ids": marian.pad_rows([s for s, _ in PAIRS], PAD),
        "source.lengths": torch.tensor([len(s) for s, _ in PAIRS]),
        "target.ids": marian.pad_rows([t for _, t in PAIRS], PAD),
        "target.lengths": torch.tensor([len(t) for _, t in PAIRS]),
        "loss": torch.tensor(losses, dtype=torch.float64),
        "grad_norm": torch.tensor(norms, dtype=torch.float64),
        "learning_rate": torch.tensor(rates, dtype=torch.float64),
    }
    steps.update({"grad." + name: g for name, g in gradients.items()})
    steps.update({"final." + name: w for name, w in final.items()})
    metadata = {"peak_learning_rate": str(PEAK), "warmup_steps": str(WARMUP), "clip_norm": str(CLIP), "label_smoothing": str(SMOOTHING),
                "adam": "0.9 0.98 1e-9", "eos": str(EOS), "pad": str(PAD)}
    write_safetensors(os.path.join(HERE, "steps.safetensors"), steps, metadata)
    print("losses", *(f"{x:.6f}" for x in losses))
    print("norms", *(f"{x:.6f}" for x in norms))
    _, losses32, norms32, _, gradients32, final32 = train(torch.float32)
    off = lambda a, b: float((a.double() - b.double()).abs().max())
    print("float32 is off by: loss %.1e, norm %.1e, gradient %.1e, final weights %.1e, final k_proj.bias %.1e" % (
        max(abs(a - b) for a, b in zip(losses, losses32)), max(abs(a - b) for a, b in zip(norms, norms32)),
        max(off(gradients[n], gradients32[n]) for n in gradients),
        max(off(final[n], final32[n]) for n in final if not n.endswith("k_proj.bias")),
        max(off(final[n], final32[n]) for n in final if n.endswith("k_proj.bias"))))


if __name__ == "__main__":
    main()
