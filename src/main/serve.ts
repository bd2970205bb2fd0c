/** `headgate serve`: runs the product until SIGTERM or Ctrl-C, then drains. A second signal ends it at once, which is safe. */
import { type Command, textOption } from '../cli/command.ts';
import { loadSettings } from '../cli/load-settings.ts';
import { startServer } from './server.ts';

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
    const server = await startServer({ settings, env: process.env });
    process.stderr.write(
      `headgate serves ${server.url ?? settings.roles.join(', ')}${server.url ? `, its API is described at ${server.url}/docs` : ''}\n`,
    );
    await untilSignal();
    await server.stop();
    return 0;
  },
};

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
