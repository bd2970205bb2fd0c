/** A change shows its plan first: a terminal is asked, anything else needs --yes. */
import { createInterface } from 'node:readline';
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type CommandLine, printable } from './command.ts';
import { columnsDefault } from './output.ts';
import type { Row } from './output-fields.ts';
import { painter } from './terminal-style.ts';
import { thingText } from './terminal-text.ts';

/** Fails with E_CONFIRM when nobody says yes. */
export async function confirmPlan(line: CommandLine, action: string, plan: Row): Promise<void> {
  if (line.options.yes) return;
  process.stderr.write(`${printable(action)}:\n${planText(plan)}`);
  await confirm(line, action);
}

/** On a terminal as `get` shows a thing, elsewhere as JSON. */
function planText(plan: Row): string {
  const { isTTY, columns } = process.stderr;
  if (!isTTY) return `${printable(JSON.stringify(plan, null, 2).replaceAll('\n', '\n  '))}\n`;
  const text = thingText(plan, { columnsMax: (columns || columnsDefault) - 2, paint: painter(process.env) });
  return `${text.trimEnd().replace(/^/gm, '  ')}\n`;
}

/** The same, of a plan that was shown. `hint`: how to go on where nobody can be asked. */
export async function confirm(line: CommandLine, action: string, hint = `${action} was not confirmed`): Promise<void> {
  if (line.options.yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new HeadgateError(cliErrors.E_CONFIRM, hint);
  const answer = await ask('go on? [y/N] ');
  if (!/^y(es)?$/i.test(answer.trim())) throw new HeadgateError(cliErrors.E_CONFIRM, `${action} was not confirmed`);
}

/** Ctrl-C and Ctrl-D answer nothing. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string | null>((resolve) => {
    terminal.once('close', () => resolve(null));
    terminal.question(question, resolve);
  });
  terminal.close();
  // What is said next has a line of its own.
  if (answer === null) process.stderr.write('\n');
  return answer ?? '';
}
