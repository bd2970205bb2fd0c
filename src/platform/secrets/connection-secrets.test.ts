import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-store.ts';
import { connectionVariable, createConnectionSecrets, secretRefusal } from './connection-secrets.ts';
import { readSecretReference } from './secret-references.ts';

/** All that names of tenants allow, with many hyphens: several in a row, and at the end. */
const tenantName = fc.stringMatching(/^[ab0][ab0-]{0,5}$/);
/** Short and made of what could meet a tenant's end. */
const variable = fc.stringMatching(/^HEADGATE_SECRET_[AB0_]{1,12}$/);

const isVariableOf = (tenant: string, name: string) => secretRefusal({ kind: 'env', name }, tenant) === undefined;
const notAllowed = (message: unknown = expect.any(String)) => expect.objectContaining({ code: 'E_SECRET_NOT_ALLOWED', message });

function write(path: string, content: string, mode = 0o600): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content, { mode });
  return path;
}

function place() {
  const [data, mounted] = [temporaryFolder(), temporaryFolder()];
  const env: Record<string, string> = {
    HEADGATE_MASTER_KEY: 'key',
    HEADGATE_SECRET_MASTER: 'key',
    HEADGATE_SECRET_ACME_PAY__LEDGER: 'own',
  };
  const secrets = createConnectionSecrets({ env, folders: [data, mounted], mountedFolders: [mounted] });
  const resolve = (tenant: string, reference: string) => secrets.of(tenant).resolve(reference).reveal();
  return { data, mounted, env, resolve };
}

