/**
 * A tenant `bank` of a served Headgate with a key, and documents for it: `payments` to a folder, `failing` to a service that
 * is unwell, `waiting` to the same,
 * with long pauses.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, runHeadgate, serveHeadgate, uploadFlow } from '../../test/support/headgate-command.ts';

export type ServedBank = Awaited<ReturnType<typeof serveBank>>;

const inBank = (kind: string, name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: bank, name: ${name} }\nspec: ${spec}\n`;

const documentsOf = (folder: string, out: string, unwellPort: number) => ({
  'policy.yaml': inBank('TenantPolicy', 'policy', '{ egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }'),
  'unwell.yaml': inBank('Connection', 'unwell', `{ type: http, baseUrl: "http://127.0.0.1:${unwellPort}" }`),
  'out.yaml': inBank('Connection', 'out', `{ type: folder, root: ${JSON.stringify(out)} }`),
  'nowhere.yaml': inBank('Connection', 'nowhere', `{ type: folder, root: ${JSON.stringify(join(folder, 'nowhere'))} }`),
  'flow.yaml': uploadFlow('payments', { type: 'file', connection: 'out' }),
  'failing.yaml': uploadFlow('failing', {
    type: 'http',
    connection: 'unwell',
    more: 'retry: { max: 1, initial: 100ms, cap: 1s }',
  }).replace('path: failing', 'path: /failing'),
  'waiting.yaml': uploadFlow('waiting', {
    type: 'http',
    connection: 'unwell',
    more: 'retry: { max: 10, initial: 30s, cap: 60s }',
  }).replace('path: waiting', 'path: /waiting'),
});

/** The policy and the connection to the unwell service are applied already; the documents lie in `folder`. */
export async function serveBank() {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-cli-'));
  const dataDir = join(folder, 'data');
  const out = join(folder, 'out');
  mkdirSync(out);
  const unwell = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(503).end());
  });
  await new Promise<void>((resolve) => unwell.listen(0, '127.0.0.1', resolve));
  const documents = documentsOf(folder, out, (unwell.address() as { port: number }).port);
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, name), text);
  const served = await serveHeadgate(dataDir);
  let stopped: ReturnType<typeof served.stop> | undefined;
  let [keys, files] = [0, 0];

  /** On the server's database, beside it. */
  const administer = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
  const as = (keyFile: string, ...argv: string[]): Promise<CommandResult> =>
    runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: served.url }, cwd: folder });

  async function makeKey(...scopes: string[]): Promise<string> {
    const more = scopes.length === 0 ? [] : ['--scopes', scopes.join(',')];
    const { stdout, stderr } = await administer('key', 'create', 'bank', '--json', ...more);
    if (stdout === '') throw new Error(`no key was made: ${stderr}`);
    const path = join(folder, `key-${++keys}`);
    writeFileSync(path, `${JSON.parse(stdout).key}\n`, { mode: 0o600 });
    return path;
  }

  function file(...rows: string[]): string {
    const path = join(folder, `in-${++files}.csv`);
    writeFileSync(path, `id,account,amount,note\n${rows.join('')}`);
    return path;
  }

  await administer('tenant', 'create', 'bank');
  const keyFile = await makeKey();
  const headgate = (...argv: string[]) => as(keyFile, ...argv);
  const applied = await as(await makeKey('flows:write', 'policy:write'), 'flow', 'apply', 'policy.yaml', 'unwell.yaml', '--yes');
  if (applied.code !== 0) throw new Error(applied.stderr);
  return {
    folder,
    dataDir,
    out,
    url: served.url,
    documents,
    /** Of a key with the usual scopes, which `headgate` uses. */
    keyFile,
    makeKey,
    administer,
    as,
    headgate,
    file,
    good: (at: number) => `f${files}r${at},6200001234,${at}.50,\n`,
    bad: (at: number) => `f${files}r${at},6200001234,many,\n`,
    stopServer: () => (stopped ??= served.stop()),
    async end() {
      unwell.close();
      stopped ??= served.stop();
      await stopped;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
