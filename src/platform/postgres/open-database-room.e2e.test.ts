import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemPorts } from '../base/system-ports.ts';
import { openDatabase } from './open-database.ts';

test('a process that uses all its connections leaves the embedded server room for others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-room-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const connectionsMax = 4;
  const open = (applicationName: string) => openDatabase({ dataDir: folder, applicationName, connectionsMax, ports: systemPorts });
  const first = await open('first');
  const second = await open('second');
  try {
    let inside = 0;
    const all = Promise.withResolvers<void>();
    // Every transaction of both processes is open before any of them ends.
    const hold = ({ db }: typeof first) =>
      Array.from({ length: connectionsMax }, () =>
        db.transaction(async (tx) => {
          await tx.query('/* take a connection */ select 1');
          if (++inside === 2 * connectionsMax) all.resolve();
          await all.promise;
        }),
      );
    await Promise.all([...hold(first), ...hold(second)]);
    expect(inside).toBe(2 * connectionsMax);
  } finally {
    await second.close();
    await first.close();
  }
});
