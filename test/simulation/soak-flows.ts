/**
 * The tenants and flows of a soak, as documents: three formats' worth of ways in and every kind of target. Tries are quick
 * and nearly endless, so that a record ends as a dead letter only when its target refuses it.
 */
import { join } from 'node:path';
import { transfersFlow, type WidePlace, wideConnections, wideSecretVariables } from './wide-flow.ts';

export interface Surroundings {
  /** Root of the folders that files are dropped into and written to. */
  readonly root: string;
  readonly httpPort: number;
  readonly postgres: { readonly port: number; readonly database: string; readonly user: string };
  /** Asked for by the tenant of the flow with a target of each kind. */
  readonly wide?: WidePlace;
}

/** `usual`: files, HTTP and PostgreSQL; `all`: a flow with a target of each kind besides. */
export type TargetScope = 'usual' | 'all';

export type Tenant = 'north' | 'south' | 'east';
export type FlowName = 'payments' | 'notices' | 'statements' | 'transfers';
export const flowTenants: Readonly<Record<FlowName, Tenant>> = {
  payments: 'north',
  notices: 'south',
  statements: 'south',
  transfers: 'east',
};

export function flowsOf(scope: TargetScope): readonly FlowName[] {
  const flows = Object.keys(flowTenants) as readonly FlowName[];
  return scope === 'all' ? flows : flows.filter((flow) => flow !== 'transfers');
}

export function tenantsOf(scope: TargetScope): readonly Tenant[] {
  return [...new Set(flowsOf(scope).map((flow) => flowTenants[flow]))];
}

export type WayIn = 'upload' | 'folder' | 'sftp';

export function waysInOf(scope: TargetScope): readonly WayIn[] {
  return scope === 'all' ? ['upload', 'folder', 'sftp'] : ['upload', 'folder'];
}

/** Where each target's records are found at the end. */
export const targetPlaces = {
  archive: { kind: 'file', format: 'ndjson', folder: 'north/archive' },
  booking: { kind: 'postgres', table: 'booking' },
  feed: { kind: 'http', path: '/batch', order: 'file' },
  outbox: { kind: 'file', format: 'csv', folder: 'south/outbox' },
  alerts: { kind: 'http', path: '/single', order: 'key' },
  journal: { kind: 'http', path: '/results' },
  vault: { kind: 'file', format: 'ndjson', folder: 'south/vault', order: 'file' },
  kafka: { kind: 'messages', order: 'key', isWide: true },
  rabbitmq: { kind: 'messages', order: 'key', isWide: true },
  mariadb: { kind: 'mysql', table: 'transfer', order: 'key', isWide: true },
  postgres: { kind: 'postgres', table: 'transfer', order: 'key', isWide: true },
  http: { kind: 'http', path: '/transfers', order: 'key', isWide: true },
  sftp: { kind: 'file', format: 'csv', folder: 'server/courier', order: 'key', isWide: true },
} as const satisfies Record<string, TargetPlace>;

/** The order that the flow keeps there: of the file, or of keys, of which several records have the same. */
export type KeptOrder = 'file' | 'key';

/** `isWide`: only where all targets are asked for. */
type TargetPlace = { readonly order?: KeptOrder; readonly isWide?: true } & (
  | { kind: 'file'; format: 'ndjson' | 'csv'; folder: string }
  | { kind: 'postgres' | 'mysql'; table: string }
  | { kind: 'http'; path: string }
  | { kind: 'messages' }
);

export type TargetName = keyof typeof targetPlaces;
export const targetNames = Object.keys(targetPlaces) as readonly TargetName[];

export function orderKeptAt(target: TargetName): KeptOrder | undefined {
  return (targetPlaces[target] as TargetPlace).order;
}

export function isWideTarget(target: TargetName): boolean {
  return 'isWide' in targetPlaces[target];
}

export function targetsOf(scope: TargetScope): readonly TargetName[] {
  return scope === 'all' ? targetNames : targetNames.filter((target) => !isWideTarget(target));
}

/** Variable of the serving processes that holds the password of the table's role. */
export const sinkPasswordVariable = 'HEADGATE_SECRET_NORTH__SINK';

/** Folder that files of a flow are dropped into. */
export function dropFolder(root: string, flow: FlowName): string {
  return join(root, flowTenants[flow], 'in', flow);
}

/** Folder of the SFTP server: files are dropped into `in`, and written to `courier`. */
export function serverFolder(root: string): string {
  return join(root, 'server');
}

/** In the order in which they must be applied. */
export function tenantDocuments(tenant: Tenant, surroundings: Surroundings): string[] {
  const { root, httpPort, postgres, wide } = surroundings;
  const connection = (name: string, spec: string) =>
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: ${tenant}, name: ${name} }\nspec: ${spec}\n`;
  const common = [
    `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: ${tenant}, name: policy }
