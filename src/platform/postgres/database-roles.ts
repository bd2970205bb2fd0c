/**
 * The three roles: headgate_owner owns the schema and cannot log in; headgate_app is what the product runs as and can
 * neither change the schema nor step around row-level security; headgate_dispatcher owns the few functions that look
 * across tenants at ids and schedules. Making them is idempotent.
 */
import pg from 'pg';
import type { Queryable } from './database.ts';

export const roleNames = { owner: 'headgate_owner', app: 'headgate_app', dispatcher: 'headgate_dispatcher' } as const;

const attributes = {
  [roleNames.owner]: 'nologin',
  [roleNames.app]: 'login',
  [roleNames.dispatcher]: 'nologin',
};

/**
 * Creates missing roles and sets the application's password when one is given. The current role needs CREATEROLE and
 * becomes a member of the owner; the owner may hand functions to the dispatcher.
 */
export async function ensureRoles(db: Queryable, appPassword: string | undefined): Promise<void> {
  const { rows } = await db.query<{ rolname: string }>('/* list roles */ select rolname from pg_roles where rolname = any($1)', [
    Object.values(roleNames),
  ]);
  const existing = new Set(rows.map((row) => row.rolname));
  for (const [role, login] of Object.entries(attributes)) {
    if (!existing.has(role)) {
      await db.query(`/* create role */ create role ${role} ${login} nosuperuser nocreatedb nocreaterole noreplication nobypassrls`);
    }
  }
  if (appPassword !== undefined)
    await db.query(`/* set role password */ alter role ${roleNames.app} password ${pg.escapeLiteral(appPassword)}`);
  const { rows: memberships } = await db.query<{ isOwner: boolean; ownsDispatcher: boolean }>(selectMemberships);
  if (!memberships[0]!.isOwner) await db.query(`/* join owner */ grant ${roleNames.owner} to current_user with set true`);
  if (!memberships[0]!.ownsDispatcher) {
    await db.query(`/* join dispatcher */ grant ${roleNames.dispatcher} to ${roleNames.owner} with inherit false, set true`);
  }
}

/** Looked at first, so that an administrator who only belongs to the owner role can migrate too. */
const selectMemberships = `/* role memberships */ select pg_has_role(current_user, '${roleNames.owner}', 'set') as "isOwner",
  pg_has_role('${roleNames.owner}', '${roleNames.dispatcher}', 'set') as "ownsDispatcher"`;
