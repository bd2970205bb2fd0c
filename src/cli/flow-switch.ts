/** `headgate flow enable|disable`: lets a flow take files, or stops it. What it has taken goes on. */
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, outputOptions, requiredPositional } from './command.ts';
import { confirmPlan } from './confirmation.ts';
import { keyHeader } from './decision.ts';
import { printOne } from './output.ts';

const options = {
  ...outputOptions,
  ...apiOptions,
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
  'idempotency-key': { type: 'string' },
} as const;

export const flowEnableCommand = switchCommand('enable', 'Lets a flow take files again.');
export const flowDisableCommand = switchCommand('disable', 'Stops a flow taking files; what it has taken goes on.');

function switchCommand(verb: 'enable' | 'disable', summary: string): Command {
  const enabled = verb === 'enable';
  return {
    usage: `headgate flow ${verb} NAME [--dry-run] [--yes] [--idempotency-key KEY] [--json]`,
    summary,
    options,
    async run(line) {
      const api = createApiClient(line);
      const name = encodeURIComponent(requiredPositional(line, 0, 'NAME', this.usage));
      if (line.options['dry-run'] || !line.options.yes) {
        const flow = await api.get<{ name: string; version: string | null; enabled: boolean }>(`/v1/flows/${name}`);
        const plan = { name: flow.name, version: flow.version, enabled: { from: flow.enabled, to: enabled } };
        if (line.options['dry-run']) {
          await printOne(line, plan);
          return 0;
        }
        if (flow.enabled !== enabled) await confirmPlan(line, `${verb} flow ${name}`, plan);
      }
      await printOne(line, await api.post(`/v1/flows/${name}/${verb}`, {}, keyHeader(line)), { isDone: true });
      return 0;
    },
  };
}
