import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { FieldAmounts } from '../../engine/chunk.ts';
import type { BodyPlan } from '../../engine/plan.ts';
import type { OutgoingBatch } from '../connector.ts';
import { outgoing } from '../connector-contract.fixture.ts';
import { fillTemplate, usesSequence } from './file-template.ts';
import { plainFileOf } from './output-file.ts';

const csv: BodyPlan = { format: 'csv', delimiter: 0x2c, header: true, lineEnd: '\r\n' };
const amounts: FieldAmounts = { amount: { scale: 2, unreadable: 0, byCurrency: { EUR: '123456', ZAR: '-50' } } };
const target = { id: 'out', body: csv };

function textOf(settings: Parameters<typeof plainFileOf>[2], more: Partial<OutgoingBatch> = {}): { name: string; text: string } {
  const batch = outgoing(['a', 'b'], { amounts, sequence: 41, ...more });
  const file = plainFileOf({ ...batch, body: { ...batch.body, preamble: Buffer.from('id,x\r\n') } }, target, settings);
  const bytes = Buffer.concat([...file.pieces()]);
  expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([file.sizeBytes, file.sha256()]);
  return { name: file.name, text: bytes.toString() };
}

it('lines stand before the column names and behind the records, filled in with what the batch holds', () => {
  const { name, text } = textOf({
    name: 'PAY{sequence:6}.{extension}',
    headerLines: ['H{date}{time}{sequence:8}', 'B {flow:6}|'],
    trailerLines: ['T{count:9}{minorUnits.amount.EUR:15}{sum.amount}'],
  });
  const lines = text.split(/\r?\n/);
  expect(name).toBe('PAY000041.csv');
  expect(lines.slice(0, 3)).toEqual(['H2026010203040500000041', 'B eft   |', 'id,x']);
  expect(lines.at(-2)).toBe('T0000000020000000001234561234.06');
  expect(lines.at(-1)).toBe('');
});

it('the same batch gives the same bytes again, and the body alone keeps its own hash', () => {
  const settings = { name: '{number}', trailerLines: ['{count}'] };
  const batch = outgoing(['a'], { amounts });
  expect(plainFileOf({ ...batch, attempt: 7 }, target, settings).sha256()).toBe(plainFileOf(batch, target, settings).sha256());
  expect(plainFileOf(batch, target, { name: '{number}' }).sha256()).toBe(batch.body.sha256);
});

it('a part of a split batch has the number of the whole, and a name of its own', () => {
  const { name, text } = textOf({ name: '{sequence:3}.{extension}', trailerLines: ['{sequence}'] }, { part: 'c0ffee' });
  expect(name).toBe('041-c0ffee.csv');
  expect(text.split(/\r?\n/).at(-2)).toBe('41');
});

it.each([
  ['{sum.amount:12}', '000001234.06'],
  ['{sum.amount.ZAR:6}', '-00.50'],
  ['{minorUnits.amount.ZAR:5}', '-0050'],
  ['{sum.amount.USD}', '0.00'],
  ['{x:4}|', 'ab  |'],
])('%s becomes %s', (template, expected) => {
  expect(fillTemplate(template, { texts: { x: 'ab' }, amounts, widthsOf: 'bytes' })).toBe(expected);
});

it.each(['{minorUnits.amount:3}', '{sum.other}', '{count.amount}', '{unknown}', '{', '}', '{x:0}', '{x:9999}'])(
  '%s is a fault, and never cut off',
  (template) => {
    expect(() => fillTemplate(template, { texts: { x: 'ab' }, amounts, widthsOf: 'bytes' })).toThrowError(
      expect.objectContaining({ code: 'E_TARGET' }),
    );
  },
);

it('a placeholder that is too narrow is told as it is written', () => {
  const fill = (template: string) => () => fillTemplate(template, { texts: { x: 'abc' }, amounts, widthsOf: 'bytes' });
  expect(fill('{minorUnits.amount:3}')).toThrowError(/^\{minorUnits\.amount:3\} of a template/);
  expect(fill('{minorUnits.amount.ZAR:1}')).toThrowError(/^\{minorUnits\.amount\.ZAR:1\} of a template/);
  expect(fill('{x:2}')).toThrowError(/^\{x:2\} of a template/);
});

it('what a sender named never leads elsewhere or out of its line', () => {
  const { name, text } = textOf({ name: '{file}-{number}', headerLines: ['{file}'] }, { fileName: '../../x\r\nT000' });
  expect(name).toBe('-..-x-T000-1-0000');
  expect(text.split('\r\n')[0]).toBe('..-..-x-T000');
});

it('numbers are asked for where a template names them', () => {
  expect([{ name: '{number}' }, { name: '{sequence:4}' }, { name: 'x', trailerLines: ['{sequence}'] }].map(usesSequence)).toEqual([
    false,
    true,
    true,
  ]);
});

it('a width counts bytes in the lines of a file, and characters in its name', () => {
  const values = { texts: { file: 'Zürich' }, amounts: {} };
  expect(fillTemplate('{file:8}|', { ...values, widthsOf: 'bytes' })).toBe('Zürich |');
  expect(fillTemplate('{file:8}|', { ...values, widthsOf: 'characters' })).toBe('Zürich  |');
  const narrow = expect.objectContaining({ code: 'E_TARGET', message: expect.stringContaining('7 bytes') });
  expect(() => fillTemplate('{file:6}', { ...values, widthsOf: 'bytes' })).toThrowError(narrow);
  const { name, text } = textOf({ name: '{file:8}{number}', headerLines: ['H{file:10}|'] }, { fileName: 'Zürich' });
  expect([name, text.split('\r\n')[0]]).toEqual(['Zürich  1-0000', 'HZürich   |']);
});
