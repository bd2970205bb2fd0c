/** `headgate serve`: runs the product until SIGTERM, Ctrl-C or the end of its terminal, then drains. A second signal ends it at once, which is safe. */
import { type Command, printable, textOption } from '../cli/command.ts';
import { loadSettings } from '../cli/load-settings.ts';
import { endingSignals, endProcess } from '../platform/base/end-process.ts';
import type { HeadgateError } from '../platform/base/errors.ts';
import type { Clock } from '../platform/base/ports.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { type RunningServer, startServer } from './server.ts';

export const serveCommand: Command = {
  usage: 'headgate serve [--roles api,ingress,worker,delivery,scheduler,sftp] [--port PORT] [--host HOST] [--data-dir DIR]',
  summary: 'Starts the product. Settings: docs/reference/settings.md.',
  options: { roles: { type: 'string' }, port: { type: 'string' }, host: { type: 'string' }, 'data-dir': { type: 'string' } },
  async run(line) {
    const settings = loadSettings({
      flags: {
        roles: textOption(line, 'roles'),
        port: textOption(line, 'port'),
        host: textOption(line, 'host'),
        dataDir: textOption(line, 'data-dir'),
      },
    });
    const stopping = new AbortController();
    const signalled = untilSignal(systemPorts.clock).then(() => stopping.abort());
    let server: RunningServer;
    try {
      server = await startServer({ settings, env: process.env, signal: stopping.signal, onWaiting: tellWaiting });
    } catch (error) {
      if (stopping.signal.aborted && error === stopping.signal.reason) return 0;
      throw error;
    }
    process.stderr.write(
      `headgate serves ${server.url ?? settings.roles.join(', ')}${server.url ? `, its API is described at ${server.url}/docs` : ''}\n`,
    );
    await signalled;
    await server.stop();
    return 0;
  },
};

function tellWaiting(url: string | null, error: HeadgateError): void {
  const where = url === null ? 'headgate' : `headgate listens at ${url} and`;
  process.stderr.write(`${printable(`${where} waits for its database: ${error.code}: ${error.message}`)}\ntry: ${error.next}\n`);
}

/** One Ctrl-C may come twice: from the terminal, and from the program that started this one and passes signals on. */
const sameSignalMs = 1_000;

/** Resolves at the first of them; a later one ends the process. */
export function untilSignal(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const onSignal = (signal: keyof typeof endingSignals) => {
      const nowMs = clock.monotonicMs();
      if (firstMs !== null && nowMs - firstMs > sameSignalMs) endProcess(endingSignals[signal]);
      firstMs ??= nowMs;
      resolve();
    };
    for (const signal of Object.keys(endingSignals)) process.on(signal, onSignal);
  });
}
