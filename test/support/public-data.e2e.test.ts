import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const projectRoot = join(import.meta.dirname, '../..');
/** Has tests over public files, and others. */
const path = 'src/pipeline/ledger/canonical-json.test.ts';

/** The status and title of each test of that file that did not pass, where the folder of public files is absent. */
function notPassed(required: string) {
  const work = mkdtempSync(join(tmpdir(), 'headgate-absent-'));
  onTestFinished(() => rmSync(work, { recursive: true }));
  writeFileSync(join(work, 'vitest.config.mjs'), 'export default {};\n');
  const report = join(work, 'report.json');
  const { status } = spawnSync(
    join(projectRoot, 'node_modules/.bin/vitest'),
    ['run', '--root', projectRoot, '--config', join(work, 'vitest.config.mjs'), '--reporter', 'json', '--outputFile', report, path],
    { cwd: projectRoot, env: { ...process.env, HEADGATE_TEST_DATA: join(work, 'absent'), HEADGATE_REQUIRE: required } },
  );
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: { status: string; title: string; failureMessages: string[] }[] }[];
  };
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults).filter((test) => test.status !== 'passed');
  return {
    exitCode: status,
    tests: tests.map(({ status, title, failureMessages }) => [status, title, failureMessages[0]?.split('\n')[0]]),
  };
}

it('a test over public files that are absent is skipped, which its name says', () => {
  expect(notPassed('')).toEqual({
    exitCode: 0,
    tests: [['skipped', 'equals the published vectors of RFC 8785 (skipped: no shared-data)', undefined]],
  });
});

it('and fails where they are demanded', () => {
  expect(notPassed('postgres, shared-data')).toEqual({
    exitCode: 1,
    tests: [['failed', 'equals the published vectors of RFC 8785', 'Error: HEADGATE_REQUIRE names shared-data, which is absent here']],
  });
});
