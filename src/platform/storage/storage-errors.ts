/** What can go wrong between the product and its object store. Messages name objects and folders, never content or keys. */
import { defineErrors } from '../base/errors.ts';

export const storageErrors = defineErrors({
  E_STORAGE_FULL: {
    meaning: 'The object store has no space, quota or inodes left; nothing was acknowledged.',
    actor: 'operator',
    next: 'Free space or raise the quota of the storage folder; the work is tried again by itself.',
    retryable: true,
  },
  E_STORAGE_IO: {
    meaning: 'The object store failed to read, write or make durable; the half-written object was discarded.',
    actor: 'operator',
    next: 'Check the disk and the permissions of the storage folder, or the service, its bucket or container and the credentials (`headgate doctor`).',
    retryable: true,
  },
  E_STORE_SETTINGS: {
    meaning: 'The settings of a remote object store contradict each other or lack something.',
    actor: 'operator',
    next: 'Correct the setting that the message names; docs/operating/storage.md has examples.',
  },
  E_OBJECT_NAME: {
    meaning: 'An object name is not a generated one.',
    actor: 'administrator',
    next: 'Report it with the trace id: object names never come from outside.',
  },
  E_OBJECT_EXISTS: {
    meaning: 'An object of this name exists already; objects are never overwritten.',
    actor: 'administrator',
    next: 'Report it with the trace id: generated names do not repeat.',
  },
  E_OBJECT_MISSING: {
    meaning: 'A row names an object that the store does not have.',
    actor: 'operator',
    next: 'Restore the object from a copy of the store; what depends on it stays held.',
  },
  E_OBJECT_DAMAGED: {
    meaning: 'An object is not what was written: flipped, truncated, extended or exchanged bytes.',
    actor: 'operator',
    next: 'Restore the object from a copy of the store; nothing is parsed from a damaged one.',
  },
  E_READ_BACK: {
    meaning: 'What was read back right after writing was not what had been written; it was discarded.',
    actor: 'operator',
    next: 'Check the disk, the memory and the controller of this machine.',
    retryable: true,
  },
});
