import { describe, expect, it } from 'vitest';
import { packPage, ruleRows, settingRows } from '../statements/pack-page.fixture.ts';
import { runPack } from '../statements/pack-run.fixture.ts';
import {
  changed,
  everyMessage,
  finMessage,
  interimFields,
  pages,
  plainMessage,
  requestFields,
  shortStatementFields,
  statementFields,
  transferFields,
} from './swift-files.fixture.ts';
import {
  coverFields,
  firstEntry,
  flagged,
  inInterim,
  inLeveled,
  inPages,
  inRequest,
  inStatement,
  inTransfer,
  inZeroRequest,
  mutants,
  statement,
} from './swift-mutants.fixture.ts';
import { swiftPack } from './swift-pack.ts';

it('messages without mistakes have no findings', () => {
  expect(runPack(swiftPack, everyMessage).findings).toEqual([]);
});

it('every rule has a mutant', () => {
  expect(Object.keys(mutants).sort()).toEqual(Object.keys(swiftPack.rules).sort());
});

const rows = Object.entries(mutants).flatMap(([rule, list]) =>
  list.map(([what, file, severity, settings]) => ({ rule, what, file, severity, settings })),
);

it.each(rows)('$rule: $what', ({ rule, file, severity = 'error', settings }) => {
  const { findings } = runPack(swiftPack, file, settings === undefined ? {} : { settings });
  expect(findings.map((finding) => [finding.rule, finding.severity, finding.code])).toEqual(
    findings.map(() => [rule, severity, swiftPack.rules[rule]!.code]),
  );
  expect(findings.length).toBeGreaterThan(0);
});

describe('a rule between fields of a payment is told', () => {
  const instructed = inTransfer('36', null);
  const cover = finMessage('202', changed(coverFields, '50K', [':56A:BANKDEFF']));
  const second = finMessage('101', requestFields).replace(':32B:USD5,', ':32B:USD5,\r\n:52A:BANKDEFF');
  it.each([
    ['at the field that is too much', inTransfer('52A', [':55A:BANKDEFF']), ':55A:', 'BANKDEFF'],
    ['at the field that asks for another', instructed, ':33B:', 'EUR900,00'],
    ['in the second sequence', cover, ':56A:BANKDEFF\r\n:59', 'BANKDEFF'],
    ['in the payment that breaks it', second, ':52A:BANKDEFF\r\n:57C', 'BANKDEFF'],
  ])('%s', (_, file, before, text) => {
    const [finding] = runPack(swiftPack, file).findings;
    const at = file.indexOf(before) + 5;
    expect(finding).toMatchObject({ line: file.slice(0, at).split('\n').length, columns: [6, 5 + text.length], offset: at });
  });
});

