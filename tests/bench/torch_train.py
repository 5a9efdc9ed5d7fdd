#!/usr/bin/env python3
"""How many target tokens a second torch trains the shipped model's architecture at: what `attnscope bench train` is measured against.

usage: LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp OMP_NUM_THREADS=2 torch_train.py [--seconds S] [--markdown]

Debian: python3-torch and libopenblas0-openmp. The environment above chooses the OpenMP build of OpenBLAS for this process alone; with the
default pthread build torch's threads and OpenBLAS' fight each other and torch looks two to six times slower than it is.

The model is the one of tests/data/torch/marian.py: d_model 256, 8 heads, ffn 1,024, 3 + 3 layers, vocabulary 6,000, post-norm, dropout 0.1
on embeddings and sublayers, label smoothing 0.1, Adam, clipping. Random ids; the lengths are drawn from those of the corpus; batches of about
2,600 target tokens bucketed by length, so that next to nothing is padding. The best arrangement found is timed: foreach Adam where it is faster,
no masks where no row is padded. Warm-up steps are not counted.
"""
import argparse, os, random, sys, time

import torch

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "torch"))
import marian

SIZE = marian.Size(vocab=6000, d_model=256, heads=8, ffn=1024, layers=3)
EOS, PAD = 0, 5999
BATCH_TOKENS = 2600
# Rows in a hundred thousand of the corpus by source length with tag and </s>, and how much longer the target is (mean and deviation).
LENGTHS = {
    5: 393, 6: 2624, 7: 7469, 8: 11927, 9: 14246, 10: 14337, 11: 12137, 12: 9870, 13: 7330, 14: 5269, 15: 3934, 16: 2691, 17: 2035,
    18: 1430, 19: 1029, 20: 837, 21: 616, 22: 469, 23: 370, 24: 190, 25: 187, 26: 112, 27: 94, 28: 69, 29: 58, 30: 58,
}  # fmt: skip
TARGET_SURPLUS, TARGET_SPREAD = 0.3, 2.8


def draw_rows(n, rng):
    lengths = rng.choices(list(LENGTHS), LENGTHS.values(), k=n)
    rows = []
    for length in lengths:
        target = max(3, round(length + rng.gauss(TARGET_SURPLUS, TARGET_SPREAD)))
        rows.append(([rng.randrange(2, 5997) for _ in range(length - 1)] + [EOS], [rng.randrange(2, 5997) for _ in range(target - 1)] + [EOS]))
    return rows


def make_batches(rows, rng):
    """Rows of like length together, as many as make BATCH_TOKENS target tokens."""
    rows = sorted(rows, key=lambda row: (len(row[1]), len(row[0])))
    batches, batch, tokens = [], [], 0
    for row in rows:
        if tokens + len(row[1]) > BATCH_TOKENS:
            batches.append(batch)
            batch, tokens = [], 0
        batch.append(row)
        tokens += len(row[1])
    rng.shuffle(batches)
    return [(marian.pad_rows([s for s, _ in b], PAD), marian.pad_rows([t for _, t in b], PAD)) for b in batches]


def train_step(weights, optimizer, step, source, writes):
    optimizer.zero_grad(set_to_none=True)
    keep = source != PAD
    logits = marian.forward(weights, SIZE, source, keep, marian.reads_of(writes, PAD), dropout=0.1)
    loss = marian.smoothed_loss(logits, writes, PAD, 0.1)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = marian.learning_rate(step, 1e-3, 1000)
    optimizer.step()
    return float(loss)


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:])
    options.add_argument("--seconds", type=float, default=40, help="how long is timed, after the warm-up")
    options.add_argument("--warm-up", type=int, default=3, help="steps before the clock starts")
    options.add_argument("--markdown", action="store_true", help="print a table row")
    options.add_argument("--foreach", type=int, default=1, help="0: Adam tensor by tensor")
    args = options.parse_args()
    rng = random.Random(1)
    batches = make_batches(draw_rows(60000, rng), rng)
    padded = sum(s.numel() + t.numel() for s, t in batches)
    real = sum(int((s != PAD).sum() + (t != PAD).sum()) for s, t in batches)
    weights = marian.make_weights(SIZE)
    optimizer = torch.optim.Adam(weights.values(), betas=(0.9, 0.98), eps=1e-9, foreach=bool(args.foreach))
    step, tokens, rows, start, first, loss = 0, 0, 0, None, None, None
    while start is None or time.perf_counter() - start < args.seconds:
        if step == args.warm_up:
            start = time.perf_counter()
        source, writes = batches[step % len(batches)]
        step += 1
        loss = train_step(weights, optimizer, step, source, writes)
        first = first or loss
        if start is not None:
            tokens += int((writes != PAD).sum())
            rows += len(writes)
    seconds = time.perf_counter() - start
    blas = sorted({line.split("/")[-2] for line in open("/proc/self/maps") if "libopenblas" in line})
    parameters = sum(w.numel() for w in weights.values())
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {'+'.join(blas) or 'no OpenBLAS'}; {parameters:,} parameters; "
          f"{step - args.warm_up} steps, {rows} rows in {seconds:.1f} s; loss {first:.2f} -> {loss:.2f}; padding {100 - 100 * real / padded:.1f} %",
          file=sys.stderr)
    if args.markdown:
        print("| trainer | target tokens per second |\n|---|---|")
        print(f"| torch {torch.__version__.split('a')[0]}, {torch.get_num_threads()} threads, {'+'.join(blas)} | {tokens / seconds:,.0f} |")
    else:
        print(f"{tokens / seconds:.0f} target tokens/s")


if __name__ == "__main__":
    main()
