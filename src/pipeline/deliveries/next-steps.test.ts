import { describe, expect, it } from 'vitest';
import { connectorErrors } from '../connectors/connector-errors.ts';
import { batchStates } from './batch-state.ts';
import { deliveryErrors } from './delivery-errors.ts';
import { deadLetterStates } from './endings/dead-letter-state.ts';
import { nextOfBatch, nextOfDeadLetter, nextOfHeld } from './next-steps.ts';

const batchId = '01900000-0000-7000-8000-000000000001';
const codes = [...Object.keys(connectorErrors), ...Object.keys(deliveryErrors)];
const next = (state: (typeof batchStates)[number], reasonCode: string | null) =>
  nextOfBatch({ batchId, flow: 'eft', targetId: 'api', state, reasonCode });

describe('what can be done about a batch', () => {
  it.each(codes)('that was given up with %s does not say that it is tried again, nor anything that there is no command for', (code) => {
    for (const state of ['dead', 'refused'] as const) expect(next(state, code)).not.toMatch(/(?<!not )tried again|replay/);
    for (const state of batchStates) expect(next(state, code) ?? '').not.toMatch(/replay/);
  });

  it('that is tried is to wait, and of one that is not any more how its records are sent', () => {
    expect(next('ready', 'E_TARGET_BUSY')).toMatch(/Look at the target; .* The batch is tried again by itself\.$/);
    expect(next('dead', 'E_TARGET_BUSY')).toMatch(
      /Look at the target; .* `headgate dead-letter redrive … --reason TEXT` sends them again, .* \(docs\/dead-letters\.md\)\.$/,
    );
    expect(next('dead', 'E_OUTCOME_UNKNOWN')).toMatch(/^Ask the target .* send only the others again \(docs\/dead-letters\.md\)\.$/);
  });

  it.each(['acked', 'split', 'cancelled'] as const)('that is %s is nothing', (state) => {
    expect(next(state, 'E_TARGET_BUSY')).toBeNull();
  });

  it('of unknown outcome that is held is to ask its target, and to send it again last, which may pay twice', () => {
    const text = next('held', 'E_TARGET_REPLY_LOST')!;
    expect(text).toMatch(new RegExp(`^Ask the target first .* headgate-batch-id ${batchId}`));
    const order = ['--as delivered', '--as discard', '--as resend', 'pay twice'].map((part) => text.indexOf(part));
    expect(order.every((at, index) => at > (order[index - 1] ?? -1))).toBe(true);
    expect(nextOfHeld('E_TARGET_REPLY_LOST')).toContain('headgate batch resolve BATCH --as delivered');
  });

  it('that is parked is to wait, with the commands that say how its target stands', () => {
    const text = next('parked', 'E_BREAKER_OPEN')!;
    for (const command of ['target get eft api', 'health --history --flow eft --target api', 'target probe eft api --reason'])
      expect(text).toContain(`\`headgate ${command}`);
  });

  it('that is held for its settings is what mends them', () => {
    expect(next('held', 'E_TARGET_FORBIDDEN')).toMatch(
      /^Put a valid secret where the connection points to: a file is read again at the next attempt, .* goes on by itself, within 15 minutes\.$/,
    );
  });
});

describe('what can be done about a dead letter', () => {
  const letter = (code: string, blocksKey = false) => nextOfDeadLetter({ deadLetterId: batchId, code, blocksKey, state: 'open' });

  it.each([...codes, 'LIMIT_EXCEEDED'])('with %s is never a replay, nor to wait for another try', (code) => {
    expect(letter(code)).not.toMatch(/(?<!not )tried again|replay/);
    expect(letter(code)).toMatch(/send (only the others|this one) again|sends it again/);
  });

  it.each(deadLetterStates.filter((state) => state !== 'open'))('that is %s is nothing', (state) => {
    expect(nextOfDeadLetter({ deadLetterId: batchId, code: 'E_TARGET_REFUSED', blocksKey: false, state })).toMatch(/^Nothing/);
  });

  it.each(['discarded', 'expired'] as const)('that is %s and still blocks its key is to release that', (state) => {
    expect(nextOfDeadLetter({ deadLetterId: batchId, code: 'E_TARGET_REFUSED', blocksKey: true, state })).toMatch(
      new RegExp(`^Its key is still blocked.*headgate blocked-key release --dead-letter ${batchId}`),
    );
  });

  it('that blocks its key is to release that where its record is not sent', () => {
    expect(letter('E_TARGET_REFUSED', true)).toContain(`headgate blocked-key release --dead-letter ${batchId}`);
    expect(letter('E_TARGET_REFUSED')).not.toContain('blocked-key');
  });
});
