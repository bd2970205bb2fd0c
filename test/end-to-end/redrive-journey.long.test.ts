import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { cancelJob } from '../../src/control/jobs/job-decisions.ts';
import { getLineage } from '../../src/control/redrives/lineage-view.ts';
import { createRedrive, previewRedrive } from '../../src/control/redrives/redrive-creation.ts';
import { cardsFile, eftFile } from '../../src/main/demo/demo-files.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
import { until } from '../support/delivery-scenario.ts';
import { closed } from '../support/job-facts.ts';
import { type JobScenario, type JobScenarioOptions, tenantName } from '../support/job-scenario.ts';
import { useJobScenarios } from '../support/job-scenarios.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

const scenarios = useJobScenarios();

async function start(flow: string, options: Partial<JobScenarioOptions> = {}, edit = (text: string) => text): Promise<JobScenario> {
  const tenant = tenantName();
  const example = readFileSync(join(import.meta.dirname, '../../examples', flow), 'utf8');
  const source = edit(example.replace(/(?<=\btenant: )[a-z-]+/, tenant));
  const { plan } = loadFlow(source);
  return await scenarios.start({ plan: plan!, source, tenant, ...options });
}

const letters = (jobs: JobScenario) => jobs.inTenant((tx) => listDeadLetters(tx, {}, { limit: 100 }));

/** A target that refuses every fifth record of a batch until it is mended. */
function refusingTarget() {
  let isMended = false;
  const answer = (batch: OutgoingBatch): DeliveryOutcome => {
    const refused = isMended ? [] : Array.from({ length: batch.records }, (_, index) => index).filter((index) => index % 5 === 1);
    return { kind: 'acked', perRecord: refused.map((index) => ({ index, status: 'refused', code: 'ACCOUNT_CLOSED' }) as const) };
  };
  return { answer, mend: () => void (isMended = true) };
}

