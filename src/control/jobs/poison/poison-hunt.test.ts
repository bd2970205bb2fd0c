import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('a child that the machine does not give fails for now, and ends nothing else', () => {
  const module = (path: string) => JSON.stringify(join(import.meta.dirname, path));
  const script = `
    import { openSync } from 'node:fs';
    import { createPoisonHunt } from ${module('poison-hunt.ts')};
    import { silentLogger } from ${module('../../../platform/telemetry/logger.ts')};
    const hunt = createPoisonHunt({ storage: { root: '/nowhere', remote: null, cell: 'local', masterKeys: [] }, logger: silentLogger });
    try { for (;;) openSync('/dev/null'); } catch {}
    const failed = await hunt.run(() => ({})).catch((error) => error);
    console.log(failed.code, failed.retryable);`;
  const child = spawnSync('sh', ['-c', 'ulimit -n 64; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, script], {
    encoding: 'utf8',
  });
  expect(child.stdout).toBe('E_NO_THREAD true\n');
  expect(child.status).toBe(0);
});

it('a child that its record never lets go of ends with its parent', async () => {
  const busy = 'data:text/javascript,process.once("message", () => { process.send("busy"); for (;;); })';
  const child = fork(join(import.meta.dirname, 'poison-child.ts'), [], {
    execArgv: ['--import', busy],
    stdio: ['pipe', 'ignore', 'ignore', 'ipc', 'pipe'],
  });
  child.send({});
  expect(await once(child, 'message')).toEqual(['busy', undefined]);
  // As the system does when the parent ends.
  child.stdin!.destroy();
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
});
