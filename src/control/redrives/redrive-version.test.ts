import { expect, it } from 'vitest';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { loadFlow } from '../flows/load-flow.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { versionInForce } from './redrive-version.ts';

function planOf(format: string, fields: readonly string[]) {
  const { plan } = loadFlow(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: eft, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: ${format}
  schema:
    record:
      key: [id]
      fields:
${fields.map((field) => `        ${field}\n`).join('')}  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: c, path: out } }
`);
  return plan!;
}

const rows = '{ type: delimited, header: false }';
const named = '{ type: delimited, header: true }';
const id = 'id: { type: string, required: true, unique: file }';
const account = 'account: { type: string }';
const bytes = '{ type: fixed-width, lineEnds: false, recordLength: 12 }';
const text = 'text: { type: string, at: [9, 4] }';
const held = (form: string) => [`id: { type: int, required: true, unique: file, at: [1, 8], ${form} }`, text];
const moment = (form: string) => [`id: { type: date, required: true, unique: file, format: "${form}" }`];

it.each([
  ['whose key has moved to another column', rows, [id, account], [account, id], 'E_REDRIVE_VERSION'],
  ['whose key is trimmed', rows, [id], [id.replace('required', 'trim: true, required')], 'E_REDRIVE_VERSION'],
  ['whose key is binary, not packed', bytes, held('usage: packed'), held('usage: binary'), 'E_REDRIVE_VERSION'],
  ['whose key is packed, not text', bytes, held('usage: text'), held('usage: packed'), 'E_REDRIVE_VERSION'],
  ['whose key is overpunched, not zoned', bytes, held('usage: zoned'), held('usage: overpunch'), 'E_REDRIVE_VERSION'],
  ['whose key has its sign elsewhere', bytes, held('usage: zoned'), held('usage: zoned, sign: leading'), 'E_REDRIVE_VERSION'],
  ['whose key has its day first', rows, moment('MMddyyyy'), moment('ddMMyyyy'), 'E_REDRIVE_VERSION'],
  ['whose key is held alike, with bounds', bytes, held('usage: packed'), held('usage: packed, min: 1'), null],
  ['whose key has moved under its name in a header row', named, [id, account], [account, id], null],
  ['that refuses other records', rows, [id, account], [id, account.replace('string', 'string, maxLength: 3')], null],
])('a version %s is taken or not for sending records again', async (_how, format, before, after, code) => {
  const [first, plan] = [planOf(format, before), planOf(format, after)];
  const tx = { tenantId: 't', query: async () => ({ rows: [{ flowVersionId: 'v', flowVersion: '1.1.0' }] }) } as unknown as TenantTx;
  const services = { flows: { load: async () => ({ plan }) } } as unknown as JobServices;
  const found = versionInForce(tx, services, { flowId: 'f', first, targets: ['out'] });
  if (code === null) expect((await found).plan).toBe(plan);
  else await expect(found).rejects.toMatchObject({ code });
});
