import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-store.ts';
import { startAcquirerServer } from './acquirer-server.ts';

const start = (programs: readonly string[]) => startAcquirerServer({ dataDir: temporaryFolder(), programs });

test('a machine without sshd leaves the part out, and is told so', async () => {
  expect(await start(['/nowhere/sshd'])).toMatchObject({ isStarted: false, why: 'no sshd is on this machine' });
});

test.each(['/bin/false', '/etc/hostname'])('%s, which serves nobody, leaves the part out with a reason', async (program) => {
  expect(existsSync(program)).toBe(true);
  const { isStarted, ...said } = await start([program]);
  expect([isStarted, said]).toEqual([
    false,
    expect.objectContaining({ why: expect.stringMatching(`^${program} does not serve this user: .`) }),
  ]);
});
