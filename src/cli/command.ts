/**
 * What a command of the CLI is, and how one is run: options are parsed strictly, errors become `error CODE: sentence` with
 * a next step on stderr, and the exit code follows docs (0 ok, 1 failed, 2 usage, 3 differences, 4 forbidden, 5 not found,
 * 6 conflict, 7 what is left is held, 8 timed out, 129, 130, 143 ended by SIGHUP, Ctrl-C, SIGTERM). stdout holds data only.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type ErrorActor, type ErrorDetail, HeadgateError } from '../platform/base/errors.ts';
import { nearestName } from '../platform/base/nearest-name.ts';
import { ApiProblem } from './api-problem.ts';
import { cliErrors } from './cli-errors.ts';
import { Interruption } from './interruption.ts';
import { writeOut } from './stdout.ts';

export type OptionValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface CommandLine {
  readonly positionals: readonly string[];
  readonly options: OptionValues;
}

export interface Command {
  /** `headgate job list [--state STATE]`. */
  readonly usage: string;
  readonly summary: string;
  readonly options?: ParseArgsOptionsConfig;
  /** Returns the exit code. */
  run(line: CommandLine): Promise<number>;
}

/** Options of every command that prints data. */
export const outputOptions = {
  json: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  fields: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

export const outputFormats = ['json', 'ndjson', 'yaml', 'csv'] as const;

/** Options of every command that talks to the API. */
export const apiOptions = {
  url: { type: 'string' },
  'key-file': { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

const exitCodes: Readonly<Record<string, number>> = {
  E_USAGE: 2,
  E_CONFIRM: 2,
  E_TENANT_NAME: 2,
  E_KEY_SCOPE: 2,
  E_FLOW_INVALID: 2,
  E_INPUT_FILE: 2,
  E_OUTPUT_FOLDER: 2,
  E_FORMAT_OPTION: 2,
  E_REPAIR: 2,
  E_REPAIR_KEY: 2,
  E_REPAIR_TIED: 2,
  E_REPAIR_MASK: 2,
  E_API_KEY_MISSING: 4,
  E_NOT_FOUND: 5,
  E_NO_INSTALLATION: 5,
  E_TIMEOUT: 8,
};

/** Of what the API refused. */
const exitCodesByStatus: Readonly<Record<number, number>> = { 400: 2, 401: 4, 403: 4, 404: 5, 409: 6, 412: 6 };

export function exitCodeOf(error: HeadgateError): number {
  if (error instanceof Interruption) return error.exitCode;
  return exitCodes[error.code] ?? (error instanceof ApiProblem ? exitCodesByStatus[error.status] : undefined) ?? 1;
}

/** Behind what is to be done, where it is not for whoever runs the command. */
const actorWords: Readonly<Record<ErrorActor, string>> = {
  sender: ' (for the sender of the file)',
  author: ' (for the author of the flow)',
  operator: ' (for an operator)',
  administrator: ' (for the administrator)',
  downstream: ' (for whoever runs the target)',
  caller: '',
};

/** Most findings, changes or warnings that are shown below one thing. */
export const listedMax = 50;

/** Prints an error as every command does, and returns its exit code. Control characters never reach the terminal. */
export function reportError(thrown: unknown): number {
  const error =
    thrown instanceof HeadgateError
      ? thrown
      : new HeadgateError('E_INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  const lines = [`error ${error.code}: ${error.message}`];
  // What the message says already is said once.
  const details = error.details.filter(({ line, message }) => line !== undefined || !error.message.includes(message));
  for (const detail of details.slice(0, listedMax)) lines.push(`  ${findingOf(detail, error.code)}`);
  if (details.length > listedMax) lines.push(`  … and ${details.length - listedMax} more`);
  const { actor } = error;
  if (error.next) lines.push(`try: ${error.next}${actor === undefined ? '' : actorWords[actor]}`);
  if (error instanceof ApiProblem && error.traceId) lines.push(`trace: ${error.traceId}`);
  process.stderr.write(`${lines.map(printable).join('\n')}\n`);
  return exitCodeOf(error);
}

/** `code`: of the error that it belongs to. */
function findingOf({ line, column, code: own, path, message }: ErrorDetail, code: string): string {
  const parts = [line === undefined ? '' : `${line}:${column ?? 1}: `, own === code ? '' : `${own}: `];
  return `${parts.join('')}${path && !message.startsWith(path) ? `${path}: ` : ''}${message}`;
}

/** Text from outside, made harmless for a terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** Parses strictly and runs. */
export async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    return printHelp(`${command.summary}\n\nusage: ${command.usage}\n`);
  }
  try {
    return await command.run(parseLine(command, argv));
  } catch (error) {
    return reportError(error);
  }
}

export async function printHelp(text: string): Promise<number> {
  try {
    await writeOut(text);
    return 0;
  } catch (error) {
    return reportError(error);
  }
}

function parseLine(command: Command, argv: readonly string[]): CommandLine {
  let line: CommandLine;
  let outputs: string[];
  try {
    const { positionals, values, tokens } = parseArgs({
      args: [...argv],
      options: command.options ?? {},
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
    line = { positionals, options: values };
    outputs = tokens.flatMap((token) => (token.kind === 'option' && token.name === 'output' ? [token.value ?? ''] : []));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new HeadgateError(cliErrors.E_USAGE, `${whyUnparsed(text, command)} (usage: ${command.usage})`);
  }
  const surplus = line.positionals[argumentsMax(command)];
  if (surplus !== undefined)
    throw new HeadgateError(cliErrors.E_USAGE, `${JSON.stringify(surplus)} is one argument too many (usage: ${command.usage})`);
  // Before anything is done whose answer could not be printed then.
  const unknown = outputs.find((output) => !outputFormats.some((format) => format === output));
  if (unknown !== undefined)
    throw new HeadgateError(cliErrors.E_USAGE, `-o takes ${outputFormats.join(', ')}, not ${JSON.stringify(unknown)}`);
  const wanted = [...new Set([...(line.options.json === true ? ['json'] : []), ...outputs])];
  if (wanted.length > 1)
    throw new HeadgateError(cliErrors.E_USAGE, `one output is written, not ${wanted.join(' and ')} (--json is -o json): say one of them`);
  return line;
}

function whyUnparsed(text: string, { options = {} }: Command): string {
  const valueless = /^Option '(-\S+)' argument is ambiguous/.exec(text)?.[1];
  if (valueless) return `${valueless} has no value: what follows it begins with a hyphen`;
  const unknown = /^Unknown option '(-\S+)'/.exec(text)?.[1];
  if (!unknown) return text.split('.')[0]!;
  const nearest = nearestName(unknown.replace(/^-+/, ''), Object.keys(options));
  return `there is no option ${unknown}${nearest === null ? '' : `; did you mean --${nearest}?`}`;
}

/**
 * How many arguments besides options the usage has room for: names such as `JOB`, `FILE|FOLDER` and choices such as `open|close`;
 * without end where one goes on (`FILE…`). So none is passed over in silence, as of two jobs to cancel the second would be.
 */
export function argumentsMax({ usage, options = {} }: Command): number {
  const values = Object.entries(options).flatMap(([name, { type, short }]) =>
    type === 'string' ? [`--${name}`, ...(short === undefined ? [] : [`-${short}`])] : [],
  );
  const words = usage.replace(/[[\]()]/g, ' ').split(/\s+/);
  const names = words.filter((word, at) => /^[A-Z]|^[a-z]+\|[a-z]/.test(word) && !values.includes(words[at - 1] ?? ''));
  return names.some((name) => name.endsWith('…')) ? Number.POSITIVE_INFINITY : names.length;
}

/** Runs the verb that the first argument names. */
export async function runVerb(noun: string, verbs: Readonly<Record<string, Command>>, argv: readonly string[]): Promise<number> {
  const [verb, ...rest] = argv;
  const command = verb === undefined || !Object.hasOwn(verbs, verb) ? undefined : verbs[verb];
  if (command) return runCommand(command, rest);
  const help = Object.values(verbs).map((each) => `  ${each.usage}\n      ${each.summary}`);
  if (verb === undefined || verb === '--help' || verb === '-h') return printHelp(`${help.join('\n')}\n`);
  const nearest = nearestName(verb, Object.keys(verbs));
  const meant = nearest === null ? '' : `; did you mean ${nearest}?`;
  process.stderr.write(`error E_USAGE: headgate ${noun} has no verb ${printable(JSON.stringify(verb))}${meant}\n${help.join('\n')}\n`);
  return 2;
}

export function requiredPositional(line: CommandLine, index: number, name: string, usage: string): string {
  const value = line.positionals[index];
  if (value === undefined) throw new HeadgateError(cliErrors.E_USAGE, `${name} is missing (usage: ${usage})`);
  return value;
}

export function textOption(line: CommandLine, name: string): string | undefined {
  const value = line.options[name];
  return typeof value === 'string' ? value : undefined;
}

export function requiredOption(line: CommandLine, name: string, usage: string): string {
  const value = textOption(line, name);
  if (!value) throw new HeadgateError(cliErrors.E_USAGE, `--${name} is missing (usage: ${usage})`);
  return value;
}

const countMax = 86_400;

/** Digits only. Fails with E_USAGE. */
export function countOption(line: CommandLine, name: string, defaultValue: number, max = countMax): number {
  const text = textOption(line, name);
  if (text === undefined) return defaultValue;
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw new HeadgateError(cliErrors.E_USAGE, `--${name} takes a whole number from 1 to ${max}`);
  return value;
}
