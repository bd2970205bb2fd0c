/**
 * Targets that write to a folder from which the flow takes its files: what it wrote would be its input, and its records would go to all
 * of its targets once more. A warning, since `match` may leave its names out.
 */
import type { FlowSpec } from '../definition.ts';
import type { Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { plainPath } from '../plain-path.ts';
import { isOutputFile } from './compile-targets.ts';

export function checkOwnFolders({ sources, targets }: FlowSpec, report: Report): void {
  for (const [id, target] of Object.entries(targets)) {
    if (!isOutputFile(target)) continue;
    const watching = sources.find(
      (source) =>
        source !== undefined &&
        'connection' in source &&
        'path' in source &&
        source.connection === target.connection &&
        plainPath(source.path) === plainPath(target.path),
    );
    if (watching === undefined) continue;
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: ['spec', 'targets', id, 'path'],
      severity: 'warning',
      message: `the source ${watching.id} takes files from this folder: those of this target would be its input, unless its match leaves them out`,
    });
  }
}
