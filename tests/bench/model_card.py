#!/usr/bin/env python3
"""Measures a translation model and writes the figures of its model card.

usage: model_card.py --model DIR --dev FILE.tsv[.gz] [--binary build/attnscope] [--write README.md] [--beam N] [--speeds A,B,C,D] [--no-neighbours]

dev: lang <TAB> english <TAB> target, several rows a source allowed (its references). Prints markdown tables: BLEU of French and Finnish, BLEU
by source length and on dev rows joined to 15, 25 and 40 words, sentences per second, the same with N beams (4; 0: without), the lessons'
sentences and what share of their neighbours (neighbours.tsv, which no corpus row may hold) comes out right. --write puts the tables between
the card's two `figures` marks. --speeds: sentences a second as they were measured on a quiet machine, where this one is busy: greedy French and
Finnish, then with beams.
"""
import argparse, collections, gzip, os, re, subprocess, sys, time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from bleu import bleu, interval

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
    def __init__(self, args, beam):
        self.args, self.beam = args, beam

    def __call__(self, lang, sentences):
        command = [self.args.binary, "translate", "--model", self.args.model, "--to", lang]
        command += ["--beam", str(self.beam)] if self.beam else []
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


class Measured:
    """Some sources, and how their translations score."""

    def __init__(self, translate, lang, part):
        start = time.perf_counter()
        self.outputs, self.references = translate(lang, list(part)), list(part.values())
        self.n, self.per_second = len(part), len(part) / (time.perf_counter() - start)
        self.all, self.one = bleu(self.outputs, self.references), one_reference(self.outputs, self.references)

    def references_each(self):
        return sum(map(len, self.references)) / self.n


def length_rows(translate, rows):
    """One list of (bin's name, {lang: Measured})."""
    table = []
    for low, high in BINS:
        name = f"{low} to {high} words" if high < 999 else f"{low} words and more"
        table.append((name, {lang: {s: t for s, t in rows[lang].items() if low <= len(s.split()) <= high} for lang in NAMES}))
    for least in JOINED:
        table.append((f"rows joined to {least} words", {lang: joined(rows[lang], least) for lang in NAMES}))
    return [(name, {lang: Measured(translate, lang, part) for lang, part in parts.items()}) for name, parts in table]


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


def lowest(table):
    """How far the score falls with the length, and how sure that is."""
    lines = ["The lowest bin, held against the shortest one:", ""]
    for lang in NAMES:
        shortest = table[0][1][lang]
        bins = [(part[lang].all / (shortest.all or 1), name, part[lang]) for name, part in table]
        share, name, worst = min(bins, key=lambda each: each[0])
        low, high = interval(worst.outputs, worst.references)
        lines.append(f"- {NAMES[lang]}, {name}: {share:.2f} of it, with one reference {worst.one / (shortest.one or 1):.2f}. {worst.n} sentences: of "
                     f"1,000 random draws 95 in 100 lie between {low:.1f} and {high:.1f}. References a source: {worst.references_each():.1f}, "
                     f"in the shortest bin {shortest.references_each():.1f}.")
    return lines


def search_table(whole, table, beam, speeds):
    """The whole dev set, and by length, with beams."""
    lines = [f"| with `--beam {beam}` | French | one reference | per second | Finnish | one reference | per second |", "|---|---|---|---|---|---|---|"]
    row = lambda name, part, last: f"| {name} | " + " | ".join(f"{part[l].all:.1f} | {part[l].one:.1f} | {last(l)}" for l in NAMES) + " |"
    lines.append(row("dev set", whole, lambda lang: f"{speeds[lang]:.0f}"))
    return lines + [row(name, part, lambda lang: "") for name, part in table]


def measure(translate, rows, speeds):
    whole = {lang: Measured(translate, lang, rows[lang]) for lang in NAMES}
    speeds = speeds or [whole[lang].per_second for lang in NAMES]
    return whole, length_rows(translate, rows), dict(zip(NAMES, speeds))


def report(args):
    translate, rows = Translator(args, 0), load(args.dev)
    whole, table, speeds = measure(translate, rows, args.speeds[:2])
    lines = ["| greedy, dev set | BLEU | sentences | per second |", "|---|---|---|---|"]
    lines += [f"| {NAMES[lang]} | {part.all:.1f} | {part.n} | {speeds[lang]:.0f} |" for lang, part in whole.items()]
    lines += ["", "| BLEU by length of the source | French | one reference | (sentences) | Finnish | one reference | (sentences) |",
              "|---|---|---|---|---|---|---|"]
    for name, part in table:
        lines.append(f"| {name} | " + " | ".join(f"{part[lang].all:.1f} | {part[lang].one:.1f} | {part[lang].n}" for lang in NAMES) + " |")
    lines += [""] + lowest(table)
    if args.beam:
        whole, table, speeds = measure(Translator(args, args.beam), rows, args.speeds[2:])
        lines += [""] + search_table(whole, table, args.beam, speeds)
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


def speeds(text):
    numbers = [float(x) for x in text.split(",")]
    if len(numbers) not in (2, 4):
        raise argparse.ArgumentTypeError("two or four numbers are expected")
    return numbers


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:])
    options.add_argument("--model", required=True)
    options.add_argument("--dev", required=True)
    options.add_argument("--binary", default="build/attnscope")
    options.add_argument("--beam", type=int, default=4)
    options.add_argument("--speeds", type=speeds, default=[])
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
