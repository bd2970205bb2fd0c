/** A change shows its plan first: a terminal is asked, anything else needs --yes. */
import { createInterface } from 'node:readline/promises';
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type CommandLine, printable } from './command.ts';

/** Fails with E_CONFIRM when nobody says yes. */
export async function confirmPlan(line: CommandLine, action: string, plan: unknown): Promise<void> {
  if (line.options.yes) return;
  process.stderr.write(`${action}:\n${printable(JSON.stringify(plan, null, 2).replaceAll('\n', '\n  '))}\n`);
  await confirm(line, action);
}

/** The same, of a plan that was shown. `hint`: how to go on where nobody can be asked. */
export async function confirm(line: CommandLine, action: string, hint = `${action} was not confirmed`): Promise<void> {
  if (line.options.yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new HeadgateError(cliErrors.E_CONFIRM, hint);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('go on? [y/N] ');
    if (!/^y(es)?$/i.test(answer.trim())) throw new HeadgateError(cliErrors.E_CONFIRM, `${action} was not confirmed`);
  } finally {
    terminal.close();
  }
}
