/** Every command of the program by its name: a command, or a noun with verbs; its code is loaded when it is asked for, its line of help is here. */
import type { Command } from '../cli/command.ts';

export type Loaded = Command | Readonly<Record<string, Command>>;

export const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Loaded> }>> = {
  arrival: {
    summary: 'Shows arrivals, accepted or not; accepts or refuses those that are held.',
    load: async () => (await import('../cli/arrival.ts')).arrivalVerbs,
  },
  batch: {
    summary: 'Shows delivery batches and their attempts; decides about those that are held.',
    load: async () => (await import('../cli/batch.ts')).batchVerbs,
  },
  'blocked-key': {
    summary: 'Shows keys that wait behind a record that was given up, and releases them.',
    load: async () => (await import('../cli/blocked-key.ts')).blockedKeyVerbs,
  },
  'dead-letter': {
    summary: 'Shows records that were given up, exports them, and sends them again.',
    load: async () => (await import('../cli/dead-letter.ts')).deadLetterVerbs,
  },
  demo: {
    summary: 'Runs the main job for two tenants on this machine, then keeps serving.',
    load: async () => (await import('./demo/demo.ts')).demoCommand,
  },
  doctor: {
    summary: 'Checks runtime, settings, folders, keys, port and database, and says what to do.',
    load: async () => (await import('../cli/doctor.ts')).doctorCommand,
  },
  error: {
    summary: 'Says what an error code means, who can act on it, and what they do next.',
    load: async () =>
      (await import('../cli/error.ts')).createErrorCommand(async () => (await import('./error-catalogue.ts')).declaredErrors()),
  },
  event: {
    summary: 'Shows what happened: about one thing, of one type, or the latest.',
    load: async () => (await import('../cli/event.ts')).eventVerbs,
  },
  file: { summary: 'Shows accepted files with their hashes and jobs.', load: async () => (await import('../cli/arrival.ts')).fileVerbs },
  flow: {
    summary: 'Checks, formats, plans, applies, lists and switches flows and their connections.',
    load: async () => (await import('../cli/flow.ts')).createFlowVerbs(await import('./catalogue.ts')),
  },
  health: {
    summary: 'Says whether sources and targets are well, and probes them deeply.',
    load: async () => (await import('../cli/health.ts')).healthCommand,
  },
  ingest: {
    summary: 'Uploads files to a flow, and can wait for their jobs.',
    load: async () => (await import('../cli/ingest.ts')).ingestCommand,
  },
  job: {
    summary: 'Shows, watches and exports jobs; decides about those that are held.',
    load: async () => (await import('../cli/job.ts')).jobVerbs,
  },
  key: { summary: 'Makes, lists and revokes API keys.', load: async () => (await import('../cli/key.ts')).keyVerbs },
  migrate: {
    summary: 'Brings the schema of the database up to date, or shows what is pending.',
    load: async () => (await import('../cli/migrate.ts')).migrateVerbs,
  },
  record: {
    summary: 'Shows records of a job with their outcome and fields.',
    load: async () => (await import('../cli/record.ts')).recordVerbs,
  },
  run: {
    summary: 'Runs files through a flow without a server.',
    load: async () => {
      const [{ createRunCommand }, catalogue] = await Promise.all([import('../cli/run/run-command.ts'), import('./catalogue.ts')]);
      return createRunCommand(catalogue);
    },
  },
  serve: { summary: 'Starts the product.', load: async () => (await import('./serve.ts')).serveCommand },
  target: {
    summary: 'Shows targets, decides about their breakers, and prints the SQL of the tables that one writes to.',
    load: async () => ({
      ...(await import('../cli/target.ts')).targetVerbs,
      ddl: (await import('../cli/target-ddl.ts')).createTargetDdlCommand((await import('./catalogue.ts')).loadConnectors),
    }),
  },
  tenant: { summary: 'Makes and lists tenants.', load: async () => (await import('../cli/tenant.ts')).tenantVerbs },
  trust: {
    summary: 'Prints the public key that receipts are verified with.',
    load: async () => (await import('../cli/trust.ts')).trustCommand,
  },
  verify: {
    summary: 'Recomputes a job from its raw file and checks its signed receipt.',
    load: async () => (await import('../cli/verify.ts')).createVerifyCommand((await import('./catalogue.ts')).packs),
  },
  version: {
    summary: 'Shows the versions of program, schema, flow plan and runtime.',
    load: async () => (await import('../cli/version.ts')).versionCommand,
  },
  write: {
    summary: "Writes a file of a bank's format from a JSON document.",
    load: async () => (await import('../cli/write/write-command.ts')).createWriteCommand((await import('./catalogue.ts')).packs),
  },
};

export function isCommand(loaded: Loaded): loaded is Command {
  return typeof loaded.run === 'function';
}
