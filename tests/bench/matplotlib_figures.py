#!/usr/bin/python3
"""The pictures of `attnscope bench figures` by matplotlib, for docs/performance.md. Needs python3-matplotlib; nothing else of
this project does.

    tests/bench/matplotlib_figures.py            prints a markdown table
"""
import io
import statistics
import time

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402


def patterns(layers, heads, n):
    x = np.random.default_rng(1).random((layers, heads, n, n), dtype=np.float32) * 4
    for q in range(n):
        x[..., q, (q * 7 + 3) % n] += 6
    x = np.exp(x)
    return x / x.sum(-1, keepdims=True)


def grid(attention):
    layers, heads = attention.shape[:2]
    figure, axes = plt.subplots(layers, heads, figsize=(layers, heads))
    for layer in range(layers):
        for head in range(heads):
            axes[layer, head].imshow(attention[layer, head], vmin=0, vmax=1, cmap="Blues")
            axes[layer, head].axis("off")
    return figure


def heatmap(weights):
    n = len(weights)
    size = max(4, n * 0.14)
    figure, axis = plt.subplots(figsize=(size, size))
    axis.imshow(weights, vmin=0, vmax=1, cmap="Blues")
    labels = [f"token{i}" for i in range(n)]
    axis.set_xticks(range(n), labels, rotation=90, fontsize=6)
    axis.set_yticks(range(n), labels, fontsize=6)
    axis.xaxis.tick_top()
    return figure


def measure(draw, suffix, runs=3):
    times, size = [], 0
    for _ in range(runs):
        begin = time.perf_counter()
        figure, out = draw(), io.BytesIO()
        figure.savefig(out, format=suffix, dpi=144)
        times.append(time.perf_counter() - begin)
        size = len(out.getvalue())
        plt.close(figure)
    return statistics.median(times), size


if __name__ == "__main__":
    print(f"matplotlib {matplotlib.__version__}, numpy {np.__version__}\n")
    print("| figure | tokens | file | ms | kB |\n|---|---|---|---|---|")
    for what, n, suffix in (("grid, 12 x 12 heads, no labels", 512, "png"), ("grid, 12 x 12 heads, no labels", 128, "png"),
                            ("heatmap with labels", 512, "png"), ("heatmap with labels", 32, "png"),
                            ("heatmap with labels", 32, "svg"), ("heatmap with labels", 32, "pdf")):
        attention = patterns(12, 12, n) if what.startswith("grid") else patterns(1, 1, n)
        draw = (lambda a=attention: grid(a)) if what.startswith("grid") else (lambda a=attention: heatmap(a[0, 0]))
        seconds, size = measure(draw, suffix)
        print(f"| {what} | {n} | {suffix} | {seconds * 1e3:.0f} | {size / 1e3:.0f} |", flush=True)
