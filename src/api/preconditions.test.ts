import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type Answer, type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../test/support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let alpha: TestTenant;
let beta: TestTenant;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, { roles: 'api' });
  [alpha, beta] = [await server.tenant('alpha'), await server.tenant('beta')];
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const connection = (name: string, root: string) =>
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: ${name} }\nspec: { type: folder, root: ${JSON.stringify(`${server.out}/${root}`)} }\n`;
const flow = (name: string, version = '1.0.0') => testFlow({ name })[1]!.replace('version: 1.0.0', `version: ${version}`);

function post(
  text: string,
  { ifMatch, dryRun, of = alpha }: { ifMatch?: string; dryRun?: boolean; of?: TestTenant } = {},
): Promise<Answer> {
  const headers = ifMatch === undefined ? undefined : { 'if-match': ifMatch };
  const body = { text: text.replaceAll('TENANT', of.name), ...(dryRun && { dryRun }) };
  return server.request('/v1/flows', { key: of.key, method: 'POST', headers, body });
}

const etagOf = ({ headers }: Answer) => headers.get('etag')!;
const planned = async (text: string, of = alpha) => etagOf(await post(text, { dryRun: true, of }));
const facts = ({ status, json }: Answer) => [status, json.code ?? json.outcome];
const get = (path: string, of = alpha) => server.request(path, { key: of.key });

describe('a document that is applied', () => {
  it('is the one that was planned, from nothing on', async () => {
    const text = connection('first', 'a');
    const ifMatch = await planned(text);
    expect(ifMatch).toBe('"none"');
    expect(facts(await post(text, { ifMatch }))).toEqual([200, 'created']);
    expect(facts(await post(connection('first', 'b'), { ifMatch }))).toEqual([412, 'E_DEFINITION_STALE']);
    expect((await get('/v1/definitions/Connection/first')).json.revision).toBe(1);
  });

  it('without what it was planned against is refused with 428, also where nothing is in force', async () => {
    const { status, json } = await post(connection('unplanned', 'a'));
    expect([status, json.code]).toEqual([428, 'E_IF_MATCH_REQUIRED']);
    expect(json.actions[0]).toContain('dryRun');
    expect((await get('/v1/definitions/Connection/unplanned')).status).toBe(404);
    expect(facts(await post(connection('unplanned', 'a'), { ifMatch: '*' }))).toEqual([200, 'created']);
  });

  it('is refused when another was applied meanwhile, also when that was taken back', async () => {
    await alpha.apply(connection('moved', 'a'));
    const ifMatch = await planned(connection('moved', 'c'));
    await alpha.apply(connection('moved', 'b'));
    expect(facts(await post(connection('moved', 'c'), { ifMatch }))).toEqual([412, 'E_DEFINITION_STALE']);
    await alpha.apply(connection('moved', 'a'));
    expect(facts(await post(connection('moved', 'c'), { ifMatch }))).toEqual([412, 'E_DEFINITION_STALE']);
    expect(facts(await post(connection('moved', 'c'), { ifMatch, dryRun: true }))).toEqual([412, 'E_DEFINITION_STALE']);
    const again = await post(connection('moved', 'c'), { ifMatch: await planned(connection('moved', 'c')) });
    expect(facts(again)).toEqual([200, 'updated']);
    expect(etagOf(again)).toBe(etagOf(await get('/v1/definitions/Connection/moved')));
  });

  it('follows what was read, or what was applied before it', async () => {
    await alpha.apply(connection('out', 'out'));
    const created = await post(flow('read'), { ifMatch: await planned(flow('read')) });
    const source = etagOf(await get('/v1/flows/read/source'));
    expect(etagOf(created)).toBe(source);
    const second = await post(flow('read', '2.0.0'), { ifMatch: source });
    expect(facts(second)).toEqual([200, 'updated']);
    expect(facts(await post(flow('read', '3.0.0'), { ifMatch: source }))).toEqual([412, 'E_DEFINITION_STALE']);
    expect(etagOf(await get('/v1/flows/read/source?version=1.0.0'))).toBe(source);
    expect(facts(await post(flow('read', '3.0.0'), { ifMatch: `${source}, ${etagOf(second)}` }))).toEqual([200, 'updated']);
  });

  it('of many that were planned against the same, is one', async () => {
    const versions = Array.from({ length: 6 }, (_, minor) => flow('race', `1.${minor}.0`));
    const answers = await Promise.all(versions.map((text) => post(text, { ifMatch: '"none"' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412, 412]);
  });

  it.each(['none', '"a', 'a, b', '"a" "b"', '""x', ''])('with an If-Match such as %j is refused with 400', async (ifMatch) => {
    const { status, json } = await post(connection('bad', 'a'), { ifMatch });
    expect([status, json.code, json.detail]).toEqual([400, 'E_REQUEST', expect.stringContaining('quotation marks')]);
  });

  it('does not follow a weak tag, nor that of another document or of another tenant', async () => {
    await alpha.apply(connection('own', 'own'), connection('other', 'other'));
    await beta.apply(connection('own', 'theirs'));
    const own = etagOf(await get('/v1/definitions/Connection/own'));
    const foreign = etagOf(await get('/v1/definitions/Connection/own', beta));
    expect(foreign).not.toBe(own);
    for (const ifMatch of [`W/${own}`, etagOf(await get('/v1/definitions/Connection/other')), foreign, '"none"', '"1"'])
      expect(facts(await post(connection('own', 'new'), { ifMatch })), ifMatch).toEqual([412, 'E_DEFINITION_STALE']);
    const change = { ifMatch: own, of: beta };
    expect(facts(await post(connection('own', 'new'), change))).toEqual([412, 'E_DEFINITION_STALE']);
    // What is not there for this tenant, whatever others have.
    expect(await planned(connection('other', 'x'), beta)).toBe('"none"');
    expect(facts(await post(connection('own', 'new'), { ifMatch: own }))).toEqual([200, 'updated']);
  });
});
