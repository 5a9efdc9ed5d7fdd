"""Corpus BLEU-4 (Papineni et al. 2002): words and punctuation are tokens, case kept, all references of a source, brevity penalty
against the closest one, no smoothing.

    bleu(["Le chat dort ."], [["Le chat dort.", "Le chat est endormi."]])  -> 100.0
"""
import collections, math, random, re


def tokens(text):
    return re.findall(r"\w+|[^\w\s]", text)


def grams(words, n):
    return collections.Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def counts(translation, references):
    """What one sentence adds: [hits of 1..4 grams, their totals, its length, the closest reference's]."""
    translation, several = tokens(translation), [tokens(r) for r in references]
    closest = min((abs(len(r) - len(translation)), len(r)) for r in several)[1]
    hits, totals = [], []
    for n in range(1, 5):
        most = collections.Counter()
        for r in several:
            most |= grams(r, n)
        ours = grams(translation, n)
        hits.append(sum((ours & most).values()))
        totals.append(sum(ours.values()))
    return hits + totals + [len(translation), closest]


def score(rows):
    """BLEU of the sentences that these counts come from."""
    sums = [sum(column) for column in zip(*rows)]
    hits, totals, length, reference_length = sums[:4], sums[4:8], sums[8], sums[9]
    if 0 in hits:
        return 0.0
    return 100 * math.exp(sum(math.log(h / t) for h, t in zip(hits, totals)) / 4 + min(0.0, 1 - reference_length / length))


def bleu(translations, references):
    return score([counts(t, several) for t, several in zip(translations, references)])


def interval(translations, references, draws=1000):
    """Between which two scores 95 of 100 lie when as many sentences are drawn from these, with repetition."""
    rows, chance = [counts(t, several) for t, several in zip(translations, references)], random.Random(1)
    scores = sorted(score(chance.choices(rows, k=len(rows))) for _ in range(draws))
    return scores[draws * 25 // 1000], scores[draws * 975 // 1000 - 1]
