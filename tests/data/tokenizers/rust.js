// What the Hugging Face tokenizers library (Rust) makes of texts.jsonl, for each folder named.
//
//     npm install tokenizers@0.23 && node rust.js json_*          -> expected.jsonl, offsets in bytes
const fs = require('fs'), path = require('path');
const {Tokenizer} = require('tokenizers');

async function one(folder) {
    const tokenizer = Tokenizer.fromFile(path.join(folder, 'tokenizer.json'));
    const out = [];
    for (const line of fs.readFileSync(path.join(folder, 'texts.jsonl'), 'utf8').split('\n').filter(l => l)) {
        const text = JSON.parse(line).text;
        const at = [0];
        for (const c of text) at.push(at[at.length - 1] + Buffer.byteLength(c));
        const made = await tokenizer.encode(text, null, {addSpecialTokens: true});
        const ids = made.getIds();
        out.push(JSON.stringify({text, ids, offsets: made.getOffsets().map(([a, b]) => [at[a], at[b]]),
                                 decoded: await tokenizer.decode(ids, true)}));
    }
    fs.writeFileSync(path.join(folder, 'expected.jsonl'), out.join('\n') + '\n');
    fs.unlinkSync(path.join(folder, 'texts.jsonl'));
}
(async () => { for (const folder of process.argv.slice(2)) await one(folder); })();
