/**
 * What every connector promises, as tests: it never says "acked" of what the target lacks, never says "refused" of what the
 * target may have, ends in time, and shows nothing of a record. A connector's own test gives a harness over a real target.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { deliveryPlan } from '../../../test/support/delivery-files.ts';
import { openFence } from '../../../test/support/open-fence.ts';
import type { TcpProxy } from '../../../test/support/tcp-proxy.ts';
import type { FolderFence } from '../../platform/base/folder-fence.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { createSecretResolver } from '../../platform/secrets/secret-resolver.ts';
import type { Plan, TargetPlan } from '../engine/plan.ts';
import { targetPlan } from '../engine/plans.fixture.ts';
import type { Connector, DeliveryOutcome, EgressPolicy, OpenOptions, OutgoingBatch, Target } from './connector.ts';
import { systemResolveHost } from './resolve-host.ts';

/** A fault that a harness can bring about for the next attempt. */
export type ContractFault =
  /** The target stores the batch and its answer never arrives. */
  | 'reply lost'
  /** The connection ends while the batch is being sent. */
  | 'reset while sending'
  /** The connection stays open, and nothing comes through any more, from where the batch is being sent on. */
  | 'half-open'
  /** The target takes longer than the attempt may. */
  | 'too slow'
  /** The target would refuse this batch every time. */
  | 'refused'
  /** The target asks for patience, having stored nothing. */
  | 'busy'
  /** The target takes all but the second record. */
  | 'one record refused'
  /** Nothing listens. */
  | 'unreachable';

export interface ContractHarness {
  readonly target: Target;
  /** Ids of the records that the target holds, sorted, repetitions kept. */
  stored(): Promise<string[]>;
  /** Undefined: it can't be had here, as `cannot` says. */
  arrange(fault: ContractFault): Promise<'arranged' | undefined>;
  /** What a reset while sending and a timeout come to: unknown, unless the target certainly rolled back. */
  readonly interrupted: 'refused' | 'unknown';
  /** Sending a batch again adds nothing at the target. */
  readonly isIdempotent: boolean;
  /** In front of the target; null: there is no network. */
  readonly proxy: TcpProxy | null;
  close(): Promise<void>;
}

export interface ContractSubject {
  readonly connector: Connector;
  /** What this kind of target can't have, or only where its own tests bring it about: there are no tests of it here. */
  readonly cannot?: readonly (ContractFault | 'a network')[];
  open(): Promise<ContractHarness>;
}

const secretText = 'customer-secret-4711';
/** Not fewer: ssh2 loses the middle of a server's first line that comes in three pieces, and is refused then. */
const slowPieceBytes = 29;
/** Names of their records sort like their numbers. */
const flapBatchesMax = 8;
/** Incompressible; eight of them are more than what is written at once anywhere. */
const bigText = `${secretText} ${createHash('shake256', { outputLength: 24 * 1024 })
  .update('big')
  .digest('hex')}`;

