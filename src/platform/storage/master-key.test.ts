import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-store.ts';
import { systemRng } from '../base/system-ports.ts';
import { createSecretResolver } from '../secrets/secret-resolver.ts';
import { loadEmbeddedMasterKey, loadMasterKeys, masterKeyId, parseMasterKeyReferences } from './master-key.ts';

const keyText = Buffer.alloc(32, 5).toString('base64');

describe('master keys', () => {
  test('come from secret references, with versions', () => {
    const secrets = createSecretResolver({ env: { OLD: keyText, NEW: Buffer.alloc(32, 6).toString('base64') }, limits: null });
    expect(parseMasterKeyReferences('env:OLD')).toEqual([{ version: 1, reference: 'env:OLD' }]);
    const keys = loadMasterKeys(parseMasterKeyReferences('1=env:OLD, 2=env:NEW'), secrets);
    expect(keys.map((key) => [key.version, key.bytes[0]])).toEqual([
      [1, 5],
      [2, 6],
    ]);
    expect(new Set(keys.map(masterKeyId)).size).toBe(2);
  });

  test.each(['', 'OLD', '0=env:A', '1=env:A,1=env:B', 'x=env:A', keyText])('the setting %j is refused', (text) => {
    expect(() => parseMasterKeyReferences(text)).toThrow(expect.objectContaining({ code: 'E_KEY_FORMAT' }));
  });

  test.each(['short', Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64'), `${keyText}=`, 'x'.repeat(32)])(
    'the key %j is refused and not shown',
    (text) => {
      const secrets = createSecretResolver({ env: { KEY: text }, limits: null });
      expect(() => loadMasterKeys([{ version: 1, reference: 'env:KEY' }], secrets)).toThrow(
        expect.objectContaining({ code: 'E_KEY_FORMAT', message: 'a master key is not 32 bytes in base64' }),
      );
    },
  );

  test('the embedded key is generated once, for its owner only', () => {
    const path = join(temporaryFolder(), 'keys', 'master.key');
    const first = loadEmbeddedMasterKey({ path, hasObjects: false, rng: systemRng });
    expect(loadEmbeddedMasterKey({ path, hasObjects: true, rng: systemRng })).toEqual(first);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8').trim()).toBe(Buffer.from(first.bytes).toString('base64'));
  });

  test('a lost embedded key is not replaced while sealed objects exist', () => {
    const path = join(temporaryFolder(), 'master.key');
    loadEmbeddedMasterKey({ path, hasObjects: false, rng: systemRng });
    rmSync(path);
    expect(() => loadEmbeddedMasterKey({ path, hasObjects: true, rng: systemRng })).toThrow(
      expect.objectContaining({ code: 'E_KEY_FILE' }),
    );
  });

  test('a key file that the group may read is refused', () => {
    const path = join(temporaryFolder(), 'master.key');
    writeFileSync(path, keyText);
    chmodSync(path, 0o640);
    expect(() => loadEmbeddedMasterKey({ path, hasObjects: false, rng: systemRng })).toThrow(
      expect.objectContaining({ code: 'E_SECRET_PERMISSIONS' }),
    );
  });
});
