/** What a decision to send records again would do: looked at in full before it is made, and again when it is. */
import { createHash } from 'node:crypto';
import { amountTexts, type FieldTexts } from '../../pipeline/engine/amount-texts.ts';
import { addAmounts } from '../../pipeline/engine/amount-totals.ts';
import type { FieldAmounts } from '../../pipeline/engine/chunk.ts';
import type { RepairTexts } from '../../pipeline/engine/repair/compile-repair.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { isMaskedLess, type MaskingFloors, masked, maskingFloors } from '../jobs/views/field-masks.ts';
import { type BlockedMembers, findBlockedMembers } from './blocked-members.ts';
import { type MemberRecord, readMemberRecords, redriveBytesMax, type SourceRecords } from './member-records.ts';
import { redriveErrors } from './redrive-errors.ts';
import { chooseMembers, membersByJob, type RedriveChoice, type RedriveMember } from './redrive-members.ts';

/** One job to be: the records of one job for one target. */
export interface PlannedJob {
  readonly source: SourceRecords;
  readonly targetId: string;
  readonly members: readonly RedriveMember[];
  /** Those that the flow accepts, with their records. */
  readonly sent: readonly { readonly member: RedriveMember; readonly record: MemberRecord }[];
  /** Of the records that would be sent: how many have a key that a letter blocks which was not chosen, and these letters. */
  readonly blocked: BlockedMembers;
}

export interface WantedRedrive {
  readonly selection: RedriveChoice;
  /** Null: the records are sent as they are. */
  readonly repair: RepairTexts | null;
  /** Whoever asks may see what is masked: their repair may look at it. */
  readonly mayReveal?: boolean;
  /** Under the version of the flow that is in force, not that of the first job. */
  readonly isCurrentVersion?: boolean;
}

export interface RedrivePlan {
  readonly flowId: string;
  readonly repair: RepairTexts | null;
  readonly floors: MaskingFloors;
  readonly jobs: readonly PlannedJob[];
  /** Of what was chosen and how it stood: another one is another decision. */
  readonly version: string;
}

export interface RedriveTotals {
  readonly records: number;
  readonly amounts: FieldTexts;
}

