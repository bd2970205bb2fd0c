import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exportedJob } from '../../test/support/exported-job.ts';
import { detailedGroupsMax, FindingGroups } from '../pipeline/engine/finding-groups.ts';
import { canonicalJson } from '../pipeline/ledger/canonical-json.ts';
import { decodeReceipt } from '../pipeline/ledger/receipt-schema.ts';
import { declaredErrors } from './error-catalogue.ts';

it('the catalogue has every code that the page of errors has, which is made from the sources', () => {
  const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^## (E_\w+)$/gm)].map(([, code]) => code);
  const declared = declaredErrors().map(({ code }) => code);
  expect(documented.length).toBeGreaterThan(200);
  expect(documented.filter((code) => !declared.includes(code!))).toEqual([]);
});

it('a receipt has room for a file that breaks every rule that a flow may have, with a code each, and every one of ours', () => {
  const groups = new FindingGroups();
  const add = (code: string, field: string | null = null) => groups.add({ offset: 0, code, field, rule: null, message: 'broken' });
  for (let at = 0; at < detailedGroupsMax; at++) add('E_INT', `field${at}`);
  for (let rule = 0; rule < 200; rule++) add(`RULE${rule}`);
  for (const { code, actor } of declaredErrors()) if (actor === 'sender' || code === 'E_POISON') add(code);
  const errors = groups.toGroups();
  expect(errors.length).toBeGreaterThan(1_100);
  const receipt = { ...exportedJob().receipt, errors, warnings: errors };
  expect(decodeReceipt(Buffer.from(canonicalJson(receipt))).errors).toHaveLength(errors.length);
});
