/** What one connector is measured by: a target of the product, and its client library alone doing the same. */
import { loadDocument, loadFlow } from '../../src/control/flows/load-flow.ts';
import { loadConnectors } from '../../src/main/catalogue.ts';
import type { Target } from '../../src/pipeline/connectors/connector.ts';
import { systemResolveHost } from '../../src/pipeline/connectors/resolve-host.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createSecretResolver } from '../../src/platform/secrets/secret-resolver.ts';
import { openFence } from '../../test/support/open-fence.ts';
import type { BenchContext } from '../bench-context.ts';
import { type BenchBatch, fieldTypes } from './delivery-batches.ts';

/** Batches under way at a time, on both sides. */
export const lanes = 4;

export interface DeliveryCase {
  readonly connector: string;
  /** What it is measured against. */
  readonly against: string;
  readonly target: Target;
  /** Sends one batch with the client library alone, as durably, and resolves when it was taken. */
  sendBare(batch: BenchBatch, lane: number): Promise<void>;
  /** What is there, as text in an order that is the same for both sides. */
  taken(): Promise<readonly string[]>;
  /** Leaves nothing there; connections may be new after it. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface CaseMaker {
  readonly connector: string;
  /** Records of a full run: in batches, and one by one. */
  readonly sizes: { readonly batched: number; readonly single: number };
  /** What is missing here, or null. */
  missing(): string | null;
  make(context: BenchContext): Promise<DeliveryCase>;
}

export interface Opened {
  readonly target: Target;
  /** What the target needs there, as `headgate target ddl` prints it. */
  readonly ddl: string;
}

/** Both texts are YAML in one line, as in a flow and in a connection. */
export async function openTarget(given: {
  readonly target: string;
  readonly connection: string;
  readonly password?: string;
}): Promise<Opened> {
  const fields = Object.entries(fieldTypes).map(
    ([name, type]) => `${name}: { type: ${type}, required: true${type === 'decimal' ? ', scale: 2' : ''} }`,
  );
  const { plan, diagnostics } = loadFlow(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bench, service: payments, name: deliveries, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { key: [id], fields: { ${fields.join(', ')} } } }
  routes: { default: { to: [out] } }
  targets: { out: ${given.target} }
  targetDefaults: { timeout: 60s, concurrency: ${lanes} }
`);
  const { document, diagnostics: others } = loadDocument(
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bench, name: c }\nspec: ${given.connection}\n`,
  );
  const problems = [...diagnostics, ...others].map(({ message }) => message);
  if (plan === null || problems.length > 0) throw new Error(`the bench made a wrong document: ${problems.join('; ')}`);
  const { type, ...settings } = document!.spec as { type: string };
  const [target] = plan.targets;
  const connector = (await loadConnectors()).find(({ name }) => name === target.type)!;
  return {
    target: connector.open({
      tenantId: systemPorts.ids.next(),
      plan,
      target,
      connection: { name: 'c', type, settings },
      egress: { allowPrivate: ['127.0.0.0/8'], allowPlain: true },
      folders: openFence,
      secrets: createSecretResolver({ env: { HEADGATE_SECRET_BENCH__P: given.password ?? '' }, limits: null }),
      ports: { ...systemPorts, resolveHost: systemResolveHost },
    }),
    ddl: connector.prepare?.(plan, target) ?? '',
  };
}

/** Nothing less than all of it. */
export async function sendOurs({ target }: DeliveryCase, { batch }: BenchBatch): Promise<void> {
  const outcome = await target.deliver(batch, new AbortController().signal);
  if (outcome.kind !== 'acked' || outcome.perRecord !== undefined)
    throw new Error(`a batch was not delivered: ${JSON.stringify(outcome).slice(0, 300)}`);
}
