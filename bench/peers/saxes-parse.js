// node saxes-parse.js IN.xml: saxes with namespaces, parse only; it counts tags and characters and writes nothing.
import { createReadStream } from 'node:fs';
import { SaxesParser } from 'saxes';

let tags = 0;
let characters = 0;
const parser = new SaxesParser({ xmlns: true });
parser.on('error', (error) => {
  throw error;
});
parser.on('opentag', () => {
  tags++;
});
parser.on('text', (text) => {
  characters += text.length;
});
for await (const piece of createReadStream(process.argv[2], { encoding: 'utf8', highWaterMark: 1 << 18 })) parser.write(piece);
parser.close();
process.stdout.write(`${JSON.stringify({ tags, characters })}\n`);
