#!/usr/bin/env python3
"""Checks the project's own sentence pairs.

usage: check.py [extra.tsv [CORPUS.tsv[.gz] ...]]

Every row is `lang TAB english TAB target`, UTF-8 in normal form C, lang fra or fin, no row twice, at most 500 rows, and no
English side within three word changes (inserted, left out or replaced, after lower-casing and taking punctuation away) of
one of the lessons' sentences: those must be translated by generalising. Corpora given after it must not hold a row's
English side already (a note only). Standard library only; exit 1 on a breach.
"""
import gzip, os, re, sys, unicodedata

LESSONS = ("Tourists visit Finland to watch Northern lights.", "The cat is on the mat.", "She loves cats.")
MOST_ROWS, NEAR = 500, 3


def words(text):
    return re.findall(r"\w+", text.lower().replace("'", ""))


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for k, y in enumerate(b, 1):
            diagonal, row[k] = row[k], min(row[k] + 1, row[k - 1] + 1, diagonal + (x != y))
    return row[-1]


def check_row(number, line):
    parts = line.split("\t")
    if len(parts) != 3 or parts[0] not in ("fra", "fin"):
        return [f"row {number}: expected fra or fin, English, target with a tab between"]
    faults = []
    for text in parts[1:]:
        if text != text.strip() or not text or "  " in text:
            faults.append(f"row {number}: blank or stray spaces: {text!r}")
        if text != unicodedata.normalize("NFC", text):
            faults.append(f"row {number}: not in normal form C: {text!r}")
        if "\u00a0" in text or "\u202f" in text:
            faults.append(f"row {number}: a non-breaking space: {text!r}")
    for lesson in LESSONS:
        d = distance(words(parts[1]), words(lesson))
        if d <= NEAR:
            faults.append(f"row {number}: {parts[1]!r} is {d} word(s) from the lesson sentence {lesson!r}")
    return faults


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "extra.tsv")
    with open(path, encoding="utf8", newline="\n") as f:
        lines = f.read().split("\n")
    faults = [] if lines[-1] == "" else ["the last line has no end"]
    lines = lines[:-1] if lines[-1] == "" else lines
    if len(lines) > MOST_ROWS:
        faults.append(f"{len(lines)} rows, at most {MOST_ROWS}")
    if len(set(lines)) < len(lines):
        faults.append("a row stands twice")
    for number, line in enumerate(lines, 1):
        faults += check_row(number, line)
    for fault in faults:
        print(f"{path}: {fault}", file=sys.stderr)
    ours = {tuple(line.split("\t")[:2]) for line in lines}
    for corpus in sys.argv[2:]:
        opener = gzip.open if corpus.endswith(".gz") else open
        with opener(corpus, "rt", encoding="utf8") as f:
            theirs = {tuple(line.split("\t")[:2]) for line in f}
        for lang, english in sorted(ours & theirs):
            print(f"note: {corpus} has it already: {lang} {english}", file=sys.stderr)
    count = {lang: sum(line.startswith(lang + "\t") for line in lines) for lang in ("fin", "fra")}
    print(f"{len(lines)} rows: {count['fin']} Finnish, {count['fra']} French; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
