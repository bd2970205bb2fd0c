/**
 * The entry of the program: finds the command by its name and loads only that command's code, so that small commands
 * start fast. `bin/headgate` has compiled code kept in the installation, never in a folder that others can write to.
 */
import { endProcess } from '../platform/base/end-process.ts';
import { commands, isCommand } from './commands.ts';

type Dispatch = (argv: readonly string[]) => Promise<number>;

async function dispatcher(name: string, command: (typeof commands)[string]): Promise<Dispatch> {
  const [loaded, { runCommand, runVerb }] = await Promise.all([command.load(), import('../cli/command.ts')]);
  return (argv) => (isCommand(loaded) ? runCommand(loaded, argv) : runVerb(name, loaded, argv));
}

async function main(argv: readonly string[]): Promise<number> {
  const [given, ...rest] = argv;
  const name = given === '--version' ? 'version' : given;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const width = Math.max(...Object.keys(commands).map((each) => each.length));
    const lines = Object.entries(commands).map(([each, { summary }]) => `  ${each.padEnd(width)}  ${summary}\n`);
    const { printHelp } = await import('../cli/command.ts');
    return printHelp(`usage: headgate COMMAND …\n\n${lines.join('')}\nheadgate COMMAND --help says more\n`);
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const { nearestName } = await import('../platform/base/nearest-name.ts');
    const nearest = nearestName(name, Object.keys(commands));
    const meant = nearest === null ? '' : `; did you mean ${nearest}?`;
    process.stderr.write(`error E_USAGE: there is no command ${JSON.stringify(name)}${meant}\ntry: headgate --help\n`);
    return 2;
  }
  return (await dispatcher(name, command))(rest);
}

// Whoever writes is told of it (cli/stdout.ts).
process.stdout.on('error', () => {});
// What can't be said, on a full disk or to nobody, ends nothing.
process.stderr.on('error', () => {});

void main(process.argv.slice(2)).then((exitCode) => {
  // What has been said is written; connections that are idle and memory of threads are not worth waiting for.
  process.stdout.write('', () => process.stderr.write('', () => endProcess(exitCode)));
});
