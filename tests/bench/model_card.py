#!/usr/bin/env python3
"""Measures a translation model and writes the figures of its model card.

usage: model_card.py --model DIR --dev FILE.tsv[.gz] [--binary build/attnscope] [--write README.md] [--beam N] [--no-neighbours]

dev: lang <TAB> english <TAB> target, several rows a source allowed (its references). Prints markdown tables: BLEU of French and Finnish, BLEU
by source length and on dev rows joined to 15, 25 and 40 words, sentences per second, the lessons' sentences and what share of their neighbours
(neighbours.tsv, which no corpus row may hold) comes out right. --write puts the tables between the card's two `figures` marks.
"""
import argparse, collections, gzip, os, re, subprocess, sys, time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from bleu import bleu

NAMES = {"fra": "French", "fin": "Finnish"}
BINS = ((1, 5), (6, 8), (9, 999))
JOINED = (15, 25, 40)
LESSONS = (
    ("fin", "Tourists visit Finland to watch Northern lights."),
    ("fra", "The cat is on the mat."),
    ("fra", "She loves cats."),
)
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


class Translator:
    def __init__(self, args):
        self.args = args

    def __call__(self, lang, sentences):
        command = [self.args.binary, "translate", "--model", self.args.model, "--to", lang]
        command += ["--beam", str(self.args.beam)] if self.args.beam else []
        done = subprocess.run(command, input="".join(s + "\n" for s in sentences).encode(), stdout=subprocess.PIPE)
        lines = done.stdout.decode().split("\n")[:-1]
        if done.returncode or len(lines) != len(sentences):
            sys.exit(f"model_card: {' '.join(command)}: exit {done.returncode}, {len(lines)} lines for {len(sentences)}")
        return lines


def load(path):
    """{lang: {source: [target, ...]}}, in the order of the file."""
    rows = collections.defaultdict(dict)
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf8", newline="\n") as f:
        for line in f:
            lang, source, target = line.rstrip("\n").split("\t")
            rows[lang].setdefault(source, []).append(target)
    return rows


def joined(references, least_words):
    """Rows one after the other until the source has that many words; the k-th reference is made of the k-th ones of its parts."""
    out, parts = {}, []
    for source, targets in references.items():
        parts.append((source, targets))
        if sum(len(s.split()) for s, _ in parts) >= least_words:
            most = max(len(t) for _, t in parts)
            text = " ".join(s for s, _ in parts)
            out[text] = [" ".join(t[min(k, len(t) - 1)] for _, t in parts) for k in range(most)]
            parts = []
    return out


def one_reference(outputs, references):
    """Sources have one to many references, short ones more of them, and BLEU rises with each: here every source is held against
    a single one, the mean of four such choices."""
    return sum(bleu(outputs, [[several[k % len(several)]] for several in references]) for k in range(4)) / 4


def measured(translate, lang, part):
    """(BLEU against all references, against one each, sentences)."""
    outputs, references = translate(lang, list(part)), list(part.values())
    return bleu(outputs, references), one_reference(outputs, references), len(part)


def length_rows(translate, rows):
    """One list of (bin's name, {lang: measured})."""
    table = []
    for low, high in BINS:
        name = f"{low} to {high} words" if high < 999 else f"{low} words and more"
        table.append((name, {lang: {s: t for s, t in rows[lang].items() if low <= len(s.split()) <= high} for lang in NAMES}))
    for least in JOINED:
        table.append((f"rows joined to {least} words", {lang: joined(rows[lang], least) for lang in NAMES}))
    return [(name, {lang: measured(translate, lang, part) for lang, part in parts.items()}) for name, parts in table]


def matches(patterns, text):
    return all(re.search(p.strip(), text, re.IGNORECASE) for p in patterns.split(" & "))


def neighbour_rows(translate):
    cases = [line.rstrip("\n").split("\t") for line in open(os.path.join(HERE, "neighbours.tsv"), encoding="utf8")]
    result = {}
    for lang in NAMES:
        ours = [(english, patterns) for l, english, patterns in cases if l == lang]
        outputs = translate(lang, [english for english, _ in ours])
        wrong = [(english, out) for (english, patterns), out in zip(ours, outputs) if not matches(patterns, out)]
        result[lang] = (len(ours), wrong)
    return result


def report(args):
    translate, rows = Translator(args), load(args.dev)
    lines, whole = [], {}
    for lang in NAMES:
        start = time.perf_counter()
        outputs = translate(lang, list(rows[lang]))
        seconds = time.perf_counter() - start
        whole[lang] = (bleu(outputs, list(rows[lang].values())), len(outputs), len(outputs) / seconds)
    search = f"beam {args.beam}" if args.beam else "greedy"
    lines += [f"| {search}, dev set | BLEU | sentences | per second |", "|---|---|---|---|"]
    lines += [f"| {NAMES[lang]} | {score:.1f} | {n} | {speed:.0f} |" for lang, (score, n, speed) in whole.items()]
    lines += ["", "| BLEU by length of the source | French | one reference | (sentences) | Finnish | one reference | (sentences) |",
              "|---|---|---|---|---|---|---|"]
    table = length_rows(translate, rows)
    for name, by_lang in table:
        lines.append(f"| {name} | " + " | ".join(f"{score:.1f} | {one:.1f} | {n}" for score, one, n in map(by_lang.get, NAMES)) + " |")
    for lang in NAMES:
        for i, what in enumerate(("all references", "one reference")):
            shortest = table[0][1][lang][i] or 1
            least, name = min((by_lang[lang][i] / shortest, name) for name, by_lang in table)
            print(f"{NAMES[lang]}, {what}: lowest bin is {least:.2f} of the shortest ({name})", file=sys.stderr)
    lines += ["", "| a lesson's sentence, never trained on | translation |", "|---|---|"]
    lines += [f"| {text} | {translate(lang, [text])[0]} |" for lang, text in LESSONS]
    if not args.no_neighbours:
        lines += ["", "Neighbours of the lessons' sentences (other places, animals, verbs; none in the training text) translated as expected: "]
        result = neighbour_rows(translate)
        lines[-1] += ", ".join(f"{NAMES[lang]} {n - len(wrong)} of {n}" for lang, (n, wrong) in result.items()) + "."
        for lang, (_, wrong) in result.items():
            for english, out in wrong:
                print(f"{lang}: {english} -> {out}", file=sys.stderr)
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:])
    options.add_argument("--model", required=True)
    options.add_argument("--dev", required=True)
    options.add_argument("--binary", default="build/attnscope")
    options.add_argument("--beam", type=int, default=0)
    options.add_argument("--write", metavar="README.md")
    options.add_argument("--no-neighbours", action="store_true")
    args = options.parse_args()
    text = report(args)
    print(text)
    if args.write:
        card = open(args.write, encoding="utf8").read()
        if BEGIN not in card or END not in card:
            sys.exit(f"model_card: {args.write}: the marks {BEGIN} and {END} are missing")
        head, rest = card.split(BEGIN, 1)
        card = head + BEGIN + "\n" + text + "\n" + END + rest.split(END, 1)[1]
        with open(args.write + ".tmp", "w", encoding="utf8") as f:
            f.write(card)
        os.replace(args.write + ".tmp", args.write)


if __name__ == "__main__":
    main()
