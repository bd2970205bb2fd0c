/**
 * Every key of a text of armored OpenPGP keys, as `cat` and `gpg --export --armor` make them: a block may hold several keys, and
 * a text several blocks. The library reads the first block of a text and passes over what follows without a word.
 */
import type { Key, PrivateKey } from 'openpgp';

/** A text is a secret of bounded size; a block takes at least a few hundred bytes. */
const blocksMax = 100;

/** Public keys. Copies of one key are one: what any of them says of it, such as a later end or that it is revoked, is said of it. */
export async function readArmoredKeys(texts: readonly string[]): Promise<Key[]> {
  const openpgp = await import('openpgp');
  const keys: Key[] = [];
  for (const block of texts.flatMap(armoredBlocks))
    for (const key of await openpgp.readKeys({ armoredKeys: block })) {
      const at = keys.findIndex((known) => known.getFingerprint() === key.getFingerprint());
      if (at === -1) keys.push(key);
      else keys[at] = (await keys[at]!.update(key)) as Key;
    }
  return keys;
}

export async function readArmoredPrivateKeys(text: string): Promise<PrivateKey[]> {
  const openpgp = await import('openpgp');
  const keys: PrivateKey[] = [];
  for (const block of armoredBlocks(text)) keys.push(...(await openpgp.readPrivateKeys({ armoredKeys: block })));
  return keys;
}

function armoredBlocks(text: string): string[] {
  const [before = '', ...blocks] = text.split(/^(?=-----BEGIN PGP )/m);
  if (blocks.length > blocksMax) throw new Error(`there are more than ${blocksMax} blocks of armored keys`);
  // A text that begins with its block has nothing before it, and one without a block is refused by the library.
  return before.startsWith('-----BEGIN PGP ') ? [before, ...blocks] : blocks.length === 0 ? [text] : blocks;
}
