/** `npm run golden`: writes the generated files (docs/reference, the schema's description) and the snapshots of the tests. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import { startEmbeddedPostgres } from '../src/platform/postgres/embedded-postgres.ts';
import { migrateUp } from '../src/platform/postgres/migrate.ts';
import { createDatabaseIfMissing } from '../src/platform/postgres/open-database.ts';
import { openPool } from '../src/platform/postgres/pool.ts';
import { goldenFiles } from './golden-files.ts';
import { printStep, projectRoot, runVitest } from './steps.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'headgate-golden-'));
const server = await startEmbeddedPostgres({ dataDir, ports: systemPorts, isDurable: false });
try {
  await createDatabaseIfMissing(server.adminUrl('postgres'), 'headgate');
  await migrateUp({ url: server.adminUrl('headgate'), ports: systemPorts, partitionQuarters: 0 });
  const db = openPool({ url: server.adminUrl('headgate'), applicationName: 'headgate golden' });
  for (const { path, render } of goldenFiles) {
    const full = join(projectRoot, path);
    const text = await render(db);
    const isStale = !existsSync(full) || readFileSync(full, 'utf8') !== text;
    if (isStale) {
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    }
    process.stdout.write(`${isStale ? 'written' : 'unchanged'}  ${path}\n`);
  }
  await db.close();
} finally {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
process.exitCode = printStep(await runVitest(['fast'], ['--update', '-t', 'golden'])).failed > 0 ? 1 : 0;
