#!/bin/sh
# Draws the pictures of docs with the shipped model; run in the root of the sources after `make`.
set -eu
attnscope=${ATTNSCOPE:-build/attnscope}
out=${1:-docs/figures}
figure() { "$attnscope" figure "$@"; }
tourists='Tourists visit Finland to watch Northern lights.'
cat='The cat is on the mat.'

figure heatmap --text "$tourists" --to fin --cross --layer 2 -o "$out/heatmap.svg"
figure cross --text "$cat" --to fra -o "$out/cross.svg"
figure model --text "$tourists" --to fin --cross --statistic entropy -o "$out/model.png"
figure head --text "$cat" --to fra --encoder --layer 0 --head 0-2 --hide-special -o "$out/head.svg"
figure arcs --text 'She loves cats, but they do not love her.' --to fra --encoder --layer 1 --head 2 --hide-special \
  -o "$out/arcs.svg"
figure sentence --text "$tourists" --to fin --token 2 --numbers -o "$out/sentence.svg"
figure neuron --text "$cat" --to fra --encoder --layer 0 --head 0 --token cat -o "$out/neuron.svg"
figure steps --text 'She loves cats.' --to fra --decoder --layer 0 --head 0 -o "$out/steps.svg"
figure positions -o "$out/positions.svg"
figure position-map --n-positions 64 --dpi 96 -o "$out/position-map.png"
figure position-similarity -o "$out/position-similarity.svg"
figure mask --text "$cat" --to fra -o "$out/mask.svg"
figure blocks --box decoder.1.cross_attn -o "$out/blocks.svg"
figure difference --text "$cat" --to fra --ablate decoder.1.cross_attn --cross --layer 2 -o "$out/difference.svg"
figure cross --from docs/figures/arabic.json --orientation horizontal --layer 0 --head 0 -o "$out/arabic.svg"
figure patches --model tests/data/golden/deit --image docs/figures/disc.png --dpi 96 -o "$out/patches.png"
figure audio --model tests/data/golden/whisper --audio docs/figures/sweep.wav --dpi 96 -o "$out/audio.png"

# The README's pictures; those of the window need a display (xvfb-run).
[ "$out" = docs/figures ] || exit 0
figure cross --text "$tourists" --to fin -o docs/images/finland.png
[ -n "${DISPLAY:-}" ] || exit 0
for name in cross heads ablated; do
    "$attnscope" window --fresh --session "docs/screenshots/$name.json" --size 1440x900 \
        --screenshot "docs/screenshots/$name.png"
done
