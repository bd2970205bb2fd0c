/**
 * Makes the bench's payments file: seeded, about 150 bytes a row, 1% invalid in eight ways, some names quoted or not ASCII.
 * The same rows as CSV, NDJSON or fixed width; other formats write what `payments` yields.
 */
import { seededNumbers } from '../src/main/demo/demo-files.ts';
import { BufferedFile } from './buffered-file.ts';

export type PaymentsFormat = 'csv' | 'ndjson' | 'fixed-width';

const countries = ['DE', 'FR', 'GB', 'NL', 'ES', 'CH'] as const;
const firstNames = ['Anna', 'Jan', 'Pierre', 'Maria', 'John', 'Klaus', 'Sophie', 'Peter', 'Lucia', 'Tom'];
const lastNames = ['Schmidt', 'Dubois', 'Garcia', 'Jansen', 'Smith', 'Keller', 'Martin', 'Brown', 'Lopez', 'Weber'];
const accentedNames = ['Müller', 'Gómez', 'Lefèvre'];

export interface Payment {
  id: string;
  valueDate: string;
  debtorIban: string;
  creditorIban: string;
  amount: string;
  currency: string;
  country: string;
  channel: string;
  name: string;
  reference: string;
  info: string;
}

/** Of the IBAN of a creditor that is invalid. */
export const unknownCountry = 'XX';

/** Bytes per column of the fixed-width form, in the order of the CSV's columns. */
export const fixedWidths = [10, 10, 30, 30, 15, 3, 2, 5, 40, 35, 40] as const;

const allFaults = ['check-digit', 'country', 'amount', 'date', 'currency', 'reference', 'id', 'name'] as const;
type PaymentFault = (typeof allFaults)[number];

export interface PaymentsOptions {
  readonly rows: number;
  readonly seed?: number;
  /** After so many payments the first come again, with other ids: made once, they cost a big file nothing more. */
  readonly distinct?: number;
  /** In which ways payments are invalid; all of them unless said. */
  readonly faults?: readonly PaymentFault[];
}

export function* payments({ rows, seed = 1, distinct = rows, faults = allFaults }: PaymentsOptions): Generator<Payment> {
  const draw = seededNumbers(seed);
  const kept: Payment[] = [];
  for (let index = 0; index < rows; index++) {
    if (index >= distinct) {
      const again = kept[index % distinct];
      yield { ...again, id: again.id[0] + idDigits(index) };
      continue;
    }
    const payment = makePayment(index, draw.below, faults);
    if (distinct < rows) kept.push(payment);
    yield payment;
  }
}

export function writePayments(path: string, options: PaymentsOptions & { readonly format: PaymentsFormat }): void {
  const file = new BufferedFile(path);
  if (options.format === 'csv') file.write('id,valueDate,debtorIban,creditorIban,amount,currency,country,channel,name,reference,info\n');
  for (const payment of payments(options)) file.write(print(payment, options.format));
  file.close();
}

/** In the letters that files of ASCII have. */
export function asciiText(value: string): string {
  return value.normalize('NFD').replace(/[^\x20-\x7e]/g, '');
}

const idDigits = (index: number) => String(index).padStart(9, '0');

function makePayment(index: number, below: (limit: number) => number, faults: readonly PaymentFault[]): Payment {
  const digits = (count: number) => Array.from({ length: count }, () => below(10)).join('');
  const letters = (count: number) => Array.from({ length: count }, () => String.fromCharCode(65 + below(26))).join('');
  const country = countries[below(6)];
  const channel = ['SEPA', 'SWIFT', 'INST', 'CARD'][below(4)];
  const family = below(50) === 0 ? accentedNames[below(3)] : lastNames[below(10)];
  const given = firstNames[below(10)];
  const style = below(1000);
  const payment: Payment = {
    id: `P${idDigits(index)}`,
    valueDate: `2026-${String(1 + below(12)).padStart(2, '0')}-${String(1 + below(28)).padStart(2, '0')}`,
    debtorIban: makeIban(country, digits, letters),
    creditorIban: makeIban(countries[below(6)], digits, letters),
    amount: `${below(4) === 0 ? below(100_000) : below(5_000)}.${String(1 + below(99)).padStart(2, '0')}`,
    currency: channel === 'SEPA' || channel === 'INST' ? 'EUR' : ['EUR', 'USD', 'GBP', 'CHF', 'SEK'][below(5)],
    country,
    channel,
    name: style === 999 ? 'Acme "Gold" Ltd' : style >= 950 ? `${family}, ${given}` : `${given} ${family}`,
    reference: `INV-2026-${digits(8)}`,
    info: `Invoice ${digits(6)} services rendered`,
  };
  if (below(100) === 0) spoil(payment, faults[below(faults.length)]);
  return payment;
}

function spoil(payment: Payment, fault: PaymentFault): void {
  const last = payment.debtorIban.at(-1)!;
  if (fault === 'check-digit') payment.debtorIban = payment.debtorIban.slice(0, -1) + (9 - Number(last));
  else if (fault === 'country') payment.creditorIban = `${unknownCountry}00${payment.creditorIban.slice(4)}`;
  else if (fault === 'amount') payment.amount = '125x';
  else if (fault === 'date') payment.valueDate = '2026-02-30';
  else if (fault === 'currency') payment.currency = 'XYZ';
  else if (fault === 'reference') payment.reference = 'bad ref!';
  else if (fault === 'id') payment.id = `X${payment.id.slice(1)}`;
  else payment.name = '';
}

function makeIban(country: string, digits: (count: number) => string, letters: (count: number) => string): string {
  const account = {
    DE: () => digits(18),
    FR: () => digits(10) + letters(1) + digits(12),
    GB: () => letters(4) + digits(14),
    NL: () => letters(4) + digits(10),
    ES: () => digits(20),
    CH: () => digits(17),
  }[country as (typeof countries)[number]]();
  let remainder = 0;
  for (const character of `${account}${country}00`) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return `${country}${String(98 - remainder).padStart(2, '0')}${account}`;
}

function print(payment: Payment, format: PaymentsFormat): string {
  const values = Object.values(payment) as string[];
  if (format === 'ndjson') return `${JSON.stringify(payment)}\n`;
  if (format === 'csv') return `${values.map((value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\n`;
  return `${values
    .map((value, index) => {
      const text = asciiText(value);
      return index === 4 ? text.padStart(fixedWidths[index]) : text.padEnd(fixedWidths[index]).slice(0, fixedWidths[index]);
    })
    .join('')}\n`;
}
