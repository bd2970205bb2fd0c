/** Every command of the program by its name: a command, or a noun with verbs; its code is loaded when it is asked for. */
import type { Command } from '../cli/command.ts';

export type Loaded = Command | Readonly<Record<string, Command>>;

export const commands: Readonly<Record<string, () => Promise<Loaded>>> = {
  arrival: async () => (await import('../cli/arrival.ts')).arrivalVerbs,
  batch: async () => (await import('../cli/batch.ts')).batchVerbs,
  'blocked-key': async () => (await import('../cli/blocked-key.ts')).blockedKeyVerbs,
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
    (await import('../cli/run/run-command.ts')).createRunCommand(
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

export function isCommand(loaded: Loaded): loaded is Command {
  return typeof loaded.run === 'function';
}
