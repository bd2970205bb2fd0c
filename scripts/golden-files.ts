/**
 * The generated files of the project. `npm run golden` writes them; test/golden.test.ts fails when one is stale. Files that
 * need a database get one that is freshly migrated.
 */

import { renderJsonSchema } from '../src/control/flows/documents/json-schema.ts';
import type { Queryable } from '../src/platform/postgres/database.ts';
import { describeSchema } from '../test/support/schema-description.ts';
import { renderApiPage } from './reference/api-page.ts';
import { renderCommandsPage } from './reference/commands-page.ts';
import { renderErrorsPage } from './reference/errors-page.ts';
import { renderFlowKeysPage } from './reference/flow-keys-page.ts';
import { renderMetricsPage } from './reference/metrics-page.ts';
import { renderPerformancePage } from './reference/performance-page.ts';
import { renderPerformancePicture } from './reference/performance-picture.ts';
import { renderSettingsPage } from './reference/settings-page.ts';

export interface GoldenFile {
  /** From the project's root. */
  readonly path: string;
  render(migrated: Queryable): Promise<string> | string;
}

export const goldenFiles: readonly GoldenFile[] = [
  { path: 'docs/reference/api.md', render: renderApiPage },
  { path: 'docs/reference/commands.md', render: renderCommandsPage },
  { path: 'docs/reference/errors.md', render: renderErrorsPage },
  { path: 'docs/reference/settings.md', render: renderSettingsPage },
  { path: 'docs/reference/flow-keys.md', render: renderFlowKeysPage },
  { path: 'schemas/headgate.v1.json', render: renderJsonSchema },
  { path: 'docs/reference/metrics.md', render: renderMetricsPage },
  { path: 'docs/reference/performance-results.md', render: renderPerformancePage },
  { path: 'docs/performance.svg', render: renderPerformancePicture },
  { path: 'test/golden/schema.txt', render: describeSchema },
];
