/**
 * What a flow says about other documents of its tenant: that its connections exist and are of the right type, and that it
 * is no less strict than the policy. Pure; where the documents come from is the caller's business.
 */
import { nearestName } from '../../platform/base/nearest-name.ts';
import { blobConnectionTypes } from '../../platform/blob/blob-connection.ts';
import { acknowledgeConnection } from './compiling/compile-acknowledge.ts';
import { withPackSchema } from './compiling/pack-schema.ts';
import type { Connection, Environment, FieldDefinitions, FlowDefinition, OutputFileDefinition, TenantPolicy } from './definition.ts';
import type { Path, Report } from './documents/diagnostics.ts';
import { flowErrors } from './flow-errors.ts';

export interface TenantDocuments {
  /** Null: not known, and not checked. */
  readonly connections: ReadonlyMap<string, Connection> | null;
  readonly policy: TenantPolicy | null;
}

const connectionTypes: Readonly<Record<string, string | readonly string[]>> = {
  folder: 'folder',
  sftp: 'sftp',
  'sftp-server': 'sftp-server',
  blob: blobConnectionTypes,
  pgp: 'pgp',
  file: 'folder',
  s3: 's3',
  'azure-blob': 'azure-blob',
  gcs: 'gcs',
  http: 'http',
  amqp: 'amqp',
  kafka: 'kafka',
  postgres: 'postgres',
  mysql: 'mysql',
  acknowledge: ['folder', 'sftp', ...blobConnectionTypes],
};

/** Sources and targets that could not be read are undefined, and not looked at; so is the schema. */
export function checkReferences(flow: FlowDefinition, { connections, policy }: TenantDocuments, report: Report): void {
  if (connections !== null) {
    for (const [index, source] of (flow.spec.sources ?? []).entries()) {
      if (source !== undefined && source.type !== 'http')
        checkUse({ name: source.connection, type: source.type, path: ['spec', 'sources', index, 'connection'] }, connections, report);
      checkUse({ name: source?.pgp, type: 'pgp', path: ['spec', 'sources', index, 'pgp'] }, connections, report);
    }
    for (const [id, target] of Object.entries(flow.spec.targets ?? {})) {
      if (target === undefined) continue;
      if ('connection' in target)
        checkUse({ name: target.connection, type: target.type, path: ['spec', 'targets', id, 'connection'] }, connections, report);
      if ('encrypt' in target) checkKeys(target, connections, ['spec', 'targets', id], report);
    }
    checkAcknowledge(flow.spec, connections, report);
  }
  if (policy !== null && flow.spec.format !== undefined) checkMasks(flow, policy, report);
}

function checkUse(
  use: { name: string | undefined; type: string; path: Path },
  connections: ReadonlyMap<string, Connection>,
  report: Report,
): void {
  if (use.name === undefined) return;
  const connection = connections.get(use.name);
  const wanted = [connectionTypes[use.type]!].flat();
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_REFERENCE, path: use.path, message, atValue: true });
  if (connection === undefined) {
    const nearest = nearestName(use.name, connections.keys());
    refuse(`no Connection ${use.name}${nearest === null ? '' : `; did you mean ${nearest}?`}`);
  } else if (!wanted.includes(connection.spec.type))
    refuse(`${use.name} is a connection of type ${connection.spec.type}; ${use.type} needs ${wanted.join(' or ')}`);
}

function checkAcknowledge(
  { acknowledge, sources }: FlowDefinition['spec'],
  connections: ReadonlyMap<string, Connection>,
  report: Report,
): void {
  if (acknowledge === undefined) return;
  const { encrypt, sign } = acknowledge;
  const path: Path = ['spec', 'acknowledge'];
  const connection = acknowledgeConnection(
    acknowledge,
    (sources ?? []).filter((source) => source !== undefined),
  );
  if (connection === undefined) return;
  // The connection of a source is checked with the source.
  if (acknowledge.to === undefined) checkUse({ name: connection, type: 'acknowledge', path: [...path, 'connection'] }, connections, report);
  checkKeys({ connection, encrypt, sign }, connections, path, report);
}

/** A target that encrypts needs keys where its files go. */
function checkKeys(
  { connection, encrypt, sign }: Pick<OutputFileDefinition, 'connection' | 'encrypt' | 'sign'>,
  connections: ReadonlyMap<string, Connection>,
  path: Path,
  report: Report,
): void {
  const spec = connections.get(connection)?.spec;
  if (spec === undefined || !('root' in spec)) return;
  const missing = (key: string, needed: string): void =>
    report.add({ code: flowErrors.E_CONFIG_REFERENCE, path: [...path, key], message: `${connection} has no ${needed}` });
  if (encrypt && spec.pgpRecipients === undefined) missing('encrypt', 'pgpRecipients');
  if (encrypt && sign && spec.pgpSigningKey === undefined) missing('sign', 'pgpSigningKey');
}

const strictness = { none: 0, last4: 1, all: 2 } as const;

function checkMasks(flow: FlowDefinition, policy: TenantPolicy, report: Report): void {
  const { header, record, records, trailer } = withPackSchema(flow.spec, null)?.schema ?? {};
  const path: Path = ['spec', 'schema'];
  const check = (fields: FieldDefinitions | undefined, at: Path): void => {
    for (const [name, field] of Object.entries(fields ?? {})) {
      if (field?.mask === undefined) continue;
      const least =
        field.class === undefined || !Object.hasOwn(policy.spec.masking, field.class) ? undefined : policy.spec.masking[field.class];
      if (least === undefined || strictness[field.mask] >= strictness[least]) continue;
      report.add({
        code: flowErrors.E_POLICY,
        path: [...at, 'fields', name],
        message: `the policy masks fields of class ${field.class} with ${least} at least; ${name} has ${field.mask}`,
      });
    }
  };
  check(header?.fields, [...path, 'header']);
  check(record?.fields, [...path, 'record']);
  for (const [name, type] of Object.entries(records ?? {})) check(type?.fields, [...path, 'records', name]);
  check(trailer?.fields, [...path, 'trailer']);
}

/** Every name that an Environment binds leads to a connection. */
export function checkEnvironment(environment: Environment, connections: ReadonlyMap<string, Connection>, report: Report): void {
  for (const [name, bound] of Object.entries(environment.spec.connections ?? {})) {
    if (bound === undefined || connections.has(bound)) continue;
    const nearest = nearestName(bound, connections.keys());
    report.add({
      code: flowErrors.E_CONFIG_REFERENCE,
      path: ['spec', 'connections', name],
      message: `no Connection ${bound}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
      atValue: true,
    });
  }
}

/** A stage has one Environment: of two, one would say nothing, or take from flows what the other binds. */
export function checkStage(environment: Environment, others: readonly Environment[], report: Report): void {
  const { stage } = environment.spec;
  const other = others.find(({ spec }) => spec.stage === stage);
  if (other === undefined) return;
  report.add({
    code: flowErrors.E_CONFIG_CONFLICT,
    path: ['spec', 'stage'],
    message: `Environment ${other.metadata.name} is that of the stage ${stage} already`,
    atValue: true,
  });
}
