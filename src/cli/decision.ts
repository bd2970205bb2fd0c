/**
 * Commands by which a person decides: the effect is shown first, a terminal is asked, anything else needs --yes, and a reason
 * goes with the decision. Repeated with the same --idempotency-key and --yes, a command gets the answer it got before.
 */
import { systemPorts } from '../platform/base/system-ports.ts';
import { createApiClient } from './api-client.ts';
import {
  apiOptions,
  type Command,
  type CommandLine,
  outputOptions,
  printable,
  requiredOption,
  requiredPositional,
  textOption,
} from './command.ts';
import { confirmPlan } from './confirmation.ts';
import { printOne } from './output.ts';

export interface DecisionDescription {
  /** `headgate job release JOB`. */
  readonly command: string;
  readonly summary: string;
  /** How the thing is called in the command: `JOB`; left out, options say what it is about. */
  readonly thing?: string;
  /** Options beside those of every decision, with how they are written in the usage. */
  readonly more?: { readonly options: NonNullable<Command['options']>; readonly usage: string };
  readonly path: (id: string, line: CommandLine) => string;
  /** What is sent beside the reason. */
  readonly body?: (line: CommandLine) => Readonly<Record<string, unknown>>;
  /** What would be done to the thing as the preview shows it, on stderr. */
  readonly effect?: (line: CommandLine, preview: Readonly<Record<string, unknown>>) => string;
  /** What there is to say of the answer beside it, on stderr. */
  readonly remark?: (answer: Readonly<Record<string, unknown>>) => string | null;
}

const options = {
  ...outputOptions,
  ...apiOptions,
  reason: { type: 'string' },
  'idempotency-key': { type: 'string' },
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
} as const;

/** The key that was named, or a new one. */
export function keyHeader(line: CommandLine): Readonly<Record<string, string>> {
  return { 'idempotency-key': textOption(line, 'idempotency-key') ?? systemPorts.ids.next() };
}

export function decisionCommand({ command, summary, thing, more, path, body, effect, remark }: DecisionDescription): Command {
  const usage = `${command} ${more ? `${more.usage} ` : ''}--reason TEXT [--dry-run] [--yes] [--idempotency-key KEY] [--json]`;
  return {
    usage,
    summary,
    options: { ...options, ...more?.options },
    async run(line) {
      const api = createApiClient(line);
      const id = thing === undefined ? '' : encodeURIComponent(requiredPositional(line, 0, thing, usage));
      const request = { reason: requiredOption(line, 'reason', usage), ...body?.(line) };
      let version: unknown;
      if (line.options['dry-run'] || !line.options.yes) {
        const plan = await api.post<Record<string, unknown>>(path(id, line), { ...request, dryRun: true });
        for (const { code, message } of (plan.warnings ?? []) as readonly { code: string; message: string }[])
          process.stderr.write(`${printable(`warning ${code}: ${message}`)}\n`);
        if (effect) process.stderr.write(`${printable(effect(line, plan))}\n`);
        if (line.options['dry-run']) {
          await printOne(line, plan);
          return 0;
        }
        version = plan.version;
        await confirmPlan(
          line,
          `${command.replace('headgate ', '').replace(` ${thing}`, '')} ${id || line.positionals.join(' ')}`.trimEnd(),
          plan,
        );
      }
      const answer = await api.post<Record<string, unknown>>(
        path(id, line),
        { ...request, ...(version !== undefined && { version }) },
        keyHeader(line),
      );
      await printOne(line, answer, { isDone: true });
      const said = remark?.(answer);
      if (said) process.stderr.write(`${printable(said)}\n`);
      return 0;
    },
  };
}
