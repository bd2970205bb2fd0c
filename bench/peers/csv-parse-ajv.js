// node csv-parse-ajv.js IN.csv OUT_DIR: streaming csv-parse into a compiled ajv schema, one JSON.stringify a record.
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import Ajv from 'ajv';
import { parse } from 'csv-parse';
import { channels, currencies, isDate, isIban, targetOf, transform } from './payment-rules.js';

const [input, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const ajv = new Ajv({ allErrors: false });
ajv.addFormat('iban', isIban);
ajv.addFormat('real-date', isDate);
const properties = {
  id: { type: 'string', pattern: '^P[0-9]{9}$' },
  valueDate: { type: 'string', format: 'real-date' },
  debtorIban: { type: 'string', format: 'iban' },
  creditorIban: { type: 'string', format: 'iban' },
  amount: { type: 'string', pattern: '^[0-9]{1,12}(\\.[0-9]{1,2})?$' },
  currency: { enum: [...currencies] },
  country: { enum: Object.keys(targetOf) },
  channel: { enum: [...channels] },
  name: { type: 'string', minLength: 1, maxLength: 70 },
  reference: { type: 'string', pattern: '^[A-Z0-9-]{1,35}$' },
};
const validate = ajv.compile({
  type: 'object',
  required: Object.keys(properties),
  properties,
  anyOf: [{ properties: { channel: { not: { const: 'SEPA' } } } }, { properties: { currency: { const: 'EUR' } } }],
});
const streams = Object.fromEntries(
  ['eu', 'uk', 'ch', 'rejected', 'outcomes'].map((name) => [name, createWriteStream(`${folder}/${name}.ndjson`)]),
);
const write = (stream, text) => (stream.write(text) ? undefined : new Promise((resolve) => stream.once('drain', resolve)));
let record = 0;
for await (const row of createReadStream(input).pipe(parse({ columns: true }))) {
  record++;
  if (validate(row)) {
    const target = targetOf[row.country];
    await write(
      streams[target],
      `${JSON.stringify(transform(row.id, row.valueDate, row.debtorIban, row.creditorIban, row.amount, row.currency, row.country, row.channel, row.name, row.reference))}\n`,
    );
    await write(streams.outcomes, `${JSON.stringify({ record, id: row.id, status: 'valid', target })}\n`);
  } else {
    const [error] = validate.errors;
    const reason = `${error.instancePath} ${error.keyword}`;
    await write(streams.rejected, `${JSON.stringify({ record, reason, raw: row })}\n`);
    await write(streams.outcomes, `${JSON.stringify({ record, id: row.id, status: 'rejected', reason })}\n`);
  }
}
await Promise.all(Object.values(streams).map((stream) => new Promise((resolve) => stream.end(resolve))));