export function describeConnectorContract({ connector, open, cannot = [] }: ContractSubject): void {
  const itWithFault = (needed: ContractFault | 'a network') => (name: string, work: () => Promise<void>) => {
    if (!cannot.includes(needed)) it(name, work);
  };
  const arranged = async ({ arrange }: ContractHarness, fault: ContractFault) => expect(await arrange(fault)).toBe('arranged');
  const proxyOf = ({ proxy }: ContractHarness): TcpProxy => {
    if (proxy === null) throw new Error('there is no network to break');
    return proxy;
  };
  const withHarness = async (work: (harness: ContractHarness) => Promise<void>) => {
    const harness = await open();
    try {
      await work(harness);
    } finally {
      await harness.target.close();
      await harness.close();
    }
  };

  describe(`the ${connector.name} connector keeps the contract`, () => {
    it('what is acked is there, each record once', () =>
      withHarness(async ({ target, stored }) => {
        expect((await deliver(target, outgoing(['a', 'b', 'c']))).kind).toBe('acked');
        expect(await stored()).toEqual(['a', 'b', 'c']);
      }));

    itWithFault('reply lost')('a lost reply is unknown, and the batch can be sent again', () =>
      withHarness(async (harness) => {
        const { target, stored, isIdempotent } = harness;
        await arranged(harness, 'reply lost');
        const batch = outgoing(['a', 'b']);
        const lost = await deliver(target, batch);
        expect(lost.kind).toBe('unknown');
        expect(await stored()).toEqual(['a', 'b']);
        if (target.resolve) {
          const resolved = await target.resolve(again(batch), new AbortController().signal);
          expect(resolved.kind).toBe(isIdempotent ? 'acked' : 'unresolved');
        }
        expect((await deliver(target, again(batch))).kind).toBe('acked');
        expect(await stored()).toEqual(isIdempotent ? ['a', 'b'] : ['a', 'a', 'b', 'b']);
      }),
    );

    it('a batch that is not there is found resendable where the target can be asked', () =>
      withHarness(async ({ target, isIdempotent }) => {
        expect(target.unknownResolution === 'query').toBe(target.resolve !== undefined);
        if (!target.resolve) return;
        const resolved = await target.resolve(again(outgoing(['a'])), new AbortController().signal);
        expect(resolved.kind).toBe(isIdempotent ? 'resendable' : 'unresolved');
      }));

    itWithFault('reset while sending')('a reset while sending is never acked, and its records arrive with the next attempt', () =>
      withHarness(async (harness) => {
        const { target, stored, interrupted } = harness;
        await arranged(harness, 'reset while sending');
        const batch = outgoing(['a', 'b']);
        const outcome = await deliver(target, batch);
        expect(outcome.kind).toBe(interrupted);
        if (outcome.kind === 'refused') expect([await stored(), outcome.retryable]).toEqual([[], true]);
        expect((await deliver(target, again(batch))).kind).toBe('acked');
        expect(await stored()).toEqual(['a', 'b']);
      }),
    );

    itWithFault('a network')(
      'a connection that is reset in the middle of a big body is never acked, and every record is there in the end',
      () =>
        withHarness(async (harness) => {
          const { target, stored, isIdempotent } = harness;
          const proxy = proxyOf(harness);
          const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
          const batch = outgoing(ids, {}, bigText);
          proxy.resetAfter(batch.body.sizeBytes / 2);
          const outcome = await deliver(target, batch);
          expect(proxy.faultsUsed).toBe(1);
          const open = outcome.kind === 'acked' ? outcome.perRecord!.map(({ index }) => index) : ids.map((_, index) => index);
          if (outcome.kind === 'refused') expect([await stored(), outcome.retryable]).toEqual([[], true]);
          const isOnce = isIdempotent || outcome.kind === 'refused';
          expect(await deliver(target, only(again(batch), open))).toMatchObject({ kind: 'acked' });
          const there = await stored();
          expect(isOnce ? there : [...new Set(there)]).toEqual(ids);
        }),
    );

    itWithFault('too slow')('an attempt ends with its deadline', () =>
      withHarness(async (harness) => {
        const { target, interrupted } = harness;
        await arranged(harness, 'too slow');
        const deadline = new AbortController();
        const attempt = target.deliver(outgoing(['a']), deadline.signal);
        await systemPorts.sleep.sleep(150);
        deadline.abort();
        const outcome = await attempt;
        expect([outcome.kind, 'code' in outcome && outcome.code]).toEqual([interrupted, 'E_TARGET_TIMEOUT']);
      }),
    );

    itWithFault('a network')('a kept connection that goes dead ends its attempt with the deadline, and the next attempt gets through', () =>
      withHarness(async (harness) => {
        const { target, stored, interrupted } = harness;
        const proxy = proxyOf(harness);
        expect((await deliver(target, numbered(1))).kind).toBe('acked');
        // Every network can do that.
        await arranged(harness, 'half-open');
        const deadline = new AbortController();
        const batch = numbered(2);
        const attempt = target.deliver(batch, deadline.signal);
        await vi.waitUntil(() => proxy.faultsUsed === 1, { timeout: 60_000, interval: 5 });
        deadline.abort();
        const outcome = await attempt;
        expect([outcome.kind, 'code' in outcome && outcome.code]).toEqual([interrupted, 'E_TARGET_TIMEOUT']);
        expect((await deliver(target, again(batch))).kind).toBe('acked');
        expect(await stored()).toEqual(['r1', 'r2']);
      }),
    );

    itWithFault('a network')('a network that gives everything in small pieces takes longer, and changes nothing else', () =>
      withHarness(async (harness) => {
        const { target, stored } = harness;
        const proxy = proxyOf(harness);
        proxy.slowDown(slowPieceBytes);
        expect(await deliver(target, outgoing(['a', 'b', 'c']))).toMatchObject({ kind: 'acked' });
        expect(await stored()).toEqual(['a', 'b', 'c']);
      }),
    );

    itWithFault('a network')(
      'a target that is down and up in turn, a second each, has every record in the end, and twice only where nobody knew',
      () =>
        withHarness(async (harness) => {
          const { target, stored, isIdempotent } = harness;
          const proxy = proxyOf(harness);
          let isOver = false;
          const flapping = proxy.flap(2, 1_000).finally(() => (isOver = true));
          const [ids, mayRepeat] = [[] as string[], new Set<string>()];
          for (let number = 1; !isOver && number <= flapBatchesMax; number++) {
            ids.push(`r${number}`);
            for (let batch = numbered(number); ; batch = again(batch)) {
              const outcome = await deliver(target, batch);
              const isTaken = outcome.kind === 'acked' && (outcome.perRecord ?? []).length === 0;
              if (isTaken) break;
              if (outcome.kind !== 'refused') mayRepeat.add(`r${number}`);
              await systemPorts.sleep.sleep(50);
            }
            await systemPorts.sleep.sleep(250);
          }
          await flapping;
          const there = await stored();
          expect([...new Set(there)]).toEqual(ids);
          const repeated = there.filter((id, at) => there.indexOf(id) !== at);
          expect(repeated.filter((id) => isIdempotent || !mayRepeat.has(id))).toEqual([]);
        }),
    );

    it('an attempt whose deadline has passed before it began sends nothing', () =>
      withHarness(async ({ target, stored }) => {
        const outcome = await target.deliver(outgoing(['a']), AbortSignal.abort());
        expect(outcome).toMatchObject({ kind: 'refused', retryable: true });
        expect(await stored()).toEqual([]);
      }));

    itWithFault('refused')('a refusal for good is not retryable and leaves nothing there', () =>
      withHarness(async (harness) => {
        const { target, stored } = harness;
        await arranged(harness, 'refused');
        const outcome = await deliver(target, outgoing(['a', 'b']));
        expect(outcome).toMatchObject({ kind: 'refused', retryable: false });
        expect(await stored()).toEqual([]);
      }),
    );

    itWithFault('busy')('a busy target is asked again', () =>
      withHarness(async (harness) => {
        const { target, stored } = harness;
        await arranged(harness, 'busy');
        const batch = outgoing(['a']);
        expect(await deliver(target, batch)).toMatchObject({ kind: 'refused', retryable: true });
        expect(await stored()).toEqual([]);
        expect((await deliver(target, again(batch))).kind).toBe('acked');
      }),
    );

    itWithFault('unreachable')('a target that can not be reached refuses for now, and its probe says so', () =>
      withHarness(async (harness) => {
        const { target } = harness;
        await arranged(harness, 'unreachable');
        expect(await deliver(target, outgoing(['a']))).toMatchObject({ kind: 'refused', retryable: true });
        expect((await target.probe(new AbortController().signal)).isReachable).toBe(false);
      }),
    );

    itWithFault('one record refused')('one refused record takes no other with it', () =>
      withHarness(async (harness) => {
        const { target, stored } = harness;
        await arranged(harness, 'one record refused');
        const outcome = await deliver(target, outgoing(['a', 'b', 'c']));
        expect(outcome).toMatchObject({ kind: 'acked', perRecord: [{ index: 1, status: 'refused' }] });
        expect(await stored()).toEqual(['a', 'c']);
      }),
    );

    it('a reachable target is probed without a record', () =>
      withHarness(async ({ target, stored }) => {
        expect(await target.probe(new AbortController().signal)).toMatchObject({ isReachable: true, code: null });
        expect(await stored()).toEqual([]);
      }));

    it('its page tells every setting', () => {
      const page = readFileSync(join('docs', connector.documentation), 'utf8');
      const settings = [...connector.targetSettings, ...connector.connectionSettings];
      expect(settings.filter(({ name }) => !page.includes(name)).map(({ name }) => name)).toEqual([]);
    });

    it('a setting that it does not know is refused', () => {
      const options = openOptions(connector, { settings: required(connector.targetSettings), connection: { surprise: 1 } });
      expect(() => connector.open(options)).toThrowError(/surprise/);
    });
  });
}

