/**
 * `headgate demo`: everything on one machine. Starts the product on the embedded default, makes realistic files for two
 * tenants, brings them in by folder, HTTP upload, `headgate ingest` and SFTP both ways, and ends with a table per job and where to look
 * next. `--once` exits when done: 0 if everything balances.
 */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { cliErrors } from '../../cli/cli-errors.ts';
import { type Command, countOption, textOption } from '../../cli/command.ts';
import { loadSettings } from '../../cli/load-settings.ts';
import { shellWord } from '../../cli/shell-word.ts';
import { writeOut } from '../../cli/stdout.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { makeFolder } from '../../platform/base/make-folder.ts';
import type { Settings } from '../../platform/base/settings-catalogue.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { untilSignal } from '../serve.ts';
import { type RunningServer, startServer } from '../server.ts';
import { type AcquirerServer, startAcquirerServer } from './acquirer-server.ts';
import { printBanks } from './banks-report.ts';
import { tellBanksStory } from './banks-story.ts';
import { tellBreakerStory } from './breaker-story.ts';
import { bringFilesIn } from './demo-arrivals.ts';
import { partnerSettings } from './demo-partner.ts';
import { type DemoDocument, describeJobs, peakRssBytes, printTable } from './demo-report.ts';
import { type DemoTenants, prepareTenants } from './demo-tenants.ts';
import { printStory } from './story-report.ts';

interface ToldStory {
  readonly document: { readonly failures: readonly string[] };
  /** For people. */
  readonly text: string;
}

type Story = (parts: Parameters<typeof tellBreakerStory>[0]) => Promise<ToldStory>;

const stories: Readonly<Record<string, Story>> = {
  async breaker(parts) {
    const document = await tellBreakerStory(parts);
    return { document, text: printStory(document) };
  },
  async banks(parts) {
    const document = await tellBanksStory(parts);
    return { document, text: printBanks(document) };
  },
};

const recordsMax = 5_000_000;

export const demoCommand: Command = {
  usage: 'headgate demo [--once] [--json] [--records N] [--story breaker|banks] [--data-dir DIR]',
  summary:
    'Runs the main job on this machine with files of two tenants, then keeps serving until Ctrl-C. --once exits after the table. --story breaker: a downstream dies under load and comes back. --story banks: files of four formats of the banks, and their answers.',
  options: {
    once: { type: 'boolean' },
    json: { type: 'boolean' },
    records: { type: 'string' },
    story: { type: 'string' },
    'data-dir': { type: 'string' },
  },
  async run(line) {
    const startedMs = systemPorts.clock.monotonicMs();
    const isOnce = line.options.once === true;
    const story = textOption(line, 'story');
    if (story !== undefined && !Object.hasOwn(stories, story))
      throw new HeadgateError(cliErrors.E_USAGE, `the demo has two stories: ${Object.keys(stories).join(' and ')}`);
    const records = countOption(line, 'records', 100_000, recordsMax);
    const base = loadSettings({ flags: { dataDir: textOption(line, 'data-dir') } });
    const dataDir = textOption(line, 'data-dir') ? base.dataDir : join(base.dataDir, 'demo');
    const settings = {
      ...base,
      ...partnerSettings,
      roles: [...new Set([...base.roles, 'sftp' as const])],
      dataDir,
      port: isOnce ? 0 : base.port,
      // The demo keeps the folders of its tenants in its data folder, which connections may not name otherwise.
      folderRoots: [join(dataDir, 'tenants', '{tenant}')],
    };
    makeFolder(settings.dataDir, 0o700);
    const logPath = join(settings.dataDir, 'demo.log');
    const logger = createLogger({ level: settings.logLevel, destination: createWriteStream(logPath, { flags: 'a', mode: 0o600 }) });
    tell(`starting PostgreSQL, storage and all roles in ${settings.dataDir}`);
    const stopping = new AbortController();
    const stopEarly = untilSignal(systemPorts.clock).then(() => {
      stopping.abort();
      return 'stopped' as const;
    });
    // Before the server, whose source looks there since the last run.
    const acquirer = story === undefined ? await startAcquirerServer(settings) : undefined;
    try {
      const server = await startServer({ settings, env: process.env, logger, signal: stopping.signal });
      try {
        if (story !== undefined) {
          const told = await Promise.race([stories[story]!({ server, settings, tell }), stopEarly]);
          if (told === 'stopped') return 130;
          await writeOut(line.options.json ? `${JSON.stringify(told.document, null, 2)}\n` : told.text);
          return told.document.failures.length === 0 ? 0 : 1;
        }
        if (acquirer?.isStarted === false) tell(`no file is collected from an SFTP server: ${acquirer.why}`);
        const started = acquirer?.isStarted ? acquirer : undefined;
        const tenants = await prepareTenants(server, settings, started);
        const work = runMainJob({ server, tenants, settings, acquirer: started, dataDir: settings.dataDir, records, startedMs });
        const document = await Promise.race([work, stopEarly]);
        if (document === 'stopped') return 130;
        await writeOut(line.options.json ? `${JSON.stringify(document, null, 2)}\n` : printTable(document));
        if (!line.options.json) tellWhereToLook({ server, tenants, logPath, isOnce });
        if (!isOnce) {
          tell('serving until Ctrl-C');
          await stopEarly;
        }
        return document.balanced ? 0 : 1;
      } finally {
        await server.stop();
      }
    } catch (error) {
      if (stopping.signal.aborted && error === stopping.signal.reason) return 130;
      throw error;
    } finally {
      await acquirer?.stop();
    }
  },
};

async function runMainJob(parts: {
  readonly server: RunningServer;
  readonly tenants: DemoTenants;
  readonly settings: Settings;
  readonly acquirer: AcquirerServer | undefined;
  readonly dataDir: string;
  readonly records: number;
  readonly startedMs: number;
}): Promise<DemoDocument> {
  const arrived = await bringFilesIn({ ...parts, url: parts.server.url!, sftpPort: parts.server.sftpPort!, tell });
  const jobs = await describeJobs(parts.server.url!, arrived, tell);
  return {
    jobs,
    balanced: jobs.length > 0 && jobs.every((job) => job.balanced),
    seconds: Math.round(systemPorts.clock.monotonicMs() - parts.startedMs) / 1000,
    peakRssBytes: peakRssBytes(),
  };
}

/** Once it is over nothing answers any more: then only what stays is told of. */
function tellWhereToLook(at: {
  readonly server: RunningServer;
  readonly tenants: DemoTenants;
  readonly logPath: string;
  readonly isOnce: boolean;
}): void {
  const { server, tenants, logPath, isOnce } = at;
  const commands = tenants.all.map(
    ({ name, keyFile }) =>
      `${`jobs of ${name}`.padEnd(25)} HEADGATE_URL=${server.url} npm run --silent headgate -- job list --key-file ${shellWord(keyFile)}`,
  );
  const { user, keyFile } = tenants.partner;
  const sftp = `sftp -P ${server.sftpPort} -i ${shellWord(keyFile)} -o User=${user} 127.0.0.1`;
  const served = [
    `API and its description   ${server.url}/docs`,
    `metrics                   ${server.url}/metrics`,
    `files by SFTP             ${sftp}`,
    ...commands,
  ];
  const kept = [`outputs                   ${tenants.folder}`, `log                       ${logPath}`];
  process.stderr.write(['', ...(isOnce ? [] : served), ...kept, ''].join('\n'));
}

function tell(message: string): void {
  process.stderr.write(`demo: ${message}\n`);
}
