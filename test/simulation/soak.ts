/**
 * `npm run --silent soak -- --kills 300 --seed 1 --json`: real processes under real kills, held against what outside parties
 * know. Progress goes to stderr, one JSON document to stdout. Exit code 0 only if nothing was lost, doubled, unlabelled,
 * unbalanced or stuck, every named point was hit (from 100 kills on) and every planted mistake was caught; with all targets also
 * only if something came by every way in and to every target, and everything that can break did (from 100 kills on). Else each
 * reason is a sentence on stderr and in `failures`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { canStopAt, crashPointNames } from './crash-point-names.ts';
import { checkPlantedFaults } from './planted-runs.ts';
import { endAllServing } from './served-process.ts';
import type { TargetScope } from './soak-flows.ts';
import { runSoak } from './soak-run.ts';
import { failuresOf } from './soak-verdict.ts';
import { closeAllWide, missingPrograms } from './wide-surroundings.ts';

const usage =
  'usage: npm run --silent soak -- [--kills N] [--seed N] [--targets usual|all] [--json] [--keep] [--no-planted | --planted NAME] [--point NAME …]\n' +
  '  kills served processes under traffic and checks against outside journals that nothing is lost, doubled or stuck\n';

const values = readOptions();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const kills = Number(values.kills);
const seed = Number(values.seed);
const scope = values.targets as TargetScope;
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed) || !['usual', 'all'].includes(scope)) {
  process.stderr.write(usage);
  process.exit(2);
}
const missing = scope === 'all' ? missingPrograms() : [];
if (missing.length > 0) {
  process.stderr.write(`soak: --targets all needs ${missing.join(', ')}, which is not here: npm test brings it where it can\n`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', default: false },
        kills: { type: 'string', default: '30' },
        seed: { type: 'string', default: '1' },
        /** `all`: a flow with a target of each kind, and one that comes by SFTP, besides. */
        targets: { type: 'string', default: 'usual' },
        json: { type: 'boolean', default: false },
        /** Leaves databases, journals and logs where they are. */
        keep: { type: 'boolean', default: false },
        'no-planted': { type: 'boolean', default: false },
        /** Only the run with this planted mistake. */
        planted: { type: 'string' },
        point: { type: 'string', multiple: true },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

const startedMs = performance.now();
const say = (line: string) => process.stderr.write(`soak ${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'headgate-soak-'));
const cluster = await startEmbeddedPostgres({ dataDir: join(folder, 'cluster'), ports: systemPorts, connectionsMax: 160 });
let exitCode = 1;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    // What still runs fails from here on, and starts servers again.
    for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => {});
    process.on('exit', endAllServing);
    endAllServing();
    await Promise.all([closeAllWide(), cluster.stop()]);
    process.exit(130);
  });
}
try {
  exitCode = await soak(cluster);
} finally {
  await closeAllWide();
  await cluster.stop();
  if (values.keep || exitCode !== 0) say(`everything is kept in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
process.exit(exitCode);

async function soak(cluster: EmbeddedPostgres): Promise<number> {
  const points = values.point ?? crashPointNames();
  const result = values.planted
    ? undefined
    : await runSoak({
        folder: join(folder, 'main'),
        cluster,
        name: 'soak_main',
        scope,
        seed,
        kills,
        points,
        pausePoints: points.filter(canStopAt),
        shares: { point: 0.6, pause: 0.08, drain: 0.08 },
        faults: { databaseRestartMs: 12_000, lostCommitMs: 800, lostRequestMs: 800, wide: { lostRequestMs: 5_000, serverFaultMs: 20_000 } },
        // Longer than a target that is left alone waits for a probe.
        stillMsMax: 150_000,
        say,
      });
  const planted = values['no-planted'] ? {} : await checkPlantedFaults({ folder, cluster, seed, say, only: values.planted });
  const failures = failuresOf(result, kills, planted);
  for (const failure of failures) say(`FAILED: ${failure}`);
  for (const example of result?.examples ?? []) say(`  ${example}`);
  const report = { ...result, planted, failures, seed, seconds: Math.round((performance.now() - startedMs) / 100) / 10 };
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
  return failures.length > 0 ? 1 : 0;
}
