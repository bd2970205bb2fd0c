/** What can go wrong when flows and definitions are applied or looked up. */
import { defineErrors } from '../../../platform/base/errors.ts';

export const flowStoreErrors = defineErrors({
  E_VERSION_CONFLICT: {
    meaning: 'This version of the flow exists already with other content; a version never changes.',
    actor: 'author',
    next: 'Give the changed flow a new version; the message names the next one.',
  },
  E_FLOW_CHANGED: {
    meaning: 'The stored text of a flow version does not have the hash under which it was applied; it is not used.',
    actor: 'administrator',
    next: 'Find out who changed the database; apply the flow again under a new version.',
  },
  E_FLOW_UNKNOWN: {
    meaning: 'The tenant has no flow, or no version of the flow, of this name.',
    actor: 'caller',
    next: 'List the flows with `headgate flow list`, or apply the flow first.',
  },
  E_DEFINITION_STALE: {
    meaning: 'A document was not applied, because another one of its kind and name came into force after the change was planned, or read.',
    actor: 'caller',
    next: 'Plan it again (`headgate flow plan`), look at what it would change now, and apply that.',
  },
  E_DEFINITION_UNKNOWN: {
    meaning: 'The tenant has no definition of this kind and name.',
    actor: 'caller',
    next: 'Apply the definition first.',
  },
});
