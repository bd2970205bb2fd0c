/** `headgate tenant create|list` and `headgate key create`: run beside the server's settings, on its database (docs/decisions/0006). */
import { checkScopes, createApiKey, type Scope, scopes, usualScopes } from '../platform/access/api-keys.ts';
import { checkTenantName, ensureTenant, findOwnTenant, findTenant, listTenants, type Tier } from '../platform/access/tenants.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import { requireInstallation } from '../platform/postgres/installation.ts';
import { openDatabase } from '../platform/postgres/open-database.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { cliErrors } from './cli-errors.ts';
import { closedAtSignals } from './closed-at-signals.ts';
import { type Command, type CommandLine, outputOptions, requiredPositional, textOption } from './command.ts';
import { loadSettings } from './load-settings.ts';
import { printOne, printRows } from './output.ts';
import { wantedFields } from './output-fields.ts';
import { isUnwritten } from './stdout.ts';

const options = { ...outputOptions, 'data-dir': { type: 'string' } } as const;
const dryRun = { 'dry-run': { type: 'boolean' } } as const;
const tenantFields = ['name', 'tenantId'];
const tiers: readonly Tier[] = ['gold', 'silver', 'bronze'];

export const tenantVerbs: Readonly<Record<string, Command>> = {
  create: {
    usage: 'headgate tenant create NAME [--tier gold|silver|bronze] [--dry-run] [--data-dir DIR] [--json]',
    summary: 'Makes a tenant, or brings the tier of an existing one up to date. With --dry-run it says which of both it would do.',
    options: { ...options, ...dryRun, tier: { type: 'string' } },
    async run(line) {
      const name = requiredPositional(line, 0, 'NAME', this.usage);
      const tier = (textOption(line, 'tier') ?? 'silver') as Tier;
      if (!tiers.includes(tier)) throw new HeadgateError(cliErrors.E_USAGE, `--tier is one of ${tiers.join(', ')}`);
      if (line.options['dry-run']) {
        await printOne(line, await withDatabase(line, (db) => tenantPlan(db, name, tier)));
        return 0;
      }
      const tenantId = await withDatabase(line, (db, { cell, region }) => ensureTenant(db, systemPorts.ids, { name, tier, cell, region }));
      await printOne(line, { tenant: name, tenantId, tier }, { isDone: true });
      return 0;
    },
  },
  list: {
    usage: 'headgate tenant list [--data-dir DIR] [--json]',
    summary: 'Lists the tenants of this cell.',
    options,
    async run(line) {
      await printRows(line, (await withDatabase(line, (db) => listTenants(db))) as never, { columns: tenantFields, fields: tenantFields });
      return 0;
    },
  },
};

/** What `tenant create` would do. */
async function tenantPlan(db: Db, name: string, tier: Tier) {
  checkTenantName(name);
  const tenantId = await findTenant(db, name);
  const now = tenantId === undefined ? null : (await withTenant(db, tenantId, findOwnTenant, { readOnly: true })).tier;
  const change = now === null ? 'make it' : now === tier ? 'none' : `tier ${now} to ${tier}`;
  return { tenant: name, tenantId: tenantId ?? null, tier, change };
}

export const keyCreateCommand: Command = {
  usage: `headgate key create TENANT [--name NAME] [--scopes ${scopes.join(',')}] [--dry-run] [--data-dir DIR] [--json]`,
  summary:
    'Makes an API key of a tenant and prints it once; only its hash is kept. Default scopes: all but admin, records:reveal (content in the clear) and policy:write (the policy that binds the tenant).',
  options: { ...options, ...dryRun, name: { type: 'string' }, scopes: { type: 'string' } },
  async run(line) {
    const tenant = requiredPositional(line, 0, 'TENANT', this.usage);
    // Before the key is made: it is shown once.
    wantedFields(line, {
      rows: [],
      known: line.options['dry-run'] ? ['tenant', 'name', 'scopes', 'change'] : ['key', 'keyId', 'tenant', 'scopes'],
    });
    const wanted = (textOption(line, 'scopes')?.split(',') as readonly Scope[] | undefined) ?? usualScopes;
    const name = textOption(line, 'name') ?? 'cli';
    const made = await withDatabase(line, async (db) => {
      const tenantId = await findTenant(db, tenant);
      if (tenantId === undefined)
        throw new HeadgateError('E_NOT_FOUND', `there is no tenant ${tenant}`, {
          next: 'See `headgate tenant list`; `headgate tenant create NAME` makes one. Both look into the database of the data folder, or of HEADGATE_DATABASE_URL.',
        });
      if (line.options['dry-run']) return null;
      return withTenant(db, tenantId, (tx) => createApiKey(tx, systemPorts, { name, scopes: wanted, actor: 'administrator' }));
    });
    if (made === null) {
      checkScopes(wanted);
      await printOne(line, { tenant, name, scopes: wanted, change: 'make it' });
      return 0;
    }
    try {
      await printOne(line, { key: made.key, keyId: made.keyId, tenant, scopes: wanted }, { isShownOnce: true });
    } catch (error) {
      throw isUnwritten(error) ? unseen(made.keyId, error) : error;
    }
    return 0;
  },
};

function unseen(keyId: string, cause: HeadgateError): HeadgateError {
  return new HeadgateError(cause.code, `the key ${keyId} was made, and is not shown again: ${cause.message}`, {
    cause,
    next: `Revoke it with a key that has the scope admin, and make another where its output can be written: headgate key revoke ${keyId}`,
  });
}

async function withDatabase<T>(line: CommandLine, fn: (db: Db, settings: Settings) => Promise<T>): Promise<T> {
  const settings = loadSettings({ flags: { dataDir: textOption(line, 'data-dir') } });
  await requireInstallation(settings, systemPorts);
  return await closedAtSignals({
    open: () =>
      openDatabase({
        dataDir: settings.dataDir,
        databaseUrl: settings.databaseUrl,
        applicationName: 'headgate cli',
        connectionsMax: 2,
        ports: systemPorts,
      }),
    use: ({ db }) => fn(db, settings),
    close: (opened) => opened.close(),
    endsWithProcess: settings.databaseUrl !== undefined,
  });
}