describe('what harms nothing is not refused', () => {
  it.each([
    ['LF', everyMessage.replaceAll('\r\n', '\n')],
    ['CR', everyMessage.replaceAll(/\r?\n/g, '\r')],
    ['a dollar sign between messages', everyMessage.replaceAll('{1:', '${1:')],
    ['SOH and ETX around messages', everyMessage.replaceAll('{1:', '\u0001{1:').replaceAll('ABC}}', 'ABC}}\u0003   ')],
    ['blocks that a program put behind', everyMessage.replaceAll('ABC}}', 'ABC}}{S:{SAC:}{COP:P}}')],
    ['acknowledgements', everyMessage.replaceAll('{1:', '{1:F21BANKBEBBAXXX2222123456}{4:{177:2601031201}{451:0}}{1:')],
    ['the text alone', plainMessage(statementFields)],
    ['the text alone, without an end', statementFields.join('\n')],
    ['two texts without ends', [...statementFields, ...pages[0]!].join('\n')],
    ['a bank name and a type before it', `BANKDEFF\n940\nBANKDEFF\n${plainMessage(statementFields)}`],
    ['a type as a tag before it', `:940:\n${plainMessage(statementFields)}:940:\n${plainMessage(pages[0]!)}`],
    ['blank lines', plainMessage(statementFields).replaceAll('\n:', '\n\n:')],
    ['an end with XXX', `${plainMessage(statementFields).replace(/-\n$/, '-XXX')}`],
    ['braces around a text that stand as letters', `ä4:\n${statementFields.slice(0, -1).join('\n')}\n-å\n`.repeat(2)],
    ['the same in ISO 8859-1', Buffer.from(`ä4:\n${statementFields.slice(0, -1).join('\n')}\n-å`, 'latin1')],
    ['a byte order mark', `\ufeff${everyMessage}`],
    ['another letter in a text', inStatement('86', ':86:008?00DAUERAUFTRAH?100599')],
    [
      'another amount with its balance',
      finMessage('940', changed(changed(statementFields, '61', ':61:2601020103DR801,NSTONONREF'), '62F', ':62F:C260103EUR4388,00')),
    ],
    ['several fields 86', inStatement('86', [':86:MORE'])],
    ['a time at the begin of a line', inStatement('86', ':86:AT 12\n:26:37 AND MORE')],
    [
      'a floor limit with a space for its mark',
      inInterim('34F', null).replace(':34F:EURC100,', ':34F:EUR 0,').replace('3EUR140,', '1EUR100,'),
    ],
    ['another account', inStatement('25', ':25:DE89370400440532013000')],
    ['field 25P', inStatement('25', ':25P:1234567\nBANKDEFF')],
    ['no blocks 3 and 5', statement.replace('{3:{108:MT940REF1}}', '').replace('{5:{CHK:123456789ABC}}', '')],
    ['an input message', statement.replace(/\{2:[^}]*\}/, '{2:I940BANKDEFFXXXXN}')],
    ['a related reference', inStatement('20', [':21:NONREF'])],
    ['an expected entry in an interim report', inInterim('61', ':61:2601030103ED12,50NTRFNONREF')],
    [
      'one floor limit without a mark',
      finMessage('942', changed(changed(interimFields, '34F', null), '34F', ':34F:EUR0,')).replace('3EUR140,', '1EUR100,'),
    ],
    ['one page of a statement', plainMessage(pages[1]!)],
    ['pages in a row', inPages(pages[1]!)],
    ['a cover payment', finMessage('202', coverFields)],
    ['a cover payment that says so', flagged(finMessage('202', coverFields), 'COV')],
    ['a payment for straight-through processing', flagged(finMessage('103', transferFields), 'STP')],
    ['a payment with remittance data', flagged(finMessage('103', [...changed(transferFields, '70', null), ':77T:/NARR/TEXT']), 'REMIT')],
    ['an end-to-end reference', finMessage('103', transferFields).replace('{108:', '{121:eb6305c9-1f7f-49de-aed0-16487c27b42d}{108:')],
    [
      'an envelope in one line',
      flagged(finMessage('103', [...changed(transferFields, '70', null), `:77T:/NARR/${'A'.repeat(8_994)}`]), 'REMIT'),
    ],
    ['a party identifier of a letter and an account', inTransfer('52A', ':52A:/C/12345678\nBANKDEFF')],
    ['a validation flag of another kind', flagged(finMessage('103', transferFields), 'REFER')],
    ['a correspondent that is a place', inTransfer('52A', [':53B:LONDON'])],
    ['a correspondent with its account', inTransfer('52A', [':53B:/D/12345678\nLONDON'])],
    ['instructions in their order', inTransfer('23B', [':23E:SDVA', ':23E:INTC', ':23E:REPA/1', ':23E:PHOB/2'])],
    ['OTHR twice', inRequest('23E', [':23E:OTHR/A', ':23E:OTHR/B'])],
    ['an account to be paid an equivalent', inZeroRequest([':23E:EQUI']).replace(':71A:SHA', ':33B:USD1,\r\n:71A:SHA')],
    ['an instruction without an amount', inZeroRequest([':23E:CMZB'])],
    ['a cheque without an account', inTransfer('23B', [':23E:CHQB']).replace(/:59:[^\r]*\n/, ':59:')],
    ['a payment at a service level', inLeveled('SPAY', '52A', [':53B:/1', ':54A:BANKDEFF', ':56C://FW021000021'])],
    ['a party with its identifier', inTransfer('50K', ':50F:TXID/US/12-34\n1/ACME INC.\n2/1 MAIN STREET\n3/US/NEW YORK\n8/56')],
    ['a party with its birth', inTransfer('50K', ':50F:/1\n1/JOHN DOE\n3/US\n4/19720229\n5/US/NEW YORK')],
    ['a party with an account', inTransfer('59', ':59F:/1\n1/JOHN DOE\n1/JUNIOR\n2/1 MAIN STREET\n3/US/NEW YORK')],
    ['a party of Kosovo', inTransfer('59', ':59F:1/JOHN DOE\n3/XK/PRISTINA')],
    ['a party without one', inTransfer('59', ':59F:1/JOHN DOE\n3/US/NEW YORK')],
    ['charges of zero', inTransfer('71F', ':71F:USD0,')],
    ['an entry of 29 February', firstEntry(':61:2802290229DR800,NSTONONREF//55555')],
    ['an entry booked on 29 February after it', firstEntry(':61:2712300229DR800,NSTONONREF//55555')],
  ])('%s', (_, file) => {
    expect(runPack(swiftPack, file).errors).toEqual([]);
  });
});

