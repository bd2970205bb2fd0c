/**
 * From a flow definition to its Plan: all checks that need to see several keys at once, all findings in one go. The same
 * definition always gives the same Plan.
 */
import { type Plan, planVersion } from '../../../pipeline/engine/plan.ts';
import type { FlowDefinition, FlowSpec, FolderSource, SftpSource } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { checkOwnFolders } from './check-own-folders.ts';
import { compileAcceptance } from './compile-acceptance.ts';
import { compileAcknowledge } from './compile-acknowledge.ts';
import { compileFormat } from './compile-format.ts';
import { compileRecords } from './compile-records.ts';
import { compileRoutes } from './compile-routes.ts';
import { compileFilters, compileOutput, compileRules } from './compile-rules.ts';
import { compileTargets } from './compile-targets.ts';
import { flowScopes } from './expression-scopes.ts';
import { isPack, withPackSchema } from './pack-schema.ts';

export interface CompileRequest {
  readonly definition: FlowDefinition;
  readonly hash: string;
  /** Keys of the spec that could not be read: what needs them is not checked. Sources and targets that are not known are undefined. */
  readonly broken: ReadonlySet<string>;
}

/** A Plan that is only good when the report has no errors; null when it could not be made at all. */
export function compileDefinition({ definition, hash, broken }: CompileRequest, report: Report): Plan | null {
  const { metadata } = definition;
  const isReadable = (...keys: readonly string[]): boolean => keys.every((key) => !broken.has(key));
  if (!isReadable('spec', 'metadata') || metadata === undefined || definition.spec === undefined) return null;
  const written = { ...definition.spec, targets: knownTargets(definition) };
  if (isReadable('sources')) checkSources(written, report);
  if (!isReadable('format', 'schema') || written.format === undefined) return null;
  if (isReadable('duplicates')) checkDuplicates(written, report);
  const spec = withPackSchema(written, report);
  if (spec === null) return null;
  const format = compileFormat(spec, report);
  const records = compileRecords(spec, format, report);
  if (records === null) return null;
  const scopes = flowScopes(records);
  const rules = isReadable('validate')
    ? compileRules({ rules: spec.validate, ofPack: spec.validate.length - written.validate.length }, scopes, report)
    : [];
  const filters = isReadable('filter') ? compileFilters(spec.filter, scopes, report) : [];
  const acceptance = isReadable('acceptance', 'validate') ? compileAcceptance(spec, records, report) : null;
  if (!isReadable('transform')) return null;
  const output = compileOutput(spec, records, scopes, report);
  const targetNames = Object.keys(definition.spec.targets ?? {});
  const routes = isReadable('routes') ? compileRoutes(spec, { targetNames, output, scopes }, report) : null;
  const targets = isReadable('targets', 'targetDefaults') ? compileTargets(spec, { output, records, scopes }, report) : null;
  const acknowledge = isReadable('acknowledge', 'sources', 'targetDefaults')
    ? compileAcknowledge({ ...spec, targets: isReadable('targets') ? spec.targets : {} }, report)
    : undefined;
  if (targets !== null && isReadable('sources')) checkOwnFolders(spec, report);
  if (acceptance === null || routes === null || targets === null) return null;
  const { tenant, service, subService = null, name, version } = metadata;
  const flow = { tenant, service, subService, name, version, hash };
  return {
    planVersion,
    flow,
    format,
    records,
    rules,
    filters,
    output,
    routes,
    targets,
    acceptance,
    ...(acknowledge === undefined ? {} : { acknowledge }),
  };
}

function knownTargets({ spec }: FlowDefinition): FlowSpec['targets'] {
  return Object.fromEntries(Object.entries(spec.targets ?? {}).filter(([, target]) => target !== undefined));
}

function checkDuplicates({ duplicates, format }: FlowSpec, report: Report): void {
  if (!duplicates.file.includes('records') || isPack(format)) return;
  const path = ['spec', 'duplicates', 'file'];
  report.add({ code: flowErrors.E_CONFIG_CONFLICT, path, message: `records is for formats that are packs; ${format.type} is none` });
}

function checkSources(spec: FlowSpec, report: Report): void {
  const sources = spec.sources.map((source, index) => ({ source, index })).filter(({ source }) => source !== undefined);
  const seen = new Set<string>();
  const folders = new Set<string>();
  let uploads = 0;
  for (const { source, index } of sources) {
    const path = ['spec', 'sources', index];
    const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path, message });
    if (seen.has(source.id)) refuse(`the id ${source.id} is there twice`);
    seen.add(source.id);
    if (source.type === 'http' && ++uploads > 1) refuse('a flow has at most one source of type http');
    const isEncrypted = source.unpack === 'pgp' || (Array.isArray(source.unpack) && source.unpack.includes('pgp'));
    if (isEncrypted !== (source.pgp !== undefined)) {
      const message = isEncrypted
        ? 'unpack: pgp needs a connection of type pgp, with the keys'
        : 'pgp is for sources whose files are unpacked with the step pgp';
      report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, isEncrypted ? 'unpack' : 'pgp'], message });
    }
    if (source.type === 'folder' || source.type === 'sftp') checkMark(source, path, report);
    if (source.type !== 'sftp-server') continue;
    const folder = `${source.connection}/${source.folder}`;
    if (folders.has(folder)) refuse(`the folder ${source.folder} of ${source.connection} is there twice`);
    folders.add(folder);
  }
}

/** A marked file must be none that is taken, and no marker or manifest of a later one. */
function checkMark({ afterwards, mark = '', match, ready }: FolderSource | SftpSource, path: Path, report: Report): void {
  if (afterwards !== 'mark') return;
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'mark'], message });
  for (const key of ['marker', 'manifest'] as const) {
    const suffix = ready[key];
    if (suffix !== undefined && (suffix.endsWith(mark) || mark.endsWith(suffix))) refuse(`a marked file looks like the ${key} of another`);
  }
  if (match.endsWith(mark)) refuse('match is for names that end with the mark: nothing would be taken');
}
