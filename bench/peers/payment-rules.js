// The job's rules over strings, shared by the peers that work on strings: checks in the order of the columns, then the transform.
export const reasons = [
  'ok',
  'id',
  'valueDate',
  'debtorIban',
  'creditorIban',
  'amount',
  'currency',
  'country',
  'channel',
  'name',
  'reference',
  'sepa-eur',
];
export const targetOf = { DE: 'eu', FR: 'eu', NL: 'eu', ES: 'eu', GB: 'uk', CH: 'ch' };
export const currencies = new Set(['EUR', 'USD', 'GBP', 'CHF', 'SEK']);
export const channels = new Set(['SEPA', 'SWIFT', 'INST', 'CARD']);
const ibanLength = { DE: 22, FR: 27, GB: 22, NL: 18, ES: 24, CH: 21 };
const ibanShape = /^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/;
const dateShape = /^(\d{4})-(\d{2})-(\d{2})$/;
const idShape = /^P[0-9]{9}$/;
const amountShape = /^[0-9]{1,12}(\.[0-9]{1,2})?$/;
const referenceShape = /^[A-Z0-9-]{1,35}$/;

export function isIban(text) {
  if (ibanLength[text.slice(0, 2)] !== text.length || !ibanShape.test(text)) return false;
  const moved = text.slice(4) + text.slice(0, 4);
  let remainder = 0;
  for (let index = 0; index < moved.length; index++) {
    const code = moved.charCodeAt(index);
    remainder = code < 58 ? (remainder * 10 + code - 48) % 97 : (remainder * 100 + code - 55) % 97;
  }
  return remainder === 1;
}

export function isDate(text) {
  const parts = dateShape.exec(text);
  if (!parts) return false;
  const year = +parts[1];
  const month = +parts[2];
  const day = +parts[3];
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}

export function check(id, valueDate, debtorIban, creditorIban, amount, currency, country, channel, name, reference) {
  if (!idShape.test(id)) return 1;
  if (!isDate(valueDate)) return 2;
  if (!isIban(debtorIban)) return 3;
  if (!isIban(creditorIban)) return 4;
  if (!amountShape.test(amount)) return 5;
  if (!currencies.has(currency)) return 6;
  if (!(country in targetOf)) return 7;
  if (!channels.has(channel)) return 8;
  if (name.length === 0 || name.length > 70) return 9;
  if (!referenceShape.test(reference)) return 10;
  if (channel === 'SEPA' && currency !== 'EUR') return 11;
  return 0;
}

function minorUnits(amount) {
  const point = amount.indexOf('.');
  const whole = point < 0 ? amount : amount.slice(0, point);
  const fraction = (point < 0 ? '' : amount.slice(point + 1)).padEnd(2, '0');
  return Number(whole + fraction);
}

export function transform(id, valueDate, debtorIban, creditorIban, amount, currency, country, channel, name, reference) {
  const amountMinor = minorUnits(amount);
  return {
    paymentId: id,
    date: valueDate.slice(0, 4) + valueDate.slice(5, 7) + valueDate.slice(8, 10),
    debtor: debtorIban.slice(0, 4) + '*'.repeat(debtorIban.length - 8) + debtorIban.slice(-4),
    creditor: creditorIban,
    amountMinor,
    currency,
    country,
    channel,
    beneficiary: name.toUpperCase(),
    reference,
    band: amountMinor >= 1000000 ? 'HIGH' : 'LOW',
  };
}