function required(described: Connector['targetSettings']): Record<string, unknown> {
  return Object.fromEntries(described.filter(({ isRequired }) => isRequired).map(({ name }) => [name, 'x']));
}

/** A batch of one record, with a file of its own where it becomes one. */
const numbered = (number: number) => outgoing([`r${number}`], { number: `${number}-0000` });

/** Delivers, and looks that no outcome shows content. */
async function deliver(target: Target, batch: OutgoingBatch): Promise<DeliveryOutcome> {
  const outcome = await target.deliver(batch, new AbortController().signal);
  expect(JSON.stringify(outcome)).not.toContain(secretText);
  return outcome;
}

const bodies = { ndjson: { format: 'ndjson' } } as const;

export const contractPlan = (target: Partial<TargetPlan>): Plan =>
  deliveryPlan([targetPlan('out', bodies.ndjson, { timeoutMs: 2_000, concurrency: 2, ...target })]);

export const loopbackEgress: EgressPolicy = { allowPrivate: ['127.0.0.0/8', '::1/128'], allowPlain: true };

export function openOptions(
  connector: Connector,
  given: {
    readonly settings: Record<string, unknown>;
    readonly connection: Record<string, unknown>;
    readonly target?: Partial<TargetPlan>;
    readonly egress?: EgressPolicy;
    readonly folders?: FolderFence;
    readonly env?: Record<string, string>;
    readonly ports?: Partial<OpenOptions['ports']>;
  },
): OpenOptions {
  const plan = contractPlan({ type: connector.name, settings: given.settings, ...given.target });
  return {
    tenantId: systemPorts.ids.next(),
    plan,
    target: plan.targets[0]!,
    connection: { name: 'c', type: connector.connectionType ?? 'none', settings: given.connection },
    egress: given.egress ?? loopbackEgress,
    folders: given.folders ?? openFence,
    secrets: createSecretResolver({ env: given.env ?? {}, limits: null }),
    ports: { ...systemPorts, resolveHost: systemResolveHost, ...given.ports },
  };
}

