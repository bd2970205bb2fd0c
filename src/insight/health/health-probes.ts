/**
 * Probes sources and targets on demand, each in its turn over all processes: whoever asks while one runs gets what that one
 * finds. So many at once in this process, and fewer for one request, so that one tenant's dead servers hold up nobody else for
 * long. A probe runs in the process that is asked, with its secrets and from its network.
 */
import { flowStoreErrors } from '../../control/flows/applying/flow-store-errors.ts';
import type { ArrivalPlans } from '../../pipeline/arrivals/arrival-plan.ts';
import type { SourceWorld } from '../../pipeline/arrivals/open-source-place.ts';
import { probeSource } from '../../pipeline/arrivals/source-probe.ts';
import type { ProbeResult } from '../../pipeline/connectors/connector.ts';
import type { TargetOpening } from '../../pipeline/deliveries/attempts/open-targets.ts';
import type { DeliveryDefinitions } from '../../pipeline/deliveries/delivery-definitions.ts';
import { endTurn, findNewest, type Probe, recordProbe, takeTurn } from '../../pipeline/deliveries/probes/probe-store.ts';
import { probeTarget, probeTimeoutMs } from '../../pipeline/deliveries/probes/target-probe.ts';
import { createSlots, forEachAtOnce } from '../../platform/base/at-once.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { HealthSubject } from './health-subjects.ts';

export interface HealthProbesOptions {
  readonly db: Db;
  readonly ports: Ports;
  readonly definitions: DeliveryDefinitions;
  readonly plans: Pick<ArrivalPlans, 'bySource'>;
  /** Keeps no connections. */
  readonly sources: SourceWorld;
  /** Brings drivers with it: called with the first probe. */
  readonly openTargets: () => Promise<TargetOpening>;
}

export interface HealthProbes {
  /** In the order of the subjects. Each ends in time and says what it found; none fails. */
  probe(tenantId: string, subjects: readonly HealthSubject[]): Promise<readonly Probe[]>;
}

const processMax = 16;
const requestMax = 4;
/** Longer than any probe takes, with its grace. */
const turnMs = probeTimeoutMs + 10_000;
const waitMs = 100;

export function createHealthProbes(options: HealthProbesOptions): HealthProbes {
  const { db, ports } = options;
  const slots = createSlots(processMax);

  async function probeNow(tenantId: string, subject: HealthSubject): Promise<ProbeResult> {
    try {
      return subject.kind === 'source'
        ? await probeOneSource(options, tenantId, subject)
        : await probeOneTarget(options, tenantId, subject);
    } catch (error) {
      // The connection is not there, or the flow has changed meanwhile.
      if (!(error instanceof HeadgateError)) throw error;
      return { isReachable: false, code: error.code, message: error.message, durationMs: 0 };
    }
  }

  /** Null: the turn is ours. Whoever finds it taken waits for what comes of it, or for the turn, which ends by itself. */
  async function waitForTurn(tenantId: string, subject: HealthSubject): Promise<Probe | null> {
    let known: string | null | undefined;
    for (;;) {
      const found = await withTenant(db, tenantId, async (tx) => {
        const isOurs = await takeTurn(tx, subject, turnMs);
        const [newest = null] = await findNewest(tx, [subject], 'request');
        const isNew = known !== undefined && newest !== null && newest.probeId !== known;
        if (isOurs && isNew) await endTurn(tx, subject);
        known ??= newest?.probeId ?? null;
        return isNew ? newest : isOurs ? 'ours' : 'taken';
      });
      if (found === 'ours') return null;
      if (found !== 'taken') return found;
      await ports.sleep.sleep(waitMs);
    }
  }

  async function probeInTurn(tenantId: string, subject: HealthSubject): Promise<Probe> {
    const found = await waitForTurn(tenantId, subject);
    if (found !== null) return found;
    const result = await probeNow(tenantId, subject);
    const probeId = ports.ids.next();
    return await withTenant(db, tenantId, async (tx) => {
      await recordProbe(tx, subject, { probeId, askedBy: 'request', ...result });
      await endTurn(tx, subject);
      const [recorded] = await findNewest(tx, [subject], 'request');
      return recorded!;
    });
  }

  return {
    async probe(tenantId, subjects) {
      const probes: Probe[] = [];
      await forEachAtOnce(subjects, requestMax, async (subject, index) => {
        probes[index] = await slots(() => probeInTurn(tenantId, subject));
      });
      return probes;
    },
  };
}

async function probeOneTarget(options: HealthProbesOptions, tenantId: string, subject: HealthSubject): Promise<ProbeResult> {
  const { db, definitions } = options;
  const { plan, binding } = await withTenant(
    db,
    tenantId,
    async (tx) => ({
      plan: (await definitions.loadFlow(tx, subject.flowVersionId)).plan,
      binding: await definitions.loadBinding(tx, subject.connection ?? ''),
    }),
    { readOnly: true },
  );
  const target = plan.targets.find(({ id }) => id === subject.id)!;
  return await probeTarget(await options.openTargets(), { tenantId, flowVersionId: subject.flowVersionId, plan, target, binding });
}

async function probeOneSource(options: HealthProbesOptions, tenantId: string, subject: HealthSubject): Promise<ProbeResult> {
  const { db, ports, plans, sources } = options;
  const found = await withTenant(db, tenantId, (tx) => plans.bySource(tx, subject.flowId, subject.id), { readOnly: true });
  if (found === undefined) throw new HeadgateError(flowStoreErrors.E_FLOW_UNKNOWN, 'the source is not in force any more');
  const key = `probe ${tenantId}/${subject.flowId}/${subject.id}`;
  return await probeSource({ ...sources, ports }, { key, ...found }, probeTimeoutMs);
}
