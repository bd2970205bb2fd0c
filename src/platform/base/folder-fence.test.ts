import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFolderFence, foldersMeet } from './folder-fence.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'headgate-fence-')));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const at = (path: string) => join(base, path);
for (const folder of ['files/bank-a/in', 'files/bank-b', 'data/secrets', 'elsewhere']) mkdirSync(at(folder), { recursive: true });
symlinkSync(at('files/bank-a'), at('files/bank-b/way'));
symlinkSync(at('data'), at('elsewhere/way'));
symlinkSync(at('files'), at('other-name'));
symlinkSync(at('circle'), at('circle'));

const byTenant = createFolderFence({ roots: [at('files/{tenant}')], protectedFolders: [at('data')] });
const unset = createFolderFence({ roots: [], protectedFolders: [at('data')] });
const bankB = (path: string) => ({ tenant: 'bank-b', path });

describe('with roots by tenant', () => {
  it.each([['files/bank-b'], ['files/bank-b/in/not/there/yet'], ['other-name/bank-b/in']])('%s is allowed', (path) => {
    expect(byTenant.refusal(bankB(at(path)))).toBeUndefined();
  });

  it.each([
    ["another tenant's root", 'files/bank-a'],
    ["a folder in another tenant's root", 'files/bank-a/in'],
    ['what contains all of them', 'files'],
    ['a name that only begins like its own', 'files/bank-b2'],
    ['a link in its own folder that leads out', 'files/bank-b/way'],
    ['what is not there yet behind such a link', 'files/bank-b/way/new'],
    ['a path that climbs out', 'files/bank-b/../bank-a'],
    ['links in a circle', 'circle/in'],
    ['the root of the machine', '../../../../../../..'],
  ])('%s is refused', (_what, path) => {
    expect(byTenant.refusal(bankB(at(path)))).toMatch(/folder/);
    expect(() => byTenant.assertAllowed(bankB(at(path)))).toThrowError(expect.objectContaining({ code: 'E_FOLDER_NOT_ALLOWED' }));
  });

  it('a climbing path that the system would follow is judged by where it leads', () => {
    expect(byTenant.refusal(bankB(`${at('files/bank-b')}/way/../bank-a`))).toMatch(/outside/);
  });

  it('a link that is put in later is seen', () => {
    const place = at('files/bank-b/late');
    expect(byTenant.refusal(bankB(place))).toBeUndefined();
    symlinkSync(at('data'), place);
    expect(byTenant.refusal(bankB(place))).toMatch(/outside/);
    unlinkSync(place);
  });

  it('no two tenants share a root, and only then', () => {
    expect(byTenant.isPerTenant).toBe(true);
    expect(unset.isPerTenant).toBe(false);
    expect(createFolderFence({ roots: ['/srv/{tenant}', '/srv/all'], protectedFolders: [] }).isPerTenant).toBe(false);
    expect(createFolderFence({ roots: ['/srv/x{tenant}'], protectedFolders: [] }).isPerTenant).toBe(false);
  });
});

describe('a protected folder', () => {
  it.each([
    ['itself', 'data'],
    ['what lies in it', 'data/secrets'],
    ['what would lie in it', 'data/new'],
    ['what contains it', '.'],
    ['a link to it', 'elsewhere/way'],
  ])('%s is refused without roots', (_what, path) => {
    expect(unset.refusal(bankB(at(path)))).toMatch(/own/);
  });

  it('leaves everything else free', () => {
    expect(unset.refusal(bankB(at('elsewhere')))).toBeUndefined();
    expect(unset.refusal(bankB(at('data2')))).toBeUndefined();
  });

  it('stays protected inside a root that contains it, but not where a root was named inside it', () => {
    const around = createFolderFence({ roots: [base], protectedFolders: [at('data')] });
    expect(around.refusal(bankB(at('data/secrets')))).toMatch(/own/);
    expect(around.refusal(bankB(at('elsewhere')))).toBeUndefined();
    const inside = createFolderFence({ roots: [at('data/tenants/{tenant}')], protectedFolders: [at('data')] });
    expect(inside.refusal(bankB(at('data/tenants/bank-b/in')))).toBeUndefined();
    expect(inside.refusal(bankB(at('data/secrets')))).toMatch(/outside/);
  });
});

it('folders meet when they are the same, or one is in the other, whatever they are called', () => {
  expect(foldersMeet(at('files/bank-a'), at('files/bank-b/way'))).toBe(true);
  expect(foldersMeet(at('files/bank-a/in'), at('other-name'))).toBe(true);
  expect(foldersMeet(at('files/bank-a'), at('files/bank-b'))).toBe(false);
});
