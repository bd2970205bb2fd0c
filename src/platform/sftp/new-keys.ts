/** New Ed25519 keys in the format of OpenSSH. */
import ssh2 from 'ssh2';

export interface NewKey {
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

/** The driver writes one key of 256 so that nobody can read it (its public part begins with a zero byte): then another is made. */
export function makeEd25519Key(generate: () => { readonly private: string; readonly public: string } = generateKey): NewKey {
  for (;;) {
    const made = generate();
    const isSound = [made.private, made.public].every((text) => !(ssh2.utils.parseKey(text) instanceof Error));
    if (isSound) return { privateKey: made.private, publicKey: made.public.trim() };
  }
}

function generateKey(): { readonly private: string; readonly public: string } {
  return ssh2.utils.generateKeyPairSync('ed25519');
}
