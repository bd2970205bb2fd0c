import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { achFile, readAch } from '../ach-files.fixture.ts';
import { type SampleName, sampleBatches } from '../sample-batches.fixture.ts';
import { refusalOf } from '../writing/written-files.fixture.ts';
import { makeAch } from './made-files.fixture.ts';

interface Request {
  readonly traceNumber: string;
  readonly code: string;
  readonly [name: string]: string;
}

function answer(
  bytes: Buffer,
  entries: readonly Request[],
  more: { fileHeader?: object; settings?: Record<string, string | number>; size?: number } = {},
): Buffer {
  const fileHeader = { fileCreationDate: '260820', ...more.fileHeader };
  const { files } = makeAch({
    maker: 'answers',
    files: [{ name: 'in.ach', bytes }],
    document: { fileHeader, entries },
    settings: more.settings ?? {},
    ...(more.size === undefined ? {} : { size: more.size }),
  });
  return files[0]!;
}

const bytesOf = (...names: readonly SampleName[]) => Buffer.from(achFile(...names.map((name) => sampleBatches[name])).text());
const lines = (bytes: Buffer) => bytes.toString().split('\n');

/** Trace numbers of the entries of a file. */
const tracesOf = (bytes: Buffer) => lines(bytes).flatMap((line) => (line.startsWith('6') ? [line.slice(79)] : []));

const forwardNames = (Object.keys(sampleBatches) as SampleName[]).filter((name) => !/ |^ADV|^COR/.test(name));
/** A reader can't know that the entry that was returned was a prenote or of zero dollars. */
const ofZero = 'amount-zero-return';
const findingsOf = (bytes: Buffer) => readAch(bytes).findings.filter(({ rule }) => rule !== ofZero);

const odfi = '12104288';
const first = `${odfi}0001001`;

