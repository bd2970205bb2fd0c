import { describe, expect, test } from 'vitest';
import { checkExpression } from './check.ts';
import { recordEnvironment } from './expression-record.fixture.ts';

/** `code@offset message` of the first problem, or the type of the result. */
function verdict(source: string, expected: 'bool' | 'decimal' | null = null): string {
  const { expression, problems } = checkExpression({ source, environment: recordEnvironment, expected });
  const [first] = problems;
  return first === undefined ? expression!.type : `${first.code}@${first.range.start} ${first.message}`;
}

describe('what is refused before a record is seen', () => {
  test.each([
    // Code of the host language is no expression (bad-inputs B16, B17).
    ["constructor.constructor('return process')()", /SYNTAX@41/],
    ["record.constructor.constructor('x')", /unknown function constructor/],
    ['record.__proto__', /no field __proto__/],
    ['record.toString', /no field toString/],
    ['record.name.toString()', /unknown function toString; write string\(x\)/],
    ["record.name.hasOwnProperty('x')", /unknown function hasOwnProperty/],
    ["import('fs')", /unknown function import/],
    ['`${process}`', /template texts/],
    ['x => x', /single = is not an operator/],
    ['{}', /maps and messages/],
    ['[1, 2].map(x, x)', /unknown function map/],
    ['globalThis', /unknown name globalThis/],
    ["record['name']", /write record\.name/],
    ['while (true) {}', /SYNTAX|NAME/],
    ["'a\u2028b' +", /expected a value, found the end/],
    ['\u200brecord.name', /unexpected character U\+200B/],
    // Types.
    ['record.name + 1', /two numbers or two strings, not string and int/],
    ['record.name < 1', /ordered type/],
    ['record.flag < true', /ordered type/],
    ['record.count / 2', /div\(a, b, scale/],
    ['record.amount % 2', /two ints/],
    ['1.5', /decimal\('1\.5'\)/],
    ['1u', /unsigned/],
    ['record.count && true', /two bools/],
    ['!record.count', /! needs bool/],
    ['-record.name', /- needs a number/],
    ["record.flag ? 1 : 'a'", /one type/],
    ['record.count ? 1 : 2', /condition must be bool/],
    ['null == null', /null is compared with null/],
    ['null < 1', /only compared with ==/],
    ['null', /always null/],
    ["record.day == '2026-01-01'", /write date\('…'\)/],
    ["date('2026-02-30')", /not a date/],
    ["time('24:00:00')", /not a time/],
    ['date(record.name)', /one literal text/],
    ["decimal('1,5')", /digits with an optional point/],
    ["record.name in 'abc'", /after in stands a list/],
    ['record.name in []', /empty list/],
    ["record.name in [record.gone, 'a']", /literals only/],
    ["record.count in ['a']", /must hold int/],
    ['[1]', /only after "in"/],
    ['coalesce(record.name)', /at least two/],
    ['coalesce(record.name, 1)', /one type/],
    ['has(record.name + 1)', /has takes one field/],
    ['has(1)', /has takes one field/],
    ['record.name.trim(1)', /takes 0 arguments, not 1/],
    ['record.name.substring()', /takes 1 or 2 arguments/],
    ['trim(record.name)', /written x\.trim/],
    ["record.amount.div(2, 2, 'down')", /written div/],
    ["div(1, 2, 3, 'up')", /half-up, half-even, down/],
    ["div(1, 2, record.count, 'down')", /literal int/],
    ["record.name.padLeft(3, '')", /exactly one character/],
    ["record.name.padLeft(20000, ' ')", /0 to 10000/],
    ["record.day.formatDate('yyyy HH')", /no time of day/],
    ["record.day.formatDate('YYYY')", /yyyy MM dd/],
    ['record.day.formatDate(record.name)', /literal string/],
    ['record.name.matches(record.name)', /literal string/],
    ["record.name.matches('(a)\\\\1')", /PATTERN_REFUSED/],
    ["record.name.matches('(?!a)')", /PATTERN_REFUSED/],
    ["record.name.matches('[A-Za-z0-9 ]{0,1024}')", /PATTERN_REFUSED/],
    // Names.
    ['record.amont', /did you mean amount\?/],
    ['record', /not a value/],
    ['amount', /did you mean record\.amount/],
    ['recrod.amount', /did you mean record\?/],
    ['out.amount', /only routes see the output/],
    ['record.other', /field of batch/],
    ['calendar.isBusinessDay(record.day)', /NOT_SUPPORTED_YET@0 calendar\.isBusinessDay/],
    ['calendar.today', /NOT_SUPPORTED_YET@0 calendar/],
    ['now()', /no clock/],
    ['record.name.trm()', /did you mean trim\?/],
    ['stats.records', /unknown name stats/],
    ['record.name.size', /a field has no parts/],
    // Limits.
    ['9223372036854775808', /64 bits/],
    [`${'('.repeat(33)}1${')'.repeat(33)}`, /nested deeper than 32/],
    [`${'!'.repeat(33)}true`, /nested deeper than 32/],
    [`${'-'.repeat(33)}record.count`, /nested deeper than 32/],
    [`${Array(40).fill('true ? 1 : ').join('')}1`, /nested deeper than 32/],
    [`record.name${'.trim()'.repeat(40)}`, /calls in a row/],
    [`record.name in [${Array(1_001).fill("'a'").join(',')}]`, /more than 1000 items/],
    [Array(1_100).fill('record.flag').join('&&'), /more than 1000 parts/],
    [`'${'x'.repeat(16_384)}'`, /longer than 16384/],
    // Texts.
    ["'abc", /not closed/],
    ["'a\nb'", /not closed/],
    ["'\\q'", /unknown escape/],
    ["'\\ud800'", /not a character/],
    ['a = 1', /single =/],
    ['true & false', /write &&/],
    ['1 +', /found the end/],
    ['1 2', /expected an operator/],
    ['(1', /expected \)/],
    ["record.name in ['a',]", /expected a value/],
    ['', /found the end/],
  ])('%s', (source, says) => {
    expect(verdict(source)).toMatch(says);
  });

  test('every problem of a text is reported, each where it is', () => {
    const { problems } = checkExpression({
      source: 'record.amont > 1 && record.nme == 1',
      environment: recordEnvironment,
      expected: 'bool',
    });
    expect(problems.map(({ code, range }) => [code, range.start, range.end])).toEqual([
      ['E_EXPRESSION_NAME', 7, 12],
      ['E_EXPRESSION_NAME', 27, 30],
    ]);
  });
});

describe('what is accepted', () => {
  test.each([
    ['record.amount + 1', 'decimal'],
    ['record.count + 1', 'int'],
    ['record.flag ? 1 : record.amount', 'decimal'],
    ["record.name + 'x' // said after", 'string'],
    ['has(record.gone) && record.gone != null', 'bool'],
    ['date("2026-01-31")', 'date'],
    [`record.name in [${Array(1_000).fill("'a'").join(',')}]`, 'bool'],
    [`${'('.repeat(31)}1${')'.repeat(31)}`, 'int'],
  ])('%s is %s', (source, type) => {
    expect(verdict(source)).toBe(type);
  });

  test('a condition must be bool, and an int stands where a decimal is wanted', () => {
    expect(verdict('record.name', 'bool')).toMatch(/must be bool, not string/);
    expect(verdict('record.count', 'decimal')).toBe('int');
  });
});
