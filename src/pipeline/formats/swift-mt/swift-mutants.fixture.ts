/** Files of SWIFT MT messages in which a single thing is wrong, by the rule that says so. */
import { Buffer } from 'node:buffer';
import {
  balanceReportFields,
  bankTransferFields,
  changed,
  finMessage,
  interimFields,
  pages,
  plainMessage,
  requestFields,
  shortStatementFields,
  statementFields,
  transferFields,
} from './swift-files.fixture.ts';

export const statement = finMessage('940', statementFields);
type Change = Parameters<typeof changed>[2];
export const inStatement = (tag: string, change: Change) => finMessage('940', changed(statementFields, tag, change));
export const inInterim = (tag: string, change: Change) => finMessage('942', changed(interimFields, tag, change));
export const inTransfer = (tag: string, change: Change) => finMessage('103', changed(transferFields, tag, change));
const inBankTransfer = (tag: string, change: Change) => finMessage('202', changed(bankTransferFields, tag, change));
export const inRequest = (tag: string, change: Change) => finMessage('101', changed(requestFields, tag, change));
export const firstEntry = (line: string) => inStatement('61', line);
/** In an MT 103 with a service level that banks agreed on. */
export const inLeveled = (level: string, tag: string, change: Change) =>
  finMessage('103', changed(changed(transferFields, '23B', `:23B:${level}`), tag, change));
/** In an MT 101, of an amount of zero. */
export const inZeroRequest = (change: Change) => finMessage('101', changed(changed(requestFields, '32B', ':32B:EUR0,'), '21', change));
export const flagged = (message: string, flag: string) => message.replace('{3:{108:', `{3:{119:${flag}}{108:`);
const inUserHeader = (content: string) => finMessage('103', transferFields).replace('{108:MT103REF1}', content);
/** Between banks of which one is not in Europe. */
const overseas = (message: string) => message.replace('BANKDEFFAXXX2222', 'BANKUS33AXXX2222');
export const coverFields: readonly string[] = [...bankTransferFields, ':50K:/1\nACME', ':59:/2\nJOHN', ':70:X', ':33B:EUR1,'];
export const inPages = (second: readonly string[]) => plainMessage(pages[0]!) + plainMessage(second);

const manyInstructions = Array.from({ length: 40_000 }, () => `:23E:OTHR/${'A'.repeat(30)}`).join('\r\n');

/** For debits; credits come to what is listed. */
const oneLimit = finMessage('942', interimFields).replace(':34F:EURC100,\r\n', '').replace(':90C:3EUR140,', ':90C:1EUR100,');

export type Mutant = readonly [
  what: string,
  file: string | Uint8Array,
  severity?: 'warn' | 'error',
  settings?: Readonly<Record<string, string>>,
];

