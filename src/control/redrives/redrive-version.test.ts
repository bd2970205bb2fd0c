import { expect, it } from 'vitest';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { loadFlow } from '../flows/load-flow.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { versionInForce } from './redrive-version.ts';

const fileTarget = 'out: { type: file, connection: c, path: out }';

function planOf(format: string, fields: readonly string[], { target = fileTarget, transform = '' } = {}) {
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
${fields.map((field) => `        ${field}\n`).join('')}${transform}  routes: { default: { to: [out] } }
  targets:
    ${target}
`);
  return plan!;
}

const services = (plan: ReturnType<typeof planOf>) => ({ flows: { load: async () => ({ plan }) } }) as unknown as JobServices;
const inForce = { tenantId: 't', query: async () => ({ rows: [{ flowVersionId: 'v', flowVersion: '1.1.0' }] }) } as unknown as TenantTx;

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
  const found = versionInForce(inForce, services(plan), { flowId: 'f', first, targets: ['out'], mayBeThere: false });
  if (code === null) expect((await found).plan).toBe(plan);
  else await expect(found).rejects.toMatchObject({ code });
});

const reference = 'ref: { type: string, required: true, unique: file }';
const other = 'other: { type: string, required: true, unique: file }';
const fields = [id, account, reference, other];
const api = (keys: string) => `out: { type: http, connection: c, ${keys} }`;
const byReference = { target: api('idempotencyKey: out.ref') };
const table = (keys: string) => ({ target: `out: { type: postgres, connection: c, ${keys} }` });
const topic = (key: string) => ({ target: `out: { type: kafka, connection: c, topic: payments, key: ${key} }` });
const shaped = (reading: string) => ({
  ...byReference,
  transform: `  transform:\n    - { id: shape, set: { id: record.id, ref: "${reading}", account: record.account } }\n`,
});
const backed = (key: string) => ({
  target: `out: { type: http, connection: c, backup: spare }\n    spare: { type: http, connection: d, idempotencyKey: ${key} }`,
});

it.each([
  ['another idempotency key', fields, byReference, fields, { target: api('idempotencyKey: out.other') }, 'E_REDRIVE_VERSION'],
  ['an idempotency key of its own', fields, { target: api('mode: single') }, fields, byReference, 'E_REDRIVE_VERSION'],
  ['one request for a batch', fields, { target: api('mode: single') }, fields, { target: api('mode: batch') }, 'E_REDRIVE_VERSION'],
  ['a key that is computed otherwise', fields, shaped('record.ref'), fields, shaped("'0' + record.ref"), 'E_REDRIVE_VERSION'],
  [
    'a key that is read otherwise',
    fields,
    byReference,
    [id, account, reference.replace('required', 'trim: true, required'), other],
    byReference,
    'E_REDRIVE_VERSION',
  ],
  [
    'other keys of rows',
    fields,
    table('table: t, mode: upsert, keys: [ref]'),
    fields,
    table('table: t, mode: upsert, keys: [other]'),
    'E_REDRIVE_VERSION',
  ],
  ['no keys of rows', fields, table('table: t, mode: upsert, keys: [ref]'), fields, table('table: t'), 'E_REDRIVE_VERSION'],
  ['another key of messages', fields, topic('out.ref'), fields, topic("out.ref + 'x'"), 'E_REDRIVE_VERSION'],
  ['another type of target', fields, byReference, fields, {}, 'E_REDRIVE_VERSION'],
  ['another key at its backup', fields, backed('out.ref'), fields, backed('out.other'), 'E_REDRIVE_VERSION'],
  ['a place for the key further on', fields, byReference, [other, id, account, reference], byReference, null],
  ['another path', fields, byReference, fields, { target: api('idempotencyKey: out.ref, path: /next') }, null],
])('a version that gives the target %s sends what may be there, or refuses to', async (_what, before, own, after, next, code) => {
  const [first, plan] = [planOf(named, before, own), planOf(named, after, next)];
  const wanted = { flowId: 'f', first, targets: ['out'] };
  await expect(versionInForce(inForce, services(plan), { ...wanted, mayBeThere: false })).resolves.toMatchObject({ plan });
  const found = versionInForce(inForce, services(plan), { ...wanted, mayBeThere: true });
  if (code === null) await expect(found).resolves.toMatchObject({ plan });
  else await expect(found).rejects.toMatchObject({ code, message: expect.stringContaining('may be there') });
});