spec:
  tier: ${tenant === 'north' ? 'gold' : 'silver'}
  admission: { filesPerMinute: 1000000 }
  egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true }
`,
    connection('drop', `{ type: folder, root: ${join(root, tenant, 'in')} }`),
    connection('out', `{ type: folder, root: ${join(root, tenant)} }`),
    connection('service', `{ type: http, baseUrl: "http://127.0.0.1:${httpPort}" }`),
  ];
  if (tenant === 'south') return [...common, notices, statements];
  const { port, database, user } = postgres;
  const table = (variable: string) =>
    connection(
      'table',
      `{ type: postgres, host: 127.0.0.1, port: ${port}, database: ${database}, user: ${user}, password: "env:${variable}", tls: disable }`,
    );
  if (tenant === 'north') return [...common, table(sinkPasswordVariable), paymentsFlow];
  if (wide === undefined) throw new Error(`the flow of ${tenant} has targets that are not here`);
  const connections = Object.entries(wideConnections(wide)).map(([name, spec]) => connection(name, spec));
  return [...common, table(wideSecretVariables.table), ...connections, transfersFlowTo(wide.topic)];
}

export function transfersFlowTo(topic: string): string {
  return transfersFlow(topic, { sources: sources('transfers', '*.csv'), targetDefaults });
}

const targetDefaults = `targetDefaults: { timeout: 2s, concurrency: 4, retry: { max: 100, initial: 50ms, cap: 400ms }, breaker: { window: 2s, probeEvery: 200ms } }`;

function sources(flow: string, match: string): string {
  return `sources:
    - { id: upload, type: http }
    - { id: drop, type: folder, connection: drop, path: ${flow}, match: "${match}", ready: { stableFor: 100ms }, poll: 200ms }`;
}

export const paymentsFlow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: north, service: soak, name: payments, version: 1.0.0 }
spec:
  ${sources('payments', '*.csv')}
  format: { type: delimited, header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, pattern: "^[A-Z][0-9]{6}-[0-9]{4}$", unique: file }
        amount: { type: decimal, scale: 2, required: true, currency: currency, sum: true }
        currency: { type: currency, required: true }
        note: { type: string }
  validate:
    - { id: positive, assert: "record.amount > 0", code: AMT01, message: "Amount must be above zero" }
  filter:
    - { id: notices, when: "coalesce(record.note, '') == 'skip'", reason: "Left out on purpose" }
  routes:
    mode: first
    rules:
      - { id: large, when: "out.amount >= decimal('5000')", to: [archive, feed] }
    default: { to: [archive, booking] }
  targets:
    archive: { type: file, connection: out, path: archive, rollUp: true }
    booking: { type: postgres, connection: table, table: booking, mode: insert, batch: { size: 25 } }
    feed: { type: http, connection: service, path: /batch, order: file }
  ${targetDefaults}
  acknowledge: { format: csv, levels: [file, record], connection: out, path: acks }
`;

const notices = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: south, service: soak, name: notices, version: 1.0.0 }
spec:
  ${sources('notices', '*.ndjson')}
  format: { type: json-lines }
  schema:
    record:
      key: [account]
      fields:
        id: { type: string, required: true, pattern: "^[A-Z][0-9]{6}-[0-9]{4}$" }
        account: { type: string, required: true }
        amount: { type: decimal, scale: 2, required: true, currency: currency, sum: true }
        currency: { type: currency, required: true }
        note: { type: string }
  validate:
    - { id: positive, assert: "record.amount > 0", code: AMT01, message: "Amount must be above zero" }
  routes:
    mode: all
    rules:
      - { id: every, when: "record.amount > 0", to: [outbox] }
      - { id: large, when: "record.amount >= decimal('5000')", to: [alerts] }
    default: { to: [outbox] }
  targets:
    outbox: { type: file, connection: out, path: outbox, format: csv, window: 1s }
    alerts: { type: http, connection: service, path: /single, mode: single, order: by-key }
  ${targetDefaults}
`;

/** Files of several chunks. */
const statements = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: south, service: soak, name: statements, version: 1.0.0 }
spec:
  ${sources('statements', '*.txt')}
  format: { type: delimited, delimiter: ";" }
  schema:
    record:
      key: [id]
      fields:
        id: { column: 1, type: string, required: true, pattern: "^[A-Z][0-9]{6}-[0-9]{4}$", unique: file }
        amount: { column: 2, type: decimal, scale: 2, required: true, currency: currency, sum: true }
        currency: { column: 3, type: currency, required: true }
        note: { column: 4, type: string }
  routes:
    default: { to: [journal, vault] }
  targets:
    journal: { type: http, connection: service, path: /results, batch: { size: 100, linger: 300ms } }
    vault: { type: file, connection: out, path: vault, order: file }
  ${targetDefaults}
`;
