import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-store.ts';

/** Stands for a server over the folder that it works in, and looks for it with and without file descriptors. */
const script = (folder: string) => `
  import { closeSync, openSync, writeFileSync } from 'node:fs';
  import { findPostmaster } from ${JSON.stringify(join(import.meta.dirname, 'postmaster.ts'))};
  import { watchEmbedded } from ${JSON.stringify(join(import.meta.dirname, 'embedded-watch.ts'))};
  import { systemSleep } from ${JSON.stringify(join(import.meta.dirname, '../base/system-ports.ts'))};
  const folder = ${JSON.stringify(folder)};
  process.chdir(folder);
  writeFileSync('postmaster.pid', [process.pid, folder, 0, 5432, '', '', '', 'ready'].join('\\n'));
  const told = [];
  const revive = async () => findPostmaster(folder) === undefined;
  const { promise: unseen, resolve } = Promise.withResolvers();
  const end = watchEmbedded({ revive }, {
    sleep: systemSleep,
    intervalMs: 1,
    onRestart: (failure) => told.push(\`died: \${failure?.message}\`),
    onUnseen: (cause) => { told.push(\`unseen: \${cause.code}\`); resolve(); },
  });
  const found = () => { try { return findPostmaster(folder)?.pid === process.pid; } catch (error) { return error.code; } };
  const before = found();
  const open = [];
  try { for (;;) open.push(openSync('/dev/null')); } catch {}
  await unseen;
  const without = found();
  for (const file of open) closeSync(file);
  await systemSleep.sleep(20);
  await end();
  process.stdout.write(JSON.stringify({ before, without, after: found(), told }));
`;

it('a process without a file descriptor does not take its server for dead, and says once that it can not see it', () => {
  const child = spawnSync(
    'sh',
    ['-c', 'ulimit -n 128; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, script(temporaryFolder())],
    {
      encoding: 'utf8',
    },
  );
  expect([child.stderr, JSON.parse(child.stdout)]).toEqual([
    '',
    { before: true, without: 'EMFILE', after: true, told: ['unseen: EMFILE'] },
  ]);
});
