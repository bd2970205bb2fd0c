/**
 * The payments as an ACH file of PPD credits with one addenda 05 each, which has reference and information: an entry of 188
 * bytes for each payment. Accounts are the last 17 characters of the creditor's IBAN. Amounts are the cents of the payment
 * below 500 dollars, so that ten million entries fit into the totals of twelve digits. 1% have a wrong check digit of the
 * routing number. Source: Nacha Operating Rules, Appendix Three (ACH record format specifications).
 */
import { BufferedFile } from '../buffered-file.ts';
import { asciiText, type Payment, type PaymentsOptions, payments, unknownCountry } from '../payments-data.ts';

const batchEntries = 10_000;
const centsEnd = 50_000n;
const originator = '12104288';
const hashEnd = 10_000_000_000n;

export function writeAch(path: string, options: PaymentsOptions): void {
  const file = new BufferedFile(path);
  const all = { batches: 0, lines: 2, entries: 0, hash: 0n, cents: 0n };
  let batch = { entries: 0, hash: 0n, cents: 0n };
  const closeBatch = () => {
    file.write(
      `8220${digits(batch.entries * 2, 6)}${digits(batch.hash % hashEnd, 10)}${digits(0, 12)}${digits(batch.cents, 12)}${'1234567890'.padEnd(35)}${originator}${digits(all.batches, 7)}\n`,
    );
    all.hash += batch.hash;
    all.cents += batch.cents;
    batch = { entries: 0, hash: 0n, cents: 0n };
  };
  file.write(`101 031300012 2313801042608161055A094101${'Federal Reserve Bank'.padEnd(23)}${'Bench'.padEnd(31)}\n`);
  for (const payment of payments({ ...options, faults: ['country'] })) {
    if (batch.entries === batchEntries) closeBatch();
    if (batch.entries === 0) {
      all.batches++;
      all.lines += 2;
      file.write(
        `5220${'Bench'.padEnd(36)}1234567890PPD${'PAYMENT'.padEnd(16)}260816${' '.repeat(3)}1${originator}${digits(all.batches, 7)}\n`,
      );
    }
    const cents = BigInt(payment.amount.replace('.', '')) % centsEnd;
    const routing = routingOf(payment);
    batch.entries++;
    batch.hash += BigInt(routing.slice(0, 8));
    batch.cents += cents;
    file.write(entryLines(payment, { routing, cents, number: batch.entries }));
    all.entries++;
    all.lines += 2;
  }
  closeBatch();
  const blocks = Math.ceil(all.lines / 10);
  file.write(
    `9${digits(all.batches, 6)}${digits(blocks, 6)}${digits(all.entries * 2, 8)}${digits(all.hash % hashEnd, 10)}${digits(0, 12)}${digits(all.cents, 12)}${' '.repeat(39)}\n`,
  );
  for (let line = all.lines; line < blocks * 10; line++) file.write(`${'9'.repeat(94)}\n`);
  file.close();
}

interface Entry {
  readonly routing: string;
  readonly cents: bigint;
  readonly number: number;
}

function entryLines(payment: Payment, { routing, cents, number }: Entry): string {
  const name = asciiText(payment.name).padEnd(22).slice(0, 22);
  const addenda = asciiText(`${payment.reference} ${payment.info}`).padEnd(80).slice(0, 80);
  return `622${routing}${payment.creditorIban.slice(-17).padEnd(17)}${digits(cents, 10)}${payment.id.padEnd(15)}${name}  1${originator}${digits(number, 7)}
705${addenda}0001${digits(number, 7)}
`;
}

/** Eight digits of the creditor's account behind those of a district, and the check digit: a wrong one where the payment is. */
function routingOf({ creditorIban }: Payment): string {
  const district = 1 + (creditorIban.charCodeAt(2) % 12);
  const account = creditorIban.slice(-6).replace(/\D/g, '0');
  const text = `${digits(district, 2)}${account}`;
  const weights = [3, 7, 1, 3, 7, 1, 3, 7];
  const sum = weights.reduce((total, weight, index) => total + weight * Number(text[index]), 0);
  const isWrong = creditorIban.startsWith(unknownCountry);
  return `${text}${(10 - (sum % 10) + (isWrong ? 1 : 0)) % 10}`;
}

function digits(value: number | bigint, length: number): string {
  return String(value).padStart(length, '0');
}
