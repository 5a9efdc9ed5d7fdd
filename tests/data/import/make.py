#!/usr/bin/env python3
"""Writes the files beside it with numpy itself: what `figure --from` must be able to read."""
import zipfile
import os
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def pattern(shape, seed, causal=False):
    x = np.random.default_rng(seed).normal(size=shape)
    if causal:
        x = np.where(np.tril(np.ones(shape[-2:])) > 0, x, -np.inf)
    x = np.exp(x)
    return x / x.sum(-1, keepdims=True)


# One stack, double precision in Fortran order behind a batch of one, tokens as text.
np.savez(os.path.join(here, "one.npz"),
         attention=np.asfortranarray(pattern((2, 1, 3, 4, 4), 1)),
         tokens=np.array(["[CLS]", "猫", "sat", "[SEP]"]))
# What generate() returns: a step a key; decoder steps see one key more each time; half precision.
steps = {f"decoder_attention.{t}": pattern((2, 3, 1, t + 1), 10 + t).astype(np.float16) for t in range(3)}
np.savez_compressed(os.path.join(here, "steps.npz"),
                    cross_attention=pattern((3, 2, 3, 1, 4), 2).astype(np.float32),
                    encoder_attention=pattern((2, 3, 4, 4), 3).astype(">f4"),
                    encoder_tokens=np.array(["a", "b", "c", "</s>"]),
                    decoder_tokens=np.array(["<pad>", "x", "y", "z"]), **steps)
np.savez(os.path.join(here, "objects.npz"), attention=pattern((1, 1, 2, 2), 4),
         tokens=np.array(["a", None], dtype=object))
# A number type that is none, and one that is not read.
np.savez(os.path.join(here, "complex.npz"), attention=pattern((1, 1, 2, 2), 5).astype("c16"), tokens=np.array(["a", "b"]))
with zipfile.ZipFile(os.path.join(here, "wide.npz"), "w") as z:
    header = "{'descr': '<f260', 'fortran_order': False, 'shape': (1, 1, 2, 2), }".ljust(117) + "\n"
    z.writestr("attention.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(4 * 260))
    z.writestr("tokens.npy", b"")
