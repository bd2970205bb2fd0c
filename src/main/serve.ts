/** `headgate serve`: runs the product until SIGTERM or Ctrl-C, then drains. A second signal ends it at once, which is safe. */
import { type Command, printable, textOption } from '../cli/command.ts';
import { loadSettings } from '../cli/load-settings.ts';
import type { HeadgateError } from '../platform/base/errors.ts';
import { type RunningServer, startServer } from './server.ts';

export const serveCommand: Command = {
  usage: 'headgate serve [--roles api,ingress,worker,delivery,scheduler] [--port PORT] [--host HOST] [--data-dir DIR]',
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
    const signalled = untilSignal().then(() => stopping.abort());
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

/** Resolves at the first SIGTERM or SIGINT; the next one ends the process. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isFirst = true;
    const onSignal = (signal: NodeJS.Signals) => {
      if (!isFirst) process.exit(signal === 'SIGINT' ? 130 : 143);
      isFirst = false;
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
