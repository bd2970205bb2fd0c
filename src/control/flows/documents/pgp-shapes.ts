/** Keys that files are encrypted and signed with, of connections to places where files are put. */
import type { Key, Shape } from './shape.ts';

const secret: Shape = { kind: 'secret' };

export const pgpKeys: Readonly<Record<string, Key>> = {
  pgpRecipients: {
    shape: { kind: 'list', of: secret, min: 1, max: 20 },
    description: 'Armored OpenPGP public keys that files are encrypted to, where a target says `encrypt`.',
  },
  pgpSigningKey: { shape: secret, description: 'Armored OpenPGP private key that files are signed with, where a target says `sign`.' },
  pgpPassphrase: { shape: secret, description: 'Passphrase of `pgpSigningKey`.' },
};