describe('a file of answers', () => {
  it('returns an entry to the bank that sent it', () => {
    const bytes = answer(bytesOf('PPD'), [
      { traceNumber: `${odfi}0001002`, code: 'R14', dateOfDeath: '260801', addendaInformation: 'Note' },
    ]);
    expect(lines(bytes).slice(0, 6)).toEqual([
      '101 231380104 031300012260820    A094101My Bank Name           Federal Reserve Bank           ',
      '5200Company                             1234567890PPDPAYMENT         260816   1231380100000001',
      '62112104288212345678         0000001000ID 1           Jane Doe                1231380100000001',
      '799R1412104288000100226080123138010Note                                        231380100000001',
      '820000000200121042880000000000000000000010001234567890                         231380100000001',
      '9000001000001000000020012104288000000000000000000001000                                       ',
    ]);
    expect(findingsOf(bytes)).toEqual([]);
  });

  it('notifies of a change', () => {
    const bytes = answer(bytesOf('PPD'), [{ traceNumber: first, code: 'C01', correctedData: '1918171614' }], {
      settings: { firstSequence: 77 },
    });
    expect(lines(bytes).slice(1, 5)).toEqual([
      '5200Company                             1234567890CORPAYMENT         260816   1231380100000001',
      '62612104288212345678         0000000000ID 1           Jane Doe                1231380100000077',
      '798C01121042880001001      231380101918171614                                  231380100000077',
      '820000000200121042880000000000000000000000001234567890                         231380100000001',
    ]);
  });

  it('dishonors a return, contests that, and refuses a notification, with what came before in each addenda', () => {
    const returned = bytesOf('PPD returned');
    const settled = Buffer.from(returned.toString().replace('260816   1', '2608161791'));
    const dishonored = answer(settled, [{ traceNumber: first, code: 'R68', addendaInformation: 'Untimely Return' }]);
    expect(lines(dishonored)[3]).toBe(
      '799R68231380100000001      12104288   1210428800010011790' + '1Untimely Return      231380100000001',
    );
    expect(findingsOf(dishonored)).toEqual([]);
    const settledAgain = Buffer.from(dishonored.toString().replace('260816   1', '2608161811'));
    const dates = { dateOriginalEntryReturned: '260801', originalSettlementDate: '178' };
    const contested = answer(settledAgain, [{ traceNumber: '231380100000001', code: 'R73', ...dates }]);
    expect(lines(contested)[3]).toBe('799R7323138010000000126080112104288178121042880001001179' + '0123138010000000118168 121042880000001');
    expect(findingsOf(contested)).toEqual([]);
    const refused = answer(bytesOf('COR'), [{ traceNumber: first, code: 'C62' }]);
    expect(lines(refused)[3]).toBe('798C62231380100000001      121042881918171614                   C010001001     231380100000001');
    expect(findingsOf(refused)).toEqual([]);
  });

  it('answers no entry of a transaction code that the Rules do not have', () => {
    const bytes = Buffer.from(achFile(sampleBatches.PPD).set('entryDetail', 'transactionCode', 25).text(), 'latin1');
    expect(refusalOf(() => answer(bytes, [{ traceNumber: first, code: 'R17' }], { settings: { transactionCodes: 'accept' } }))).toMatch(
      /^E_NACHA_ANSWER \/entries\/0\/traceNumber: the transaction code of the entry is none of the Rules/,
    );
  });

  it('is read without a finding, whatever entries are answered, and so are the answers to it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...forwardNames), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat(3)),
        fc.integer({ min: 1, max: 300 }),
        (names, choices, size) => {
          const bytes = bytesOf(...names);
          const entries = tracesOf(bytes).flatMap((traceNumber): Request[] => {
            const choice = choices.next().value;
            if (choice === 0) return [];
            if (choice === 1) return [{ traceNumber, code: 'R01' }];
            return [choice === 2 ? { traceNumber, code: 'R15', dateOfDeath: '260801' } : { traceNumber, code: 'C05', correctedData: '27' }];
          });
          fc.pre(entries.length > 0);
          const answers = answer(bytes, entries, { size });
          expect(findingsOf(answers)).toEqual([]);
          const document = JSON.parse(readAch(answers).document);
          const made = document.batches.flatMap((batch: Record<string, object[]>) => batch['entryDetails'] ?? batch['IATEntryDetails']);
          expect(made.length).toBe(entries.length);
          const next = made.map(({ traceNumber, category }: Record<string, string>) => ({
            traceNumber,
            code: category === 'NOC' ? 'C63' : 'R69',
          }));
          const answersToAnswers = answer(answers, next);
          expect(findingsOf(answersToAnswers)).toEqual([]);
          const contested = JSON.parse(readAch(answersToAnswers).document)
            .batches.flatMap((batch: Record<string, object[]>) => batch['entryDetails'] ?? batch['IATEntryDetails'])
            .filter(({ category }: Record<string, string>) => category === 'DishonoredReturn');
          if (contested.length > 0)
            expect(
              findingsOf(
                answer(
                  answersToAnswers,
                  contested.map(({ traceNumber }: Record<string, string>) => ({ traceNumber, code: 'R74' })),
                ),
              ),
            ).toEqual([]);
        },
      ),
      { numRuns: 120 },
    );
  });

  it.each([
    ['E_NACHA_ANSWER /entries/0/traceNumber: the file has no entry with it', 'PPD', { traceNumber: '999999990000001', code: 'R01' }],
    ['E_NACHA_ANSWER /entries/0/code: R68 answers an entry of category Return, the entry is of category Forward', 'PPD', { code: 'R68' }],
    [
      'E_NACHA_ANSWER /entries/0/code: R01 answers an entry of category Forward, the entry is of category Return',
      'PPD returned',
      { code: 'R01' },
    ],
    ['E_NACHA_ANSWER /entries/0/code: C61 answers an entry of category NOC, the entry is of category Forward', 'PPD', { code: 'C61' }],
    ['E_NACHA_ANSWER /entries/0/code: it is neither a return reason code nor a change code', 'PPD', { code: 'R99' }],
    ['E_NACHA_DOCUMENT /entries/0/correctedData: it is missing, but needed with code C01', 'PPD', { code: 'C01' }],
    ['E_NACHA_DOCUMENT /entries/0/dateOfDeath: it is missing, but needed with code R14', 'PPD', { code: 'R14' }],
    [
      'E_NACHA_DOCUMENT /entries/0/dateOfDeath: an answer with code R01 has nothing of that name',
      'PPD',
      { code: 'R01', dateOfDeath: '260801' },
    ],
    [
      'E_NACHA_DOCUMENT /entries/0/addendaInformation: it has 45 characters, its field 44 columns',
      'PPD',
      { code: 'R01', addendaInformation: 'x'.repeat(45) },
    ],
    ['E_NACHA_DOCUMENT /entries/0/correctedData: a character is not allowed', 'PPD', { code: 'C01', correctedData: 'a\n6' }],
    ['E_NACHA_DOCUMENT /entries/0/traceNumber: it is no text of 15 digits', 'PPD', { traceNumber: '1', code: 'R01' }],
    ['E_NACHA_DOCUMENT /entries/0/dateOfDeath: it is no date of six digits, yyMMdd', 'PPD', { code: 'R14', dateOfDeath: '269999' }],
    [
      'E_NACHA_DOCUMENT /entries/0/dateOriginalEntryReturned: it is no date of six digits, yyMMdd',
      'PPD dishonored',
      { code: 'R73', dateOriginalEntryReturned: 'x', originalSettlementDate: '001' },
    ],
  ] as const)('%s', (message, name, request) => {
    expect(refusalOf(() => answer(bytesOf(name), [{ traceNumber: first, ...request } as Request]))).toBe(message);
  });

  it('dishonors with R62, contests that with R77, and notifies with C08 of IAT entries only', () => {
    const dishonored = answer(bytesOf('PPD returned'), [{ traceNumber: first, code: 'R62' }]);
    expect(lines(dishonored)[3]).toMatch(/^799R62/);
    const contested = answer(dishonored, [{ traceNumber: '231380100000001', code: 'R77' }]);
    expect(lines(contested)[3]).toMatch(/^799R77/);
    const notify = (name: SampleName, code: string) => answer(bytesOf(name), [{ traceNumber: first, code, correctedData: '1' }]);
    const changed = notify('IAT', 'C08');
    expect(lines(changed)[3]).toMatch(/^798C08/);
    expect([dishonored, contested, changed].flatMap(findingsOf)).toEqual([]);
    expect(refusalOf(() => notify('PPD', 'C08'))).toBe('E_NACHA_FIELD /entries/0/changeCode: it is no change code (change-code)');
    expect(refusalOf(() => notify('PPD', 'C10'))).toMatch(/^E_NACHA_ANSWER /);
  });

  it('goes to the routing number behind the zero of an origin', () => {
    const file = achFile(sampleBatches.PPD).set('fileHeader', 'immediateOrigin', '0231380104');
    expect(lines(answer(Buffer.from(file.text()), [{ traceNumber: first, code: 'R01' }]))[0]).toMatch(/^101 231380104 031300012/);
    expect(
      lines(
        answer(Buffer.from(file.text()), [{ traceNumber: first, code: 'R01' }], { fileHeader: { immediateDestination: '121042882' } }),
      )[0],
    ).toMatch(/^101 121042882 031300012/);
  });

  it('has name and identification in their places where they stood the other way round', () => {
    const file = achFile(sampleBatches.CIE)
      .set('entryDetail', 'identificationNumber', '1234567890123456789012')
      .set('entryDetail', 'individualName', 'John Smith');
    const of = (request: object) =>
      lines(answer(Buffer.from(file.text()), [{ traceNumber: first, ...request } as Request]))[2]!.slice(39, 76);
    expect(of({ code: 'C01', correctedData: '1' })).toBe('123456789012345John Smith            ');
    expect(of({ code: 'R01' })).toBe('John Smith     1234567890123456789012');
  });

  it('is refused for advices, for entries that cannot be told apart, and without its date', () => {
    const requests = [{ traceNumber: first, code: 'R01' }];
    const twice = Buffer.from(
      achFile(sampleBatches.PPD, sampleBatches.WEB)
        .set('entryDetail', 'traceNumber', first, 3)
        .set('addenda05', 'entryDetailSequenceNumber', 1_001, 1)
        .text(),
    );
    expect(refusalOf(() => answer(twice, requests))).toBe('E_NACHA_ANSWER /entries/0/traceNumber: two entries of the file have it');
    expect(refusalOf(() => answer(bytesOf('PPD'), [...requests, ...requests]))).toBe(
      'E_NACHA_ANSWER /entries/1/traceNumber: it is in the list twice',
    );
    expect(refusalOf(() => answer(bytesOf('PPD'), requests, { fileHeader: { fileCreationDate: undefined } }))).toBe(
      'E_NACHA_DOCUMENT /fileHeader/fileCreationDate: it is missing',
    );
    const advice = bytesOf('ADV');
    const trace = lines(advice)
      .find((line) => line.startsWith('6'))!
      .slice(79);
    expect(refusalOf(() => answer(advice, [{ traceNumber: trace, code: 'R01' }]))).toBe(
      'E_NACHA_ANSWER /entries/0/traceNumber: advices of ADV batches are not answered',
    );
  });
});
