/** A backup has to take what its target would have been sent, as it is: the same bytes, in the order that the target keeps, whatever its own is. */
import { isDeepStrictEqual } from 'node:util';
import type { TargetPlan } from '../../../pipeline/engine/plan.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

/** `holdsFiles`: whether batches of targets of this type are files under names of their own. */
export function checkBackups(targets: readonly TargetPlan[], holdsFiles: (type: string) => boolean, report: Report): void {
  for (const target of targets) {
    if (target.backup === null) continue;
    const path = ['spec', 'targets', target.id, 'backup'];
    const backup = targets.find(({ id }) => id === target.backup);
    if (backup === undefined) {
      const nearest = nearestName(
        target.backup,
        targets.map(({ id }) => id),
      );
      const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
      report.add({ code: flowErrors.E_CONFIG_REFERENCE, path, message: `no target ${target.backup}${hint}` });
      continue;
    }
    const obstacle =
      holdsFiles(target.type) || holdsFiles(backup.type)
        ? 'a target whose batches are files has no backup, and is none'
        : target.type === 'answers' || backup.type === 'answers'
          ? 'a target that takes answers has no backup, and is none'
          : obstacleTo(target, backup);
    if (obstacle !== null) report.add({ code: flowErrors.E_CONFIG_CONFLICT, path, message: obstacle });
  }
}

function obstacleTo(target: TargetPlan, backup: TargetPlan): string | null {
  if (backup.id === target.id) return 'a target is no backup of itself';
  if (!isDeepStrictEqual(target.body, backup.body)) return `${backup.id} takes records in another format`;
  const { partition, key } = backup.settings;
  if (backup.type === 'kafka' && partition === undefined && (target.order === 'file' || (target.order === 'by-key' && key === undefined)))
    return `${backup.id} has no ${target.order === 'file' ? 'partition' : 'key'}, so that order ${target.order} would be lost`;
  return null;
}
