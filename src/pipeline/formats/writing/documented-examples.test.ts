import { expect, it } from 'vitest';
import { bai2Pack } from '../bai2/bai2-pack.ts';
import { iso20022Pack } from '../iso20022/iso20022-pack.ts';
import { packPage } from '../statements/pack-page.fixture.ts';
import { runPack } from '../statements/pack-run.fixture.ts';
import { swiftPack } from '../swift-mt/swift-pack.ts';
import { writeDocument } from './pack-writing.fixture.ts';

it.each([bai2Pack, swiftPack, iso20022Pack])('the example of writing on the page of $name is written as it is shown', (pack) => {
  const [, section = ''] = packPage(pack).split('\n## Writing\n');
  const [, document] = /```json\n(.*?)```/s.exec(section)!;
  const { text, written } = writeDocument(pack, Buffer.from(document!), pack === swiftPack ? { lineEnd: 'LF' } : {});
  expect(runPack(pack, text).findings).toEqual([]);
  expect(section).toContain(`\twritten\trecords=${written.records}\t`);
  const shown = /^ {4}\$ cat .*\n((?: {4}.*\n)+)/m.exec(section)?.[1];
  if (pack !== iso20022Pack) expect(shown?.replaceAll(/^ {4}/gm, '')).toBe(text);
});
