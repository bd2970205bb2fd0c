import { expect, it } from 'vitest';
import { parseTrustFile } from './trust-file.ts';

it.each(['{}', '[]', 'null', '{"keys":{}}', '{"keys":[],"more":1}'])('%s is no trust file, and the refusal says what is one', (text) => {
  expect(() => parseTrustFile(text)).toThrow(
    expect.objectContaining({
      code: 'E_TRUST_FILE',
      message: 'the trust file is refused: it is not {"keys": [...]} and nothing else, which `headgate trust` prints',
      next: expect.stringContaining('headgate trust'),
    }),
  );
});

it('a trust file without keys is refused as such', () => {
  expect(() => parseTrustFile('{"keys":[]}')).toThrow(expect.objectContaining({ message: 'the trust file is refused: it lists no key' }));
});
