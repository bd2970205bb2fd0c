/**
 * Texts that are planted in a run so that they can be searched for afterwards, in every form in which they could have been
 * written: as they are, in hexadecimal, in base64 at each of its three places, in UTF-16, and escaped for addresses.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type PlantedTexts = Readonly<Record<string, string>>;

function formsOf(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const inBase64 = [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The first and last characters also hold bits of the neighbours.
    const inner = encoded.slice(before === 0 ? 0 : before + 1, -1);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const hex = bytes.toString('hex');
  return [
    bytes,
    ...[...inBase64, hex, hex.toUpperCase(), encodeURIComponent(text)].map((form) => Buffer.from(form)),
    Buffer.from(text, 'utf16le'),
  ];
}

/** Gives `name in where` for each planted text that is found in any form. */
export function createSearch(planted: PlantedTexts): (where: string, bytes: Uint8Array | string) => string[] {
  const forms = Object.entries(planted).map(([name, text]) => ({ name, forms: formsOf(text) }));
  return (where, bytes) => {
    const haystack = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return forms.filter((text) => text.forms.some((form) => haystack.includes(form))).map(({ name }) => `${name} in ${where}`);
  };
}

/** Every file below a folder, hidden ones included; links are not followed. */
function* filesBelow(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const found = lstatSync(path);
    if (found.isDirectory()) yield* filesBelow(path);
    else if (found.isFile()) yield path;
  }
}

export function searchFolder(folder: string, search: ReturnType<typeof createSearch>, except: readonly string[] = []): string[] {
  return [...filesBelow(folder)].filter((path) => !except.includes(path)).flatMap((path) => search(path, readFileSync(path)));
}
