/** From `acknowledge` to the Plan: which connection takes what is written for senders, and under which names. */
import { acknowledgementTexts } from '../../../pipeline/connectors/output-files/file-template.ts';
import { expressionProblems } from '../../../pipeline/engine/expressions/expression-errors.ts';
import type { AcknowledgePlan } from '../../../pipeline/engine/plan.ts';
import { answeredByStatus } from '../../../pipeline/formats/iso20022/flow/flow-families.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { AcknowledgeDefinition, FlowSpec, PolledSourceDefinition, SourceDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { plainPath } from '../plain-path.ts';
import { checkTemplate } from './check-file-templates.ts';
import { isOutputFile } from './compile-targets.ts';

const path: Path = ['spec', 'acknowledge'];

/** Undefined: nothing is written, or the report says why it can't be. */
export function compileAcknowledge(spec: FlowSpec, report: Report): AcknowledgePlan | undefined {
  const { acknowledge, sources, targetDefaults } = spec;
  if (acknowledge === undefined) return undefined;
  const known = sources.filter((source) => source !== undefined);
  checkName(acknowledge, report);
  checkFormat(spec, report);
  const connection = acknowledgeConnection(acknowledge, known);
  if (connection === undefined) {
    refusePlace(acknowledge, known, report);
    return undefined;
  }
  const folder = plainPath(acknowledge.path);
  const watching = known.filter(isPolled).find((source) => source.connection === connection && plainPath(source.path) === folder);
  if (watching !== undefined)
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, 'path'],
      message: `the source ${watching.id} takes files from this folder: it would take acknowledgements as files`,
    });
  const writing = Object.entries(spec.targets).find(
    ([, target]) => isOutputFile(target) && target.connection === connection && plainPath(target.path) === folder,
  );
  if (writing !== undefined)
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, 'path'],
      message: `the target ${writing[0]} writes to this folder: an acknowledgement could take the name of one of its files`,
    });
  const { format, levels, acceptedAs, name, encrypt, sign } = acknowledge;
  if (sign && !encrypt)
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'sign'], message: 'sign is for files that are encrypted' });
  const { max, initial, cap } = targetDefaults.retry;
  return {
    format,
    levels: [...levels],
    ...(acceptedAs && { acceptedAs }),
    connection,
    path: folder,
    name,
    encrypt,
    sign,
    timeoutMs: targetDefaults.timeout,
    retry: { max, initialMs: initial, capMs: cap },
  };
}

function checkFormat({ acknowledge, format, sources }: FlowSpec, report: Report): void {
  const refuse = (code: string, message: string, key = 'format'): void =>
    report.add({
      code,
      path: [...path, key],
      message,
      atValue: key === 'format',
      isHarmless: code === expressionProblems.E_NOT_SUPPORTED_YET,
    });
  if (acknowledge?.acceptedAs !== undefined && acknowledge.format !== 'pain.002')
    refuse(flowErrors.E_CONFIG_CONFLICT, 'acceptedAs is for the format pain.002', 'acceptedAs');
  if (acknowledge?.format === 'pain.002') {
    const message = format?.type === 'iso20022' ? String(format['message']) : '';
    if (answeredByStatus.includes(message)) return;
    const answered = answeredByStatus.join(' or ');
    refuse(
      expressionProblems.E_NOT_SUPPORTED_YET,
      `pain.002 is not supported yet for files that are not ${answered}, read with format iso20022`,
    );
  }
  if (acknowledge?.format !== 'nacha') return;
  if (format?.type !== 'nacha') refuse(flowErrors.E_CONFIG_CONFLICT, 'returns answer ACH files: the format of the flow is to be nacha');
  if (sources.some((source) => source !== undefined && source.unpack !== 'none' && source.unpack.length > 0))
    refuse(expressionProblems.E_NOT_SUPPORTED_YET, 'returns are not supported yet for files that come packed');
  if (acknowledge.levels === undefined || acknowledge.levels.length !== 1 || acknowledge.levels[0] !== 'record')
    refuse(flowErrors.E_CONFIG_CONFLICT, 'returns are of single entries: write levels: [record]', 'levels');
}

/** The connection that takes acknowledgements; undefined where the definition names none, or names it in a way that can't be. */
export function acknowledgeConnection(
  { to, connection }: Pick<AcknowledgeDefinition, 'to' | 'connection'>,
  sources: readonly SourceDefinition[],
): string | undefined {
  if (to === undefined) return connection;
  return connection === undefined ? sources.filter(isPolled).find(({ id }) => id === to)?.connection : undefined;
}

function isPolled(source: SourceDefinition): source is PolledSourceDefinition {
  return source.type === 'folder' || source.type === 'sftp' || source.type === 'blob';
}

function refusePlace({ to, connection }: AcknowledgeDefinition, sources: readonly SourceDefinition[], report: Report): void {
  if (to === undefined)
    report.add({ code: flowErrors.E_CONFIG_KEY, path, message: 'to is missing: a source, or a connection in its place' });
  else if (connection !== undefined)
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, 'connection'],
      message: 'to and connection are two places; one is needed',
    });
  else {
    const named = sources.find(({ id }) => id === to);
    const nearest = nearestName(
      to,
      sources.filter(isPolled).map(({ id }) => id),
    );
    const other = nearest === null ? '' : `; did you mean ${nearest}?`;
    const message =
      named === undefined
        ? `no source ${to}${other}`
        : `nothing can be written to the source ${to} of type ${named.type}; name a connection of type folder, sftp or of a bucket with the key connection`;
    report.add({ code: flowErrors.E_CONFIG_REFERENCE, path: [...path, 'to'], message, atValue: true });
  }
}

function checkName({ name, levels }: AcknowledgeDefinition, report: Report): void {
  const at = [...path, 'name'];
  const found = checkTemplate(name, { at, texts: acknowledgementTexts, sums: null }, report);
  if (found === null) return;
  const has = (...names: readonly string[]): boolean => found.some((placeholder) => names.includes(placeholder.name));
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: at, message, atValue: true });
  if (!has('file', 'job', 'number'))
    refuse('the name needs {job}, {number} or {file}: without it the acknowledgements of two files share a name');
  if (levels !== undefined && new Set(levels).size < levels.length)
    report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path: [...path, 'levels'], message: 'a level is named twice' });
  else if (levels !== undefined && levels.length > 1 && !has('level')) refuse('the name needs {level}: there is a file for each');
}