export interface RedrivePreview {
  readonly version: string;
  /** All that were chosen; those that would be sent; those that the flow would reject; those that it would lead elsewhere. */
  readonly chosen: RedriveTotals;
  /** Of those that were chosen, how many the repair gives another text, or a field that is masked any text at all. */
  readonly changed: number;
  readonly sent: RedriveTotals;
  readonly rejected: RedriveTotals;
  readonly elsewhere: RedriveTotals;
  readonly jobs: readonly {
    readonly ofJobId: string;
    readonly file: string;
    readonly targetId: string;
    /** That they run under. */
    readonly flowVersion: string;
    readonly records: number;
    readonly sent: number;
  }[];
  /** Each of those that were chosen: what a repair changes, masked, and what becomes of it. */
  readonly members: readonly MemberPreview[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

export interface MemberPreview {
  readonly deadLetterId: string;
  readonly recordId: string;
  readonly fate: MemberRecord['fate'];
  readonly changes: MemberRecord['changes'];
  readonly findings: readonly {
    readonly code: string;
    readonly field: string | null;
    readonly rule: string | null;
    readonly message: string;
  }[];
}

/** Jobs that records of one decision come from: each is read by itself, and gets a file. */
const jobsMax = 100;

/** Fails as `chooseMembers` does, and with E_REDRIVE_SIZE, E_REDRIVE_VERSION and E_REPAIR_UNKNOWN. */
export async function planRedrive(tx: TenantTx, services: JobServices, wanted: WantedRedrive): Promise<RedrivePlan> {
  const { selection, repair, mayReveal = false, isCurrentVersion = false } = wanted;
  const members = await chooseMembers(tx, selection);
  const chosenJobs = membersByJob(members);
  if (chosenJobs.length > jobsMax)
    throw new HeadgateError(
      redriveErrors.E_REDRIVE_SIZE,
      `records of ${chosenJobs.length} jobs and targets were chosen, of more than ${jobsMax}`,
    );
  const jobs: PlannedJob[] = [];
  let bytes = 0;
  for (const own of chosenJobs) {
    const { jobId, targetId } = own[0]!;
    const source = await readMemberRecords(tx, services, {
      jobId,
      targets: [targetId],
      records: own.map((member) => member.recordNumber),
      repair,
      mayReveal,
      isCurrentVersion,
      mayBeThere: own.some(({ mayBeThere }) => mayBeThere),
      bytesLeft: redriveBytesMax - bytes,
    });
    bytes += source.records.reduce((sum, { content }) => sum + content.length, 0);
    const pairs = own.map((member, index) => ({ member, record: source.records[index]! }));
    if (repair !== null) assertNotUnknown(pairs);
    const sent = pairs.filter(({ record }) => record.fate === 'sent');
    const keys = sent.flatMap(({ record: { key } }) => (key === null ? [] : [key]));
    const blocked = await findBlockedMembers(tx, { source, targetId, keys, members });
    jobs.push({ source, targetId, members: own, sent, blocked });
  }
  return { flowId: members[0]!.flowId, repair, jobs, floors: await maskingFloors(tx), version: versionOf(members, repair, jobs) };
}

/** What was refused for good after such an attempt is not there, unless that attempt was slower than the refusal: it is warned of. */
function assertNotUnknown(pairs: readonly { readonly member: RedriveMember; readonly record: MemberRecord }[]): void {
  const unknown = pairs.filter(({ member, record }) => member.mayBeThere && member.cause !== 'refused' && record.changes.length > 0);
  if (unknown.length === 0) return;
  const { deadLetterId } = unknown[0]!.member;
  throw new HeadgateError(
    redriveErrors.E_REPAIR_UNKNOWN,
    `${unknown.length} of the records that the repair changes may be at ${unknown[0]!.member.targetId} already, as they were (${deadLetterId}${unknown.length > 1 ? ' and others' : ''})`,
  );
}

function versionOf(members: readonly RedriveMember[], repair: RepairTexts | null, jobs: readonly PlannedJob[]): string {
  const versions = [...new Set(jobs.map(({ source }) => source.job.flowVersionId))].sort();
  const ids = members.map(({ deadLetterId }) => deadLetterId).sort();
  return createHash('sha256')
    .update(JSON.stringify([ids, repair, versions]))
    .digest('hex')
    .slice(0, 32);
}

export function previewOf(plan: RedrivePlan): RedrivePreview {
  const records = plan.jobs.flatMap(({ source }) => source.records);
  const unknown = plan.jobs.flatMap(({ members }) => members).filter(({ mayBeThere }) => mayBeThere).length;
  const message = `${unknown} of them may have arrived: ask the target first, by batch id or delivery key; it is told that they may be duplicates (Headgate-Possible-Duplicate); one that keeps delivery keys leaves what it has as it was, whatever a repair or another version made of it`;
  return {
    version: plan.version,
    chosen: totalsOf(records.map((record) => ({ ...record, amounts: record.amountsBefore }))),
    changed: records.filter(({ changes }) => changes.length > 0).length,
    sent: totalsOf(records.filter(({ fate }) => fate === 'sent')),
    rejected: totalsOf(records.filter(({ fate }) => fate === 'rejected')),
    elsewhere: totalsOf(records.filter(({ fate }) => fate === 'elsewhere')),
    jobs: plan.jobs.map(({ source, targetId, members, sent }) => ({
      ofJobId: source.job.jobId,
      file: source.job.fileName,
      targetId,
      flowVersion: source.job.flowVersion,
      records: members.length,
      sent: sent.length,
    })),
    members: plan.jobs.flatMap((job) => job.members.map((member, index) => memberPreview(plan, job, member, job.source.records[index]!))),
    warnings: [...(unknown === 0 ? [] : [{ code: 'E_OUTCOME_UNKNOWN', message }]), ...blockedWarnings(plan.jobs)],
  };
}

function blockedWarnings(jobs: readonly PlannedJob[]): RedrivePreview['warnings'] {
  return jobs.flatMap(({ targetId, blocked: { records, letters } }) => {
    if (records === 0) return [];
    const named = `${letters.slice(0, lettersMax).join(', ')}${letters.length > lettersMax ? ', …' : ''}`;
    const message = `${records} of them come back from ${targetId} without being sent: their key is blocked by ${named}; send that one too, or first release its key with \`headgate blocked-key release --dead-letter\``;
    return [{ code: 'E_KEY_BLOCKED', message }];
  });
}

/** Of one warning. */
const lettersMax = 3;

function memberPreview({ floors }: RedrivePlan, { source }: PlannedJob, member: RedriveMember, record: MemberRecord): MemberPreview {
  const fields = source.job.flow.plan.records.flatMap((type) => type.fields);
  const shown = (name: string, text: string | null) => {
    const own = fields.filter((candidate) => candidate.name === name);
    return masked(
      own.reduce((most, one) => (isMaskedLess(most, one, floors) ? one : most)),
      text,
      floors,
    );
  };
  return {
    deadLetterId: member.deadLetterId,
    recordId: `${member.jobId}/${member.recordNumber}`,
    fate: record.fate,
    changes: record.changes.map(({ field, before, after }) => ({ field, before: shown(field, before), after: shown(field, after) })),
    findings: record.findings.slice(0, findingsMax),
  };
}

/** Of one record. */
const findingsMax = 10;

function totalsOf(records: readonly Pick<MemberRecord, 'amounts'>[]): RedriveTotals {
  const amounts = records.reduce<FieldAmounts>((sum, record) => addAmounts(sum, record.amounts), {});
  return { records: records.length, amounts: amountTexts(amounts) };
}
