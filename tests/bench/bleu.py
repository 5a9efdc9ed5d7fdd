"""Corpus BLEU-4 (Papineni et al. 2002): words and punctuation are tokens, case kept, all references of a source, brevity penalty
against the closest one, no smoothing.

    bleu(["Le chat dort ."], [["Le chat dort.", "Le chat est endormi."]])  -> 100.0
"""
import collections, math, re


def tokens(text):
    return re.findall(r"\w+|[^\w\s]", text)


def grams(words, n):
    return collections.Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(translations, references):
    hits, totals, length, reference_length = [0] * 4, [0] * 4, 0, 0
    for translation, several in zip(translations, references):
        translation, several = tokens(translation), [tokens(r) for r in several]
        length += len(translation)
        reference_length += min((abs(len(r) - len(translation)), len(r)) for r in several)[1]
        for n in range(1, 5):
            most = collections.Counter()
            for r in several:
                most |= grams(r, n)
            ours = grams(translation, n)
            hits[n - 1] += sum((ours & most).values())
            totals[n - 1] += sum(ours.values())
    if 0 in hits:
        return 0.0
    return 100 * math.exp(sum(math.log(h / t) for h, t in zip(hits, totals)) / 4 + min(0.0, 1 - reference_length / length))