/** One record per id, in the plan's output fields; every one holds a text that must not be seen anywhere else. */
export function outgoing(ids: readonly string[], more: Partial<OutgoingBatch> = {}, customer = secretText): OutgoingBatch {
  const lines = ids.map((id) => Buffer.from(`${JSON.stringify({ id, customer, amount: '1.00', currency: 'EUR' })}\n`));
  const body = Buffer.concat(lines);
  const batchId = systemPorts.ids.next();
  const jobId = systemPorts.ids.next();
  return {
    batchId,
    attempt: 1,
    possibleDuplicate: false,
    isIdSent: false,
    jobIds: [jobId],
    flowName: 'eft',
    fileName: 'in.csv',
    number: '1-0000',
    sequence: null,
    part: '',
    cutAt: new Date('2026-01-02T03:04:05Z'),
    records: ids.length,
    amounts: {},
    body: {
      sizeBytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      preamble: new Uint8Array(0),
      pieces: () => [body],
      lines: () => lines,
    },
    assertOurs() {},
    orderKeys: null,
    secretFor: (purpose) => createHash('sha256').update(`${batchId} ${purpose}`).digest(),
    oursForMs: 10_000,
    deliveryKeys: async () => ids.map((id) => createHash('sha256').update(`${batchId} ${id}`).digest('hex')),
    recordIds: async () => ids.map((_, index) => `${jobId}/${index + 1}`),
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ...more,
  };
}

/** Of those records alone, as a child of the batch. */
function only(batch: OutgoingBatch, indexes: readonly number[]): OutgoingBatch {
  const some = <Item>(items: readonly Item[]) => indexes.map((index) => items[index]!);
  const lines = some([...batch.body.lines()]);
  const body = Buffer.concat(lines);
  return {
    ...batch,
    records: lines.length,
    body: {
      ...batch.body,
      sizeBytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      pieces: () => [body],
      lines: () => lines,
    },
    deliveryKeys: async () => some(await batch.deliveryKeys()),
    recordIds: async () => some(await batch.recordIds()),
  };
}

/** The next attempt of the same batch, after an unknown one. */
export function again(batch: OutgoingBatch): OutgoingBatch {
  return { ...batch, attempt: batch.attempt + 1, possibleDuplicate: true, isIdSent: true };
}
