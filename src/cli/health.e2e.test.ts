import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServedBank, serveBank } from './served-bank.fixture.ts';

let bank: ServedBank;
beforeAll(async () => {
  bank = await serveBank();
  expect(await bank.headgate('flow', 'apply', 'out.yaml', 'flow.yaml', 'failing.yaml', '--yes')).toMatchObject({ code: 0 });
});
afterAll(() => bank?.end());

it('health tells what is known, which is nothing at first, and --deep finds out; exit 1 when something is unhealthy', async () => {
  const first = await bank.headgate('health');
  expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('2 not probed yet: headgate health --deep')]);
  const deep = await bank.headgate('health', '--deep');
  expect(deep.code).toBe(1);
  const [head, ...rows] = deep.stdout.trimEnd().split('\n');
  expect(head).toBe('flow\tkind\tid\ttype\tconnection\tstate\tcode\tdurationMs\tprobedAt\tmessage');
  expect(rows.map((row) => row.split('\t').slice(0, 7))).toEqual([
    ['failing', 'target', 'ledger', 'http', 'unwell', 'unhealthy', 'E_TARGET_BUSY'],
    ['payments', 'target', 'ledger', 'file', 'out', 'healthy', ''],
  ]);
  expect(deep.stderr).toContain('try: E_TARGET_BUSY: Look at the target');
  expect((await bank.headgate('health')).code).toBe(1);
});

it('one that is well is no failure, and its probes are listed with --history', async () => {
  const which = ['--flow', 'payments', '--target', 'ledger'];
  for (let times = 0; times < 2; times++) {
    const { code, stdout } = await bank.headgate('health', '--deep', ...which, '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([0, [{ flow: 'payments', state: 'healthy', durationMs: expect.any(Number) }]]);
  }
  const { code, stdout } = await bank.headgate('health', '--history', ...which, '--fields', 'code,state');
  const [head, ...rows] = stdout.trimEnd().split('\n');
  expect([code, head, new Set(rows), rows.length >= 2]).toEqual([0, 'code\tstate', new Set(['\thealthy']), true]);
});

it.each([
  [['--history'], 2, 'E_USAGE'],
  [['--target', 'out'], 2, 'E_USAGE'],
  [['--deep', '--flow', 'never-was'], 5, 'E_FLOW_UNKNOWN'],
  [['--flow', 'a', '--source', 'a', '--target', 'b'], 2, 'E_USAGE'],
  [['--history', '--flow', 'payments', '--target', 'never-was'], 5, 'E_NOT_FOUND'],
] as const)('health %j is refused', async (argv, code, error) => {
  expect(await bank.headgate('health', ...argv)).toMatchObject({ code, stderr: expect.stringContaining(error) });
});