it('a hyphen and a letter end a text only where a letter begins it', () => {
  const text = plainMessage(statementFields).replace(/-\n$/, '-å\n');
  expect(runPack(swiftPack, text).rules).toEqual(['character-set', 'line-begin']);
});

it.each([
  ['spaces in place of its entry date', '260102    DR800,NSTONONREF//55555'],
  ['a space before its type', '260102DR800, NSTONONREF//55555'],
])('an entry with %s is read as one without', (_, entry) => {
  const read = (content: string) => JSON.parse(runPack(swiftPack, firstEntry(`:61:${content}`)).document);
  expect(read(entry)).toEqual(read('260102DR800,NSTONONREF//55555'));
});

describe('settings', () => {
  it('balances: warn lets a wrong balance pass, and says that the file does not balance', () => {
    const run = runPack(swiftPack, inStatement('62F', ':62F:D260103EUR4389,00'), { settings: { balances: 'warn' } });
    expect(run.errors).toEqual([]);
    expect(run.rules).toEqual(['closing-balance']);
    expect(run.summary.controlTotals.balanced).toBe(false);
  });

  it.each([
    [':60F:C140829EUR000000000147,64\n'],
    [':61:1409010902DR000000000001,62NTRF0000549855700010//025498557/000001\n'],
    [':20:D140902049\n'],
  ])('strictness: lenient reads parts of messages: %s', (part) => {
    expect(runPack(swiftPack, part).errors.length).toBeGreaterThan(0);
    expect(runPack(swiftPack, part, { settings: { strictness: 'lenient' } }).errors).toEqual([]);
  });

  it('strictness: network takes nothing that the network would refuse', () => {
    const settings = { strictness: 'network' };
    expect(runPack(swiftPack, everyMessage, { settings }).findings).toEqual([]);
    const passed = new Set(['envelope-line', 'network-message', 'page-number']);
    const dialects = rows.filter(({ rule, severity }) => severity === 'warn' && !passed.has(rule));
    const taken = dialects.filter(
      ({ file, settings: own }) => runPack(swiftPack, file, { settings: { ...own, ...settings } }).errors.length === 0,
    );
    expect(dialects.length).toBeGreaterThan(20);
    expect(taken.map(({ rule, what }) => `${rule}: ${what}`)).toEqual([]);
  });

  it('messageType says what a text alone is', () => {
    const run = runPack(swiftPack, plainMessage(shortStatementFields), { settings: { messageType: '950' } });
    expect(run.findings).toEqual([]);
    expect(run.summary.details['messages']).toEqual({ '950': 1 });
  });
});

it('the page of the pack has every rule and setting', () => {
  const page = packPage(swiftPack).split('\n');
  expect(page).toEqual(expect.arrayContaining([...ruleRows(swiftPack), ...settingRows(swiftPack)]));
});
