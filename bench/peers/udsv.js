// node udsv.js IN.csv OUT_DIR: udsv's fastest string parser, hand-written checks, batched writes.
import { createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import { inferSchema, initParser } from 'udsv';
import { check, reasons, targetOf, transform } from './payment-rules.js';

const [input, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const names = ['eu', 'uk', 'ch', 'rejected', 'outcomes'];
const files = Object.fromEntries(names.map((name) => [name, openSync(`${folder}/${name}.ndjson`, 'w')]));
const pending = Object.fromEntries(names.map((name) => [name, '']));
const put = (name, text) => {
  pending[name] += text;
  if (pending[name].length > 1 << 20) {
    writeSync(files[name], pending[name]);
    pending[name] = '';
  }
};
let record = 0;
const take = (row) => {
  record++;
  const [id, valueDate, debtorIban, creditorIban, amount, currency, country, channel, name, reference] = row;
  const failure = check(id, valueDate, debtorIban, creditorIban, amount, currency, country, channel, name, reference);
  if (failure === 0) {
    const target = targetOf[country];
    put(
      target,
      `${JSON.stringify(transform(id, valueDate, debtorIban, creditorIban, amount, currency, country, channel, name, reference))}\n`,
    );
    put('outcomes', `${record},${id},0,${target}\n`);
  } else {
    put('rejected', `{"record":${record},"reason":"${reasons[failure]}","raw":${JSON.stringify(row.join(','))}}\n`);
    put('outcomes', `${record},${id},${failure},\n`);
  }
};
let parser = null;
for await (const piece of createReadStream(input, { encoding: 'utf8', highWaterMark: 1 << 18 })) {
  parser ??= initParser(inferSchema(piece));
  parser.chunk(piece, parser.stringArrs, take);
}
parser?.end();
for (const name of names) writeSync(files[name], pending[name]);
