/** What can go wrong with tenants and API keys, for administrators. */
import { defineErrors } from '../base/errors.ts';

export const accessErrors = defineErrors({
  E_TENANT_NAME: {
    meaning: 'The name of a tenant is not of the allowed kind.',
    actor: 'administrator',
    next: 'Use lower case letters, digits and hyphens, beginning with a letter or digit, at most 63.',
  },
  E_KEY_SCOPE: {
    meaning: 'An API key was asked for with a scope that does not exist, or with none.',
    actor: 'administrator',
    next: 'Name scopes from the list in the message.',
  },
  E_KEY_UNKNOWN: {
    meaning: 'The tenant has no API key of this id that is still valid.',
    actor: 'administrator',
    next: "List the tenant's keys.",
  },
});
