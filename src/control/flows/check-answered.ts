/**
 * Whether the flows and targets are there of which a target of type answers reads what was said. A warning: the flow of the answers
 * may be applied before the other, and what a target that is gone was sent may still be answered.
 */
import { nearestName } from '../../platform/base/nearest-name.ts';
import type { FlowDefinition } from './definition.ts';
import type { Path, Report } from './documents/diagnostics.ts';
import { flowErrors } from './flow-errors.ts';

/** `targetsOf`: ids of a flow's targets; undefined for a flow that is not known. `names`: of the flows that are. */
export interface KnownFlows {
  readonly names: readonly string[];
  targetsOf(flow: string): readonly string[] | undefined;
}

export function checkAnswered({ spec }: FlowDefinition, flows: KnownFlows, report: Report): void {
  for (const [id, target] of Object.entries(spec.targets ?? {})) {
    if (target?.type !== 'answers') continue;
    for (const [index, of] of (target.of ?? []).entries()) {
      if (of?.flow === undefined) continue;
      const path: Path = ['spec', 'targets', id, 'of', index];
      const targets = flows.targetsOf(of.flow);
      if (targets === undefined) tell(report, [...path, 'flow'], `no flow ${of.flow}`, nearestName(of.flow, flows.names));
      else if (of.target !== undefined && !targets.includes(of.target))
        tell(report, [...path, 'target'], `flow ${of.flow} has no target ${of.target}`, nearestName(of.target, targets));
    }
  }
}

/** Flows that the answers of a flow are of. */
export function answeredFlows({ spec }: FlowDefinition): readonly string[] {
  return Object.values(spec.targets ?? {}).flatMap((target) =>
    target?.type === 'answers' ? (target.of ?? []).flatMap((of) => (of?.flow === undefined ? [] : [of.flow])) : [],
  );
}

export const targetIds = ({ spec }: FlowDefinition): readonly string[] => Object.keys(spec.targets ?? {});

function tell(report: Report, path: Path, says: string, nearest: string | null): void {
  const message = `${says}: answers about it match nothing${nearest === null ? '' : `; did you mean ${nearest}?`}`;
  report.add({ code: flowErrors.E_CONFIG_REFERENCE, path, message, severity: 'warning', atValue: true });
}
