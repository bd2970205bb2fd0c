/**
 * The entry of the program: finds the command by its name and loads only that command's code, so that small commands
 * start fast. `bin/headgate` has compiled code kept in the installation, never in a folder that others can write to.
 */
type Dispatch = (argv: readonly string[]) => Promise<number>;

/** Each loads its code when it is asked for, and gives what runs the command. */
const commands: Readonly<Record<string, () => Promise<Dispatch>>> = {
  flow: async () => {
    const [{ flowVerbs }, { runVerb }] = await Promise.all([import('../cli/flow.ts'), import('../cli/command.ts')]);
    return (argv) => runVerb('flow', flowVerbs, argv);
  },
  run: async () => {
    const [{ createRunCommand }, { runCommand }, { formats }] = await Promise.all([
      import('../cli/run.ts'),
      import('../cli/command.ts'),
      import('./catalogue.ts'),
    ]);
    return (argv) => runCommand(createRunCommand(formats), argv);
  },
  trust: async () => {
    const [{ trustCommand }, { runCommand }] = await Promise.all([import('../cli/trust.ts'), import('../cli/command.ts')]);
    return (argv) => runCommand(trustCommand, argv);
  },
  verify: async () => {
    const [{ verifyCommand }, { runCommand }] = await Promise.all([import('../cli/verify.ts'), import('../cli/command.ts')]);
    return (argv) => runCommand(verifyCommand, argv);
  },
  version: async () => {
    const [{ versionCommand }, { runCommand }] = await Promise.all([import('../cli/version.ts'), import('../cli/command.ts')]);
    return (argv) => runCommand(versionCommand, argv);
  },
};

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`usage: headgate COMMAND …\ncommands: ${Object.keys(commands).join(', ')}\nheadgate COMMAND --help says more\n`);
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    process.stderr.write(`error E_USAGE: there is no command ${JSON.stringify(name)}\ntry: headgate --help\n`);
    return 2;
  }
  return (await load())(rest);
}

// A reader that closes the pipe early (`| head`) is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2));