describe('a variable', () => {
  test.each(['LEDGER', 'A', '7', 'FX_API_2'])('of its tenant named %s is allowed', (name) => {
    expect(connectionVariable('acme-pay', name)).toBe(`HEADGATE_SECRET_ACME_PAY__${name}`);
    expect(isVariableOf('acme-pay', connectionVariable('acme-pay', name))).toBe(true);
  });

  test.each(['', '_A', 'A_', 'A__B', '__A', 'a', 'A-B'])('whose own name would be %j is not', (name) => {
    expect(isVariableOf('acme-pay', connectionVariable('acme-pay', name))).toBe(false);
  });

  test.each([
    ['a', 'A__B__C', 'a--b'],
    ['a', 'A___B', 'a-'],
    ['a-b', 'A_B__C', 'a-b'],
  ])('that %s could seem to have, %s, is that of %s', (seeming, name, owner) => {
    const full = `HEADGATE_SECRET_${name}`;
    expect([isVariableOf(seeming, full), isVariableOf(owner, full)]).toEqual([seeming === owner, true]);
  });

  test('allowed for one tenant is allowed for no other', () => {
    fc.assert(
      fc.property(tenantName, tenantName, fc.stringMatching(/^[AB0_]{1,6}$/), (one, other, name) => {
        fc.pre(one !== other);
        const full = connectionVariable(one, name);
        expect(isVariableOf(one, full) && isVariableOf(other, full)).toBe(false);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.uniqueArray(tenantName, { minLength: 2, maxLength: 40 }), variable, (tenants, name) => {
        expect(tenants.filter((tenant) => isVariableOf(tenant, name)).length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 5_000 },
    );
  });

  test('of the longest tenant has room for a name', () => {
    const tenant = 'a'.repeat(63);
    const reference = readSecretReference(`env:${connectionVariable(tenant, 'B'.repeat(40))}`)!;
    expect(secretRefusal(reference, tenant)).toBeUndefined();
  });
});

describe('a file', () => {
  test('allowed for one tenant is allowed for no other, also where folders lie in each other', () => {
    const part = fc.oneof(tenantName, fc.constantFrom('secrets', 'x', 'data'));
    fc.assert(
      fc.property(
        fc.uniqueArray(tenantName, { minLength: 2, maxLength: 20 }),
        fc.array(part, { maxLength: 4 }),
        fc.nat(4),
        (tenants, parts, depth) => {
          const path = ['/data/secrets', ...parts].join('/');
          const inside = ['/data/secrets', ...parts.slice(0, depth)].join('/');
          const allowed = tenants.filter(
            (tenant) => secretRefusal({ kind: 'file', path }, tenant, ['/data/secrets', inside, '/mnt']) === undefined,
          );
          expect(allowed.length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('at use', () => {
  test('a tenant has its own variables and files, in either folder', () => {
    const { data, mounted, resolve } = place();
    expect(resolve('acme-pay', 'env:HEADGATE_SECRET_ACME_PAY__LEDGER')).toBe('own');
    expect(resolve('acme-pay', `file:${write(join(data, 'acme-pay', 'fx'), 'in data')}`)).toBe('in data');
    expect(resolve('acme-pay', `file:${write(join(mounted, 'acme-pay', 'deep', 'fx'), 'mounted', 0o644)}`)).toBe('mounted');
  });

  test("another tenant's, the product's own and those of no tenant are refused with the form that is allowed, and the same whether they are there", () => {
    const { data, mounted, resolve } = place();
    for (const variable of [
      'HEADGATE_SECRET_ACME_PAY__LEDGER',
      'HEADGATE_SECRET_ACME_PAY__GONE',
      'HEADGATE_SECRET_MASTER',
      'HEADGATE_MASTER_KEY',
      'HOME',
    ])
      expect(() => resolve('beta', `env:${variable}`)).toThrow(
        notAllowed(
          'connections of beta may only refer to variables named HEADGATE_SECRET_BETA__<NAME>, <NAME> being capitals, digits and single underscores',
        ),
      );
    write(join(data, 'acme-pay', 'fx'), 'theirs');
    for (const path of [
      join(data, 'acme-pay', 'fx'),
      join(data, 'acme-pay', 'gone'),
      join(data, 'beta'),
      join(data, 'betax', 'fx'),
      join(data, 'fx'),
      join(mounted, 'acme-pay', 'fx'),
      '/etc/passwd',
    ])
      expect(() => resolve('beta', `file:${path}`)).toThrow(
        notAllowed(
          'connections of beta may only refer to files below secrets/beta/ in the data folder, or beta/ in a mounted secret folder',
        ),
      );
    expect(() => resolve('beta', `file:${data}/beta/../acme-pay/fx`)).toThrow(expect.objectContaining({ code: 'E_SECRET_REFERENCE' }));
  });

  test("a link out of the tenant's folder is refused, one inside it is followed", () => {
    const { data, mounted, resolve } = place();
    const own = join(data, 'beta');
    write(join(own, 'v1', 'fx'), 'own');
    symlinkSync('v1/fx', join(own, 'inside'));
    expect(resolve('beta', `file:${own}/inside`)).toBe('own');
    symlinkSync(write(join(data, 'acme-pay', 'fx'), 'theirs'), join(own, 'link'));
    symlinkSync('../acme-pay', join(own, 'folder'));
    symlinkSync(write(join(mounted, 'fx'), 'outside'), join(own, 'away'));
    for (const name of ['link', 'folder/fx', 'away'])
      expect(() => resolve('beta', `file:${own}/${name}`)).toThrow(notAllowed('a link leads out of the folder of secrets'));
  });

  test('what one tenant has read is kept for it until it changes, and given to no other', () => {
    const { data, resolve } = place();
    const path = write(join(data, 'acme-pay', 'fx'), 'first');
    expect(resolve('acme-pay', `file:${path}`)).toBe('first');
    expect(() => resolve('beta', `file:${path}`)).toThrow(notAllowed());
    write(`${path}.new`, 'other');
    renameSync(`${path}.new`, path);
    expect(resolve('acme-pay', `file:${path}`)).toBe('other');
    rmSync(path);
    expect(() => resolve('acme-pay', `file:${path}`)).toThrow(expect.objectContaining({ code: 'E_SECRET_MISSING' }));
  });
});
