/**
 * The files of the demo: a seeded EFT file of fixed-width records (header, details, trailer with true totals, about 1%
 * faulty), a CSV of card settlements and NDJSON invoices. The same seed gives the same bytes.
 */
export interface SeededNumbers {
  /** Whole number in [0, below). */
  below(limit: number): number;
}

/** Small, fast and good enough for test data (mulberry32). */
export function seededNumbers(seed: number): SeededNumbers {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
    },
  };
}

const bankCodes = ['ABSAZAJJ', 'FIRNZAJJ', 'NEDSZAJJ', 'SBZAZAJJ', 'CABLZAJJ'];
const currencies = ['ZAR', 'ZAR', 'ZAR', 'ZAR', 'ZAR', 'ZAR', 'ZAR', 'ZAR', 'USD', 'EUR'];

/** A header, `records` details (one in a hundred faulty in one of five ways), and a trailer whose count and total are those of the details. */
export function* eftFile(seed: number, records: number): Generator<string> {
  const numbers = seededNumbers(seed);
  yield `H20261124${'BANKZA'.padEnd(20)}\n`;
  let total = 0n;
  for (let index = 1; index <= records; index++) {
    const cents = BigInt(numbers.below(20) === 0 ? 500_000_000 + numbers.below(100_000_000) : 100 + numbers.below(5_000_000));
    let paymentId = `PAY${String(index).padStart(13, '0')}`;
    let accountNo = String(10_000_000_000 + numbers.below(1_000_000_000) * 9).slice(0, 11);
    let bank = bankCodes[numbers.below(bankCodes.length)].padEnd(11);
    let currency = currencies[numbers.below(currencies.length)];
    let valueDate = `202611${String(1 + numbers.below(28)).padStart(2, '0')}`;
    if (numbers.below(100) === 0) {
      switch (numbers.below(5)) {
        case 0:
          accountNo = `${accountNo.slice(0, 8)}X${accountNo.slice(9)}`;
          break;
        case 1:
          bank = '12345678   ';
          break;
        case 2:
          currency = 'ZZZ';
          break;
        case 3:
          valueDate = '20260230';
          break;
        default:
          paymentId = ' '.repeat(16);
      }
    }
    total += cents;
    yield `D${paymentId}${accountNo}${bank}${String(cents).padStart(15, '0')}${currency}${valueDate}\n`;
  }
  yield `T${String(records).padStart(9, '0')}${String(total).padStart(18, '0')}\n`;
}

const merchants = ['Blue Heron Books', 'Café Órbita', '"Golden" Hardware, Ltd', 'North Pier Fish', 'Zürich Optik'];

/** Card settlements with quotes, commas and non-ASCII names; one in fifty has a bad amount or currency. */
export function* cardsFile(seed: number, records: number): Generator<string> {
  const numbers = seededNumbers(seed);
  yield 'settlementId,merchant,amount,currency,settledOn\n';
  for (let index = 1; index <= records; index++) {
    const merchant = merchants[numbers.below(merchants.length)];
    const name = /[",]/.test(merchant) ? `"${merchant.replaceAll('"', '""')}"` : merchant;
    const fault = numbers.below(50);
    const amount = fault === 0 ? '12,50'.replace(',', ';') : `${numbers.below(2_000)}.${String(numbers.below(100)).padStart(2, '0')}`;
    const currency = fault === 1 ? 'EURO' : ['EUR', 'GBP', 'USD'][numbers.below(3)];
    yield `S${String(index).padStart(8, '0')},${name},${amount},${currency},2026-11-${String(1 + numbers.below(28)).padStart(2, '0')}\n`;
  }
}

/** Invoices, one JSON object a line; one in fifty lacks its customer or repeats a key. */
export function* invoicesFile(seed: number, records: number): Generator<string> {
  const numbers = seededNumbers(seed);
  for (let index = 1; index <= records; index++) {
    const invoice = `"invoiceId":"INV-${String(index).padStart(7, '0')}"`;
    const amount = `"amount":"${numbers.below(9_000) + 10}.${String(numbers.below(100)).padStart(2, '0')}","currency":"EUR"`;
    const fault = numbers.below(50);
    const customer =
      fault === 0 ? '' : `,"customer":{"name":"Customer ${numbers.below(500)}","country":"${['DE', 'FR', 'NL'][numbers.below(3)]}"}`;
    yield `{${invoice}${customer},${amount}${fault === 1 ? `,${invoice}` : ''},"dueOn":"2026-12-${String(1 + numbers.below(28)).padStart(2, '0')}"}\n`;
  }
}
