import { expect, it } from 'vitest';
import type { DeliveryOutcome } from '../../connectors/connector.ts';
import type { ClaimedBatch } from '../claimed-batch.ts';
import { createRefusedLogins } from './refused-logins.ts';

const claimedOf = (hash: string) =>
  ({ batch: { tenantId: 't', flowVersionId: 'v' }, target: { id: 'api' }, binding: { hash } }) as unknown as ClaimedBatch;
const refused = (code: string): DeliveryOutcome => ({ kind: 'refused', retryable: true, code, message: '' });
const forbidden = refused('E_TARGET_FORBIDDEN');

it('while a login is refused, batches that are new go one a second; when it lasts they are held, until another answer comes', () => {
  let nowMs = 1_000_000;
  const logins = createRefusedLogins({ monotonicMs: () => nowMs });
  const own = claimedOf('a');
  expect([logins.adviceFor(own), logins.isRecent(own)]).toEqual(['send', false]);
  logins.told(own, forbidden);
  expect([logins.adviceFor(own), logins.adviceFor(claimedOf('b')), logins.isRecent(own)]).toEqual(['wait', 'send', true]);
  for (let second = 1; second < 10; second++) {
    nowMs += 1_000;
    expect([logins.adviceFor(own), logins.adviceFor(own)]).toEqual(['send', 'wait']);
    logins.told(own, forbidden);
  }
  nowMs += 1_000;
  expect(logins.adviceFor(own)).toBe('hold');
  nowMs += 10_000;
  // Of many that come then at once, one.
  expect([logins.adviceFor(own), logins.adviceFor(own), logins.isRecent(own)]).toEqual(['send', 'wait', true]);
  logins.told(own, forbidden);
  expect(logins.adviceFor(own)).toBe('hold');
  nowMs += 10 * 60_000;
  expect([logins.adviceFor(own), logins.adviceFor(own)]).toEqual(['send', 'send']);
  logins.told(own, refused('E_TARGET_BUSY'));
  expect([logins.adviceFor(own), logins.isRecent(own)]).toEqual(['send', false]);
});

it.each(['E_ATTEMPT_ABANDONED', 'E_TARGET_UNREACHABLE', 'E_TARGET_TIMEOUT', 'E_TARGET_REPLY_LOST'])(
  'a login that was refused stays so where nobody answered: %s',
  (code) => {
    let nowMs = 1_000_000;
    const logins = createRefusedLogins({ monotonicMs: () => nowMs });
    const own = claimedOf('a');
    for (let second = 0; second < 10; second++) {
      logins.told(own, forbidden);
      nowMs += 1_000;
    }
    logins.told(own, refused(code));
    logins.told(own, { kind: 'unknown', code, message: '' });
    nowMs += 10;
    logins.told(own, forbidden);
    expect([logins.adviceFor(own), logins.isRecent(own)]).toEqual(['hold', true]);
  },
);
