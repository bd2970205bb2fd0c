/**
 * The entry of the program: finds the command by its name and loads only that command's code, so that small commands
 * start fast. `bin/headgate` has compiled code kept in the installation, never in a folder that others can write to.
 */
import type { Command } from '../cli/command.ts';

type Dispatch = (argv: readonly string[]) => Promise<number>;

/** A command, or a noun with verbs; loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Command | Readonly<Record<string, Command>>>>> = {
  arrival: async () => (await import('../cli/arrival.ts')).arrivalVerbs,
  batch: async () => (await import('../cli/batch.ts')).batchVerbs,
  'dead-letter': async () => (await import('../cli/record.ts')).deadLetterVerbs,
  demo: async () => (await import('./demo/demo.ts')).demoCommand,
  doctor: async () => (await import('../cli/doctor.ts')).doctorCommand,
  file: async () => (await import('../cli/arrival.ts')).fileVerbs,
  flow: async () => (await import('../cli/flow.ts')).flowVerbs,
  ingest: async () => (await import('../cli/ingest.ts')).ingestCommand,
  job: async () => (await import('../cli/job.ts')).jobVerbs,
  key: async () => (await import('../cli/key.ts')).keyVerbs,
  migrate: async () => (await import('../cli/migrate.ts')).migrateVerbs,
  record: async () => (await import('../cli/record.ts')).recordVerbs,
  run: async () =>
    (await import('../cli/run.ts')).createRunCommand(
      (await import('./catalogue.ts')).formats,
      new URL('./catalogue.ts', import.meta.url).href,
    ),
  serve: async () => (await import('./serve.ts')).serveCommand,
  target: async () => ({
    ddl: (await import('../cli/target-ddl.ts')).createTargetDdlCommand((await import('./catalogue.ts')).loadConnectors),
  }),
  tenant: async () => (await import('../cli/tenant.ts')).tenantVerbs,
  trust: async () => (await import('../cli/trust.ts')).trustCommand,
  verify: async () => (await import('../cli/verify.ts')).verifyCommand,
  version: async () => (await import('../cli/version.ts')).versionCommand,
};

async function dispatcher(name: string, load: (typeof commands)[string]): Promise<Dispatch> {
  const [loaded, { runCommand, runVerb }] = await Promise.all([load(), import('../cli/command.ts')]);
  return (argv) => (isCommand(loaded) ? runCommand(loaded, argv) : runVerb(name, loaded, argv));
}

function isCommand(loaded: Command | Readonly<Record<string, Command>>): loaded is Command {
  return typeof loaded.run === 'function';
}

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
  return (await dispatcher(name, load))(rest);
}

// A reader that closes the pipe early (`| head`) is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2));
