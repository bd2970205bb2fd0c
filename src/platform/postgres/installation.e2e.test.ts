import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHeadgate } from '../../../test/support/headgate-command.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-installation-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a command that works beside a server makes no installation', () => {
  it.each([[['tenant', 'create', 'bank']], [['tenant', 'list']], [['key', 'create', 'bank']], [['migrate', 'status']]])(
    '%j',
    async (argv) => {
      const missing = join(folder, 'mistyped');
      const { code, stdout, stderr } = await runHeadgate([...argv, '--data-dir', missing]);
      expect([code, stdout]).toEqual([5, '']);
      expect(stderr).toContain(`E_NO_INSTALLATION: there is no installation in ${missing}\ntry: Name the data folder of the server`);
      expect(existsSync(missing)).toBe(false);
      const empty = join(folder, 'empty');
      mkdirSync(empty);
      expect((await runHeadgate([...argv, '--data-dir', empty])).stderr).toContain('E_NO_INSTALLATION');
      expect(readdirSync(empty)).toEqual([]);
    },
  );

  it('but that which makes the schema, and says so', async () => {
    const dataDir = join(folder, 'data');
    const made = await runHeadgate(['migrate', 'up', '--data-dir', dataDir]);
    expect([made.code, made.stderr]).toEqual([0, `a new installation was made in ${dataDir}\n`]);
    const again = await runHeadgate(['migrate', 'up', '--data-dir', dataDir]);
    expect([again.code, again.stderr]).toEqual([0, 'nothing to apply: the schema is up to date\n']);
    expect((await runHeadgate(['tenant', 'create', 'bank', '--data-dir', dataDir])).code).toBe(0);
  });

  it('and with --dry-run it does nothing, and shows what it would do', async () => {
    const dataDir = join(folder, 'data');
    const headgate = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
    const json = async (...argv: string[]) => JSON.parse((await headgate(...argv, '--json')).stdout);
    expect(await headgate('migrate', 'up', '--dry-run')).toMatchObject({ code: 5, stderr: expect.stringContaining('E_NO_INSTALLATION') });
    await headgate('migrate', 'up');
    expect(await headgate('migrate', 'up', '--dry-run')).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing to apply') });
    const plan = { tenant: 'bank', tenantId: null, tier: 'silver', change: 'make it' };
    expect(await json('tenant', 'create', 'bank', '--dry-run')).toEqual(plan);
    expect(await json('tenant', 'list')).toEqual([]);
    const { tenantId } = await json('tenant', 'create', 'bank');
    expect(await json('tenant', 'create', 'bank', '--dry-run')).toEqual({ ...plan, tenantId, change: 'none' });
    const raised = await json('tenant', 'create', 'bank', '--tier', 'gold', '--dry-run');
    expect(raised).toEqual({ ...plan, tenantId, tier: 'gold', change: 'tier silver to gold' });
    const key = await json('key', 'create', 'bank', '--scopes', 'jobs:read', '--dry-run');
    expect(key).toEqual({ tenant: 'bank', name: 'cli', scopes: ['jobs:read'], change: 'make it' });
    expect(await headgate('key', 'create', 'bank', '--scopes', 'all', '--dry-run')).toMatchObject({ code: 2, stdout: '' });
    expect(await headgate('key', 'create', 'other', '--dry-run')).toMatchObject({ code: 5, stdout: '' });
  });
});
