import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-demo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function demo(...options: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // As it is installed.
    const program = join(import.meta.dirname, '../../bin/headgate');
    const child = spawn(program, ['demo', '--once', '--json', '--data-dir', folder, ...options]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** What running processes are that name the folder, or, as sessions of sshd do, write their log in it. */
function processesOf(path: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((id) => {
      const command = seen(() => readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' '));
      return `${command} ${seen(() => readlinkSync(`/proc/${id}/fd/2`))}`;
    })
    .filter((command) => command.includes(path));
}

/** Empty where the process has ended. */
function seen(look: () => string): string {
  try {
    return look();
  } catch {
    return '';
  }
}

/** The demo takes the one of the machine; none that was unpacked for tests. */
const isSshdHere = existsSync('/usr/sbin/sshd');

test('the demo runs the main job for two tenants, balances, leaves no process behind, and works again', async () => {
  for (const run of [1, 2]) {
    const { code, stdout, stderr } = await demo('--records', '3000');
    expect(code, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ balanced: true });
    expect(document.peakRssBytes).toBeGreaterThan(0);
    type Told = { tenant: string; state: string; cameBy: string };
    expect(document.jobs.map(({ tenant, state, cameBy }: Told) => [tenant, state, cameBy])).toEqual([
      ['bank-za', 'completed', 'folder'],
      ['acme-pay', 'completed', 'HTTP upload'],
      ['acme-pay', 'completed', 'SFTP, brought'],
      ['acme-pay', 'completed', 'headgate ingest'],
      ...(isSshdHere ? [['acme-pay', 'completed', 'SFTP, collected']] : []),
    ]);
    if (isSshdHere) expect(readdirSync(join(folder, 'acquirer/files/settlements/.headgate-done'))).toContain(document.jobs[4].file);
    for (const job of document.jobs) {
      const { read, valid, rejected, filtered } = job.records;
      expect(read).toBe(valid + rejected + filtered);
      expect(rejected).toBeGreaterThan(0);
      for (const target of Object.values(job.targets) as Record<string, number>[])
        expect(target).toMatchObject({ delivered: target.routed, inFlight: 0, dead: 0 });
      expect(job.file).toContain(String(run).padStart(4, '0'));
    }
    expect(document.jobs[0].records.read).toBe(3000);
    expect(processesOf(folder)).toEqual([]);
  }
});

test.each([
  ['while it starts', 'starting PostgreSQL', 130],
  ['while it serves', 'serving until Ctrl-C', 0],
])('Ctrl-C in a terminal, which npm passes on as well, stops the demo and its PostgreSQL %s', async (_, line, exitCode) => {
  const data = join(folder, `stopped-${line.length}`);
  // A group of its own, as a terminal has: the signal reaches the starter and the program, and the starter passes it on.
  const child = spawn(process.execPath, ['bootstrap.mjs', 'demo', '--records', '300', '--data-dir', data], {
    cwd: join(import.meta.dirname, '../..'),
    detached: true,
    env: { ...process.env, HEADGATE_PORT: '0' },
  });
  let said = '';
  let isStopped = false;
  const listen = (text: Buffer) => {
    said += text;
    if (isStopped || !said.includes(line)) return;
    isStopped = true;
    process.kill(-child.pid!, 'SIGINT');
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect([isStopped, code], said).toEqual([true, exitCode]);
  expect(processesOf(data)).toEqual([]);
});

test('the commands that the demo ends with can be pasted as they stand', async () => {
  const root = join(import.meta.dirname, '../..');
  const entry = join(root, 'src/main/headgate.ts');
  const data = join(folder, "a folder's name");
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, 'demo', '--records', '300', '--data-dir', data], {
    env: { ...process.env, HEADGATE_PORT: '0' },
  });
  try {
    const said = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.resume();
      child.stderr.on('data', (piece) => {
        text += piece;
        if (text.includes('serving until Ctrl-C')) resolve(text);
      });
      child.on('close', () => reject(new Error(`the demo ended: ${text}`)));
    });
    const commands = [...said.matchAll(/HEADGATE_URL=http.*$/gm)].map(([command]) => command);
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const pasted = spawn('sh', ['-c', command], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
      let printed = '';
      pasted.stdout.on('data', (piece) => {
        printed += piece;
      });
      expect(await new Promise((resolve) => pasted.on('close', resolve)), command).toBe(0);
      expect(printed).toMatch(/^jobId\t.*\n.*\tcompleted\t/);
    }
  } finally {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.kill('SIGINT');
      await ended;
    }
  }
});
