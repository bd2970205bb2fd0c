/** What can be wrong with a flow definition or another document of `headgate/v1`, for its author. */
import { defineErrors } from '../../platform/base/errors.ts';

export const flowErrors = defineErrors({
  E_YAML: {
    meaning: 'The text is not one YAML 1.2 document of the strict kind: no tags, anchors or aliases, no key twice, at most 1 MiB.',
    actor: 'author',
    next: 'Correct the text at the position given.',
  },
  E_CONFIG_KEY: {
    meaning: 'A key is unknown, or one that is required is missing.',
    actor: 'author',
    next: 'Correct the name of the key, or add it; the message suggests the nearest one.',
  },
  E_CONFIG_VALUE: {
    meaning: 'A value has the wrong type, is outside its bounds or is none of the choices.',
    actor: 'author',
    next: 'Write a value of the kind that the message names.',
  },
  E_CONFIG_CONFLICT: {
    meaning: 'Two settings contradict each other, or one means nothing beside the other.',
    actor: 'author',
    next: 'Change what the message names: leave out one of the two, or give one of them another value.',
  },
  E_CONFIG_IDEMPOTENCY_KEY: {
    meaning: 'Two records of a file could be sent under one Idempotency-Key, and the service would take the second for the first again.',
    actor: 'author',
    next: 'Name an output field that is a field with `unique: file` as it is, or leave `idempotencyKey` out: delivery keys are never the same.',
  },
  E_CONFIG_DUPLICATE: {
    meaning: 'Two parts of a document have the same id, name, column or tag, or there are two where one may be.',
    actor: 'author',
    next: 'Give one of them another id, name, column or tag, or leave one out.',
  },
  E_CONFIG_REFERENCE: {
    meaning: 'A document names a field, target or connection that does not exist.',
    actor: 'author',
    next: 'Correct the name (the message suggests the nearest one), or add what it refers to: `headgate flow apply` of a folder applies connections before flows.',
  },
  E_CONFIG_LAYOUT: {
    meaning: 'Fields of a record overlap, lie outside the record, or are placed in a way that their format does not know.',
    actor: 'author',
    next: 'Correct the positions of the fields.',
  },
  E_CONFIG_ROUTE: {
    meaning: 'A record could reach no target, or a rule or target can never be reached.',
    actor: 'author',
    next: 'Add the route, or remove what is never reached.',
  },
  E_CONFIG_CODE: {
    meaning: 'A code of the author begins with E_, which is reserved for codes of the product.',
    actor: 'author',
    next: 'Choose a code of your own, such as AMT01.',
  },
  E_SECRET_INLINE: {
    meaning: 'A document holds a secret. Its value is not stored, logged or shown.',
    actor: 'author',
    next: 'Refer to the secret with env:NAME or file:/absolute/path, and replace the one that was written down.',
  },
  E_POLICY: {
    meaning: "A flow is less strict than its tenant's policy.",
    actor: 'author',
    next: 'Tighten the flow, or have the policy changed by who owns it.',
  },
  E_FLOW_INVALID: {
    meaning: 'A flow definition has mistakes; the details list them with line and column.',
    actor: 'author',
    next: 'Correct them and run `headgate flow validate`; `headgate flow plan` also holds them against what the tenant has in force.',
  },
});
