import ssh2 from 'ssh2';
import { expect, it } from 'vitest';
import { makeEd25519Key } from './new-keys.ts';
import { readUserKey } from './user-keys.ts';

it.each([
  ['rsa', 1024, false],
  ['rsa', 2048, true],
  ['ecdsa', 256, true],
  ['ecdsa', 521, true],
] as const)('a key of type %s with %d bits is taken: %s', (type, bits, isTaken) => {
  const { public: text } = ssh2.utils.generateKeyPairSync(type, { bits } as never);
  expect(readUserKey(text.trim()) !== null).toBe(isTaken);
});

it.each([
  'ssh-dss AAAAB3NzaC1kc3MAAACBAP',
  'ssh-ed25519 AAAA',
  'SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8',
  'command="x" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILsgyvlvFN4+s/4cAKX9Rbmt9J0NmtDs0htUH/jiy/lJ',
  'ssh-ed25519-cert-v01@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAILsgyvlvFN4+s/4cAKX9Rbmt9J0NmtDs0htUH/jiy/lJ',
])('%j is no key of a user', (text) => {
  expect(readUserKey(text)).toBeNull();
});

it('a new key can be read, although the driver makes some that can not', () => {
  const isRead = ({ private: text }: { readonly private: string }) => !(ssh2.utils.parseKey(text) instanceof Error);
  const broken = { private: 'not a key', public: 'not a key' };
  const sound = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const made = [broken, broken, sound];
  expect(makeEd25519Key(() => made.shift()!).privateKey).toBe(sound.private);
  for (let index = 0; index < 50; index++) {
    const key = makeEd25519Key();
    expect([isRead({ private: key.privateKey }), readUserKey(key.publicKey)?.type]).toEqual([true, 'ssh-ed25519']);
  }
});
