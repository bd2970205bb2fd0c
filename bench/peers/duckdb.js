// node duckdb.js IN.csv OUT_DIR [--without-mod97]: one SQL pass into a table, then COPY per output, two threads.
import { mkdirSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [input, folder, option] = process.argv.slice(2);
const withoutMod97 = option === '--without-mod97';
mkdirSync(folder, { recursive: true });
const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
const connection = await instance.connect();
const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const asDigits = (text) => letters.reduce((inner, letter, index) => `replace(${inner}, '${letter}', '${10 + index}')`, text);
const shape = (column) => `regexp_full_match(${column}, '[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}')`;
const length = (column) =>
  `CASE substr(${column}, 1, 2) WHEN 'DE' THEN 22 WHEN 'FR' THEN 27 WHEN 'GB' THEN 22 WHEN 'NL' THEN 18 WHEN 'ES' THEN 24 WHEN 'CH' THEN 21 ELSE 0 END`;
const mod97 = (column) => {
  const digits = asDigits(`substr(${column}, 5) || substr(${column}, 1, 4)`);
  return `((((substr(${digits}, 1, 30)::HUGEINT % 97)::VARCHAR || substr(${digits}, 31))::HUGEINT) % 97)`;
};
const isIban = (column) =>
  withoutMod97
    ? shape(column)
    : `(CASE WHEN ${shape(column)} AND length(${column}) = ${length(column)} THEN ${mod97(column)} = 1 ELSE false END)`;
await connection.run(`CREATE TEMP TABLE payments AS SELECT row_number() OVER () AS record, *, CASE
  WHEN NOT regexp_full_match(id, 'P[0-9]{9}') THEN 1
  WHEN NOT regexp_full_match(valueDate, '[0-9]{4}-[0-9]{2}-[0-9]{2}') OR try_cast(valueDate AS DATE) IS NULL THEN 2
  WHEN NOT ${isIban('debtorIban')} THEN 3
  WHEN NOT ${isIban('creditorIban')} THEN 4
  WHEN NOT regexp_full_match(amount, '[0-9]{1,12}([.][0-9]{1,2})?') THEN 5
  WHEN currency NOT IN ('EUR', 'USD', 'GBP', 'CHF', 'SEK') THEN 6
  WHEN country NOT IN ('DE', 'FR', 'NL', 'ES', 'GB', 'CH') THEN 7
  WHEN channel NOT IN ('SEPA', 'SWIFT', 'INST', 'CARD') THEN 8
  WHEN name IS NULL OR length(name) = 0 OR length(name) > 70 THEN 9
  WHEN NOT regexp_full_match(reference, '[A-Z0-9-]{1,35}') THEN 10
  WHEN channel = 'SEPA' AND currency <> 'EUR' THEN 11
  ELSE 0 END AS failure
  FROM read_csv('${input}', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')`);
const columns = `id AS paymentId, replace(valueDate, '-', '') AS date,
  substr(debtorIban, 1, 4) || repeat('*', length(debtorIban) - 8) || right(debtorIban, 4) AS debtor, creditorIban AS creditor,
  (amount::DECIMAL(18, 2) * 100)::BIGINT AS amountMinor, currency, country, channel, upper(name) AS beneficiary, reference,
  CASE WHEN amount::DECIMAL(18, 2) >= 10000 THEN 'HIGH' ELSE 'LOW' END AS band`;
const targets = { eu: "country IN ('DE', 'FR', 'NL', 'ES')", uk: "country = 'GB'", ch: "country = 'CH'" };
for (const [target, where] of Object.entries(targets))
  await connection.run(
    `COPY (SELECT ${columns} FROM payments WHERE failure = 0 AND ${where}) TO '${folder}/${target}.ndjson' (FORMAT JSON)`,
  );
await connection.run(
  `COPY (SELECT record, failure, id, valueDate, debtorIban, creditorIban, amount, name FROM payments WHERE failure <> 0) TO '${folder}/rejected.ndjson' (FORMAT JSON)`,
);
await connection.run(`COPY (SELECT record, id, failure FROM payments) TO '${folder}/outcomes.csv'`);
