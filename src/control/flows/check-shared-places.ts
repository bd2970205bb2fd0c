/**
 * A file of a polled place is taken by one source. Two that want the same names of one folder would both take what both saw before one
 * of them moved it away, and its records would go out twice; where both leave files as they are, that is what is asked for.
 */
import { canMatchOneName } from '../../pipeline/arrivals/file-name.ts';
import type { FlowDefinition, PolledSourceDefinition, SftpServerSource } from './definition.ts';
import type { Report } from './documents/diagnostics.ts';
import { flowErrors } from './flow-errors.ts';
import type { PlaceOf } from './polled-place.ts';

/** A source of a flow in force, or of another document. */
export interface TakingSource {
  readonly flow: string;
  readonly source: Partial<PolledSourceDefinition>;
}

export function checkSharedPlaces(flow: FlowDefinition, others: readonly TakingSource[], placeOf: PlaceOf, report: Report): void {
  const { name } = flow.metadata;
  const known = others.filter((other) => other.flow !== name);
  for (const [index, source] of (flow.spec.sources ?? []).entries()) {
    if (!isPolled(source)) continue;
    const other = known.find((each) => placeOf(each.source) === placeOf(source) && isShared(each.source, source));
    known.push({ flow: name, source });
    if (other === undefined) continue;
    const whose =
      other.flow === name ? `the source ${other.source.id} of this flow` : `the source ${other.source.id} of flow ${other.flow}`;
    const message = `${whose} takes files of this folder under the same names (${other.source.match ?? '*'}): one that both see would be taken twice`;
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: ['spec', 'sources', index], message });
  }
}

/** The first two of all sources that want the same files, and did not before. */
export function findNewlyShared(
  sources: readonly TakingSource[],
  { before, after }: { readonly before: PlaceOf; readonly after: PlaceOf },
): readonly [TakingSource, TakingSource] | undefined {
  for (const together of Map.groupBy(sources, ({ source }) => after(source)).values())
    for (const [index, second] of together.entries())
      for (const first of together.slice(0, index))
        if (isShared(first.source, second.source) && before(first.source) !== before(second.source)) return [first, second];
  return undefined;
}

/** Of two sources of one place. */
function isShared(one: TakingSource['source'], other: TakingSource['source']): boolean {
  return !(leaves(one) && leaves(other)) && canMatchOneName(one.match ?? '*', other.match ?? '*');
}

/** A source of another flow that takes what a user brings into a folder of the SFTP server here. */
export interface BroughtSource {
  readonly flow: string;
  readonly source: SftpServerSource;
}

/** A folder of a user is taken by one source: not by that of another flow as well. `others` are of other flows. */
export function checkSharedFolders(
  flow: FlowDefinition,
  others: readonly BroughtSource[],
  boundTo: (connection: string) => string,
  report: Report,
): void {
  for (const [index, source] of (flow.spec.sources ?? []).entries()) {
    if (source?.type !== 'sftp-server') continue;
    const user = boundTo(source.connection);
    const other = others.find((each) => each.source.folder === source.folder && boundTo(each.source.connection) === user);
    if (other === undefined) continue;
    const message = `the flow ${other.flow} takes the files of folder ${source.folder} of ${user}`;
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: ['spec', 'sources', index, 'folder'], message, atValue: true });
  }
}

const polledTypes = ['folder', 'sftp', 'blob'];

/** What could not be read is undefined. */
function isPolled(source: Partial<FlowDefinition['spec']['sources'][number]> | undefined): source is PolledSourceDefinition {
  return source?.type !== undefined && polledTypes.includes(source.type);
}

function leaves({ afterwards }: TakingSource['source']): boolean {
  return afterwards === 'leave';
}

export function takingSources(flow: FlowDefinition): TakingSource[] {
  return (flow.spec.sources ?? []).filter(isPolled).map((source) => ({ flow: flow.metadata.name, source }));
}

export function broughtSources(flow: FlowDefinition): BroughtSource[] {
  return (flow.spec.sources ?? []).flatMap((source) => (source?.type === 'sftp-server' ? [{ flow: flow.metadata.name, source }] : []));
}