describe('dead letters that are sent again', () => {
  it.each([
    ['eft.yaml', () => [...eftFile(1, 60)].join('')],
    ['cards.yaml', () => [...cardsFile(2, 40)].join('')],
  ])('of %s are jobs of the lineage of their file, which verify, and the letters end as delivered', async (flow, file) => {
    const target = refusingTarget();
    const jobs = await start(flow, { answer: target.answer });
    const [jobId] = await jobs.accept([file()]);
    jobs.startAll();
    await closed(jobs, 1);
    const given = await letters(jobs);
    expect(given.length).toBeGreaterThan(2);
    expect(new Set(given.map(({ state }) => state))).toEqual(new Set(['open']));
    const before = await verifiedWithReceipt(jobs, jobId!);
    target.mend();
    const selection = { jobId: jobId! };
    const preview = await previewRedrive(jobs.services, jobs.tenantId, { selection, repair: null });
    expect(preview).toMatchObject({ chosen: { records: given.length }, sent: { records: given.length }, rejected: { records: 0 } });
    const decision = { selection, repair: null, reason: 'the accounts are open again', actor: 'key:ops', previewed: preview.version };
    const redrive = await createRedrive(jobs.services, jobs.tenantId, decision);
    expect(redrive.records).toBe(given.length);
    const targets = [...new Set(given.map(({ targetId }) => targetId))];
    expect(redrive.jobs.map(({ targetId }) => targetId).sort()).toEqual(targets.sort());
    await closed(jobs, 1 + targets.length);
    for (const { jobId: redriven, targetId, records } of redrive.jobs) {
      const { receipt, report } = await verifiedWithReceipt(jobs, redriven);
      expect(report.failures).toEqual([]);
      expect(receipt.job).toMatchObject({ state: 'completed', lineageId: jobId, verdict: 'accepted' });
      const { reason, actor } = decision;
      expect(receipt.job.redrive).toEqual({
        id: redrive.redriveId,
        ofJobId: jobId,
        targets: [targetId],
        records,
        repair: null,
        possibleDuplicate: false,
        reason,
        actor,
      });
      for (const { id, routed, delivered } of receipt.targets) {
        const expected = id === targetId ? records : 0;
        expect([id, routed.records, delivered.records]).toEqual([id, expected, expected]);
      }
    }
    expect((await letters(jobs)).map(({ state }) => state)).toEqual(given.map(() => 'redriven'));
    const lineage = await jobs.inTenant((tx) => getLineage(tx, redrive.jobs[0]!.jobId));
    expect(lineage).toMatchObject({ lineageId: jobId, balanced: true });
    expect(lineage.jobs).toHaveLength(1 + targets.length);
    for (const { routed, delivered } of Object.values(lineage.targets)) expect(delivered).toBe(routed);
    // The first job is as it was.
    expect((await verifiedWithReceipt(jobs, jobId!)).receipt).toEqual(before.receipt);
  });

  it('are repaired first where that is asked: only what the flow then accepts is sent, and the rest stays open', async () => {
    const target = refusingTarget();
    const jobs = await start('cards.yaml', { answer: target.answer });
    const [jobId] = await jobs.accept([[...cardsFile(3, 40)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    const given = (await letters(jobs)).filter(({ targetId }) => targetId === 'settlement').reverse();
    expect(given.length).toBeGreaterThan(2);
    target.mend();
    jobs.delivered.clear();
    // One of them the flow would not take: its merchant would be too long.
    const { recordNumber } = given[0]!;
    const lines = [...cardsFile(3, 40)].join('').split('\n');
    const id = lines[recordNumber]!.split(',')[0]!;
    const repair = { merchant: `record.settlementId == '${id}' ? ''.padLeft(70, 'x') : 'MERCHANT ' + record.settlementId` };
    const wanted = { selection: { jobId: jobId!, targetId: 'settlement' }, repair };
    const preview = await previewRedrive(jobs.services, jobs.tenantId, wanted);
    expect(preview).toMatchObject({ chosen: { records: given.length }, sent: { records: given.length - 1 }, rejected: { records: 1 } });
    expect(preview.members[0]).toMatchObject({ fate: 'rejected', findings: [{ code: 'E_LENGTH', field: 'merchant' }] });
    expect(preview.members[1]!.changes).toEqual([
      { field: 'merchant', before: expect.any(String), after: expect.stringMatching(/^MERCHANT S/) },
    ]);
    const redrive = await createRedrive(jobs.services, jobs.tenantId, {
      ...wanted,
      reason: 'names were wrong',
      actor: 'key:ops',
      previewed: preview.version,
    });
    expect(redrive.records).toBe(given.length - 1);
    await closed(jobs, 2);
    const { receipt, report } = await verifiedWithReceipt(jobs, redrive.jobs[0]!.jobId);
    expect(report.failures).toEqual([]);
    expect(receipt.job).toMatchObject({ state: 'completed', redrive: { repair, records: given.length - 1 } });
    expect(jobs.delivered.get('settlement')).toHaveLength(given.length - 1);
    for (const line of jobs.delivered.get('settlement')!) expect(JSON.parse(line).merchant).toBe(`MERCHANT ${JSON.parse(line).id}`);
    const states = (await letters(jobs)).filter(({ targetId }) => targetId === 'settlement').map(({ state }) => state);
    expect(states.filter((state) => state === 'redriven')).toHaveLength(given.length - 1);
    expect(states.filter((state) => state === 'open')).toHaveLength(1);
  });

  it('are refused again as letters of the job that sent them, which can be sent again in turn', async () => {
    const target = refusingTarget();
    const jobs = await start('cards.yaml', { answer: target.answer });
    const [jobId] = await jobs.accept([[...cardsFile(4, 30)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    const selection = { targetId: 'settlement' };
    const again = () => createRedrive(jobs.services, jobs.tenantId, { selection, repair: null, reason: 'again', actor: 'key:ops' });
    const first = await again();
    await closed(jobs, 2);
    const after = (await letters(jobs)).filter(({ targetId }) => targetId === 'settlement');
    const open = after.filter(({ state }) => state === 'open');
    expect(open.map(({ jobId: of }) => of)).toEqual(open.map(() => first.jobs[0]!.jobId));
    expect(after.filter(({ state }) => state === 'replaced')).toHaveLength(open.length);
    expect(open.length).toBeGreaterThan(0);
    // The numbers and keys of their records are those of the first job.
    const originals = new Map(after.filter(({ jobId: of }) => of === jobId).map((letter) => [letter.recordNumber, letter.deliveryKey]));
    const netted = await jobs.inTenant((tx) => getLineage(tx, jobId!));
    expect(netted).toMatchObject({ balanced: true, targets: { settlement: { open: open.length } } });
    for (const letter of open) expect(originals.get(letter.recordNumber)).toBe(letter.deliveryKey);
    target.mend();
    const second = await again();
    await closed(jobs, 3);
    expect(second.records).toBe(open.length);
    const { receipt, report } = await verifiedWithReceipt(jobs, second.jobs[0]!.jobId);
    expect(report.failures).toEqual([]);
    expect(receipt.job).toMatchObject({ lineageId: jobId, redrive: { ofJobId: first.jobs[0]!.jobId } });
    expect((await letters(jobs)).filter(({ state, targetId }) => state === 'open' && targetId === 'settlement')).toEqual([]);
  });

  it('whose key another letter blocks name it, and come back if they are sent without it, which the preview says', async () => {
    const refusesFirst = (batch: OutgoingBatch): DeliveryOutcome => {
      const perRecord = [{ index: 0, status: 'refused', code: 'ACCOUNT_CLOSED' } as const];
      return batch.number === '1-0000' ? { kind: 'acked', perRecord } : { kind: 'acked' };
    };
    const jobs = await start('eft.yaml', { answer: refusesFirst });
    const file = [...eftFile(4, 400)].join('');
    jobs.startAll();
    for (const count of [1, 2]) {
      await jobs.accept([file]);
      await closed(jobs, count);
    }
    await jobs.stopAll();
    const all = await letters(jobs);
    const blocked = all.find(({ code }) => code === 'E_KEY_BLOCKED')!;
    const blocker = all.find(({ deadLetterId }) => blocked.message.includes(deadLetterId))!;
    expect(blocker).toMatchObject({ code: 'ACCOUNT_CLOSED', targetId: 'rtgs', recordNumber: blocked.recordNumber });
    const warned = async (...deadLetterIds: string[]) =>
      (await previewRedrive(jobs.services, jobs.tenantId, { selection: { deadLetterIds }, repair: null })).warnings;
    expect(await warned(blocked.deadLetterId)).toEqual([
      { code: 'E_KEY_BLOCKED', message: expect.stringMatching(new RegExp(`^1 of them come back .* blocked by ${blocker.deadLetterId};`)) },
    ]);
    expect(await warned(blocked.deadLetterId, blocker.deadLetterId)).toEqual([]);
  });

  it('come back when their job is cancelled before it sends them, and block their key again', async () => {
    const target = refusingTarget();
    const jobs = await start('eft.yaml', { answer: target.answer });
    await jobs.accept([[...eftFile(1, 200)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    await jobs.stopAll();
    const blocked = () =>
      jobs.rows<{ key: string }>('/* keys */ select key_hash as key from headgate.blocked_keys where tenant_id = $1 order by 1');
    const before = { letters: await letters(jobs), keys: await blocked() };
    expect(before.keys.length).toBeGreaterThan(0);
    const redrive = await createRedrive(jobs.services, jobs.tenantId, {
      selection: { flow: 'test' },
      repair: null,
      reason: 'too early',
      actor: 'key:ops',
    });
    expect(await blocked()).toEqual([]);
    const sending = await jobs.inTenant((tx) => getLineage(tx, redrive.jobs[0]!.jobId));
    expect(sending.balanced).toBe(true);
    expect(Object.values(sending.targets).reduce((sum, { redriving }) => sum + redriving, 0)).toBe(before.letters.length);
    for (const { jobId } of redrive.jobs)
      await cancelJob(jobs.services, jobs.tenantId, { jobId, reason: 'it was too early', actor: 'key:ops' });
    jobs.startAll();
    await closed(jobs, 1 + redrive.jobs.length);
    expect(await blocked()).toEqual(before.keys);
    expect((await jobs.inTenant((tx) => getLineage(tx, redrive.jobs[0]!.jobId))).balanced).toBe(true);
    const known = ({ deadLetterId, state }: { deadLetterId: string; state: string }) => [deadLetterId, state];
    expect((await letters(jobs)).map(known)).toEqual(before.letters.map(known));
    for (const { jobId } of redrive.jobs) {
      const { receipt, report } = await verifiedWithReceipt(jobs, jobId);
      expect(report.failures).toEqual([]);
      expect(receipt.job.state).toBe('cancelled');
    }
  });

  it('are in one open re-drive at most, however many decide at once, and a repeated key has one answer', async () => {
    const target = refusingTarget();
    const jobs = await start('cards.yaml', { answer: target.answer });
    await jobs.accept([[...cardsFile(5, 40)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    const given = await letters(jobs);
    target.mend();
    const keyed = { scope: 'decisions', key: 'one', requestHash: 'same' } as const;
    const decide = (more: object = {}) =>
      createRedrive(jobs.services, jobs.tenantId, {
        selection: { flow: 'test' },
        repair: null,
        reason: 'at once',
        actor: 'key:ops',
        ...more,
      });
    const outcomes = await Promise.allSettled([decide(), decide({ keyed }), decide(), decide({ keyed })]);
    const done = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.redriveId] : []));
    expect(new Set(done).size).toBe(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(['E_REDRIVE_STALE', 'E_REDRIVE_EMPTY', 'E_KEY_REUSED']).toContain(outcome.reason.code);
    await until(async () => (await letters(jobs)).every(({ state }) => state === 'redriven'), 'the letters were not delivered');
    const members = await jobs.rows('/* members */ select 1 from headgate.redrive_members where tenant_id = $1');
    expect(members).toHaveLength(given.length);
  });

  it.each(['redrives.after-seal', 'redrives.before-commit', 'redrives.after-commit'])(
    'are sent once and only once when the process ends at %s',
    async (point) => {
      const target = refusingTarget();
      const jobs = await start('cards.yaml', { answer: target.answer });
      await jobs.accept([[...cardsFile(6, 40)].join('')]);
      jobs.startAll();
      await closed(jobs, 1);
      const given = await letters(jobs);
      target.mend();
      jobs.delivered.clear();
      const request = {
        selection: { flow: 'test' },
        repair: null,
        reason: 'again',
        actor: 'key:ops',
        keyed: { scope: 'decisions', key: 'k', requestHash: 'h' },
      } as const;
      jobs.crash.arm(point);
      await expect(createRedrive(jobs.services, jobs.tenantId, request)).rejects.toThrow(`crash at ${point}`);
      const answer = await createRedrive(jobs.services, jobs.tenantId, request);
      expect(answer.records).toBe(given.length);
      await until(async () => (await letters(jobs)).every(({ state }) => state === 'redriven'), 'the letters were not delivered');
      expect([...jobs.delivered.values()].flat()).toHaveLength(given.length);
    },
  );

  it('of which nobody knows whether they arrived are labelled from the first attempt on', async () => {
    const labels: boolean[] = [];
    let isLost = true;
    const answer = (batch: OutgoingBatch): DeliveryOutcome => {
      if (isLost) return { kind: 'unknown', code: 'E_TARGET_REPLY_LOST', message: 'the answer was lost' };
      labels.push(batch.possibleDuplicate);
      return { kind: 'acked' };
    };
    const once = (text: string) => `${text.trimEnd()}\n  targetDefaults: { retry: { max: 0, initial: 100ms, cap: 1s } }\n`;
    const jobs = await start('cards.yaml', { answer }, once);
    await jobs.accept([[...cardsFile(7, 20)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    const given = await letters(jobs);
    expect(new Set(given.map(({ code }) => code))).toEqual(new Set(['E_OUTCOME_UNKNOWN']));
    isLost = false;
    const wanted = { selection: { flow: 'test' }, repair: null };
    const preview = await previewRedrive(jobs.services, jobs.tenantId, wanted);
    expect(preview.warnings).toMatchObject([{ code: 'E_OUTCOME_UNKNOWN' }]);
    const repair = { merchant: "'A BETTER NAME'" };
    await expect(previewRedrive(jobs.services, jobs.tenantId, { ...wanted, repair })).rejects.toMatchObject({ code: 'E_REPAIR_UNKNOWN' });
    const same = { merchant: 'record.merchant' };
    expect((await previewRedrive(jobs.services, jobs.tenantId, { ...wanted, repair: same })).changed).toBe(0);
    const redrive = await createRedrive(jobs.services, jobs.tenantId, { ...wanted, reason: 'the target has none', actor: 'key:ops' });
    await closed(jobs, 1 + redrive.jobs.length);
    expect(labels).toEqual(redrive.jobs.map(() => true));
    const { receipt, report } = await verifiedWithReceipt(jobs, redrive.jobs[0]!.jobId);
    expect(report.failures).toEqual([]);
    expect(receipt.job.redrive).toMatchObject({ possibleDuplicate: true });
  });

  const unknown: DeliveryOutcome = { kind: 'unknown', code: 'E_TARGET_REPLY_LOST', message: 'the answer was lost' };
  const refused: DeliveryOutcome = { kind: 'refused', retryable: false, code: 'E_TARGET_REFUSED', message: 'no' };

  /** One record to one target, which answers as it is told, and then takes it. */
  async function startWithAnswers(answers: DeliveryOutcome[], longestWait = '1s') {
    const labels: boolean[] = [];
    const answer = (batch: OutgoingBatch): DeliveryOutcome => {
      labels.push(batch.possibleDuplicate);
      return answers.shift() ?? { kind: 'acked' };
    };
    const slowly = (text: string) =>
      `${text.trimEnd()}\n  targetDefaults: { retry: { max: 5, initial: ${longestWait}, cap: ${longestWait} } }\n`;
    const jobs = await start('cards.yaml', { answer }, slowly);
    await jobs.accept([[...cardsFile(2, 1)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    const sendAgain = () =>
      createRedrive(jobs.services, jobs.tenantId, { selection: { flow: 'test' }, repair: null, reason: 'mended', actor: 'key:ops' });
    return { jobs, labels, sendAgain };
  }

  it('of batches that were halved until one record was left are that record alone, and the job verifies', async () => {
    const answer = (batch: OutgoingBatch): DeliveryOutcome => {
      const isPoisoned = Array.from(batch.body.lines(), String).some((line) => line.includes('S00000009'));
      return isPoisoned ? { ...refused, mayBeOneRecord: true } : { kind: 'acked' };
    };
    const jobs = await start('cards.yaml', { answer });
    const [jobId] = await jobs.accept([[...cardsFile(2, 40)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    const given = await letters(jobs);
    expect(new Set(given.map(({ recordNumber, cause, mayBeThere }) => `${recordNumber} ${cause} ${mayBeThere}`))).toEqual(
      new Set(['9 refused false']),
    );
    const { receipt, report } = await verifiedWithReceipt(jobs, jobId!);
    expect(report.failures).toEqual([]);
    expect(receipt.job.state).toBe('completed_with_failures');
  });

  it('that were refused after an attempt of which nobody knows are labelled as well', async () => {
    const { jobs, labels, sendAgain } = await startWithAnswers([unknown, refused]);
    expect(await letters(jobs)).toMatchObject([{ code: 'E_TARGET_REFUSED', mayBeThere: true }]);
    await sendAgain();
    await closed(jobs, 2);
    expect(labels).toEqual([false, true, true]);
  });

  it('that were refused after such an attempt are repaired with a warning: a target that has one leaves it as it was', async () => {
    const { jobs } = await startWithAnswers([unknown, refused]);
    const selection = { flow: 'test' };
    const repair = { merchant: "'A BETTER NAME'" };
    const { warnings } = await previewRedrive(jobs.services, jobs.tenantId, { selection, repair });
    expect(warnings.map(({ message }) => message).join()).toMatch(/^1 of them may have arrived.*leaves what it has as it was/);
  });

  it('that a cancelled re-drive may have delivered are labelled when they are sent again', async () => {
    const { jobs, labels, sendAgain } = await startWithAnswers([refused, unknown], '60s');
    expect(await letters(jobs)).toMatchObject([{ mayBeThere: false }]);
    const { jobs: first } = await sendAgain();
    await until(async () => labels.length === 2, 'the re-drive was not sent');
    await cancelJob(jobs.services, jobs.tenantId, { jobId: first[0]!.jobId, reason: 'not yet', actor: 'key:ops' });
    await jobs.passTime(60);
    await closed(jobs, 2);
    expect(await letters(jobs)).toMatchObject([{ state: 'open', mayBeThere: true }]);
    await sendAgain();
    await closed(jobs, 3);
    expect(labels).toEqual([false, false, true]);
    expect(await letters(jobs)).toMatchObject([{ state: 'redriven' }]);
  });
});
