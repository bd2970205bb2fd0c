import { expect, it } from 'vitest';
import { deadLetterGroupId, messageShape } from './dead-letter-group.ts';

it.each([
  ['HTTP 422: account 62000123 is closed', 'HTTP 422: account 62000987 is closed'],
  ['payment P-2026-000017 of 1,250.00 was seen before', 'payment P-2026-999999 of 7.10 was seen before'],
  ['no row "x" in 0190aaaa-0000-7000-8000-000000000001', 'no row "a longer name" in 0190bbbb-0000-7000-8000-00000000ffff'],
  ['refused at 2026-11-26T10:00:00.123Z', 'refused at 2026-11-27T23:59:59.001Z'],
])('%s and %s have one shape', (one, other) => {
  expect(messageShape(one)).toBe(messageShape(other));
  expect(messageShape(one).replace('HTTP 422', '')).not.toMatch(/\d/);
});

it.each([
  ['the target answered with status 400', 'the target answered with status 409'],
  ['HTTP 404: no account 17', 'HTTP 422: no account 17'],
  ['HTTP/1.1 400 at 10:00', 'HTTP/1.1 503 at 11:00'],
])('%s and %s have two, each with its status and no other number', (one, other) => {
  const shapes = [one, other].map(messageShape);
  expect(shapes.map((shape) => shape.match(/\d+/g)?.join())).toEqual([one, other].map((text) => /\b[45]\d\d\b/.exec(text)![0]));
  expect(shapes[0]).not.toBe(shapes[1]);
});

it.each([
  ['PostgreSQL answered with SQLSTATE 22001', 'PostgreSQL answered with SQLSTATE 23505'],
  ['the server answered with error 1406 (SQLSTATE 22001)', 'the server answered with error 3819 (SQLSTATE HY000)'],
  ['the server warned with error 1265: it keeps less', 'the server warned with error 1366: it keeps less'],
])('%s and %s have two, each as it stands', (one, other) => {
  expect([one, other].map(messageShape)).toEqual([one, other]);
});

it.each(['status 1234', 'status 700', 'status 42', 'account 404', 'the status of 404', 'httpstatus 404'])(
  'a number that is no status of an answer is taken out: %s',
  (text) => expect(messageShape(text)).not.toMatch(/\d/),
);

it('words keep messages apart, and so do flow, target and code', () => {
  expect(messageShape('the account is closed')).not.toBe(messageShape('the account is blocked'));
  const of = { flowId: 'f', targetId: 't', code: 'E_A', shape: 'the account is closed' };
  const ids = [of, { ...of, flowId: 'g' }, { ...of, targetId: 'u' }, { ...of, code: 'E_B' }, { ...of, shape: 's' }].map(deadLetterGroupId);
  expect(new Set(ids).size).toBe(5);
  expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(deadLetterGroupId({ ...of })).toBe(ids[0]);
});

it('a shape is short', () => {
  expect(messageShape('word '.repeat(1_000)).length).toBeLessThanOrEqual(300);
});
