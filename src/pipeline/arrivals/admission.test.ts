import { expect, it } from 'vitest';
import { createAdmission, type Usage } from './admission.ts';
import { roomyLimits } from './arrivals.fixture.ts';

const usage: Usage = { storedBytes: 100, heldBytes: 10, chunksInFlight: 5, filesInMinute: 3, minuteLeftMs: 30_000 };
const request = { tenantId: 'a', usage, limits: roomyLimits, files: 1, bytes: 50 };

it.each([
  ['stored', { storedBytesMax: 149 }, 'E_QUOTA_STORED', 'full'],
  ['held', { heldBytesMax: 10 }, 'E_QUOTA_HELD', 'full'],
  ['chunks', { chunksInFlightMax: 5 }, 'E_BACKLOG', 'busy'],
  ['rate', { filesPerMinute: 3 }, 'E_FILE_RATE', 'busy'],
] as const)('a full limit of %s refuses with a time to come again', (limit, limits, code, reason) => {
  const answer = createAdmission().admit({ ...request, limits: { ...roomyLimits, ...limits } });
  expect(answer).toMatchObject({ kind: 'refused', limit, code, reason });
  expect((answer as { retryAfterMs: number }).retryAfterMs).toBeGreaterThanOrEqual(1_000);
});

it('up to the limit is let in', () => {
  const limits = { storedBytesMax: 150, heldBytesMax: 11, chunksInFlightMax: 6, recordBytesMax: 1, filesPerMinute: 4 };
  expect(createAdmission().admit({ ...request, limits })).toMatchObject({ kind: 'admitted', files: 1 });
});

it('what is on its way counts until it ends, for its own tenant only', () => {
  const admission = createAdmission();
  const limits = { ...roomyLimits, storedBytesMax: 150 };
  const first = admission.admit({ ...request, limits });
  if (first.kind !== 'admitted') throw new Error('not admitted');
  expect(admission.admit({ ...request, limits, bytes: 1 })).toMatchObject({ code: 'E_QUOTA_STORED' });
  expect(admission.admit({ ...request, limits, tenantId: 'b' }).kind).toBe('admitted');
  first.end();
  first.end();
  expect(admission.admit({ ...request, limits }).kind).toBe('admitted');
});

it('of many files as many are let in as the minute allows', () => {
  const admission = createAdmission();
  const limits = { ...roomyLimits, filesPerMinute: 10 };
  expect(admission.admit({ ...request, limits, files: 100 })).toMatchObject({ files: 7 });
  expect(admission.admit({ ...request, limits })).toMatchObject({ code: 'E_FILE_RATE', retryAfterMs: 30_000 });
});

it('a growing file is weighed against what others had accepted since it was let in', () => {
  const answer = createAdmission().admit({ ...request, limits: { ...roomyLimits, storedBytesMax: 200 } });
  if (answer.kind !== 'admitted') throw new Error('not admitted');
  expect(answer.grow(25, { storedBytes: 125 })).toBeUndefined();
  expect(answer.grow(25, { storedBytes: 126 })).toMatchObject({ code: 'E_QUOTA_STORED' });
  expect(answer.grow(25, usage)).toBeUndefined();
});

it('a growing file asks for more, and a refusal leaves what it has', () => {
  const admission = createAdmission();
  const answer = admission.admit({ ...request, limits: { ...roomyLimits, storedBytesMax: 200 } });
  if (answer.kind !== 'admitted') throw new Error('not admitted');
  expect(answer.grow(50, usage)).toBeUndefined();
  expect(answer.grow(1, usage)).toMatchObject({ code: 'E_QUOTA_STORED' });
  answer.end();
  expect(admission.admit({ ...request, limits: { ...roomyLimits, storedBytesMax: 200 }, bytes: 100 }).kind).toBe('admitted');
});
