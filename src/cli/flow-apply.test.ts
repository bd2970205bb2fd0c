import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../test/support/running-server.ts';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { exitCodeOf } from './command.ts';
import { flowApplyCommand } from './flow-api.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, { roles: 'api' });
  tenant = await server.tenant('bank');
  await tenant.apply(testFlow({ root: server.out })[0]!);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});
afterEach(() => void vi.restoreAllMocks());

const flow = (name: string, version: string) =>
  testFlow({ name })[1]!.replaceAll('TENANT', 'bank').replace('version: 1.0.0', `version: ${version}`);

/** As with --yes, through a server in between that does `meanwhile` after everything was planned, before the first, or that, is applied. */
async function apply(texts: readonly string[], meanwhile: () => Promise<void> = async () => {}, beforeNumber = 1) {
  const folder = temporaryFolder();
  const files = texts.map((_, index) => join(folder, `${index}.yaml`));
  for (const [index, file] of files.entries()) writeFileSync(file, texts[index]!);
  const sent: Record<string, string | undefined>[] = [];
  const between = createServer(async (request, response) => {
    const body = (await Array.fromAsync(request)).join('');
    const { authorization, 'if-match': ifMatch, 'idempotency-key': key } = request.headers as Record<string, string>;
    if (!JSON.parse(body).dryRun && sent.push({ ifMatch, key }) === beforeNumber) await meanwhile();
    const headers = { authorization: authorization!, 'content-type': 'application/json', ...(ifMatch && { 'if-match': ifMatch }) };
    const answer = await fetch(server.url + request.url, { method: 'POST', headers, body });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await new Promise<void>((resolve) => void between.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void between.close());
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, tenant.key, { mode: 0o600 });
  const url = `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
  const options = { url, 'key-file': keyFile, yes: true, json: true };
  let printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text, ...rest) => {
    printed += String(text);
    (rest.at(-1) as () => void)();
    return true;
  });
  const outcomes = () => JSON.parse(printed).map(({ outcome }: { outcome: string }) => outcome);
  try {
    return { code: await flowApplyCommand.run({ positionals: files, options }), sent, outcomes: outcomes() };
  } catch (error) {
    throw printed === '' ? error : Object.assign(error as Error, { outcomes: outcomes() });
  }
}

const versionInForce = async (name: string) => (await server.request(`/v1/flows/${name}`, { key: tenant.key })).json.version;

it('flow apply is refused when a flow has changed since it was planned, and says to plan again', async () => {
  await tenant.apply(flow('moved', '1.0.0'));
  const refused = apply([flow('moved', '2.0.0')], () => tenant.apply(flow('moved', '1.5.0')));
  const error = await refused.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toMatchObject({
    code: 'E_DEFINITION_STALE',
    message: expect.stringMatching(/0\.yaml: another document .* than when the change was planned/),
    next: expect.stringContaining('headgate flow plan'),
  });
  expect(exitCodeOf(error)).toBe(6);
  expect(await versionInForce('moved')).toBe('1.5.0');
});

it('flow apply of a flow that another made since is refused, and of what it applies itself is not', async () => {
  await expect(apply([flow('made', '2.0.0')], () => tenant.apply(flow('made', '1.0.0')))).rejects.toMatchObject({
    code: 'E_DEFINITION_STALE',
  });
  const { code, outcomes, sent } = await apply([flow('twice', '1.0.0'), flow('twice', '2.0.0'), flow('once', '1.0.0')]);
  expect([code, outcomes]).toEqual([0, ['created', 'updated', 'created']]);
  expect(await versionInForce('twice')).toBe('2.0.0');
  expect(sent.map(({ ifMatch }) => ifMatch)).toEqual(['"none"', expect.stringMatching(/^"1\.0\.0-sha256:[0-9a-f]{64}"$/), '"none"']);
  expect(new Set(sent.map(({ key }) => key)).size).toBe(3);
});

it('flow apply says what was applied before a document that is refused', async () => {
  const texts = [flow('first', '1.0.0'), flow('second', '2.0.0'), flow('third', '1.0.0')];
  const refused = apply(texts, () => tenant.apply(flow('second', '1.0.0')), 2);
  await expect(refused).rejects.toMatchObject({ code: 'E_DEFINITION_STALE', outcomes: ['created'] });
  expect(await versionInForce('first')).toBe('1.0.0');
});