/** By rule: files in which a single thing is wrong. */
export const mutants: Readonly<Record<string, readonly Mutant[]>> = {
  encoding: [['UTF-16', Buffer.from(`\ufeff${statement}`, 'utf16le')]],
  'control-character': [['NUL in a text', inTransfer('70', ':70:INV\0ICE')]],
  'line-size': [['a line of 40,000 bytes', `${' '.repeat(40_000)}\r\n${statement}`]],
  'field-size': [
    ['40,000 lines', inTransfer('70', `:70:${'x\r\n'.repeat(40_000)}x`)],
    ['40,000 instructions of a payment', inRequest('23E', [manyInstructions])],
  ],
  'no-messages': [
    ['nothing', ''],
    ['a type alone', ':940:\n:950:\n'],
  ],
  'envelope-line': [
    ['a line before', `BANKDEFF\r\n${statement}`, 'warn'],
    ['a text behind a type', `:940:TEXT\n${plainMessage(statementFields)}`, 'warn'],
    ['a type and a text at the end', `${plainMessage(statementFields)}:250:TEXT\n`, 'warn'],
  ],
  'network-message': [['an acknowledgement', `{1:F21BANKBEBBAXXX2222123456}{4:{177:2601031201}{451:0}}${statement}`, 'warn']],
  'block-syntax': [
    ['a block of a letter', `${statement}{S:COP}`],
    ['an acknowledgement without its end', `{1:F21BANKBEBBAXXX2222123456}{4:{177:2601031201}{451:0}\r\n${statement}`],
    ['block 3', statement.replace('{108:', '{108')],
    ['block 5', statement.replace('{CHK:', '{CHK-')],
    ['a header without its brace', `1:F01BANKBEBBAXXX2222123456}\r\n${statement}`],
    ['block 9', `{9:x}\r\n${statement}`],
    ['a text without a field', statement.replace('{4:\r\n', '{4:\r\nhello\r\n')],
  ],
  'block-order': [
    ['block 2 twice', statement.replace('{3:', '{2:O9401200260103BANKDEFFAXXX22221234562601031201N}{3:')],
    ['no block 1', statement.replace('{1:F01BANKBEBBAXXX2222123456}', '')],
    ['no text', `${statement}{1:F01BANKBEBBAXXX2222123456}`],
  ],
  'basic-header': [['a digit less', statement.replace('2222123456}', '222212345}')]],
  'application-header': [
    ['a terminal too short', statement.replace('BANKDEFFAXXX2222', 'BANKDEFFXXX2222')],
    ['an output without its times', statement.replace(/\{2:[^}]*\}/, '{2:O940BANKDEFFXXXXN}'), 'warn'],
    ['an hour that is none', statement.replace('{2:O9401200', '{2:O9402500')],
    ['a month that is none', statement.replace('1031201N}', '1331201N}')],
    ['a payment as an output without its times', finMessage('103', transferFields).replace(/\{2:[^}]*\}/, '{2:O103BANKDEFFXXXXN}')],
  ],
  'user-header': [
    ['an end-to-end reference that is no UUID', inUserHeader('{121:PAYREF123}')],
    ['one of version 1', inUserHeader('{121:eb6305c9-1f7f-19de-aed0-16487c27b42d}')],
    ['one in upper case', inUserHeader('{121:EB6305C9-1F7F-49DE-AED0-16487C27B42D}')],
    ['a reference of 17 characters', inUserHeader('{108:12345678901234567}')],
    ['a flag of nine letters', inUserHeader('{119:ABCDEFGHI}')],
    ['of a statement', statement.replace('{108:MT940REF1}', '{108:12345678901234567}'), 'warn'],
  ],
  'text-end': [
    ['no end', statement.replace('\r\n-}{5:{CHK:123456789ABC}}', '')],
    ['no brace', statement.replace('-}{5:{CHK:123456789ABC}}', '-\r\n')],
  ],
  'message-kind': [
    ['a payment among statements', finMessage('103', transferFields), 'error', { messages: 'statements' }],
    ['a statement among payments', statement, 'error', { messages: 'payments' }],
  ],
  'message-type': [['199', finMessage('199', [':20:X', ':79:HELLO'])]],
  'field-missing': [
    ['25 of a statement', inStatement('25', null)],
    ['20 of a statement', inStatement('20', null)],
    ['62F of a statement', finMessage('940', statementFields.slice(0, 10))],
    ['34F of a report', finMessage('942', changed(changed(interimFields, '34F', null), '34F', null))],
    ['62F of a balance report', finMessage('941', changed(balanceReportFields, '62F', null))],
    ['60F of a statement without information', finMessage('950', changed(shortStatementFields, '60F', null))],
    ['59 of a payment', inTransfer('59', null)],
    ['71A of a payment', finMessage('103', changed(changed(transferFields, '71A', null), '71F', null))],
    ['58A of a transfer', inBankTransfer('58A', null)],
    ['32B of a request', inRequest('32B', null)],
    ['a request without payments', finMessage('101', requestFields.slice(0, 5))],
    ['the second sequence of a cover payment', flagged(finMessage('202', bankTransferFields), 'COV')],
    ['77T of a payment with remittance data', flagged(inTransfer('70', null), 'REMIT')],
  ],
  'field-order': [
    ['a related reference after the account', inStatement('25', [':21:NONREF'])],
    ['an account after the closing balance', inStatement('62F', [':25:1'])],
    ['information before the first entry', inStatement('60F', [':86:SEE OUR TERMS']), 'warn'],
    ['information before the first entry of a report', inInterim('13D', [':86:SEE OUR TERMS']), 'warn'],
    ['information where no entries are', finMessage('940', [...pages[1]!.slice(0, 4), ':86:NONE', ':62F:C260103EUR5,00']), 'warn'],
  ],
  'field-repeated': [
    ['28C', inStatement('28C', [':28C:5/1'])],
    ['information', finMessage('942', [...interimFields.slice(0, 8), ':86:MORE', ...interimFields.slice(8)]), 'warn'],
    ['71A', inTransfer('71A', [':71A:SHA'])],
  ],
  'field-unknown': [
    ['a tag of a bank', inStatement('28C', [':NS:SOMETHING']), 'warn'],
    ['86 in a payment', finMessage('103', [...transferFields, ':86:TEXT'])],
    ['name and address of a bank in straight-through processing', flagged(inTransfer('52A', ':52D:BANK'), 'STP')],
    ['86 in MT 950', finMessage('950', [...shortStatementFields, ':86:TEXT'])],
    ['a total under another tag', finMessage('942', interimFields).replace(':90D:', ':91D:')],
  ],
  'field-variant': [['28', inStatement('28C', ':28:5/1'), 'warn']],
  'field-format': [
    ['reference too long', inBankTransfer('20', ':20:12345678901234567')],
    ['reference of a statement too long', inStatement('20', ':20:12345678901234567'), 'warn'],
    ['statement number', inStatement('28C', ':28C:123456/1'), 'warn'],
    ['an account alone, without the name of its owner', inTransfer('59', ':59:/CH9300762011623852957')],
    ['an account without a name, which gave the order', inTransfer('50K', ':50K:/12345678')],
    ['a clearing code alone, without the name of a bank', inTransfer('57A', ':57D://CH123456')],
    ['a slash in place of an account', inTransfer('59', ':59:/\nJOHN DOE')],
    ['an identifier code in the line of a party identifier', inTransfer('52A', ':52A:/CBANKDEFF')],
    [
      '9,001 characters of an envelope',
      flagged(finMessage('103', [...changed(transferFields, '70', null), `:77T:/NARR/${'A'.repeat(8_995)}`]), 'REMIT'),
    ],
    ['spaces in place of an entry date', firstEntry(':61:260102    DR800,NSTONONREF//55555'), 'warn'],
    ['an entry that is broken before its amount', firstEntry(':61:2601020103DR\n800,NSTONONREF//55555'), 'warn'],
    ['balance', inStatement('64', ':64:C260103EU4389,00')],
    ['a balance in two lines', inStatement('64', ':64:C260103EUR4389,00\nMORE')],
    ['amount of a payment', inTransfer('71F', ':71F:US5,00')],
    ['bank identifier', inTransfer('52A', ':52A:BANKDE')],
    ['lines of an address', inTransfer('59', ':59:/1\nA\nB\nC\nD\nE')],
    ['line of an address', inTransfer('59', `:59:/1\n${'A'.repeat(36)}`)],
    ['nothing in a location', inTransfer('52A', [':53B:'])],
    ['a party without a code and without an account', inTransfer('50K', ':50F:ACME\n1/ACME INC.')],
    ['a line of a party without a number', inTransfer('50K', ':50F:/1\n1/ACME INC.\nNEW YORK')],
    ['a party without a name', inTransfer('50K', ':50F:/1')],
    ['floor limit', finMessage('942', interimFields).replace(':34F:EURC100,', ':34F:EURC')],
    ['number of entries', inInterim('90D', ':90D:EUR12,50')],
  ],
  'character-set': [
    ['an ampersand in a payment', inTransfer('70', ':70:A & B')],
    ['an ampersand in a statement', inStatement('86', ':86:A & B'), 'warn'],
  ],
  'line-begin': [
    ['a colon in a payment', inTransfer('70', ':70:INVOICE\r\n:17')],
    ['a hyphen in a payment', inTransfer('72', ':72:/INS/BANKDEFF\r\n-MORE')],
    ['a hyphen in a statement', inStatement('86', ':86:INVOICE\r\n-17'), 'warn'],
  ],
  'reference-slash': [
    ['of a payment', inTransfer('20', ':20:/PAYREF')],
    ['two in a row', inBankTransfer('21', ':21:A//B')],
    ['of a customer', inRequest('20', [':21R:/ONE']).replace(':32B:USD5,', ':32B:EUR5,').replace(':33B:EUR4', ':33B:USD4')],
    ['of a deal', inRequest('21F', ':21F:DEAL/')],
    ['of a statement', inStatement('20', ':20:A/'), 'warn'],
  ],
  date: [
    ['of a balance', inStatement('65', ':65:C260231EUR4389,00')],
    ['of an entry', firstEntry(':61:2602310103DR800,NSTONONREF//55555')],
    ['30 February', firstEntry(':61:2602300301DR800,NSTONONREF//55555'), 'warn'],
    ['entry date', firstEntry(':61:2601021303DR800,NSTONONREF//55555')],
    ['of a payment', inTransfer('32A', ':32A:261303USD1000,50')],
    ['30 February of a payment', inTransfer('32A', ':32A:260230USD1000,50')],
    ['of a request', inRequest('30', ':30:260100')],
    ['30 February of a request', inRequest('30', ':30:260230')],
    ['of an indication', inInterim('13D', ':13D:2613031200+0100')],
  ],
  time: [
    ['of 13C', inTransfer('13C', ':13C:/SNDTIME/2500+0100')],
    ['of 13D', inInterim('13D', ':13D:2601032400+0100')],
    ['offset', inInterim('13D', ':13D:2601031200+1400')],
  ],
  mark: [
    ['of a balance', inStatement('65', ':65:X260104EUR4389,00')],
    ['of an entry', firstEntry(':61:2601020103XR800,NSTONONREF//55555')],
    ['an expected entry in a statement', firstEntry(':61:2601020103ED800,NSTONONREF//55555')],
  ],
  amount: [
    ['a point', firstEntry(':61:2601020103DR800.00NSTONONREF//55555'.replace('.', ',,'))],
    ['without a comma', firstEntry(':61:2601020103DR800NSTONONREF//55555'), 'warn'],
    ['of a balance', inStatement('65', ':65:C260104EUR4389.00')],
    ['of a payment', inTransfer('33B', ':33B:EUR900')],
    ['rate', inTransfer('36', ':36:11117')],
  ],
  'amount-length': [
    ['16 characters', inStatement('65', ':65:C260104EUR0000000004389,00'), 'warn'],
    ['31 characters', inStatement('65', `:65:C260104EUR${'4389,00'.padStart(31, '0')}`)],
    ['31 characters of an entry', firstEntry(`:61:2601020103DR${'800,'.padStart(31, '0')}NSTONONREF//55555`)],
  ],
  'amount-decimals': [
    ['three of euros', inStatement('65', ':65:C260104EUR4389,001')],
    ['yen', inBankTransfer('32A', ':32A:260103JPY100000,5')],
    ['of an entry', finMessage('950', changed(shortStatementFields, '61', ':61:260102D40,0S103REF1'))],
  ],
  'amount-zero': [
    ['of a transfer', inBankTransfer('32A', ':32A:260103JPY0,')],
    ['of charges', finMessage('103', changed(changed(transferFields, '71A', ':71A:OUR'), '71F', ':71G:USD0,'))],
  ],
  'currency-unknown': [
    ['of a statement', finMessage('950', shortStatementFields).replaceAll('JPY', 'DEM'), 'warn'],
    ['of a payment', inTransfer('33B', ':33B:DEM900,00')],
  ],
  'entry-type': [
    ['letters of a message', firstEntry(':61:2601020103DR800,SABCNONREF//55555'), 'warn'],
    ['none', firstEntry(':61:2601020103DR800,XSTONONREF//55555'), 'warn'],
    ['a space before it', firstEntry(':61:2601020103DR800, NSTONONREF//55555'), 'warn'],
    ['a reference of the bank in its place', firstEntry(':61:2601020103DR800,//55555'), 'warn'],
  ],
  'entry-reference': [
    ['none', firstEntry(':61:2601020103DR800,NSTO//55555'), 'warn'],
    ['17 characters', firstEntry(':61:2601020103DR800,NSTO12345678901234567'), 'warn'],
    ['of the bank', firstEntry(':61:2601020103DR800,NSTONONREF//12345678901234567'), 'warn'],
  ],
  'entry-details': [['two lines', firstEntry(':61:2601020103DR800,NSTONONREF//55555\nA\nB'), 'warn']],
  'information-size': [
    ['66 characters', inStatement('86', `:86:${'A'.repeat(66)}`), 'warn'],
    ['seven lines', inStatement('86', ':86:A\nB\nC\nD\nE\nF\nG'), 'warn'],
  ],
  'charges-code': [['ALL', inRequest('71A', ':71A:ALL')]],
  'instruction-code': [
    ['of a request', inRequest('23E', ':23E:URGQ')],
    ['of a payment', inTransfer('23B', [':23E:URGP'])],
    ['of straight-through processing', flagged(inTransfer('23B', [':23E:PHOB']), 'STP')],
  ],
  'instruction-information': [
    ['of a request', inRequest('23E', ':23E:URGP/NOW')],
    ['of a payment', inTransfer('23B', [':23E:SDVA/TODAY'])],
  ],
  'instruction-repeated': [
    ['of a request', inRequest('23E', [':23E:URGP'])],
    ['of a payment', inTransfer('23B', [':23E:CORT', ':23E:CORT'])],
  ],
  'instruction-order': [['of a payment', inTransfer('23B', [':23E:CORT', ':23E:INTC'])]],
  'instruction-combination': [
    ['of a request', inRequest('23E', [':23E:CHQB'])],
    ['of a payment', inTransfer('23B', [':23E:SDVA', ':23E:HOLD'])],
  ],
  'party-identifier': [
    ['a code', inTransfer('50K', ':50F:PASS/US/123\n1/ACME INC.')],
    ['a country', inTransfer('50K', ':50F:TXID/QQ/123\n1/ACME INC.')],
  ],
  'party-lines': [
    ['no name', inTransfer('50K', ':50F:/1\n2/1 MAIN STREET\n3/US/NEW YORK')],
    ['out of order', inTransfer('50K', ':50F:/1\n1/ACME INC.\n3/US/NEW YORK\n2/1 MAIN STREET')],
    ['a street without a country', inTransfer('59', ':59F:/1\n1/JOHN DOE\n2/1 MAIN STREET')],
    ['no such country', inTransfer('59', ':59F:/1\n1/JOHN DOE\n3/QQ/NEW YORK')],
    ['a number of the other party', inTransfer('59', ':59F:/1\n1/JOHN DOE\n3/US\n4/19700101')],
    ['a day of birth without a place', inTransfer('50K', ':50F:/1\n1/JOHN DOE\n4/19700101')],
    ['no such day', inTransfer('50K', ':50F:/1\n1/JOHN DOE\n4/19700230\n5/US/NEW YORK')],
    ['a second place of birth', inTransfer('50K', ':50F:/1\n1/DOE\n4/19700101\n5/US/A\n5/US/B')],
    ['a second identifier of a customer', inTransfer('50K', ':50F:/1\n1/DOE\n3/US/X\n6/US/A/1\n6/US/B/2')],
    ['no country of the customer who gave the order', inTransfer('50K', ':50F:/1\n1/ACME INC.'), 'warn'],
    ['no country of the beneficiary', inTransfer('59', ':59F:/1\n1/JOHN DOE'), 'warn'],
    ['three lines of a name', inTransfer('59', ':59F:/1\n1/JOHN\n1/A\n1/DOE\n3/US'), 'warn'],
    ['an identifier that is not continued', inTransfer('50K', ':50F:/1\n1/JOHN DOE\n8/123')],
  ],
  commodity: [['silver', inBankTransfer('32A', ':32A:260103XAG100,')]],
  'identifier-country': [['of the ordering institution', inTransfer('52A', ':52A:BANKQQFF')]],
  'operation-code': [['CRAD', inTransfer('23B', ':23B:CRAD')]],
  'closing-balance': [
    ['an entry', firstEntry(':61:2601020103DR801,NSTONONREF//55555')],
    ['the direction of an entry', firstEntry(':61:2601020103CR800,NSTONONREF//55555')],
    ['an entry left out', finMessage('940', [...statementFields.slice(0, 4), ...statementFields.slice(6)])],
    ['the closing balance', inStatement('62F', ':62F:D260103EUR4389,00')],
    ['MT 950', finMessage('950', changed(shortStatementFields, '61', ':61:260102D41,S103REF1'))],
  ],
  'balance-currency': [
    ['available balance', inStatement('64', ':64:C260103USD4389,00')],
    ['total', inInterim('90D', ':90D:1USD12,50')],
  ],
  'page-balance': [['the second page', inPages(changed(changed(pages[1]!, '60M', ':60M:C260103EUR6,00'), '62F', ':62F:C260103EUR1,00'))]],
  'page-number': [['a page left out', inPages(changed(pages[1]!, '28C', ':28C:6/3')), 'warn']],
  'interim-count': [
    ['debits', inInterim('90D', ':90D:2EUR12,50')],
    ['fewer credits than listed', inInterim('90C', ':90C:0EUR140,')],
  ],
  'interim-sum': [
    ['debits', inInterim('90D', ':90D:1EUR12,51')],
    ['less credits than listed', inInterim('90C', ':90C:3EUR99,')],
  ],
  'floor-limits': [
    ['a mark of the only one', oneLimit],
    ['a mark of the only one in a text alone', oneLimit.replace(/^.*\r\n/, '').replace(/-}.*/s, '-'), 'warn', { messageType: '942' }],
    ['two for debits', finMessage('942', interimFields).replace(':34F:EURC100', ':34F:EURD100').replace(':90C:3EUR140,', ':90C:1EUR100,')],
  ],
  'exchange-rate': [
    ['none', inTransfer('36', null)],
    ['without another currency', inTransfer('33B', ':33B:USD900,00')],
    ['of a request', finMessage('101', changed(changed(requestFields, '36', null), '21F', null))],
    ['of a request without an instructed amount', inRequest('33B', null)],
  ],
  'forex-deal': [['none', inRequest('21F', null)]],
  'instructed-currency': [['that of the payment', inRequest('33B', ':33B:USD4,50')]],
  'ordering-customer': [
    ['of no payment', inRequest('50H', null)],
    ['of all and of one', finMessage('101', requestFields).replace(':32B:USD5,', ':32B:USD5,\r\n:50H:/1\r\nACME')],
  ],
  'instructing-party': [['of all and of one', inRequest('28D', [':50L:PARTY']).replace(':32B:USD5,', ':32B:USD5,\r\n:50L:PARTY')]],
  'servicing-institution': [['of all and of one', finMessage('101', requestFields).replace(':32B:USD5,', ':32B:USD5,\r\n:52A:BANKDEFF')]],
  'one-currency': [['two currencies', inRequest('20', [':21R:ONE'])]],
  reimbursement: [['without correspondents', inTransfer('52A', [':55A:BANKDEFF'])]],
  'instruction-codes': [
    ['SSTD with one', inTransfer('23B', ':23B:SSTD').replace(':23B:SSTD', ':23B:SSTD\r\n:23E:SDVA')],
    ['SPRI with another', inTransfer('23B', ':23B:SPRI').replace(':23B:SPRI', ':23B:SPRI\r\n:23E:CORT')],
  ],
  'charges-fields': [
    ['OUR with 71F', inTransfer('71A', ':71A:OUR')],
    ['BEN without 71F', finMessage('103', changed(changed(transferFields, '71A', ':71A:BEN'), '71F', null))],
    ['SHA with 71G', inTransfer('71F', ':71G:USD1,')],
  ],
  'instructed-amount': [['charges without it', overseas(finMessage('103', changed(changed(transferFields, '33B', null), '36', null)))]],
  'regional-amount': [
    [
      'between banks of Belgium and Germany',
      finMessage('103', changed(changed(changed(transferFields, '33B', null), '36', null), '71F', null)),
    ],
  ],
  'account-with-institution': [
    ['MT 202', inBankTransfer('57A', null)],
    ['MT 103', finMessage('103', changed(transferFields, '57A', ':56A:BANKCHZZ80A'))],
    ['MT 202 COV', finMessage('202', changed(coverFields, '50K', [':56A:BANKDEFF']))],
    ['MT 202 COV, the first sequence', finMessage('202', changed(changed(coverFields, '57A', null), '50K', [':57A:BANKDEFF']))],
  ],
  'correspondent-options': [
    ['53D', inLeveled('SPAY', '52A', [':53D:BANK'])],
    ['53B without an account', inLeveled('SSTD', '52A', [':53B:LONDON'])],
    ['54B', inLeveled('SPRI', '52A', [':54B:/1'])],
    ['53B without an account in straight-through processing', flagged(inTransfer('52A', [':53B:LONDON']), 'STP')],
    ['55D', inLeveled('SPAY', '52A', [':53A:BANKDEFF', ':54A:BANKDEFF', ':55D:BANK'])],
  ],
  intermediary: [
    ['with SPRI', inLeveled('SPRI', '52A', [':56A:BANKDEFF'])],
    ['56D with SPAY', inLeveled('SPAY', '52A', [':56D:BANK'])],
    ['56C without a clearing code', inLeveled('SSTD', '52A', [':56C:/1'])],
  ],
  'account-with-options': [
    ['57B', inLeveled('SPAY', '57A', ':57B:/1')],
    ['57D without a party identifier', inLeveled('SPRI', '57A', ':57D:BANK')],
  ],
  'beneficiary-account': [
    ['none with SPAY', inLeveled('SPAY', '59', ':59:JOHN DOE')],
    ['none of a beneficiary with an identifier code', inLeveled('SPRI', '59', ':59A:BANKDEFF')],
    ['none in straight-through processing', flagged(inTransfer('59', ':59:JOHN DOE'), 'STP')],
    ['one with CHQB', inTransfer('23B', [':23E:CHQB'])],
  ],
  'instruction-receivers': [
    ['PHOI', inTransfer('23B', [':23E:PHOI'])],
    ['TELE', finMessage('103', changed(changed(transferFields, '57A', null), '23B', [':23E:TELE/1']))],
  ],
  'zero-amount': [
    ['an instructed amount', inZeroRequest([]).replace(':71A:SHA', ':33B:USD1,\r\n:71A:SHA')],
    ['a deal', inZeroRequest([':21F:DEAL2'])],
    ['no amount to convert', inZeroRequest([':23E:EQUI'])],
  ],
  'transaction-currency': [['71G', finMessage('103', changed(changed(transferFields, '71A', ':71A:OUR'), '71F', ':71G:EUR1,'))]],
};
