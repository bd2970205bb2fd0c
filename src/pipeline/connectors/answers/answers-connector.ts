/**
 * The connector whose target is the product itself: its batches are answers of downstreams, which are matched to what was delivered
 * to them. Nothing leaves. What an answer says is kept by `deliveries`; here it is only handed over.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Connector, OpenOptions, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { readSettings } from '../connector-settings.ts';
import { answersTargetSettings } from './answers-settings.ts';

/** Batches that are sent to other systems are read meanwhile, which may be of gigabytes. */
const matchingMs = 30 * 60_000;

export const answersConnector: Connector = {
  name: 'answers',
  summary: 'Answers of downstreams, matched to what was delivered to them.',
  documentation: 'answers.md',
  connectionType: null,
  bodies: ['ndjson'],
  targetSettings: answersTargetSettings,
  connectionSettings: [],
  open: openAnswersTarget,
};

function openAnswersTarget({ tenantId, plan, target, matchAnswers }: OpenOptions): Target {
  readSettings(answersTargetSettings, target.settings);
  return {
    unknownResolution: 'key',
    attemptTimeoutMs: () => matchingMs,
    async deliver(batch, signal) {
      if (matchAnswers === undefined) throw new HeadgateError(connectorErrors.E_TARGET, 'nothing is delivered here');
      return await matchAnswers({ tenantId, plan, target, batch }, signal);
    },
    probe: async () => ({ isReachable: true, code: null, message: 'answers are matched where deliveries run', durationMs: 0 }),
    close: async () => {},
  };
}
